/** Rotation of a secret: the run that is under way, what rotates it and when, how the runs before went, and who uses which version. */
import { CirclePause, CirclePlay, RotateCw, Settings2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { client } from '../client.ts';
import { ago, exact, plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { RotationSteps } from '../pictures/rotation-steps.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { stageWord } from './data.ts';
import { failureOf, localTime, localTimeAfter, ROTATOR_WORDS, rulesWords, stepsOf, useRotation, type EndedRun, type Rotation } from './rotation-data.ts';
import { Notes } from './notes.tsx';
import { RotationRun, StepFailure, useRotationAct } from './rotation-run.tsx';

const ICON = { size: 14, strokeWidth: 1.6 } as const;

export function RotationTab({ name, hasValue, at }: { readonly name: string; readonly hasValue: boolean; readonly at: number }) {
  const { data, error } = useRotation(name);
  const { readOnly, show } = useVault();
  // What was pressed goes with what it has done: the keyboard goes on from the secret.
  useHeldFocus('detail', JSON.stringify([data?.Rotator, data?.Run?.VersionId, data?.Run?.Until, data?.Pending, data?.Paused, data?.RotationEnabled]));
  if (error) return <div className="pt-5"><InlineError error={errorOf(error)} /></div>;
  if (!data) return <SkeletonRows rows={3} height={48} />;
  const setUp = (): void => { show({ kind: 'set-up-rotation', name }); };
  if (data.Rotator === undefined) {
    return (
      <div className="flex flex-col items-start gap-4 pt-5">
        <p className="text-fg-2">{hasValue ? 'Nothing rotates this secret. A rotation makes a new password, sets it where it is used, tries it, and only then makes it current.' : 'Give it a value first; then it can be rotated.'}</p>
        {hasValue && !readOnly && <Button kind="primary" icon={<RotateCw {...ICON} />} onClick={setUp}>Set up rotation…</Button>}
      </div>
    );
  }
  return (
    <>
      {data.Run ? <RotationRun name={name} rotation={data} run={data.Run} /> : <Leftover name={name} rotation={data} />}
      <Plan name={name} rotation={data} onSetUp={setUp} />
      <Consumers rotation={data} at={at} />
      <History ended={data.Ended} at={at} />
    </>
  );
}

const Heading = ({ children }: { readonly children: ReactNode }) => <h3 className="mb-2 text-[12.5px]/[18px] font-semibold">{children}</h3>;

/** A version that a run before has left: what it means, and the two ways on. */
function Leftover({ name, rotation: { Pending: pending, Ended } }: { readonly name: string; readonly rotation: Rotation }) {
  const { readOnly } = useVault();
  const { act, failed, busy } = useRotationAct();
  if (pending === undefined) return null;
  const [last] = Ended;
  const wrong = last?.VersionId === pending ? failureOf(last.Steps) : undefined;
  return (
    <section aria-label="A rotation that was not completed" className="mt-5 flex flex-col gap-3">
      <p className="tint-warn rounded-card px-3 py-2.5">A new version was made and is not current: <code className="font-mono text-[12px]">AWSPENDING</code> is still on it. {last?.Result === 'failed' ? 'It is not proven which of the two values holds where it is used, so both were kept.' : 'Programs get the current one.'}</p>
      {wrong && <StepFailure record={wrong} />}
      {!readOnly && (
        <div className="flex flex-wrap gap-2">
          <Button kind="primary" busy={busy} onClick={() => { void act(() => client.secretsmanager.rotateSecret({ SecretId: name, ClientRequestToken: pending })); }}>Try it again</Button>
          <Button busy={busy} onClick={() => { void act(() => client.secretsmanager.stopRotation({ SecretId: name })); }}>Let the new version go</Button>
        </div>
      )}
      {failed && <InlineError error={failed} consequence="Both versions are as they were." />}
    </section>
  );
}

function planWords({ RotationEnabled: enabled, RotationRules: rules = {}, Rotator: kind = 'generic', Strategy: strategy, Paused: paused, Windows }: Rotation): string {
  const what = `${ROTATOR_WORDS[kind]}${strategy === 'alternating' ? ', two users take turns' : ''}.`;
  if (!enabled) return `${what} The schedule is off.`;
  if (Windows.length === 0) return `${what} It is rotated when you ask for it.`;
  return `${what} It is rotated ${rulesWords(rules)}${paused === undefined ? '' : ', and paused now'}.`;
}

const principalWords = (principal: string): string => principal.replace(/^arn:aws:iam::\d+:user\//, '');
/** Whom it waits for: one by name, more by their number. */
function heldWords({ Consumers }: Rotation): string {
  const [first, ...others] = Consumers.filter(({ Stage }) => Stage === 'AWSPREVIOUS');
  return first && others.length === 0 ? `${principalWords(first.Principal)}, which still uses the previous version` : `${String(others.length + 1)} programs that still use the previous version`;
}

function Plan({ name, rotation, onSetUp }: { readonly name: string; readonly rotation: Rotation; readonly onSetUp: () => void }) {
  const { readOnly } = useVault();
  const { act, failed, busy } = useRotationAct();
  const { HeldUntil: held, Paused: paused, Run: run, RotationEnabled: enabled, Windows, Due, Pending } = rotation;
  const by = { SecretId: name };
  return (
    <section aria-label="Plan" className="mt-5 flex flex-col gap-3">
      <p>{planWords(rotation)} {held !== undefined && Due !== undefined && Due < held ? <span className="text-warn">The next one waits for {heldWords(rotation)}, until {localTime(held)} at most.</span> : rotation.OverlapHours !== undefined && rotation.OverlapHours > 0 && <span className="text-fg-2">The next one waits up to {plural(rotation.OverlapHours, 'hour')} while somebody still uses the previous version.</span>}</p>
      {!readOnly && (
        <div className="flex flex-wrap gap-2">
          {!run && Pending === undefined && <Button busy={busy} icon={<RotateCw {...ICON} />} onClick={() => { void act(() => client.secretsmanager.rotateSecret(by)); }}>Rotate now</Button>}
          {paused === undefined
            ? enabled && Windows.length > 0 && <Button busy={busy} icon={<CirclePause {...ICON} />} onClick={() => { void act(() => client.secretsmanager.pauseRotation(by)); }}>Pause</Button>
            : <Button busy={busy} icon={<CirclePlay {...ICON} />} onClick={() => { void act(() => client.secretsmanager.resumeRotation(by)); }}>Resume</Button>}
          {!run && <Button icon={<Settings2 {...ICON} />} onClick={onSetUp}>Change…</Button>}
          {enabled && <Button kind="ghost" busy={busy} onClick={() => { void act(() => client.secretsmanager.cancelRotateSecret(by)); }}>{run ? 'Turn off, and leave this one where it is' : 'Turn off'}</Button>}
        </div>
      )}
      {failed && <InlineError error={failed} consequence="The rotation is as it was." />}
      {enabled && Windows.length > 0 && paused === undefined && (
        <div>
          <Heading>Next runs</Heading>
          <NextRuns windows={Windows} due={Due} />
        </div>
      )}
    </section>
  );
}

export function NextRuns({ windows, due }: { readonly windows: Rotation['Windows']; readonly due?: number | undefined }) {
  return (
    <ol className="text-[12.5px] tabular-nums">
      {windows.map(({ Opens: opens, Closes: closes }, i) => (
        <li key={opens} className="flex min-h-6 flex-wrap items-center gap-x-2">
          <span title={exact(opens * 1000)}>{localTime(opens)}</span>
          <span className="text-fg-3">to {localTimeAfter(closes, opens)}{i === 0 && due !== undefined ? `, begins ${localTimeAfter(due, opens)}` : ''}</span>
        </li>
      ))}
    </ol>
  );
}

function Consumers({ rotation: { Consumers: consumers }, at }: { readonly rotation: Rotation; readonly at: number }) {
  const behind = consumers.filter(({ Stage }) => Stage === 'AWSPREVIOUS').length;
  return (
    <section aria-label="Who uses it" className="mt-6">
      <Heading>Who uses which version</Heading>
      {consumers.length === 0 ? <p className="text-fg-2">No program has read it through Keystead yet.</p> : (
        <>
          {behind > 0 && <p className="mb-1 text-warn">{behind === 1 ? 'One of them still uses the previous version.' : `${String(behind)} of them still use the previous version.`}</p>}
          <ul>
            {consumers.map(({ Principal, Door, VersionId, Stage, At }) => (
              <li key={`${Door} ${Principal}`} className="flex min-h-8 flex-wrap items-center gap-x-2.5 shadow-[inset_0_-1px_0_var(--line)]">
                <bdi className="min-w-0 font-mono text-[12px] break-all">{principalWords(Principal)}</bdi>
                <span className="text-[12px] text-fg-3">{Door === 'aws' ? 'AWS' : 'command line'}</span>
                <span title={VersionId} className={`ml-auto rounded-chip px-1.5 text-[12px] ${Stage === 'AWSPREVIOUS' ? 'tint-warn text-warn' : 'bg-line text-fg-2'}`}>{Stage === undefined ? 'an older one' : stageWord(Stage)}</span>
                <span className="w-24 text-right text-[12px] text-fg-3" title={exact(At * 1000)}>{ago(At * 1000, at)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

const RESULT: Readonly<Record<EndedRun['Result'], readonly [words: string, style: string]>> = { rotated: ['Rotated', 'text-ok'], failed: ['Failed', 'text-danger'], stopped: ['Stopped', 'text-fg-2'] };

function History({ ended, at }: { readonly ended: readonly EndedRun[]; readonly at: number }) {
  if (ended.length === 0) return null;
  return (
    <section aria-label="Runs before" className="mt-6">
      <Heading>Runs before</Heading>
      {ended.map((one, i) => {
        const [words, style] = RESULT[one.Result];
        const wrong = one.Result === 'failed' ? failureOf(one.Steps) : undefined;
        const lastMain = one.Steps.findLast(({ Step: of }) => of !== 'restoreSecret' && of !== 'retireSecret');
        return (
          <details key={`${one.VersionId} ${String(one.Ended)}`} open={i === 0 && one.Result === 'failed'} className="shadow-[inset_0_-1px_0_var(--line)]">
            <summary className="flex min-h-9 cursor-pointer flex-wrap items-center gap-x-2.5 rounded-row">
              <span className={`font-medium ${style}`}>{words}</span>
              <span className="text-fg-2" title={exact(one.Ended * 1000)}>{ago(one.Ended * 1000, at)}</span>
              <span className="text-[12px] text-fg-3">{one.Cause === 'schedule' ? 'by the schedule' : 'asked for'}{one.Attempts > 1 ? `, ${plural(one.Attempts, 'attempt')}` : ''}</span>
              <span className="ml-auto font-mono text-[11.5px] text-fg-3" title={one.VersionId}>{one.VersionId.slice(0, 8)}</span>
            </summary>
            <div className="flex flex-col gap-3 pt-1 pb-4">
              {lastMain && <RotationSteps steps={stepsOf({ Steps: one.Steps, Step: 'restoreSecret', Attempt: lastMain.Attempt, Started: one.Started })} at={one.Ended * 1000} />}
              <Notes steps={one.Steps} />
              {wrong && <StepFailure record={wrong} />}
              {one.Result !== 'rotated' && <p className="text-[12.5px] text-fg-2">{one.Restored ? 'The current value was set again where it is used, and the new one let go.' : one.Left === 'pending' ? 'The new version was kept.' : 'The new version was let go; the current one was never touched.'}</p>}
            </div>
          </details>
        );
      })}
    </section>
  );
}
