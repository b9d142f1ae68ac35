/** A rotation that is under way: its four steps live, what failed in full, and the way out. */
import { useQueryClient } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { useNow } from '../clock.ts';
import { ago, exact, left } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { RotationSteps } from '../pictures/rotation-steps.tsx';
import { useVault } from '../vault/context.ts';
import { refreshSecrets } from './data.ts';
import { Notes } from './notes.tsx';
import { failureOf, stepsOf, stepWords, type Rotation, type Run, type StepRecord } from './rotation-data.ts';

/** Runs one request at a time, says what went wrong, and shows the secret anew. */
export function useRotationAct() {
  const queries = useQueryClient();
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const act = async (call: () => Promise<Answer<object>>): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    const answer = await call();
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.error);
    await refreshSecrets(queries);
    return answer.ok;
  };
  return { act, failed, busy };
}

/** In full: what the other side said, which step, over which connections. */
export function StepFailure({ record }: { readonly record: StepRecord }) {
  return (
    <InlineError error={{ code: 'InvalidRequestException', message: record.Reason ?? '' }} code={record.Code ?? ''} consequence={`That was ${record.Step}, at attempt ${String(record.Attempt)}.${record.Connections ? ` Tried: ${record.Connections.join('; ')}.` : ''}`} />
  );
}

const MAX_ATTEMPTS = 5;

function waitWords({ Step: step, Attempt: attempt, Until: until }: Run, paused: boolean, at: number): string | undefined {
  if (until === undefined) return undefined;
  if (step === 'retireSecret' && attempt === 1) return 'The new value is current. The old one stays valid until nobody uses it any more, or the overlap is over.';
  if (paused) return `Paused: attempt ${String(attempt)} of ${String(MAX_ATTEMPTS)} waits until you resume.`;
  return `Attempt ${String(attempt)} of ${String(MAX_ATTEMPTS)} is in ${left(until * 1000, at)}.`;
}

export function RotationRun({ name, rotation, run }: { readonly name: string; readonly rotation: Rotation; readonly run: Run }) {
  const at = useNow(500);
  const { readOnly } = useVault();
  const { act, failed, busy } = useRotationAct();
  const steps = stepsOf(run, rotation.Ended);
  const wrong = failureOf(run.Steps);
  const moved = run.Step === 'retireSecret';
  const extra = run.Step === 'restoreSecret' || run.Step === 'retireSecret';
  const wait = waitWords(run, rotation.Paused !== undefined, at);
  return (
    <section aria-labelledby="rotation-run" className="edge mt-5 rounded-card bg-raised px-4 pt-2.5 pb-3">
      <header className="mb-3 flex min-h-8 flex-wrap items-center gap-x-2 gap-y-1">
        <h3 id="rotation-run" className="font-semibold">{run.Ending === undefined ? 'Rotation in progress' : 'Going back to the current value'}</h3>
        <span className="text-[12px] text-fg-3" title={exact(run.Started * 1000)}>{run.Cause === 'schedule' ? 'begun by the schedule' : 'asked for'} {ago(run.Started * 1000, at)}</span>
        {!readOnly && run.Ending === undefined && (
          <span className="ml-auto flex gap-2">
            {run.Until !== undefined && !moved && <Button busy={busy} onClick={() => { void act(() => client.secretsmanager.rotateSecret({ SecretId: name, ClientRequestToken: run.VersionId })); }}>Try again now</Button>}
            <Button busy={busy} onClick={() => { void act(() => client.secretsmanager.stopRotation({ SecretId: name })); }}>{moved ? 'Leave the old value' : 'Stop and keep the current one'}</Button>
          </span>
        )}
      </header>
      <RotationSteps steps={steps} at={at} />
      <div className="mt-3 empty:hidden"><Notes steps={run.Steps} /></div>
      {(extra || wait !== undefined) && <p role="status" className="mt-3 text-[12.5px] text-fg-2">{extra && run.Until === undefined && stepWords(run.Step, 'now')}{wait}</p>}
      {wrong && !moved && <div className="mt-3"><StepFailure record={wrong} /></div>}
      {failed && <div className="mt-3"><InlineError error={failed} consequence="The rotation is as it was." /></div>}
      <p className="mt-3 flex items-center gap-2 pt-2.5 text-[12.5px] text-fg-2 shadow-[inset_0_1px_0_var(--line)]"><ShieldCheck size={14} strokeWidth={1.6} aria-hidden="true" className="shrink-0 text-ok" />{moved ? 'Programs get the new version already.' : 'Programs get the current version until the last step.'}</p>
    </section>
  );
}
