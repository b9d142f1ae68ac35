/** From a secret's rotation rules to when it is rotated next, and what its readers have to do with that. Pure. */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { CURRENT, PENDING, PREVIOUS, type ConsumerRecord, type RotationSettings, type SecretRecord } from './ports.ts';
import { nextWindow, parseSchedule, type Schedule, type Window } from './rotation-schedule.ts';
import type { RotationState } from './rotation.ts';
import { staged } from './stages.ts';

const HOUR = 3_600_000;
/** A rotation begins within the first half hour of its window, or its first half where that is shorter. */
const SPREAD_MS = HOUR / 2;

export type Rules = RotationSettings['rules'];

/** Undefined: no schedule. InvalidParameterException. */
export function scheduleOf({ afterDays, duration, schedule }: Rules): Schedule | undefined {
  if (afterDays !== undefined && schedule !== undefined) throw new VaultError('InvalidParameterException', 'give either `AutomaticallyAfterDays` or `ScheduleExpression`, not both');
  if (schedule !== undefined) return parseSchedule(schedule, duration);
  // AWS takes 1,000 days here and 999 in an expression.
  if (afterDays !== undefined) return { ...(parseSchedule(`rate(${String(Math.min(afterDays, 999))} days)`, duration) as Schedule & { kind: 'days' }), every: afterDays };
  if (duration !== undefined) throw new VaultError('InvalidParameterException', '`Duration` goes with a schedule; give `ScheduleExpression` or `AutomaticallyAfterDays` too');
  return undefined;
}

export interface Plan {
  readonly due: Instant;
  readonly window: Window;
}

/** `chance`: 0 to 1, spreads rotations over the beginning of the window. Undefined: none is planned. */
export function planned(settings: RotationSettings | undefined, { created }: Pick<SecretRecord, 'created'>, now: Instant, chance: number): Plan | undefined {
  const schedule = settings?.enabled === true ? scheduleOf(settings.rules) : undefined;
  if (!schedule) return undefined;
  const window = nextWindow(schedule, { anchor: settings?.lastRotated ?? created, after: now });
  return { due: instant(window.opens + Math.floor(chance * Math.min(SPREAD_MS, (window.closes - window.opens) / 2))), window };
}

/** What a list says of a secret's rotation. retrying: an attempt has failed, and the next one waits. overdue: its window is past. */
export interface Mark {
  readonly state: 'rotating' | 'retrying' | 'failed' | 'overdue';
  readonly since: Instant;
}

/** What the machine alone knows: everything but `overdue`. Undefined: nothing to say. */
export function standingOf({ run, ended }: RotationState): Mark | undefined {
  // The new value is current already; what is left waits for those who use the old one.
  if (run?.step === 'retireSecret' && run.until !== undefined) return undefined;
  if (run) return run.until === undefined ? { state: 'rotating', since: run.started } : { state: 'retrying', since: run.steps.at(-1)?.ended ?? run.started };
  const last = ended.at(-1);
  return last?.result === 'failed' ? { state: 'failed', since: last.ended } : undefined;
}

export function markOf({ rotation }: Pick<SecretRecord, 'rotation'>, state: RotationState | undefined, now: Instant): Mark | undefined {
  const standing = state && standingOf(state);
  if (standing) return standing;
  return rotation?.enabled === true && rotation.next !== undefined && rotation.next < now ? { state: 'overdue', since: rotation.next } : undefined;
}

/** A version under AWSPENDING that is not AWSCURRENT: a rotation that is not complete. */
export function leftPending({ versions }: Pick<SecretRecord, 'versions'>): string | undefined {
  const version = staged(versions, PENDING);
  return version && !version.stages.includes(CURRENT) ? version.versionId : undefined;
}

/** Who read the previous version last. */
export function onPrevious({ versions, consumers }: Pick<SecretRecord, 'versions' | 'consumers'>): readonly ConsumerRecord[] {
  const previous = staged(versions, PREVIOUS)?.versionId;
  return previous === undefined ? [] : consumers.filter(({ versionId }) => versionId === previous);
}

/** Until when the next rotation waits for those who still use the previous version; undefined: for nobody. */
export function heldUntil(secret: SecretRecord, overlapHours: number): Instant | undefined {
  const since = secret.rotation?.lastRotated;
  return overlapHours === 0 || since === undefined || onPrevious(secret).length === 0 ? undefined : instant(since + overlapHours * HOUR);
}
