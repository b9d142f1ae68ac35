/** What this domain keeps in the store: modules that their owner agreed to, and key stores. No PIN, unless its owner says so, and then as the sealer has sealed it. */
import { z } from 'zod';
import { KEY_SPECS, type KeySpec } from '../../shared/model/algorithms.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { indexedKind } from '../store/collection.ts';
import { encodeJson, malformed, readFields } from '../store/strict.ts';

export interface ModuleRecord {
  /** Real path of the library. */
  readonly path: string;
  /** SHA-256 of the file that was agreed to, hex. */
  readonly sha256: string;
  readonly added: Instant;
  /** For C_Initialize. */
  readonly parameters?: string;
  /** Of its tokens, at their owner's word. */
  readonly pins?: readonly SealedPin[];
}

/** A token's PIN as the sealer has sealed it. */
export interface SealedPin {
  readonly serial: string;
  readonly label: string;
  /** Base64. */
  readonly sealed: string;
  readonly since: Instant;
  /** It was on its way to the token, and nobody knows what came of that: it is not given again. */
  readonly doubtful: boolean;
}

/** A token of a cluster. */
export interface MemberRecord {
  /** Path of the module. */
  readonly module: string;
  readonly serial: string;
  readonly label: string;
  readonly joined: Instant;
  /** CKA_ID, hex, of the wrapping key that this token trusts. */
  readonly wrapper: string;
  /** The pair that other tokens' wrapping keys travel to this one under: CKA_ID and its public numbers, hex. */
  readonly transport: { readonly id: string; readonly modulus: string; readonly exponent: string };
  /** Wrapping keys of other tokens that this one unwraps with: CKA_ID, hex. */
  readonly opens: readonly string[];
  /** Its wrapping key lay there for whoever reads the token's files, until it was copied. */
  readonly lay: boolean;
}

export interface ClusterRecord {
  readonly members: readonly MemberRecord[];
  /** What keys are wrapped with (CKM number). */
  readonly mechanism: number;
  /** Keys that were seen to travel when the last token joined. */
  readonly specs: readonly KeySpec[];
  /** Keys that were deleted here and that a token may still hold: CKA_ID, hex. */
  readonly gone: readonly string[];
  /** Since when no key can leave. */
  readonly sealed?: Instant;
}

/** A join whose end is not written down: what it puts on tokens, noted before any of it is there. It is under way, or was cut off. */
export interface UnfinishedJoin {
  /** CKA_ID, hex, of whatever it makes, on whichever of its tokens. The first names the join. */
  readonly ids: readonly string[];
  /** Tokens that may still hold something of it. */
  readonly tokens: readonly TokenRecord[];
  /** The one that was to join: what came there of the members' (`theirs`), and which of the store's keys it held before (`held`). Absent: it has joined since. */
  readonly guest?: TokenRecord & { readonly theirs: readonly string[]; readonly held: readonly string[] };
}

/** One key store: one token, found by what is printed on it, or a cluster of which that is the first. */
export interface KeyStoreRecord {
  /** `cks-` and 17 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Path of the module. */
  readonly module: string;
  readonly serial: string;
  readonly label: string;
  readonly created: Instant;
  /** Absent: one token. */
  readonly cluster?: ClusterRecord;
  /** Absent: none. */
  readonly unfinished?: readonly UnfinishedJoin[];
}

export interface TokenRecord {
  /** Path of the module. */
  readonly module: string;
  readonly serial: string;
  readonly label: string;
}
/** Every token that a key store spans. */
export const tokensOf = (store: KeyStoreRecord): readonly TokenRecord[] => store.cluster?.members ?? [store];

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';

const sealedPins = z.array(z.strictObject({ serial: z.string(), label: z.string(), sealed: z.base64(), since: z.number().transform(instant), doubtful: z.boolean() })).min(1);

/** Schema 1 has no `pins`. */
export const MODULES = indexedKind<ModuleRecord, ModuleRecord>({
  table: 'modules',
  schema: 2,
  what: 'a module',
  key: ({ path }) => path,
  encode: encodeJson,
  decode(_schema, plain) {
    const { path, sha256, added, parameters, pins } = readFields('modules', plain, ['path', 'sha256', 'added'], ['parameters', 'pins']);
    if (!isText(path) || !isText(sha256) || !/^[0-9a-f]{64}$/.test(sha256) || !isTime(added) || !(parameters === undefined || isText(parameters))) throw malformed('modules');
    const kept = pins === undefined ? undefined : sealedPins.safeParse(pins);
    if (kept && !kept.success) throw malformed('modules');
    return { path, sha256, added: instant(added), ...(parameters === undefined ? {} : { parameters }), ...(kept ? { pins: kept.data } : {}) };
  },
  entry: (record) => record,
});

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
const clusterRecord = z.strictObject({
  members: z.array(z.strictObject({ module: z.string(), serial: z.string(), label: z.string(), joined: z.number().transform(instant), wrapper: hex, transport: z.strictObject({ id: hex, modulus: hex, exponent: hex }), opens: z.array(hex), lay: z.boolean() })).min(1),
  mechanism: z.int(),
  specs: z.array(z.enum(Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]])),
  gone: z.array(hex),
  sealed: z.number().transform(instant).exactOptional(),
});

const tokenRecord = { module: z.string(), serial: z.string(), label: z.string() };
const unfinishedJoins = z.array(z.strictObject({ ids: z.array(hex).min(1), tokens: z.array(z.strictObject(tokenRecord)), guest: z.strictObject({ ...tokenRecord, theirs: z.array(hex), held: z.array(hex) }).exactOptional() })).min(1);

/** Schema 1 has no `cluster`, schema 2 no `unfinished`. */
export const KEY_STORES = indexedKind<KeyStoreRecord, KeyStoreRecord>({
  table: 'key_stores',
  schema: 3,
  what: 'a key store',
  key: ({ id }) => id,
  encode: encodeJson,
  decode(_schema, plain) {
    const { id, name, module, serial, label, created, cluster, unfinished } = readFields('key_stores', plain, ['id', 'name', 'module', 'serial', 'label', 'created'], ['cluster', 'unfinished']);
    if (!isText(id) || !/^cks-[0-9a-f]{17}$/.test(id) || !isText(name) || !isText(module) || !isText(serial) || !isText(label) || !isTime(created)) throw malformed('key_stores');
    const spans = cluster === undefined ? undefined : clusterRecord.safeParse(cluster);
    if (spans && !spans.success) throw malformed('key_stores');
    const joins = unfinished === undefined ? undefined : unfinishedJoins.safeParse(unfinished);
    if (joins && !joins.success) throw malformed('key_stores');
    return { id, name, module, serial, label, created: instant(created), ...(spans ? { cluster: spans.data } : {}), ...(joins ? { unfinished: joins.data } : {}) };
  },
  entry: (record) => record,
});
