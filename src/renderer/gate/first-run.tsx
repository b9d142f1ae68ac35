/** First run: name and password, the recovery code, two groups typed back. The vault exists from the second step on. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { lastPart, shortPath } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { strengthOf, type Strength } from '../strength.ts';
import { GateFrame } from './gate-frame.tsx';
import { RecoverySheet } from './recovery-sheet.tsx';
import { StrengthMeter } from './strength-meter.tsx';

interface FirstRunProps {
  readonly folder: string;
  /** Before the vault is asked for: from here on the ceremony must not be interrupted by the vault being there. */
  readonly onMade: () => void;
  readonly onDone: () => void;
}

export function FirstRun({ folder, onMade, onDone }: FirstRunProps) {
  const code = useRef<SecretBytes>(undefined);
  const [step, setStep] = useState<'password' | 'code'>('password');
  const [name, setName] = useState('');
  const wipe = useCallback(() => { code.current?.[Symbol.dispose](); code.current = undefined; }, []);
  useEffect(() => wipe, [wipe]);
  return (
    <GateFrame>
      <div className="my-auto w-[420px] max-w-full py-6">
        <ol aria-label="Steps" className="mb-6 flex gap-5 text-[12px] text-fg-3">
          <li aria-current={step === 'password' ? 'step' : undefined} className="aria-[current]:font-medium aria-[current]:text-fg">1 Name and password</li>
          <li aria-current={step === 'code' ? 'step' : undefined} className="aria-[current]:font-medium aria-[current]:text-fg">2 Recovery code</li>
        </ol>
        {step === 'password' || !code.current ? (
          <PasswordStep
            folder={folder}
            onMade={onMade}
            onCode={(made, given) => {
              code.current = given;
              setName(made);
              if (given) setStep('code');
              else onDone();
            }}
          />
        ) : (
          <>
            <h1 className="mb-2 text-[24px]/[30px] font-semibold">Keep the recovery code</h1>
            <RecoverySheet code={code.current} vault={name} onDone={() => { wipe(); onDone(); }} />
          </>
        )}
      </div>
    </GateFrame>
  );
}

interface PasswordStepProps {
  readonly folder: string;
  readonly onMade: () => void;
  readonly onCode: (name: string, code: SecretBytes | undefined) => void;
}

function PasswordStep({ folder, onMade, onCode }: PasswordStepProps) {
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<PasswordHandle>(null);
  const again = useRef<PasswordHandle>(null);
  const [strength, setStrength] = useState<Strength>();
  const [problem, setProblem] = useState<{ readonly password?: string; readonly again?: string }>({});
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  // The fields cannot be typed into until then.
  useEffect(() => { if (error) password.current?.focus(); }, [error]);
  const onType = useCallback((text: string) => { setProblem({}); setStrength(text === '' ? undefined : strengthOf(text)); }, []);

  const create = async (): Promise<void> => {
    const [first, second] = [password.current, again.current];
    if (!first || !second) return;
    const bytes = new TextEncoder().encode(first.read()).length;
    if (bytes < 8) {
      setProblem({ password: 'A password has at least 8 characters.' });
      first.focus();
      return;
    }
    if (!first.same(second)) {
      second.take()?.[Symbol.dispose]();
      setProblem({ again: 'The two are not the same. Type it again.' });
      second.focus();
      return;
    }
    second.take()?.[Symbol.dispose]();
    const secret = first.take();
    if (!secret) return;
    setBusy(true);
    setError(undefined);
    onMade();
    const given = name.current?.value.trim() ?? '';
    const answer = await client.vault.create({ Password: secret, Name: given === '' ? lastPart(folder) : given });
    if (answer.ok) onCode(answer.output.Name, answer.output.RecoveryCode);
    else {
      setBusy(false);
      setError(answer.error);
    }
  };

  return (
    <form onSubmit={(event) => { event.preventDefault(); if (!busy) void create(); }}>
      <h1 className="text-[24px]/[30px] font-semibold">Make your vault</h1>
      <p className="mt-2 text-fg-2">It lives in <span className="font-mono text-[12px] break-all">{shortPath(folder)}</span> on this computer. Nothing leaves it.</p>
      <div className="mt-6 flex flex-col gap-4">
        <TextField ref={name} label="Name" placeholder={lastPart(folder)} maxLength={64} disabled={busy} hint="Shown at the top of the window; while it is locked, its folder is" />
        <PasswordField ref={password} label="Password" autoFocus autoComplete="new-password" disabled={busy} error={problem.password} onType={onType} hint={<StrengthMeter strength={strength} />} />
        <PasswordField ref={again} label="Password again" autoComplete="new-password" disabled={busy} error={problem.again} />
        <p className="text-[12px]/[18px] text-fg-3">Nobody can reset the password. The recovery code on the next step is the only other way in.</p>
        {error && <InlineError error={error} consequence="No vault was made." />}
      </div>
      <div className="mt-6 flex items-center justify-end gap-4">
        {busy && <ProgressRow label="Making the vault" />}
        <Button kind="primary" tall type="submit" busy={busy}>Make the vault</Button>
      </div>
    </form>
  );
}
