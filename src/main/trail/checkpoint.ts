/**
 * A checkpoint says how far the trail had come, signed, to be kept outside of the vault: whoever puts the whole folder back or
 * rewrites the trail later cannot make it contain the checkpoint again. It says nothing about what came after it.
 *
 * The statement is canonical JSON (fields in the order below, no white space); the envelope is DSSE v1 with an Ed25519 signature of the
 * vault's, and one more where its owner had a key sign it besides (github.com/secure-systems-lab/dsse).
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { VaultError } from '../../shared/model/errors.ts';
import { isObject } from '../../shared/wire/json.ts';
import { type Bytes, fromHex, hex, utf8 } from '../crypto/bytes.ts';
import type { Sealer } from '../seal/protocol.ts';
import { CHECKPOINT_TYPE, preAuthEncoding } from './dsse.ts';
import type { Position, TrailLog } from './port.ts';
import { brokenTrail, readTail } from './verify.ts';

const ENVELOPE_MAX = 65_536;
/** What is looked at; more are of no use to anybody. */
export const MOST_SIGNATURES = 8;

export interface Checkpoint {
  /** 16 bytes, hex. */
  readonly vaultId: string;
  /** The last durable record, and its SHA-256 (hex). */
  readonly index: number;
  readonly hash: string;
  readonly storeEpoch: number;
  /** SHA-256 of the header file, hex. */
  readonly headerHash: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

const isHex = (length: number) => (value: unknown): boolean => typeof value === 'string' && new RegExp(`^[0-9a-f]{${String(2 * length)}}$`).test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const FIELDS = { headerHash: isHex(32), hash: isHex(32), index: isCount, storeEpoch: isCount, time: isCount, vaultId: isHex(16) } as const;
const NAMES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];

/** The exact bytes to be signed. Throws TypeError for a statement with a wrong field. */
export function encodeCheckpoint(checkpoint: Checkpoint): Bytes {
  if (!isCheckpoint(checkpoint)) throw new TypeError('not a checkpoint');
  return utf8(JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, checkpoint[name]]))));
}

/** Undefined for anything but the one encoding of a checkpoint. */
export function decodeCheckpoint(payload: Uint8Array): Checkpoint | undefined {
  const value = parseJson(payload);
  if (!isCheckpoint(value)) return undefined;
  return hex(encodeCheckpoint(value)) === hex(payload) ? value : undefined;
}

/** The position that the trail must pass through to contain it. */
export const anchorOf = (checkpoint: Checkpoint): Position => ({ index: checkpoint.index, hash: fromHex(checkpoint.hash) });

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Whether one of the given keys has signed it. */
  readonly signatureValid: boolean;
  /** What each of them signs, and how many signatures there are. */
  readonly message: Uint8Array;
  readonly signatures: number;
  /** Whether this key has signed it, too: SubjectPublicKeyInfo DER of RSA (PKCS #1 v1.5, SHA-256), a NIST curve (ECDSA with its own hash) or Ed25519. */
  readonly signedBy: (publicKey: Uint8Array) => boolean;
}

const CURVE_HASHES: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };

/** `null`: of Ed25519. Undefined for keys that sign no checkpoints. */
function hashOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null | undefined {
  if (type === 'ed25519') return null;
  return type === 'rsa' ? 'sha256' : CURVE_HASHES[details?.namedCurve ?? ''];
}

/** The envelope with one more signature. `keyid` is the SHA-256 (hex) of the key's SubjectPublicKeyInfo: a hint, never a proof. */
export function addSignature(envelope: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): Bytes {
  const parsed = parseJson(envelope);
  if (!isObject(parsed) || !Array.isArray(parsed['signatures'])) throw new TypeError('not an envelope');
  const one = { keyid: createHash('sha256').update(publicKey).digest('hex'), sig: Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString('base64') };
  return utf8(JSON.stringify({ ...parsed, signatures: [...(parsed['signatures'] as unknown[]), one] }));
}

/** `publicKeys`: SubjectPublicKeyInfo DER, Ed25519. ValidationException for what is no checkpoint in an envelope at all. */
export function openCheckpoint(envelope: Uint8Array, publicKeys: readonly Uint8Array[]): OpenedCheckpoint {
  const parsed = envelope.byteLength <= ENVELOPE_MAX ? parseJson(envelope) : undefined;
  if (!isObject(parsed) || parsed['payloadType'] !== CHECKPOINT_TYPE || typeof parsed['payload'] !== 'string' || !Array.isArray(parsed['signatures'])) throw malformed();
  const payload = Buffer.from(parsed['payload'], 'base64');
  const checkpoint = decodeCheckpoint(payload);
  if (!checkpoint) throw malformed();
  const message = preAuthEncoding(CHECKPOINT_TYPE, payload);
  const signatures: readonly unknown[] = parsed['signatures'];
  const given = signatures.slice(0, MOST_SIGNATURES).flatMap((one) => (isObject(one) && typeof one['sig'] === 'string' ? [Buffer.from(one['sig'], 'base64')] : []));
  const signedBy = (spki: Uint8Array): boolean => {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const hash = hashOf(key);
    return hash !== undefined && given.some((signature) => verify(hash, message, key, signature));
  };
  return { checkpoint, message, signatures: signatures.length, signatureValid: publicKeys.some(signedBy), signedBy };
}

/** contained: fits. contradicted: the trail was rewritten. ahead: it was cut or put back. foreign: of another vault. setAside: of a chain before this one. */
export type Relation = 'contained' | 'contradicted' | 'ahead' | 'foreign' | 'setAside';

/**
 * How the trail stands to a checkpoint, by reading it from there to its end. TrailBrokenException when it is broken after that
 * point. The signature is for the caller to have judged. `firstIndex`: of this chain's first record.
 */
export async function relate(log: TrailLog, sealer: Sealer, vaultId: Uint8Array, checkpoint: Checkpoint, firstIndex = 0): Promise<Relation> {
  if (checkpoint.vaultId !== hex(vaultId)) return 'foreign';
  if (checkpoint.index < firstIndex) return 'setAside';
  if (checkpoint.index > log.head.index) return 'ahead';
  const anchor = anchorOf(checkpoint);
  const { broken } = await readTail(log, sealer, { trailIndex: anchor.index, trailHash: anchor.hash });
  if (!broken) return 'contained';
  if (broken.what === 'fork' && broken.index === anchor.index) return 'contradicted';
  throw brokenTrail(broken);
}

const malformed = (): VaultError => new VaultError('ValidationException', 'this is not a checkpoint of a trail: give the file that `keystead trail checkpoint` wrote');

const isCheckpoint = (value: unknown): value is Checkpoint => {
  if (!isObject(value) || Object.keys(value).length !== NAMES.length) return false;
  return NAMES.every((name) => FIELDS[name](value[name]));
};

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
