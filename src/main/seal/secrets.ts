/**
 * The header's sealed secrets: what must outlive a root. XChaCha20-Poly1305 under a key of the term, AAD = label ‖ vaultId ‖ term.
 *
 * Plaintext: format u8 = 1 · k_loc 32 · count u16 · per era: term u32 · trail public key 32 · trail private key 32 · checkpoint
 * seed 32. One era per term that this vault has had, newest last. Earlier trail private keys stay, because segments are sealed to
 * them; earlier checkpoint seeds stay, so that their public keys can be told from a stranger's.
 */
import { type Bytes, concat, copy, u32, u8, wipe } from '../crypto/bytes.ts';
import { XCHACHA_NONCE_LENGTH, openXChaCha, sealXChaCha } from '../crypto/aead.ts';
import { x25519PublicKey } from '../crypto/x25519.ts';
import type { Random } from '../platform/ports.ts';
import { Cursor, MalformedError, u16 } from './cursor.ts';
import { LABELS } from './labels.ts';
import type { TermKeys } from './term-keys.ts';

const BLOB_FORMAT = 1;
/** Compromises that a header has room for. */
export const ERA_LIMIT = 256;

/** The keys that were made with one root. 32 bytes each. */
export interface Era {
  readonly term: number;
  readonly trailPublicKey: Bytes;
  readonly trailPrivateKey: Bytes;
  readonly checkpointSeed: Bytes;
}

export interface HeaderSecrets {
  /** k_loc, 32 bytes: never rotates. */
  readonly locatorKey: Bytes;
  /** Newest last, terms rising; at least one. */
  readonly eras: readonly Era[];
}

export function newEra(random: Random, term: number): Era {
  const trailPrivateKey = random.bytes(32);
  return { term, trailPublicKey: x25519PublicKey(trailPrivateKey), trailPrivateKey, checkpointSeed: random.bytes(32) };
}

/** An independent copy: each holder wipes its own. */
export const copySecrets = (secrets: HeaderSecrets): HeaderSecrets => ({
  locatorKey: copy(secrets.locatorKey),
  eras: secrets.eras.map((era) => ({
    term: era.term,
    trailPublicKey: copy(era.trailPublicKey),
    trailPrivateKey: copy(era.trailPrivateKey),
    checkpointSeed: copy(era.checkpointSeed),
  })),
});

export function wipeSecrets(secrets: HeaderSecrets): void {
  wipe(secrets.locatorKey);
  for (const era of secrets.eras) wipe(era.trailPrivateKey, era.checkpointSeed);
}

const aadOf = (keys: TermKeys): Bytes => concat(LABELS.headerSecrets, keys.vaultId, u32(keys.term));

/** nonce24 ‖ ciphertext ‖ tag16. */
export function sealSecrets(keys: TermKeys, random: Random, secrets: HeaderSecrets): Bytes {
  const eras = secrets.eras.flatMap((era) => [u32(era.term), era.trailPublicKey, era.trailPrivateKey, era.checkpointSeed]);
  const plain = concat(u8(BLOB_FORMAT), secrets.locatorKey, u16(secrets.eras.length), ...eras);
  const nonce = random.bytes(XCHACHA_NONCE_LENGTH);
  const sealed = concat(nonce, sealXChaCha(keys.headerSecrets, nonce, aadOf(keys), plain));
  wipe(plain);
  return sealed;
}

function parse(plain: Uint8Array): HeaderSecrets {
  const cursor = new Cursor(plain);
  if (cursor.u8('format') !== BLOB_FORMAT) throw new MalformedError('format is unknown');
  const locatorKey = cursor.bytes(32, 'locator key');
  const count = cursor.u16('era count');
  if (count < 1 || count > ERA_LIMIT) throw new MalformedError('era count is out of range');
  const eras = Array.from({ length: count }, () => ({
    term: cursor.u32('term'),
    trailPublicKey: cursor.bytes(32, 'trail public key'),
    trailPrivateKey: cursor.bytes(32, 'trail private key'),
    checkpointSeed: cursor.bytes(32, 'checkpoint seed'),
  }));
  cursor.end('secrets');
  return { locatorKey, eras };
}

/** Undefined when they do not authenticate or are not well formed. The caller owns them: `wipeSecrets`. */
export function openSecrets(keys: TermKeys, sealed: Uint8Array): HeaderSecrets | undefined {
  if (sealed.byteLength < XCHACHA_NONCE_LENGTH) return undefined;
  const nonce = sealed.subarray(0, XCHACHA_NONCE_LENGTH);
  const plain = openXChaCha(keys.headerSecrets, nonce, aadOf(keys), sealed.subarray(XCHACHA_NONCE_LENGTH));
  if (!plain) return undefined;
  try {
    return parse(plain);
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  } finally {
    wipe(plain);
  }
}

const previousAad = (keys: TermKeys): Bytes => concat(LABELS.previousRoot, keys.vaultId, u32(keys.term));

/** The root of the term before, under this term: 72 bytes. */
export function sealPreviousRoot(keys: TermKeys, random: Random, previousRoot: Uint8Array): Bytes {
  const nonce = random.bytes(XCHACHA_NONCE_LENGTH);
  return concat(nonce, sealXChaCha(keys.previousRoot, nonce, previousAad(keys), previousRoot));
}

/** 32 bytes, the caller's to wipe; undefined when it does not authenticate. */
export function openPreviousRoot(keys: TermKeys, sealed: Uint8Array): Bytes | undefined {
  return openXChaCha(keys.previousRoot, sealed.subarray(0, XCHACHA_NONCE_LENGTH), previousAad(keys), sealed.subarray(XCHACHA_NONCE_LENGTH));
}
