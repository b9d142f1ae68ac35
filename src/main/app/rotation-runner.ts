/** Drives the rotations that are under way through their steps: which step is next is in the store. */
import type { ErrorCode } from '../../shared/model/errors.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import type { Result } from '../kernel/request.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import type { Run } from '../secrets/rotation.ts';
import { isOutside } from '../secrets/rotator.ts';
import { OURS, readable, startFlights, type Ask, type Runner, type RunnerPorts } from './flights.ts';

/** Of these it is not known how far the process outside came. */
const LOST: ReadonlySet<ErrorCode> = new Set(['InternalException']);

/** Which step of which run. */
const stepOf = ({ token, step, attempt }: Run): string => `${token}/${step}/${String(attempt)}`;

interface Next {
  readonly run: Run;
  readonly isOutside: boolean;
}

export function startRotationRunner(ports: RunnerPorts): Runner {
  const { vault, clock } = ports;

  /** Undefined: no run, or nothing to do for it now. */
  async function runOf(place: string): Promise<Next | undefined> {
    const reader = readable(vault);
    if (!reader) return undefined;
    const [secret, rotation] = await Promise.all([reader.of(SECRETS).get(place), reader.of(ROTATIONS).get(place)]);
    const run = rotation?.state.run;
    if (!rotation || !run || run.until !== undefined || secret?.suffix !== rotation.suffix || secret.deletion) return undefined;
    return { run, isOutside: isOutside(rotation.rotator.kind, run.step) };
  }

  /** False: nothing could be said, and the step is to be done again later. */
  async function doStep({ run: { token, step, attempt }, isOutside: outside }: Next, isResumed: boolean, signal: AbortSignal, ask: Ask): Promise<boolean> {
    const of = { ClientRequestToken: token, Step: step, Attempt: attempt };
    const record = { ...of, Started: clock.now() / 1000 };
    const failed = ({ code, message }: { readonly code: ErrorCode; readonly message: string }) => ask('secretsmanager:RecordRotationStep', { ...record, ...(outside && (isResumed || LOST.has(code)) ? { Uncertain: true } : {}), Code: code.slice(0, 64), Reason: message.slice(0, 1024) });
    let recorded: Result;
    if (outside) {
      const done = await ask('secretsmanager:RunRotationStep', of);
      if (!done.ok && (OURS.has(done.error.code) || signal.aborted)) return false;
      if (done.ok) {
        const { Ok: ok, ...said } = done.output;
        recorded = await ask('secretsmanager:RecordRotationStep', { ...record, ...said, ...(ok === true ? {} : { Code: said['Code'] ?? 'Unknown', ...(isResumed ? { Uncertain: true } : {}) }) });
      } else recorded = await failed(done.error);
    } else recorded = await ask('secretsmanager:RecordRotationStep', record);
    if (!recorded.ok && !OURS.has(recorded.error.code) && !signal.aborted) recorded = await failed(recorded.error);
    if (recorded.ok) disposeSecrets(recorded.output);
    return recorded.ok;
  }

  return startFlights(ports, {
    job: 'secret-rotation',
    waiting: async (reader) => Array.from(await reader.of(ROTATIONS).entries()).flatMap(([place, { wake }]) => (wake === 'step' ? [[place, 0] as const] : [])),
    async drive(place, flight, ask) {
      const next = await runOf(place);
      if (!next) return 'over';
      // A flight that finds a step being done finds one that was cut off, but for the step that every attempt begins with.
      const isResumed = flight.at === '';
      flight.at = stepOf(next.run);
      return (await doStep(next, isResumed, flight.controller.signal, ask)) ? 'done' : 'rest';
    },
    async isOvertaken(place, { at }) {
      const now = await runOf(place);
      return !now || stepOf(now.run) !== at;
    },
  });
}
