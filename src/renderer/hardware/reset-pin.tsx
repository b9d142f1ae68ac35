/** A token's user PIN set anew by its security officer. PINs are in their fields alone, and are taken out when they are sent. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { isLastTry } from '../gate/token-factor.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { refreshHardware, type Token } from './data.ts';
import { Warned } from './parts.tsx';
import { nameOf } from './token-names.ts';
import { leastPin } from './words.ts';

type Field = 'officer' | 'fresh' | 'again';

/** `module`: of a token that two modules show, the one that is asked. */
export function ResetPin({ token, module, onClose }: { readonly token: Token; readonly module: string | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const fields = { officer: useRef<PasswordHandle>(null), fresh: useRef<PasswordHandle>(null), again: useRef<PasswordHandle>(null) } as const;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly field: Field; readonly words: string }>();
  const [error, setError] = useState<CallError>();
  const { SecurityOfficerPinState: tries } = token;
  const isLocked = tries === 'locked';
  // Only a person who was told goes on to it.
  const insists = tries === 'last' || isLastTry(error);
  const least = leastPin(token);

  const submit = async (): Promise<void> => {
    const say = (field: Field, words: string): void => { setProblem({ field, words }); fields[field].current?.focus(); };
    const { officer, fresh, again } = fields;
    if ((officer.current?.read().length ?? 0) < 4) return say('officer', 'The token asks for it.');
    if ((fresh.current?.read().length ?? 0) < least) return say('fresh', `A PIN of this token has at least ${String(least)} characters.`);
    if (again.current && !fresh.current?.same(again.current)) return say('again', 'The two differ. Nothing was tried.');
    setProblem(undefined);
    setError(undefined);
    using second = again.current?.take();
    void second;
    const SecurityOfficerPin = officer.current?.take();
    const NewPin = fresh.current?.take();
    if (!SecurityOfficerPin || !NewPin) return;
    setBusy(true);
    const answer = await client.hardware.resetPin({ Serial: token.Serial, Label: token.Label, ...(module === undefined ? {} : { Module: module }), SecurityOfficerPin, NewPin, LastTry: insists });
    setBusy(false);
    await refreshHardware(queries);
    if (answer.ok) return onClose();
    if (answer.error.code === 'IncorrectPinException') setProblem({ field: 'officer', words: sentence(answer.error.message) });
    else setError(answer.error);
    // Once it is no longer disabled.
    setTimeout(() => { officer.current?.focus(); }, 0);
  };
  const said = (field: Field): string | undefined => (problem?.field === field ? problem.words : undefined);
  return (
    <Dialog title={`Set a new PIN for ${nameOf(token)}`} onClose={onClose} held={busy} className="w-[440px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && !isLocked) void submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">For a PIN that is locked or forgotten. The keys stay as they are. Whoever is logged in to the token is logged out, and a PIN that is sealed in the vault is forgotten.</p>
          {isLocked ? <Warned>The PIN of its security officer is locked, too: only the tools of the token’s vendor can help now.</Warned> : (
            <>
              {insists && <Warned>One try is left for the security officer. One more wrong PIN locks that one, too.</Warned>}
              <PasswordField ref={fields.officer} label="PIN of its security officer" autoComplete="off" autoFocus disabled={busy} error={said('officer')} hint="It goes to a process of its own and is not kept" />
              <PasswordField ref={fields.fresh} label="New PIN" autoComplete="off" disabled={busy} error={said('fresh')} hint={`${String(least)} to ${String(token.MaxPinLength)} characters`} />
              <PasswordField ref={fields.again} label="New PIN again" autoComplete="off" disabled={busy} error={said('again')} />
            </>
          )}
          {error && <InlineError error={error} consequence="The PIN is as it was." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>{isLocked ? 'Close' : 'Cancel'}</Button>
          {!isLocked && <Button tall kind={insists ? 'danger' : 'primary'} type="submit" busy={busy}>{busy ? 'Asking the token…' : insists ? 'Use the last try' : 'Set the PIN'}</Button>}
        </DialogFoot>
      </form>
    </Dialog>
  );
}
