/**
 * The vault header's exact bytes (SECURITY-DESIGN section 3, "Header"): the one file that is read before anything is known.
 *
 * What it does: encodes and strictly parses the header. What it defends against: hostile bytes; every field has one place, one size
 * and a limit, unknown values are refused, nothing may follow the end, and every accepted file has exactly one encoding. What it does
 * not do: authenticate. Nothing here may be believed before `slots.ts` and the sealer have checked commitments and MAC.
 *
 * Layout, big-endian:
 *   magic `KSVAULT1` 8 · format u8 · minimumReader u8 · vaultId 16 · headerEpoch u64 · term u32 · rootCommit 32 ·
 *   floor: memory KiB u32, passes u32 · trailPublicKey 32 · slot count u8 · slots, each u16 length ‖ slot ·
 *   secrets u32 length ‖ nonce24 ‖ ciphertext ‖ tag16 · previous root u8 length (0 or 72) ‖ nonce24 ‖ ciphertext32 ‖ tag16 · MAC 32
 * Slot: descriptor (slotId 16 · type u8 · factors u8 · created u64 · kdf u8 · memory u32 · passes u32 · lanes u32 · salt 32 ·
 *   token URI u16 length ‖ ASCII · publicKey 32) · commit 32 · private key: nonce24 ‖ ciphertext32 ‖ tag16 ·
 *   root: ephemeral 32 · generation u32 · nonce24 ‖ ciphertext32 ‖ tag16
 */
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, compareBytes, concat, hex, u32, u64, u8, utf8 } from '../crypto/bytes.ts';
import { COST_LIMIT } from './cost.ts';
import { Cursor, MalformedError, u16 } from './cursor.ts';
import type { HeaderInfo, KdfCost, SlotInfo, SlotType } from './protocol.ts';

export const HEADER_FORMAT = 1;
export const HEADER_LIMIT = 64 * 1024;
export const SLOT_LIMIT = 16;
/** nonce 24 ‖ 32 ‖ tag 16. */
export const SEALED_KEY_LENGTH = 72;
const MAC_LENGTH = 32;
const MAGIC = utf8('KSVAULT1');
export const TOKEN_URI_LIMIT = 1024;
/** What a token URI may be made of: printable ASCII without spaces. */
export const isTokenUri = (uri: string): boolean => uri.length > 0 && uri.length <= TOKEN_URI_LIMIT && /^[\x21-\x7e]+$/.test(uri);
/** nonce 24 ‖ at least one byte ‖ tag 16. */
const SECRETS_MINIMUM = 41;

export const FACTOR = { password: 1, device: 2, token: 4, code: 8 } as const;
type FactorName = keyof typeof FACTOR;
const FACTOR_NAMES = ['password', 'device', 'token', 'code'] as const satisfies readonly FactorName[];

/** Number on disk and the factor sets that a type may have. */
const TYPES: Record<SlotType, { readonly code: number; readonly factors: readonly number[] }> = {
  password: { code: 1, factors: [FACTOR.password, FACTOR.password | FACTOR.device] },
  recovery: { code: 2, factors: [FACTOR.code] },
  keychain: { code: 3, factors: [FACTOR.device] },
  token: { code: 4, factors: [FACTOR.token, FACTOR.token | FACTOR.device] },
};
const TYPE_NAMES = ['password', 'recovery', 'keychain', 'token'] as const satisfies readonly SlotType[];

/** What a slot says of itself; bound into its KEK, so that none of it can be changed or moved to another slot. */
export interface SlotDescriptor {
  /** 16 bytes. */
  readonly slotId: Bytes;
  readonly type: SlotType;
  /** Bits of `FACTOR`. */
  readonly factors: number;
  readonly created: number;
  /** Present exactly when a password is among the factors. */
  readonly kdf?: KdfCost;
  /** 32 bytes: Argon2id's salt. */
  readonly salt: Bytes;
  readonly tokenUri?: string;
  /** X25519, 32 bytes. */
  readonly publicKey: Bytes;
}

export interface RootWrap {
  /** X25519, 32 bytes. */
  readonly ephemeral: Bytes;
  /** The term whose root this is. */
  readonly generation: number;
  /** 72 bytes. */
  readonly sealed: Bytes;
}

export interface Slot extends SlotDescriptor {
  /** 32 bytes. */
  readonly commit: Bytes;
  /** 72 bytes: the X25519 private key under the KEK. */
  readonly privateKey: Bytes;
  readonly wrap: RootWrap;
}

/** The header without its MAC. */
export interface HeaderBody {
  readonly vaultId: Bytes;
  readonly headerEpoch: number;
  readonly term: number;
  readonly rootCommit: Bytes;
  readonly floor: Pick<KdfCost, 'memory' | 'passes'>;
  readonly trailPublicKey: Bytes;
  readonly slots: readonly Slot[];
  /** nonce24 ‖ ciphertext ‖ tag16 of `secrets.ts`'s blob. */
  readonly secrets: Bytes;
  /** 72 bytes: the root of `term - 1`, while records of that term are left. */
  readonly previousRoot?: Bytes;
}

export interface Header extends HeaderBody {
  /** HMAC-SHA256 over every byte before it. */
  readonly mac: Bytes;
}

/** The bytes that a slot's KEK is bound to. */
export function encodeDescriptor(slot: SlotDescriptor): Bytes {
  const kdf = slot.kdf ?? { memory: 0, passes: 0, lanes: 0 };
  const uri = utf8(slot.tokenUri ?? '');
  return concat(
    slot.slotId,
    u8(TYPES[slot.type].code),
    u8(slot.factors),
    u64(slot.created),
    u8(slot.kdf ? 1 : 0),
    u32(kdf.memory),
    u32(kdf.passes),
    u32(kdf.lanes),
    slot.salt,
    u16(uri.byteLength),
    uri,
    slot.publicKey,
  );
}

const encodeSlot = (slot: Slot): Bytes =>
  concat(encodeDescriptor(slot), slot.commit, slot.privateKey, slot.wrap.ephemeral, u32(slot.wrap.generation), slot.wrap.sealed);

/** Everything that the MAC covers. */
export function encodeHeaderBody(header: HeaderBody): Bytes {
  const slots = header.slots.map((slot) => {
    const bytes = encodeSlot(slot);
    return concat(u16(bytes.byteLength), bytes);
  });
  return concat(
    MAGIC,
    u8(HEADER_FORMAT),
    u8(HEADER_FORMAT),
    header.vaultId,
    u64(header.headerEpoch),
    u32(header.term),
    header.rootCommit,
    u32(header.floor.memory),
    u32(header.floor.passes),
    header.trailPublicKey,
    u8(slots.length),
    ...slots,
    u32(header.secrets.byteLength),
    header.secrets,
    u8(header.previousRoot?.byteLength ?? 0),
    ...(header.previousRoot ? [header.previousRoot] : []),
  );
}

function parseDescriptor(cursor: Cursor): SlotDescriptor {
  const slotId = cursor.bytes(16, 'slot id');
  const type = TYPE_NAMES[cursor.u8('slot type') - 1];
  if (type === undefined) throw new MalformedError('slot type is unknown');
  const factors = cursor.u8('slot factors');
  if (!TYPES[type].factors.includes(factors)) throw new MalformedError('slot factors do not go with the slot type');
  const created = cursor.u64('slot creation time');
  const kdfCode = cursor.u8('slot KDF');
  const cost = { memory: cursor.u32('KDF memory'), passes: cursor.u32('KDF passes'), lanes: cursor.u32('KDF lanes') };
  const stretched = (factors & FACTOR.password) !== 0;
  if (kdfCode !== (stretched ? 1 : 0)) throw new MalformedError('slot KDF does not go with the slot factors');
  if (cost.memory > COST_LIMIT.memory || cost.passes > COST_LIMIT.passes || cost.lanes > COST_LIMIT.lanes) {
    throw new MalformedError('KDF cost is over the limit of 2 GiB, 32 passes and 16 lanes');
  }
  if (stretched ? cost.passes < 1 || cost.lanes < 1 || cost.memory < 8 * cost.lanes : cost.memory + cost.passes + cost.lanes !== 0) {
    throw new MalformedError('KDF cost is not one that Argon2id has');
  }
  const salt = cursor.bytes(32, 'slot salt');
  const uriLength = cursor.u16('token URI');
  if (uriLength > TOKEN_URI_LIMIT || (uriLength > 0) !== (type === 'token')) throw new MalformedError('token URI does not go with the slot type');
  const uri = cursor.view(uriLength, 'token URI');
  if (!uri.every((byte) => byte > 0x20 && byte < 0x7f)) throw new MalformedError('token URI is not printable ASCII');
  const publicKey = cursor.bytes(32, 'slot public key');
  return {
    slotId,
    type,
    factors,
    created,
    ...(stretched ? { kdf: cost } : {}),
    salt,
    ...(uriLength > 0 ? { tokenUri: String.fromCharCode(...uri) } : {}),
    publicKey,
  };
}

function parseSlot(bytes: Uint8Array): Slot {
  const cursor = new Cursor(bytes);
  const slot = {
    ...parseDescriptor(cursor),
    commit: cursor.bytes(32, 'slot commitment'),
    privateKey: cursor.bytes(SEALED_KEY_LENGTH, 'slot private key'),
    wrap: {
      ephemeral: cursor.bytes(32, 'wrapped root'),
      generation: cursor.u32('root generation'),
      sealed: cursor.bytes(SEALED_KEY_LENGTH, 'wrapped root'),
    },
  };
  cursor.end('slot');
  return slot;
}

function parseSlots(cursor: Cursor): readonly Slot[] {
  const count = cursor.u8('slot count');
  if (count < 1 || count > SLOT_LIMIT) throw new MalformedError(`there must be 1 to ${String(SLOT_LIMIT)} slots`);
  const slots = Array.from({ length: count }, () => parseSlot(cursor.view(cursor.u16('slot'), 'slot')));
  if (new Set(slots.map((slot) => hex(slot.slotId))).size !== count) throw new MalformedError('two slots have one id');
  return slots;
}

function checkVersion(cursor: Cursor): void {
  if (compareBytes(cursor.view(MAGIC.byteLength, 'magic'), MAGIC) !== 0) throw new MalformedError('it does not begin as a vault header does');
  const format = cursor.u8('format');
  const minimumReader = cursor.u8('minimum reader');
  if (format > HEADER_FORMAT || minimumReader > HEADER_FORMAT) {
    throw new VaultError('VaultTooNewException', `this vault has format ${String(format)}, this program reads ${String(HEADER_FORMAT)}; update Keystead`);
  }
  if (format !== HEADER_FORMAT || minimumReader !== HEADER_FORMAT) throw new MalformedError('format is unknown');
}

function parse(bytes: Uint8Array): Header {
  const cursor = new Cursor(bytes);
  checkVersion(cursor);
  const vaultId = cursor.bytes(16, 'vault id');
  const headerEpoch = cursor.u64('header epoch');
  const term = cursor.u32('term');
  if (headerEpoch < 1 || term < 1) throw new MalformedError('epoch and term begin with 1');
  const rootCommit = cursor.bytes(32, 'root commitment');
  const floor = { memory: cursor.u32('KDF floor'), passes: cursor.u32('KDF floor') };
  const trailPublicKey = cursor.bytes(32, 'trail public key');
  const slots = parseSlots(cursor);
  const secretsLength = cursor.u32('secrets');
  if (secretsLength < SECRETS_MINIMUM) throw new MalformedError('secrets are cut short');
  const secrets = cursor.bytes(secretsLength, 'secrets');
  const previousLength = cursor.u8('previous root');
  if (previousLength !== 0 && previousLength !== SEALED_KEY_LENGTH) throw new MalformedError('previous root has a wrong length');
  const previousRoot = previousLength === 0 ? undefined : cursor.bytes(previousLength, 'previous root');
  if (previousRoot && term < 2) throw new MalformedError('the first term has no previous root');
  const mac = cursor.bytes(MAC_LENGTH, 'MAC');
  cursor.end('header');
  return { vaultId, headerEpoch, term, rootCommit, floor, trailPublicKey, slots, secrets, ...(previousRoot ? { previousRoot } : {}), mac };
}

/** At most 64 KiB. Throws HeaderRefusedException for anything that is not exactly a header, VaultTooNewException for a newer one. */
export function parseHeader(bytes: Uint8Array): Header {
  if (bytes.byteLength > HEADER_LIMIT) throw refused('it is larger than 64 KiB');
  try {
    return parse(bytes);
  } catch (error) {
    throw error instanceof MalformedError ? refused(error.message) : error;
  }
}

export const refused = (why: string): VaultError =>
  new VaultError('HeaderRefusedException', `the vault's header is not accepted: ${why}; restore the file \`header\` from a backup of this vault`);

/** The part of `bytes` that the MAC covers. */
export const macCovers = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.byteLength - MAC_LENGTH);

const slotInfo = (slot: Slot): SlotInfo => ({
  slotId: hex(slot.slotId),
  type: slot.type,
  factors: FACTOR_NAMES.filter((name) => (slot.factors & FACTOR[name]) !== 0),
  ...(slot.kdf ? { kdf: slot.kdf } : {}),
  created: slot.created,
  ...(slot.tokenUri === undefined ? {} : { tokenUri: slot.tokenUri, salt: slot.salt }),
});

/** What is public; as trustworthy as the header is. */
export const headerInfo = (header: HeaderBody): HeaderInfo => ({
  vaultId: hex(header.vaultId),
  format: HEADER_FORMAT,
  minimumReader: HEADER_FORMAT,
  headerEpoch: header.headerEpoch,
  term: header.term,
  slots: header.slots.map(slotInfo),
  trailPublicKey: header.trailPublicKey,
});
