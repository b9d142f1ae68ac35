/** How a secret is rotated, as the screens need it, and the words for it. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';

export type Rotation = Output<'secretsmanager:DescribeRotation'>;
export type Run = NonNullable<Rotation['Run']>;
export type EndedRun = Rotation['Ended'][number];
export type StepRecord = EndedRun['Steps'][number];
export type Step = StepRecord['Step'];
export type Note = NonNullable<StepRecord['Notes']>[number];
export type RotationMark = Output<'secretsmanager:ListRotations'>['Rotations'][number];
export type RotatorKind = NonNullable<Rotation['Rotator']>;
export type Rules = NonNullable<Rotation['RotationRules']>;

export const rotationQuery = (name: string) => ['secret-rotation', name] as const;
/** Who has read which version is no change that the vault tells of, and neither is a wait that is over. */
const CONSUMERS_MS = 10_000;
export const useRotation = (name: string, enabled = true) =>
  useQuery({ queryKey: rotationQuery(name), enabled, refetchInterval: CONSUMERS_MS, queryFn: async () => outputOf(await client.secretsmanager.describeRotation({ SecretId: name })) });

const MARKS = ['secret-rotations'] as const;
/** A window that passes is no change that the vault tells of. */
const LOOK_MS = 60_000;
/** What the list says of secrets whose rotation is under way, has failed or is overdue, by name. */
export function useRotationMarks(): ReadonlyMap<string, RotationMark> | undefined {
  const { data } = useQuery({ queryKey: MARKS, refetchInterval: LOOK_MS, queryFn: async () => outputOf(await client.secretsmanager.listRotations()).Rotations });
  return useMemo(() => data && new Map(data.map((mark) => [mark.Name, mark])), [data]);
}

export const MAIN_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** done, being done, still to come. */
const STEP_WORDS: Readonly<Record<Step, readonly [done: string, now: string, next: string]>> = {
  createSecret: ['New value made', 'Making a new value…', 'Make a new value'],
  setSecret: ['Set where it is used', 'Setting it…', 'Set it where it is used'],
  testSecret: ['It works', 'Trying it…', 'Try it'],
  finishSecret: ['Current', 'Making it current…', 'Make it current'],
  restoreSecret: ['The current value was set again', 'Setting the current value again…', 'Set the current value again'],
  retireSecret: ['The old value was taken away', 'Taking the old value away…', 'Take the old value away'],
};

export type Standing = 'done' | 'now' | 'next' | 'failed';
export const stepWords = (step: Step, standing: Standing): string => STEP_WORDS[step][standing === 'done' ? 0 : standing === 'now' ? 1 : 2];

export interface ShownStep {
  readonly step: Step;
  readonly standing: Standing;
  /** Seconds; of one that is over. */
  readonly took?: number;
  /** Seconds since the epoch; of one that is being done. */
  readonly since?: number;
  /** Seconds it took at the median of the runs before. */
  readonly usual?: number;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** Seconds, the median of the last runs that went well; undefined: none yet. */
export function usualOf(ended: readonly EndedRun[], step: Step): number | undefined {
  const times = ended
    .filter(({ Result }) => Result === 'rotated')
    .flatMap(({ Steps }) => Steps.filter(({ Step: of, Code }) => of === step && Code === undefined).map(({ Started, Ended }) => Ended - Started))
    .sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

/** The four steps as they stand: of the run's present attempt, or of the one that has just failed. */
export function stepsOf(run: Pick<Run, 'Steps' | 'Step' | 'Attempt' | 'Started'> & { readonly Until?: number | undefined }, ended: readonly EndedRun[] = []): readonly ShownStep[] {
  const isMain = (MAIN_STEPS as readonly Step[]).includes(run.Step);
  const mainAttempts = run.Steps.filter(({ Step: of }) => (MAIN_STEPS as readonly Step[]).includes(of)).map(({ Attempt }) => Attempt);
  const attempt = isMain && run.Until === undefined ? run.Attempt : Math.max(1, ...mainAttempts);
  return MAIN_STEPS.map((step): ShownStep => {
    const record = run.Steps.findLast(({ Step: of, Attempt }) => of === step && Attempt === attempt);
    const usual = usualOf(ended, step);
    const common = { step, ...(usual === undefined ? {} : { usual }) };
    if (record?.Code !== undefined) return { ...common, standing: 'failed', took: record.Ended - record.Started, failure: { code: record.Code, message: record.Reason ?? '' } };
    if (record) return { ...common, standing: 'done', took: record.Ended - record.Started };
    if (step !== run.Step || run.Until !== undefined) return { ...common, standing: 'next' };
    return { ...common, standing: 'now', since: run.Steps.at(-1)?.Ended ?? run.Started };
  });
}

/** The step that failed last, if the last one did. */
export const failureOf = (steps: readonly StepRecord[]): StepRecord | undefined => {
  const failed = steps.filter(({ Step: of, Code }) => Code !== undefined && of !== 'restoreSecret').at(-1);
  return failed ?? steps.findLast(({ Code }) => Code !== undefined);
};

/** `isWarning`: its owner may want to do something about it. */
interface NoteWords {
  readonly isWarning: boolean;
  readonly words: string;
}
export const NOTE_WORDS: Readonly<Record<Note, NoteWords>> = {
  'no-tls': { isWarning: true, words: 'The connection was not encrypted, as the value asks for ("ssl": false). Whoever can listen on the way saw what went over it.' },
  'acl-not-saved': { isWarning: true, words: 'Redis has the change in memory only: it could not be written to its list of users, and a restart forgets it. Give Redis an aclfile, or the user the right to ACL SAVE.' },
  'log-may-show-password': { isWarning: true, words: 'MySQL was sent the password itself. It writes <secret> in its place into its log, unless it runs with --log-raw.' },
  'old-still-valid': { isWarning: false, words: 'The old password stays valid beside the new one until the last step.' },
  'logged-in-with-previous': { isWarning: false, words: 'The current password was refused; the previous one was let in, and the new one was set with it.' },
  'already-set': { isWarning: false, words: 'The server had it already, from an attempt before.' },
  'clone-created': { isWarning: false, words: 'The second user was made.' },
  'nothing-to-finish': { isWarning: false, words: 'There was nothing to take away.' },
};
/** Of the last attempt at each step, each once; what is to be looked at first. */
export function notesOf(steps: readonly StepRecord[]): readonly NoteWords[] {
  const last = new Map(steps.map((one) => [one.Step, one]));
  const notes = new Set([...last.values()].flatMap(({ Notes = [] }) => Notes));
  return [...notes].map((note) => NOTE_WORDS[note]).sort((a, b) => Number(b.isWarning) - Number(a.isWarning));
}

export const ROTATOR_WORDS: Readonly<Record<RotatorKind, string>> = {
  generic: 'A new password, set nowhere else',
  postgres: 'PostgreSQL',
  mysql: 'MySQL',
  mariadb: 'MariaDB',
  redis: 'Redis',
  command: 'A program of yours',
  lambda: 'A function over HTTP',
};

/** `0.1 s`, `4.2 s`, `2 min`. */
export function took(seconds: number): string {
  if (seconds < 0.05) return 'at once';
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${String(Math.round(seconds / 60))} min`;
}

/** When, in a person's words; an expression stays as it is. */
export function rulesWords({ AutomaticallyAfterDays: days, ScheduleExpression: expression }: Rules): string {
  const rate = /^rate\((\d+) (day|hour)s?\)$/.exec(expression ?? '');
  const [count, unit] = rate ? [Number(rate[1]), rate[2] ?? ''] : [days, 'day'];
  if (count === undefined) return expression === undefined ? 'when you ask for it' : `by ${expression}`;
  return count === 1 ? `every ${unit}` : `every ${String(count)} ${unit}s`;
}

const LOCAL = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
/** `Tue, 1 Dec, 03:00` in the system's zone. */
export const localTime = (seconds: number): string => LOCAL.format(new Date(seconds * 1000));
const LOCAL_HOUR = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
/** The same, of the same day its hour only. */
export function localTimeAfter(seconds: number, before: number): string {
  const [date, earlier] = [new Date(seconds * 1000), new Date(before * 1000)];
  return date.toDateString() === earlier.toDateString() ? LOCAL_HOUR.format(date) : LOCAL.format(date);
}
