/** A factor asked for again before the ways into the vault change. */
import { useQuery } from '@tanstack/react-query';
import { useImperativeHandle, useRef, useState, type Ref } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client, outputOf } from '../client.ts';
import { TokenModule, TokenSlotField, useTokenFactor, type TokenSlot, type TokenWith } from '../gate/token-factor.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { STATUS } from '../status.ts';

export type ProofInput = { readonly Password: SecretBytes } | { readonly RecoveryCode: SecretBytes } | { readonly Keychain: true } | ({ readonly TokenPin: SecretBytes } & TokenWith);
export interface ProofHandle {
  take(): ProofInput | undefined;
  focus(): void;
}
export type ProofKind = 'password' | 'recovery' | 'keychain' | 'token';

interface ProofProps {
  readonly ref: Ref<ProofHandle>;
  /** What the vault has, best first. */
  readonly kinds: readonly ProofKind[];
  readonly error: string | undefined;
  /** What came of the last attempt: a token's last try, a module to vouch for. */
  readonly refusal?: CallError | undefined;
  readonly disabled: boolean;
  /** False where something else is to be filled in first. */
  readonly autoFocus?: boolean;
}

const NONE: readonly TokenSlot[] = [];
const LABELS = { password: 'Your password', recovery: 'Your recovery code', token: 'PIN of the token that opens the vault' } as const;
const INSTEAD: Record<ProofKind, string> = { password: 'Use the password', recovery: 'Use the recovery code', keychain: 'Use the keychain', token: 'Use the token' };

export function Proof({ ref, kinds, error, refusal, disabled, autoFocus = true }: ProofProps) {
  const [kind, setKind] = useState<ProofKind>(kinds[0] ?? 'password');
  const field = useRef<PasswordHandle>(null);
  const status = useQuery({ queryKey: STATUS, queryFn: async () => outputOf(await client.vault.status()), enabled: kinds.includes('token') });
  const token = useTokenFactor(status.data?.TokenSlots ?? NONE, refusal);
  useImperativeHandle(ref, () => ({
    take: () => {
      if (kind === 'keychain') return { Keychain: true };
      const secret = field.current?.take();
      return secret && (kind === 'password' ? { Password: secret } : kind === 'recovery' ? { RecoveryCode: secret } : { TokenPin: secret, ...token.given });
    },
    focus: () => { field.current?.focus(); },
  }));
  return (
    <div>
      {kind === 'token' && token.slots.length > 1 && <div className="mb-3.5"><TokenSlotField factor={token} disabled={disabled} /></div>}
      {kind === 'keychain' ? <p className="text-fg-2">This computer&apos;s keychain is asked.{error === undefined ? '' : ` ${error}`}</p>
      : <PasswordField key={kind === 'token' ? token.chosen?.SlotId : kind} ref={field} label={kind === 'token' && token.slots.length > 1 ? `PIN of token ${token.chosen?.Token ?? ''}` : LABELS[kind]} hint={kind === 'token' && token.lastTry ? 'Going on uses the last try that the token says is left' : undefined} autoFocus={autoFocus} disabled={disabled} error={error} autoComplete={kind === 'password' ? 'current-password' : 'off'} />}
      {kind === 'token' && <TokenModule factor={token} onVouch={() => { field.current?.focus(); }} />}
      <div className="mt-1 flex gap-3">
        {kinds.filter((one) => one !== kind).map((one) => (
          <button key={one} type="button" disabled={disabled} onClick={() => { token.leave(); setKind(one); }} className="h-6 rounded-[5px] text-[12px] font-medium text-fg-2 underline decoration-line-2 underline-offset-2 hover:text-fg">{INSTEAD[one]}</button>
        ))}
      </div>
    </div>
  );
}
