/**
 * The PIN of a token: asked for in one field, which is emptied when it is sent. What the token says of the tries that are left is said first; the last one
 * is typed twice.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Check } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { unlockToken } from './connect.ts';
import { refreshHardware, useHardware, type Token } from './data.ts';
import { Warned } from './parts.tsx';
import { nameOf } from './token-names.ts';
import { TRIES } from './words.ts';

interface PinFormProps {
  readonly token: Token;
  /** What the button does: "Log in", "Connect". */
  readonly act: string;
  /** The token took the PIN. It stays busy until this is done. */
  readonly onTaken: () => Promise<void>;
  readonly onCancel?: (() => void) | undefined;
  readonly onBusy?: (busy: boolean) => void;
  /** Padding of a dialog's body. */
  readonly inDialog?: boolean;
  /** Two modules show the token: the PIN goes to this one’s. */
  readonly module?: string | undefined;
}

export function PinForm({ token: given, act, onTaken, onCancel, onBusy, inDialog = false, module }: PinFormProps) {
  const queries = useQueryClient();
  // As it is by now: a wrong PIN changes what the token says of itself.
  const token = useHardware().data?.Tokens.find(({ Serial, Label }) => Serial === given.Serial && Label === given.Label) ?? given;
  const pin = useRef<PasswordHandle>(null);
  const again = useRef<PasswordHandle>(null);
  const [seal, setSeal] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [error, setError] = useState<CallError>();
  const name = nameOf(token);
  const last = token.PinState === 'last';
  const locked = token.PinState === 'locked';
  useEffect(() => { if (!busy) pin.current?.focus(); }, [busy]);

  const work = (now: boolean): void => { setBusy(now); onBusy?.(now); };
  const submit = async (): Promise<void> => {
    if (last && again.current && !pin.current?.same(again.current)) {
      setWrong('The two differ. Nothing was tried.');
      again.current.focus();
      return;
    }
    using second = last ? again.current?.take() : undefined;
    void second;
    const secret = pin.current?.take();
    if (!secret) {
      pin.current?.focus();
      return;
    }
    setWrong(undefined);
    setError(undefined);
    work(true);
    const answer = await unlockToken(token, secret, { LastTry: last, SealPin: seal, ...(module === undefined ? {} : { Module: module }) });
    if (answer.ok) await onTaken();
    else {
      await refreshHardware(queries);
      if (answer.error.code === 'IncorrectPinException' || answer.error.code === 'ValidationException') setWrong(sentence(answer.error.message));
      else setError(answer.error);
    }
    work(false);
  };

  const tries = TRIES[token.PinState];
  return (
    <form className="flex flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && !locked) void submit(); }}>
      <div className={`flex flex-col gap-4 ${inDialog ? 'px-5 pt-2 pb-3' : ''}`}>
        <p className="text-fg-2">Token <b className="font-medium text-fg">{name}</b>, serial number <code className="font-mono text-[12px]">{token.Serial}</code>. {seal ? 'The PIN is kept in the module’s process until the vault is locked, and sealed in the vault until you have it forgotten.' : 'The PIN is kept in the module’s process until the vault is locked, and written nowhere.'}</p>
        {tries !== undefined && <Warned>{tries}</Warned>}
        {!locked && <PasswordField ref={pin} label="PIN" autoComplete="off" autoFocus disabled={busy} error={wrong} hint={token.MinPinLength > 0 && token.MaxPinLength >= token.MinPinLength ? `${String(Math.max(4, token.MinPinLength))} to ${String(token.MaxPinLength)} characters` : undefined} />}
        {last && <PasswordField ref={again} label="The same PIN again" autoComplete="off" disabled={busy} />}
        {!locked && (
          <div>
            <Check checked={seal} onCheck={setSeal} words="Seal the PIN in the vault" />
            <p className="pl-6 text-[12px]/[18px] text-fg-2">The key store then connects by itself when the vault is unlocked: whoever opens the vault uses the token. Forget the PIN under Modules.</p>
          </div>
        )}
        {error && <InlineError error={error} consequence="The token is not logged in." />}
      </div>
      <div className={`flex flex-wrap justify-end gap-2 ${inDialog ? 'px-5 pt-2 pb-5' : 'pt-3'}`}>
        {onCancel && <Button tall onClick={onCancel} disabled={busy}>{locked ? 'Close' : 'Cancel'}</Button>}
        {!locked && <Button tall kind={last ? 'danger' : 'primary'} type="submit" busy={busy}>{busy ? 'Asking the token…' : last ? 'Use the last try' : act}</Button>}
      </div>
    </form>
  );
}
