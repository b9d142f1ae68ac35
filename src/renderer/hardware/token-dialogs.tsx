/** A token logged in to, initialised, given another PIN. PINs are in their fields alone, and are taken out when they are sent. */
import { useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { refreshHardware, type Token } from './data.ts';
import { Warned } from './parts.tsx';
import { PinForm } from './pin-form.tsx';
import { nameOf } from './token-names.ts';
import { leastPin, TRIES } from './words.ts';

interface TokenDialogProps {
  readonly token: Token;
  readonly onClose: () => void;
}

/** `module`: of a token that two modules show, the one that is asked. */
export function LogIn({ token, module, onClose }: TokenDialogProps & { readonly module: string | undefined }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={`Log in to ${nameOf(token)}`} onClose={onClose} held={busy} className="w-[440px]">
      <PinForm inDialog token={token} module={module} act="Log in" onBusy={setBusy} onCancel={onClose} onTaken={async () => { await refreshHardware(queries); onClose(); }} />
    </Dialog>
  );
}

interface InitialiseFormProps extends TokenDialogProps {
  readonly onBusy: (busy: boolean) => void;
  /** It has this label and PIN now. `pin` is the one whom it is given to to wipe. */
  readonly onDone: (token: { readonly Serial: string; readonly Label: string; readonly CloudHsmClusterId: string }, pin: SecretBytes) => Promise<void>;
  readonly cancel?: string;
}

export function InitialiseForm({ token, onBusy, onDone, onClose, cancel = 'Cancel' }: InitialiseFormProps) {
  const label = useRef<HTMLInputElement>(null);
  const officer = useRef<PasswordHandle>(null);
  const pin = useRef<PasswordHandle>(null);
  const again = useRef<PasswordHandle>(null);
  const form = useId();
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly field: 'label' | 'officer' | 'pin' | 'again'; readonly words: string }>();
  const [error, setError] = useState<CallError>();
  const erases = token.Initialized;
  const enough = leastPin(token);

  const submit = async (): Promise<void> => {
    const name = label.current?.value.trim() ?? '';
    const say = (field: 'label' | 'officer' | 'pin' | 'again', words: string, at: { focus(): void } | null): void => { setProblem({ field, words }); at?.focus(); };
    const short = `A PIN of this token has at least ${String(enough)} characters.`;
    if (name === '' || new TextEncoder().encode(name).length > 32) return say('label', 'A label has 1 to 32 bytes.', label.current);
    if ((officer.current?.read().length ?? 0) < 4) return say('officer', erases ? 'The token asks for it.' : short, officer.current);
    if ((pin.current?.read().length ?? 0) < enough) return say('pin', short, pin.current);
    if (again.current && !pin.current?.same(again.current)) return say('again', 'The two differ.', again.current);
    setProblem(undefined);
    setError(undefined);
    using second = again.current?.take();
    void second;
    const security = officer.current?.take();
    const own = pin.current?.take();
    if (!security || !own) return;
    // One goes with the request, the other logs in.
    const kept = own.borrow((bytes) => SecretBytes.copy(bytes));
    setBusy(true);
    onBusy(true);
    const answer = await client.hardware.initializeToken({ Module: token.Module, Slot: token.Slot, NewLabel: name, SecurityOfficerPin: security, Pin: own, ...(erases ? { Erase: typed } : {}) });
    if (answer.ok) await onDone(answer.output, kept);
    else {
      kept[Symbol.dispose]();
      if (answer.error.code === 'IncorrectPinException') setProblem({ field: 'officer', words: sentence(answer.error.message) });
      else setError(answer.error);
    }
    setBusy(false);
    onBusy(false);
    // Once it is no longer disabled.
    if (!answer.ok && answer.error.code === 'IncorrectPinException') setTimeout(() => { officer.current?.focus(); }, 0);
  };
  const said = (field: string): string | undefined => (problem?.field === field ? problem.words : undefined);
  return (
    <form id={form} className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && (!erases || typed === token.Label)) void submit(); }}>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        {erases ? <p role="alert" className="tint-danger rounded-card px-3 py-2.5">This destroys every key and certificate on <b className="font-medium"><bdi>{nameOf(token)}</bdi></b> (serial number <code className="font-mono text-[12px]">{token.Serial}</code>), for ever. What its keys encrypted can never be read afterwards.</p>
        : <p className="text-fg-2">The token gets a label and two PINs: one for its security officer, who can set a new user PIN, and the user’s, which its keys are used with.</p>}
        <TextField ref={label} label="Label" maxLength={32} disabled={busy} defaultValue={erases ? token.Label : ''} placeholder="release-hsm" error={said('label')} hint="Written on the token; tells it from others" />
        <PasswordField ref={officer} label={erases ? 'PIN of its security officer' : 'New PIN for the security officer'} autoComplete="off" disabled={busy} error={said('officer')} hint={erases ? 'The one that it has now' : 'Keep it elsewhere: the vault never does'} />
        <PasswordField ref={pin} label="New user PIN" autoComplete="off" disabled={busy} error={said('pin')} hint={`${String(enough)} to ${String(token.MaxPinLength)} characters`} />
        <PasswordField ref={again} label="New user PIN again" autoComplete="off" disabled={busy} error={said('again')} />
        {erases && <TextField label={`Type ${token.Label} to erase it`} value={typed} disabled={busy} onChange={(event) => { setTyped(event.target.value); }} />}
        {error && <InlineError error={error} consequence="The token is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>{erases ? 'Keep the token' : cancel}</Button>
        <Button tall kind={erases ? 'danger' : 'primary'} type="submit" busy={busy} disabled={erases && typed !== token.Label}>{busy ? 'Initialising…' : erases ? 'Erase and initialise' : 'Initialise the token'}</Button>
      </DialogFoot>
    </form>
  );
}

export function Initialise({ token, onClose }: TokenDialogProps) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title={token.Initialized ? `Erase ${nameOf(token)}` : 'Initialise a token'} onClose={onClose} held={busy} className="w-[480px]">
      <InitialiseForm
        token={token}
        onClose={onClose}
        onBusy={setBusy}
        onDone={async (_made, pin) => {
          pin[Symbol.dispose]();
          await refreshHardware(queries);
          onClose();
        }}
      />
    </Dialog>
  );
}

export function ChangePin({ token, module, onClose }: TokenDialogProps & { readonly module: string | undefined }) {
  const queries = useQueryClient();
  const old = useRef<PasswordHandle>(null);
  const fresh = useRef<PasswordHandle>(null);
  const again = useRef<PasswordHandle>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly field: 'old' | 'fresh' | 'again'; readonly words: string }>();
  const [error, setError] = useState<CallError>();
  const submit = async (): Promise<void> => {
    const say = (field: 'old' | 'fresh' | 'again', words: string, at: PasswordHandle | null): void => { setProblem({ field, words }); at?.focus(); };
    if ((old.current?.read().length ?? 0) < 4) return say('old', 'The token asks for it.', old.current);
    if ((fresh.current?.read().length ?? 0) < leastPin(token)) return say('fresh', `A PIN of this token has at least ${String(leastPin(token))} characters.`, fresh.current);
    if (again.current && !fresh.current?.same(again.current)) return say('again', 'The two differ. Nothing was tried.', again.current);
    setProblem(undefined);
    setError(undefined);
    using second = again.current?.take();
    void second;
    const OldPin = old.current?.take();
    const NewPin = fresh.current?.take();
    if (!OldPin || !NewPin) return;
    setBusy(true);
    const answer = await client.hardware.setPin({ Serial: token.Serial, Label: token.Label, ...(module === undefined ? {} : { Module: module }), OldPin, NewPin });
    setBusy(false);
    await refreshHardware(queries);
    if (answer.ok) onClose();
    else if (answer.error.code === 'IncorrectPinException') say('old', sentence(answer.error.message), old.current);
    else setError(answer.error);
  };
  const tries = TRIES[token.PinState];
  const said = (field: string): string | undefined => (problem?.field === field ? problem.words : undefined);
  return (
    <Dialog title={`Change the PIN of ${nameOf(token)}`} onClose={onClose} held={busy} className="w-[440px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          {tries !== undefined && <Warned>{tries}</Warned>}
          <PasswordField ref={old} label="PIN as it is" autoComplete="off" autoFocus disabled={busy} error={said('old')} />
          <PasswordField ref={fresh} label="New PIN" autoComplete="off" disabled={busy} error={said('fresh')} hint={`${String(leastPin(token))} to ${String(token.MaxPinLength)} characters`} />
          <PasswordField ref={again} label="New PIN again" autoComplete="off" disabled={busy} error={said('again')} />
          {error && <InlineError error={error} consequence="The PIN is as it was." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{busy ? 'Asking the token…' : 'Change the PIN'}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
