/** A new way in, or a new one for an old one: password, recovery code, keychain. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { RecoverySheet } from '../gate/recovery-sheet.tsx';
import { StrengthMeter } from '../gate/strength-meter.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { STATUS } from '../status.ts';
import { strengthOf, type Strength } from '../strength.ts';
import { Proof, type ProofHandle, type ProofInput, type ProofKind } from './proof.tsx';
import { isWrongProof } from './wrong-proof.ts';

type What = 'password' | 'recovery' | 'add-password' | 'add-recovery' | 'add-keychain';

const TITLES: Record<What, string> = {
  password: 'Change password',
  recovery: 'New recovery code',
  'add-password': 'Add a password',
  'add-recovery': 'Add a recovery code',
  'add-keychain': 'Add this computer\'s keychain',
};
const ABOUT: Partial<Record<What, string>> = {
  recovery: 'The old code stops opening this vault. Backups made before still open with it.',
  'add-keychain': 'Whoever can use your logged-in session on this computer can then open the vault without a password.',
};

interface AddSlotProps {
  readonly what: What;
  readonly replaces: string | undefined;
  readonly vault: string;
  readonly kinds: readonly ProofKind[];
  readonly onClose: () => void;
}

export function AddSlot({ what, replaces, vault, kinds, onClose }: AddSlotProps) {
  const queries = useQueryClient();
  const proof = useRef<ProofHandle>(null);
  const fresh = useRef<PasswordHandle>(null);
  const again = useRef<PasswordHandle>(null);
  const code = useRef<SecretBytes>(undefined);
  const [step, setStep] = useState<'ask' | 'code'>('ask');
  const [busy, setBusy] = useState(false);
  const [strength, setStrength] = useState<Strength>();
  const [problem, setProblem] = useState<{ readonly fresh?: string; readonly again?: string; readonly proof?: string }>({});
  const [error, setError] = useState<CallError>();
  const onType = useCallback((text: string) => { setStrength(text === '' ? undefined : strengthOf(text)); }, []);
  useEffect(() => () => { code.current?.[Symbol.dispose](); }, []);
  const typesNew = what === 'password' || what === 'add-password';

  const done = async (): Promise<void> => {
    await Promise.all([queries.invalidateQueries({ queryKey: ['slots'] }), queries.invalidateQueries({ queryKey: STATUS })]);
    onClose();
  };
  const ask = (given: ProofInput, next: SecretBytes | undefined) => {
    if (what === 'password' && next && ('Password' in given || 'RecoveryCode' in given)) {
      const current = 'Password' in given ? { CurrentPassword: given.Password } : { RecoveryCode: given.RecoveryCode };
      return client.vault.changePassword({ ...current, NewPassword: next, ...('Password' in given || replaces === undefined ? {} : { SlotId: replaces }) });
    }
    const old = replaces === undefined ? {} : { ReplacesSlotId: replaces };
    if (typesNew && next) return client.vault.addSlot({ Type: 'password', NewPassword: next, ...given, ...old });
    return what === 'add-keychain' ? client.vault.addSlot({ Type: 'keychain', AcceptKeychainOnly: true, ...given }) : client.vault.addSlot({ Type: 'recovery', ...given, ...old });
  };
  const submit = async (): Promise<void> => {
    setProblem({});
    setError(undefined);
    if (typesNew && fresh.current && again.current) {
      if (new TextEncoder().encode(fresh.current.read()).length < 8) { setProblem({ fresh: 'A password has at least 8 characters.' }); fresh.current.focus(); return; }
      if (!fresh.current.same(again.current)) { again.current.take()?.[Symbol.dispose](); setProblem({ again: 'The two are not the same. Type it again.' }); again.current.focus(); return; }
    }
    const given = proof.current?.take();
    if (!given) { setProblem({ proof: 'This is needed to go on.' }); proof.current?.focus(); return; }
    again.current?.take()?.[Symbol.dispose]();
    setBusy(true);
    const answer = await ask(given, typesNew ? fresh.current?.take() : undefined);
    setBusy(false);
    if (!answer.ok) {
      if (isWrongProof(answer.error)) setProblem({ proof: sentence(answer.error.message) });
      else setError(answer.error);
      setTimeout(() => { proof.current?.focus(); }, 0);
      return;
    }
    code.current = answer.output.RecoveryCode;
    if (code.current) setStep('code');
    else await done();
  };

  if (step === 'code' && code.current) {
    return (
      <Dialog title="Keep the recovery code" held onClose={onClose} className="w-[480px]">
        <div className="px-5 pt-2 pb-5"><RecoverySheet code={code.current} vault={vault} onDone={() => { void done(); }} /></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={TITLES[what]} onClose={onClose} held={busy} className="w-[420px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          {ABOUT[what] !== undefined && <p className="text-fg-2">{ABOUT[what]}</p>}
          <Proof ref={proof} kinds={what === 'password' ? kinds.filter((kind) => kind === 'password' || kind === 'recovery') : kinds} error={problem.proof} refusal={error} disabled={busy} />
          {typesNew && <PasswordField ref={fresh} label="New password" autoComplete="new-password" disabled={busy} error={problem.fresh} onType={onType} hint={<StrengthMeter strength={strength} />} />}
          {typesNew && <PasswordField ref={again} label="New password again" autoComplete="new-password" disabled={busy} error={problem.again} />}
          {error && <InlineError error={error} consequence="The ways in are as they were." />}
        </div>
        <DialogFoot>
          {busy && <span className="mr-auto self-center"><ProgressRow label="Working" /></span>}
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy}>{TITLES[what]}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
