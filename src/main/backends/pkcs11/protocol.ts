/**
 * What the vault asks of a module host and what it is answered. Both ends are of one program, yet other people's code runs in the host:
 * replies are parsed strictly, and nothing in one is believed that main can check itself.
 */
import { z } from 'zod';
import { KEY_SPECS, KEY_USAGES, type KeySpec } from '../../../shared/model/algorithms.ts';

const specs = z.enum(Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]]);
const hash = z.enum(['sha1', 'sha224', 'sha256', 'sha384', 'sha512']);
const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/);
const u32 = z.int().min(0).max(0xffff_ffff);
/** CK_ULONG as a number; CK_UNAVAILABLE_INFORMATION does not fit and is given as -1. */
const ulong = z.number();
const text = z.string().max(256);
/** What is listed of a token or a module; a host that has more to say is gone. */
export const MOST_LISTED = 1000;

/** A token by what is printed on it: slot numbers change. */
export const tokenName = z.strictObject({ serial: text, label: text });
export type TokenName = z.output<typeof tokenName>;
/** A token in maps and sets. */
export const keyOf = ({ serial, label }: TokenName): string => `${serial}\n${label}`;

export const use = z.discriminatedUnion('kind', [
  z.strictObject({ mechanism: u32, kind: z.literal('plain') }),
  z.strictObject({ mechanism: u32, kind: z.literal('pss'), hash, saltLength: u32 }),
  z.strictObject({ mechanism: u32, kind: z.literal('oaep'), hash }),
  z.strictObject({ mechanism: u32, kind: z.literal('gcm'), iv: hex, aad: hex }),
]);
export type Use = z.output<typeof use>;

const token = tokenName;
/** CKA_ID of the key's objects. */
const key = z.strictObject({ token, id: hex });

/** What the token says of a key, by its own attributes: its word, and no proof. Absent: it says nothing. */
export const stated = z.strictObject({
  sensitive: z.boolean().optional(),
  extractable: z.boolean().optional(),
  alwaysSensitive: z.boolean().optional(),
  neverExtractable: z.boolean().optional(),
  local: z.boolean().optional(),
  /** It leaves under a trusted wrapping key only. */
  trustedOnly: z.boolean().optional(),
});
export type Stated = z.output<typeof stated>;

/**
 * Whether a key that was just made is what was asked for. That it is sensitive and not extractable the token has to say; what it may not
 * say is the contrary of the rest. `local` is not judged: NSS denies it of keys that it has just made.
 */
export const isGuarded = (said: Stated): boolean => said.sensitive === true && said.extractable === false && said.alwaysSensitive !== false && said.neverExtractable !== false;

/** Whether a key of a cluster is what was asked for: made here, or a copy. */
export const isClusterKey = (said: Stated): boolean => said.sensitive === true && said.trustedOnly === true && said.extractable === true;

const tokenFacts = z.strictObject({
  slot: z.string(),
  description: text,
  present: z.boolean(),
  serial: text,
  label: text,
  manufacturer: text,
  model: text,
  firmware: text,
  hardware: text,
  initialized: z.boolean(),
  pinSet: z.boolean(),
  pinPad: z.boolean(),
  writeProtected: z.boolean(),
  pin: z.enum(['ok', 'low', 'last', 'locked']),
  /** Of the security officer's. */
  officerPin: z.enum(['ok', 'low', 'last', 'locked']),
  minPin: ulong,
  maxPin: ulong,
  /** Open now, by all programs; absent: the token does not say. */
  sessions: ulong.optional(),
  /** 0: no limit. */
  maxSessions: ulong.optional(),
  /** What its own clock says, as it says it (YYYYMMDDhhmmss00); absent: it has none. Nothing goes by it. */
  clock: text.optional(),
});
export type TokenFacts = z.output<typeof tokenFacts>;

const keyFacts = z.strictObject({
  id: hex,
  label: text,
  class: z.enum(['private', 'secret']),
  /** Undefined: of a kind that is not used here. */
  spec: specs.optional(),
  /** What the token lets it be used for. */
  uses: z.array(z.enum(KEY_USAGES)).max(KEY_USAGES.length),
  stated,
});
export type KeyFacts = z.output<typeof keyFacts>;

/** SHA-256 in hex. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);
/** Of a name, in UTF-16 code units; a longer one is cut. */
export const MOST_NAME = 256;
/** Certificates of a token that are looked at: what all of them say has to fit one frame. */
export const MOST_CERTIFICATES = 100;
/** What is read of a certificate; a larger one is listed, and not read. */
export const MOST_CERTIFICATE = 65_535;
const name = z.string().max(MOST_NAME);
/** As the host has read it: nobody but the token's owner vouches for what it says. */
const certificateFacts = z.strictObject({
  /** CKA_ID, which may be another key's, or empty. */
  id: hex,
  label: text,
  /** empty: the token gives no value. garbled: no certificate, or not one alone. */
  state: z.enum(['readable', 'notX509', 'empty', 'tooLarge', 'garbled']),
  /** Of its DER. */
  sha256: digest.optional(),
  /** Names as RFC 2253 escapes them, in the certificate's order; times in milliseconds; the public key as SHA-256 over SubjectPublicKeyInfo, absent where it is of no kind that is used here. */
  read: z.strictObject({ subject: name, issuer: name, serial: z.string().regex(/^-?[0-9A-F]{1,256}$/), from: z.int(), until: z.int(), publicKey: digest.optional() }).optional(),
});
export type CertificateFacts = z.output<typeof certificateFacts>;
/** Of a private key: absent where nothing public is beside it, or more than one thing. */
const publicHalf = z.strictObject({ id: hex, publicKey: digest.optional() });
export type PublicHalf = z.output<typeof publicHalf>;

/** A key pair's public half, for an officer to mark: numbers of RSA in hex. */
const peer = z.strictObject({ id: hex, modulus: hex, exponent: hex });
/** By which object one travels: `id` of the wrapping or unwrapping key, and its mechanism (CKM number). */
const way = z.strictObject({ by: hex, mechanism: u32 });
export type Way = z.output<typeof way>;
/** What comes out of an unwrapping: another token's wrapping key, good for unwrapping only, or a copy of a key of the cluster. */
const unwrapped = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('wrapper') }), z.strictObject({ kind: z.literal('key'), spec: specs, usage: z.enum(KEY_USAGES) })]);

const nothing = z.strictObject({});

/** Request and reply of each call; `parts` of either are byte strings, named in the comment. */
export const CALLS = {
  /** Loads the library and starts it; once. */
  load: { request: z.strictObject({ path: z.string(), parameters: z.string().optional() }), reply: z.strictObject({ manufacturer: text, description: text, version: text, cryptoki: text }) },
  tokens: { request: nothing, reply: z.strictObject({ tokens: z.array(tokenFacts).max(MOST_LISTED) }) },
  /** Begins the module anew, where no token is logged in: some look for tokens only once. */
  rescan: { request: nothing, reply: nothing },
  mechanisms: { request: z.strictObject({ token }), reply: z.strictObject({ mechanisms: z.array(z.strictObject({ type: u32, flags: u32, min: ulong, max: ulong })).max(MOST_LISTED) }) },
  /** Specs of curves that the token made a key pair of the session on when it was tried, and those that it refused. */
  curves: { request: z.strictObject({ token }), reply: z.strictObject({ made: z.array(specs).max(MOST_LISTED), refused: z.array(specs).max(MOST_LISTED) }) },
  /** Parts: the security officer's PIN, the user's. Erases the token, where it is still the one that `tokens` had in `slot`. */
  initToken: { request: z.strictObject({ slot: z.string(), label: text, expected: z.strictObject({ serial: text, label: text, initialized: z.boolean() }) }), reply: z.strictObject({ serial: text, label: text }) },
  /** Parts: old PIN, new PIN. */
  setPin: { request: z.strictObject({ token }), reply: nothing },
  /** Parts: the security officer's PIN, the user's new one. */
  resetPin: { request: z.strictObject({ token }), reply: nothing },
  /** Parts: the PIN. Nothing when the token is logged in already and `again` is not said. */
  login: { request: z.strictObject({ token, again: z.boolean() }), reply: nothing },
  logout: { request: z.strictObject({ token }), reply: nothing },
  /** Reply parts: SubjectPublicKeyInfo of a key pair. `cluster`: it may leave under a trusted wrapping key, and under no other. */
  generate: { request: z.strictObject({ token, spec: specs, usage: z.enum(KEY_USAGES), id: hex, label: text, cluster: z.boolean().optional() }), reply: z.strictObject({ stated }) },
  keys: { request: z.strictObject({ token }), reply: z.strictObject({ keys: z.array(keyFacts).max(MOST_LISTED) }) },
  /** `keys`: every private key, and none where there is no certificate. */
  certificates: { request: z.strictObject({ token }), reply: z.strictObject({ certificates: z.array(certificateFacts).max(MOST_CERTIFICATES), keys: z.array(publicHalf).max(MOST_LISTED) }) },
  /** Reply parts: DER of a certificate that can be read. */
  certificate: { request: z.strictObject({ token, sha256: digest }), reply: nothing },
  /** One key. Reply parts: SubjectPublicKeyInfo of a key pair, of its certificate where no public key is beside it. */
  describe: { request: key, reply: keyFacts },
  /** Mechanisms that wrapped the key out, that the token refused to, and that failed otherwise, when it was tried. */
  wrapTest: { request: key, reply: z.strictObject({ allowed: z.array(u32).max(MOST_LISTED), refused: z.array(u32).max(MOST_LISTED), unknown: z.array(u32).max(MOST_LISTED) }) },
  /** Parts: the data; reply: the signature as the token gives it. */
  sign: { request: key.extend({ use }), reply: nothing },
  /** Parts: the data; reply: the result. */
  encrypt: { request: key.extend({ use }), reply: nothing },
  decrypt: { request: key.extend({ use }), reply: nothing },
  /** Parts: the other side's point (04 ‖ x ‖ y); reply: the x coordinate. */
  derive: { request: key.extend({ length: u32 }), reply: nothing },
  destroy: { request: key, reply: nothing },
  /** Whether a token that is logged in is still there. */
  check: { request: z.strictObject({ token }), reply: nothing },
  /** Begins the module anew, with the PIN that this token was given, where no other token is logged in: some see a token that came back only then. */
  restart: { request: z.strictObject({ token }), reply: nothing },
  /** Those of the keys (CKA_ID) that are there, whole; with `halves` also those of which a public key is. */
  holds: { request: z.strictObject({ token, ids: z.array(hex).max(MOST_LISTED), halves: z.boolean() }), reply: z.strictObject({ held: z.array(hex).max(MOST_LISTED) }) },
  /** Makes an RSA pair that other tokens' wrapping keys travel to this one under. */
  transport: { request: z.strictObject({ token, id: hex, label: text }), reply: z.strictObject({ modulus: hex, exponent: hex }) },
  /** Parts: the security officer's PIN. Makes a trusted wrapping key (`wrapper`, its CKA_ID), and marks the peers' public keys as trusted. */
  trust: { request: z.strictObject({ token, label: text, wrapper: hex.optional(), peers: z.array(peer).max(16) }), reply: nothing },
  /** Copies a trusted wrapping key to a private object, where it is none. `lay`: it lay there for anybody to read until now. */
  keepWrapper: { request: key, reply: z.strictObject({ stated, trusted: z.boolean(), lay: z.boolean() }) },
  /** Reply parts: the key, wrapped. */
  wrapOut: { request: key.extend({ way }), reply: nothing },
  /** Parts: the wrapped key, SubjectPublicKeyInfo of a key pair. What was there under this id and not whole is removed first. */
  unwrapIn: { request: key.extend({ way, label: text, what: unwrapped }), reply: z.strictObject({ stated }) },
  /** A copy that was tried out takes its place: from `unwrapIn` until now it is under an id of its own. */
  settle: { request: key, reply: nothing },
  /** Sets CKA_EXTRACTABLE to false, for good. */
  seal: { request: key, reply: z.strictObject({ stated }) },
  /** Removes every object of these ids. */
  discard: { request: z.strictObject({ token, ids: z.array(hex).max(MOST_LISTED) }), reply: nothing },
  /** Reply parts: the bytes. */
  random: { request: z.strictObject({ token, length: u32 }), reply: nothing },
} as const;

export type Calls = typeof CALLS;
export type CallName = keyof Calls;
export type RequestOf<C extends CallName> = z.output<Calls[C]['request']>;
export type ReplyOf<C extends CallName> = z.output<Calls[C]['reply']>;

/** As a module's library gives them; nothing else is shown. */
export const FUNCTION_NAME = /^C_[A-Za-z0-9]{1,38}$/;
export const RETURN_NAME = /^CKR_[A-Z0-9_]{1,56}$/;

/** Under what id a copy is until it was tried out. */
export const stagingOf = (id: string): string => `${id}5a`;

/** A call that failed: the function and CKR number, or what the host itself found. */
export const failure = z.strictObject({
  what: z.enum(['cryptoki', 'load', 'absent', 'ambiguous', 'refused', 'changed', 'busy', 'internal']),
  function: z.string().regex(FUNCTION_NAME).optional(),
  code: ulong.optional(),
  name: z.string().regex(RETURN_NAME).optional(),
});
export type Failure = z.output<typeof failure>;
