/** A factor asked for again before the ways into the vault change. */
import { useImperativeHandle, useRef, useState, type Ref } from 'react';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';

export type ProofInput = { readonly Password: SecretBytes } | { readonly RecoveryCode: SecretBytes } | { readonly Keychain: true } | { readonly TokenPin: SecretBytes };
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
  readonly disabled: boolean;
  /** False where something else is to be filled in first. */
  readonly autoFocus?: boolean;
}

const LABELS = { password: 'Your password', recovery: 'Your recovery code', token: 'PIN of the token that opens the vault' } as const;
const INSTEAD: Record<ProofKind, string> = { password: 'Use the password', recovery: 'Use the recovery code', keychain: 'Use the keychain', token: 'Use the token' };

export function Proof({ ref, kinds, error, disabled, autoFocus = true }: ProofProps) {
  const [kind, setKind] = useState<ProofKind>(kinds[0] ?? 'password');
  const field = useRef<PasswordHandle>(null);
  useImperativeHandle(ref, () => ({
    take: () => {
      if (kind === 'keychain') return { Keychain: true };
      const secret = field.current?.take();
      return secret && (kind === 'password' ? { Password: secret } : kind === 'recovery' ? { RecoveryCode: secret } : { TokenPin: secret });
    },
    focus: () => { field.current?.focus(); },
  }), [kind]);
  return (
    <div>
      {kind === 'keychain' ? <p className="text-fg-2">This computer&apos;s keychain is asked.{error === undefined ? '' : ` ${error}`}</p>
      : <PasswordField key={kind} ref={field} label={LABELS[kind]} autoFocus={autoFocus} disabled={disabled} error={error} autoComplete={kind === 'password' ? 'current-password' : 'off'} />}
      <div className="mt-1 flex gap-3">
        {kinds.filter((one) => one !== kind).map((one) => (
          <button key={one} type="button" disabled={disabled} onClick={() => { setKind(one); }} className="h-6 rounded-[5px] text-[12px] font-medium text-fg-2 underline decoration-line-2 underline-offset-2 hover:text-fg">{INSTEAD[one]}</button>
        ))}
      </div>
    </div>
  );
}
