/**
 * The body of a record: JSON in UTF-8 with a closed set of fields, in one order, without white space. There is one encoding
 * of each record, and anything else does not decode.
 *
 * What goes in is an allowlist made by the caller; this file bounds its size and shape. What is too long is cut to a
 * beginning and listed under `cut` with its full length, never silently. Values, tokens, signatures and hashes of what could
 * be guessed are the caller's not to give; bytes and secrets are refused here whatever field they come in.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { isObject } from '../../shared/wire/json.ts';
import { utf8 } from '../crypto/bytes.ts';
import { BODY_MAX } from './segment.ts';

const PHASES = ['intent', 'outcome', 'note'] as const;
/** intent: before the operation, durable. outcome: after it, on every exit. note: what the vault says of itself. */
export type Phase = (typeof PHASES)[number];

export interface TrailRecord {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly phase: Phase;
  /** `kms:Sign`; for a refused unknown one, what the caller wrote. */
  readonly operation: string;
  /** UUID. Only a note may be without request, door and principal. */
  readonly requestId?: string;
  readonly door?: string;
  readonly principal?: string;
  /** ARN. */
  readonly resource?: string;
  /** The audited input fields, by name; in a note its facts. JSON values: bytes and the like become null, listed in `cut`. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** `ok` or an error code. */
  readonly result?: string;
  readonly reasons?: readonly string[];
  /** Of the store's transaction that this outcome was committed with. */
  readonly epoch?: number;
  readonly headerEpoch?: number;
  /** Index of the intent that this outcome ends. */
  readonly intent?: number;
  /** What was cut: where, and its full length in bytes. Made by `encodeRecord`. */
  readonly cut?: readonly Cut[];
}

/** `path`: field, then keys and positions inside it. `bytes`: of the whole in UTF-8 JSON; 0 for what is no JSON value. */
export interface Cut {
  readonly path: readonly string[];
  readonly bytes: number;
  /** Of a list whose other entries are there: how many are not. */
  readonly left?: number;
}

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts: Check = (value) => Array.isArray(value) && value.every((one) => typeof one === 'string');
const isCuts: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((one) => isObject(one) && /^path,bytes(?:,left)?$/.test(Object.keys(one).join()) && isTexts(one['path']) && isCount(one['bytes']) && (!Object.hasOwn(one, 'left') || isCount(one['left'])));

/** The closed set, in the order of the encoding. */
const FIELDS = {
  time: isCount,
  phase: (value) => PHASES.some((phase) => phase === value),
  operation: isText,
  requestId: isText,
  door: isText,
  principal: isText,
  resource: isText,
  input: isObject,
  result: (value) => typeof value === 'string' && /^[A-Za-z]{1,64}$/.test(value),
  reasons: isTexts,
  epoch: isCount,
  headerEpoch: isCount,
  intent: isCount,
  cut: isCuts,
} as const satisfies Record<keyof TrailRecord, Check>;
const NAMES = Object.keys(FIELDS) as (keyof TrailRecord)[];
const PLACES: ReadonlyMap<string, number> = new Map(NAMES.map((name, at) => [name, at]));
const OF_ALL = ['time', 'phase', 'operation'] as const;
const OF_REQUESTS = ['requestId', 'door', 'principal'] as const;

/** Longest text that is kept whole, tried in this order until the record fits. The first is the most that an encryption context may be. */
const LIMITS = [8192, 4096, 1024, 256, 64] as const;
/** The few fields beside input and reasons keep at least this much: the ARN of the longest alias. */
const FIELD_MIN = 320;
const DEPTH_MAX = 8;
/** Cuts listed before the whole field goes; keeps the list itself small. */
const CUTS_MAX = 32;

/** At most BODY_MAX bytes. Throws TypeError for a record outside of the closed set: a bug of the caller, not of its input. */
export function encodeRecord(record: TrailRecord): Uint8Array {
  for (const limit of LIMITS) {
    const cuts: Cut[] = [];
    const fields: Record<string, unknown> = {};
    for (const name of NAMES) {
      const own = name === 'input' || name === 'reasons' ? limit : Math.max(limit, FIELD_MIN);
      if (name !== 'cut' && record[name] !== undefined) fields[name] = trim(record[name], own, [name], cuts);
    }
    if (cuts.length > CUTS_MAX) continue;
    const bytes = encode(fields, cuts);
    if (bytes.byteLength <= BODY_MAX) return bytes;
  }
  // Many entries rather than long ones: the input goes as a whole, and of the reasons those that do not fit.
  const { input, reasons, ...rest } = record;
  const cuts: Cut[] = [];
  if (input !== undefined) cuts.push({ path: ['input'], bytes: lengthOf(input) });
  const withReasons = (kept: readonly string[] | undefined, cut: readonly Cut[]): Uint8Array => {
    const fields = NAMES.flatMap((name) => {
      const value = name === 'reasons' ? kept : name === 'input' || name === 'cut' ? undefined : rest[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const others: Cut[] = [];
    const trimmed = fields.map(([name, value]) => [name, name === 'reasons' ? value : trim(value, FIELD_MIN, [name], others)] as const);
    return encode(Object.fromEntries(trimmed), [...cut, ...others]);
  };
  if (reasons === undefined) return withReasons(undefined, cuts);
  const cutAt = (left: number): Cut => ({ path: ['reasons'], bytes: lengthOf(reasons), left });
  let room = BODY_MAX - withReasons([], [...cuts, cutAt(reasons.length)]).byteLength;
  const kept = reasons.map((reason) => reason.toWellFormed()).filter((reason) => {
    const bytes = lengthOf(reason) + ','.length;
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
  const left = reasons.length - kept.length;
  return withReasons(kept, left === 0 ? cuts : [...cuts, cutAt(left)]);
}

/** Throws TrailBrokenException for anything that `encodeRecord` does not make. */
export function decodeRecord(body: Uint8Array): TrailRecord {
  const text = new TextDecoder().decode(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (!isRecord(value) || body.byteLength > BODY_MAX) throw malformed();
  // One encoding only: no repeated keys, no other order, no white space, no broken UTF-8.
  const again = utf8(JSON.stringify(value));
  if (again.byteLength !== body.byteLength || !again.every((byte, i) => byte === body[i])) throw malformed();
  return value;
}

const malformed = (): VaultError => new VaultError('TrailBrokenException', 'a record of the trail is not in a form that this version writes: open it with the newest version');

function isRecord(value: unknown): value is TrailRecord {
  if (!isObject(value)) return false;
  let before = -1;
  for (const name of Object.keys(value)) {
    const at = PLACES.get(name) ?? -1;
    if (at <= before || !FIELDS[name as keyof TrailRecord](value[name])) return false;
    before = at;
  }
  const has = (name: keyof TrailRecord): boolean => value[name] !== undefined;
  return OF_ALL.every(has) && (value['phase'] === 'note' || OF_REQUESTS.every(has)) && (value['phase'] === 'outcome') === has('result');
}

function encode(fields: Readonly<Record<string, unknown>>, cuts: readonly Cut[]): Uint8Array {
  const record = cuts.length > 0 ? { ...fields, cut: cuts } : fields;
  if (!isRecord(record)) throw new TypeError('not a record of the trail');
  return utf8(JSON.stringify(record));
}

/** The same value with long texts cut and what is no JSON left out; notes what it did. `path` is where it stands, and as it was afterwards. */
function trim(value: unknown, limit: number, path: string[], cuts: Cut[]): unknown {
  const cutTo = <T>(rest: T, bytes: number): T => {
    cuts.push({ path: path.map((step) => step.toWellFormed().slice(0, 64)), bytes });
    return rest;
  };
  if (typeof value === 'string') {
    const whole = value.toWellFormed();
    const bytes = Buffer.byteLength(whole);
    return bytes <= limit ? whole : cutTo(beginning(whole, limit), bytes);
  }
  if (typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) return Object.is(value, -0) ? 0 : value;
  const within = (step: string, one: unknown): unknown => {
    path.push(step);
    const trimmed = trim(one, limit, path, cuts);
    path.pop();
    return trimmed;
  };
  if (path.length > DEPTH_MAX) return cutTo(null, lengthOf(value));
  if (Array.isArray(value)) return value.map((one, i) => within(String(i), one));
  if (isPlain(value)) {
    // A key is the caller's text too, and would not be found again if it were cut: its entry goes.
    const entries = Object.entries(value).filter(([name, one]) => one !== undefined && (Buffer.byteLength(name.toWellFormed()) <= limit || cutTo(false, lengthOf({ [name]: one }))));
    return Object.fromEntries(entries.map(([name, one]) => [name.toWellFormed(), within(name, one)]));
  }
  return cutTo(null, 0);
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null);

function lengthOf(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return 0;
  }
}

/** At most `limit` bytes of UTF-8, at a boundary of characters. */
function beginning(text: string, limit: number): string {
  const out = new Uint8Array(limit);
  const { read } = new TextEncoder().encodeInto(text, out);
  return text.slice(0, read);
}
