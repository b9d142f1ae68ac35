/** How a secret's rotation is kept: the rotator's settings and the machine's state, one row of `rotations` for each secret that has any. */
import { instant, isRegion, isSecretName, type Instant, type SecretName } from '../../shared/model/ids.ts';
import { exactly, malformed, readFields } from '../store/strict.ts';
import { standingOf, type Mark } from './rotation-plan.ts';
import { wakeOf, type EndedRun, type RotationState, type Run, type RunStep, type StepRecord } from './rotation.ts';
import { ROTATOR_KINDS, ROTATOR_NOTES, STEPS, type RotationStrategy, type RotatorFailure, type RotatorKind } from './rotator-port.ts';

/** What the owner chose beside AWS's settings, which are the secret's own. Nothing secret. */
export interface RotatorSettings {
  readonly kind: RotatorKind;
  readonly strategy: RotationStrategy;
  readonly password: { readonly length: number; readonly exclude: string; readonly punctuation: boolean };
  /** Which member of the value is made anew, where the value is a JSON object. */
  readonly field: string;
  readonly command?: string;
  readonly url?: string;
  /** PEM of the authorities that are trusted at `url` in place of the usual ones. */
  readonly ca?: string;
  readonly hosts: readonly string[];
  /** Name and suffix of the secret that the value's `masterarn` named when the rotation was set up: no other one is read. */
  readonly master?: string;
  /** Hours after a rotation for which the next one waits while somebody still uses the previous version; 0: never. */
  readonly overlapHours: number;
}

/** Schema 1. */
export interface RotationRecord {
  readonly name: SecretName;
  /** Of the secret: another one of the same name is another secret. */
  readonly suffix: string;
  /** The secret's. */
  readonly region?: string;
  readonly rotator: RotatorSettings;
  readonly state: RotationState;
}

/** `wake`: see `wakeOf`. */
export interface RotationEntry {
  readonly wake: Instant | 'step' | undefined;
  readonly standing?: Mark;
}

const TABLE = 'rotations';
const RUN_STEPS: readonly RunStep[] = [...STEPS, 'restoreSecret', 'retireSecret'];

const bad = (): never => {
  throw malformed(TABLE);
};
const text = (value: unknown): string => (typeof value === 'string' ? value : bad());
const mark = (value: unknown): true => (value === true ? value : bad());
const flag = (value: unknown): boolean => (typeof value === 'boolean' ? value : bad());
const time = (value: unknown): Instant => (typeof value === 'number' && Number.isFinite(value) ? instant(value) : bad());
const whole = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : bad());
const list = <T>(value: unknown, one: (item: unknown) => T): T[] => (Array.isArray(value) ? value.map(one) : bad());
const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (value: unknown): T =>
    allowed.find((one) => one === value) ?? bad();
const maybe = <N extends string, T>(name: N, value: unknown, read: (value: unknown) => T): Partial<Record<N, T>> => (value === undefined ? {} : ({ [name]: read(value) } as Record<N, T>));

const causeOf = oneOf('schedule', 'asked');
const resultOf = oneOf('rotated', 'failed', 'stopped');
const endingOf = oneOf('failed', 'stopped');
const leftOf = oneOf('nothing', 'pending');
const stepOf = oneOf(...RUN_STEPS);
const noteOf = oneOf(...ROTATOR_NOTES);

function failure(value: unknown): RotatorFailure {
  const { code, message } = exactly(TABLE, value, ['code', 'message'], []);
  return { code: text(code), message: text(message) };
}

function step(value: unknown): StepRecord {
  const body = exactly(TABLE, value, ['step', 'attempt', 'started', 'ended'], ['failure', 'connections', 'notes']);
  return {
    step: stepOf(body.step),
    attempt: whole(body.attempt),
    started: time(body.started),
    ended: time(body.ended),
    ...maybe('failure', body.failure, failure),
    ...maybe('connections', body.connections, (lines) => list(lines, text)),
    ...maybe('notes', body.notes, (notes) => list(notes, noteOf)),
  };
}

function run(value: unknown): Run {
  const body = exactly(TABLE, value, ['token', 'cause', 'started', 'attempt', 'step', 'touched', 'steps'], ['until', 'ending', 'uncertain']);
  return {
    token: text(body.token),
    cause: causeOf(body.cause),
    started: time(body.started),
    attempt: whole(body.attempt),
    step: stepOf(body.step),
    ...maybe('until', body.until, time),
    touched: flag(body.touched),
    ...maybe('uncertain', body.uncertain, mark),
    ...maybe('ending', body.ending, endingOf),
    steps: list(body.steps, step),
  };
}

function ended(value: unknown): EndedRun {
  const body = exactly(TABLE, value, ['token', 'cause', 'started', 'ended', 'attempts', 'result', 'left', 'restored', 'steps'], ['uncertain']);
  return {
    token: text(body.token),
    cause: causeOf(body.cause),
    started: time(body.started),
    ended: time(body.ended),
    attempts: whole(body.attempts),
    result: resultOf(body.result),
    left: leftOf(body.left),
    restored: flag(body.restored),
    ...maybe('uncertain', body.uncertain, mark),
    steps: list(body.steps, step),
  };
}

function state(value: unknown): RotationState {
  const body = exactly(TABLE, value, ['ended'], ['due', 'paused', 'run']);
  return { ...maybe('due', body.due, time), ...maybe('paused', body.paused, time), ...maybe('run', body.run, run), ended: list(body.ended, ended) };
}

function rotator(value: unknown): RotatorSettings {
  const body = exactly(TABLE, value, ['kind', 'strategy', 'password', 'field', 'hosts', 'overlapHours'], ['command', 'url', 'ca', 'master']);
  const password = exactly(TABLE, body.password, ['length', 'exclude', 'punctuation'], []);
  return {
    kind: oneOf(...ROTATOR_KINDS)(body.kind),
    strategy: oneOf<RotationStrategy>('single', 'alternating')(body.strategy),
    password: { length: whole(password.length), exclude: text(password.exclude), punctuation: flag(password.punctuation) },
    field: text(body.field),
    ...maybe('command', body.command, text),
    ...maybe('url', body.url, text),
    ...maybe('ca', body.ca, text),
    ...maybe('master', body.master, text),
    hosts: list(body.hosts, text),
    overlapHours: whole(body.overlapHours),
  };
}

export function decodeRotation(plain: Uint8Array): RotationRecord {
  const body = readFields(TABLE, plain, ['name', 'suffix', 'rotator', 'state'], ['region']);
  const { name } = body;
  if (typeof name !== 'string' || !isSecretName(name)) return bad();
  return { name, suffix: text(body.suffix), ...maybe('region', body.region, (region) => (typeof region === 'string' && isRegion(region) ? region : bad())), rotator: rotator(body.rotator), state: state(body.state) };
}

export function rotationEntry({ state: of }: RotationRecord): RotationEntry {
  const standing = standingOf(of);
  return { wake: wakeOf(of), ...(standing ? { standing } : {}) };
}
