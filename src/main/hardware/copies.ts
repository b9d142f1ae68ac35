/**
 * One key's copy from one token of a cluster to another: it leaves wrapped under a key that its token trusts, and counts once it was tried out.
 *
 * Defends against: a copy that is another key (it has to do what only the key can do), one that is used before that (it has an id of its own),
 * a token that lets the key go under a wrapping key that it does not trust (it is asked to). Does not: see the key, which is wrapped here.
 */
import { constants, createHash, createPublicKey, diffieHellman, generateKeyPairSync, publicEncrypt, timingSafeEqual, verify } from 'node:crypto';
import { algorithmOf, keySpecOf, type Algorithm, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { CKF, CKM } from '../backends/pkcs11/cryptoki.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { signingUse, usable, type Offer } from '../backends/pkcs11/mechanisms.ts';
import { padded } from '../backends/pkcs11/oaep.ts';
import { stagingOf, type Stated, type Use } from '../backends/pkcs11/protocol.ts';
import { hex, wipe } from '../crypto/bytes.ts';
import { DIGEST_INFO, readSpki, writeEcdsaSignature } from '../crypto/der.ts';
import type { Random } from '../platform/ports.ts';
import type { Hardware, Place } from './hardware.ts';

export interface CopiedKey {
  /** CKA_ID, hex. */
  readonly id: string;
  readonly label: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  /** SubjectPublicKeyInfo of a key pair. */
  readonly publicKey?: Uint8Array;
}

/** `wrapper`: the wrapping key that `from` trusts and `to` unwraps with. */
export interface Route {
  readonly from: Place;
  readonly to: Place;
  readonly wrapper: string;
  readonly mechanism: number;
}

/** Wrapping mechanisms for keys of any length, then one for multiples of eight bytes; the first that both tokens have is taken. */
const WRAPS = [CKM.AES_KEY_WRAP_PAD, CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP];
export const wrapMechanism = (from: Offer, to: Offer): number | undefined => WRAPS.find((type) => ((from.get(type)?.flags ?? 0) & CKF.WRAP) !== 0 && ((to.get(type)?.flags ?? 0) & CKF.UNWRAP) !== 0);

const notSame = (to: Place): VaultError => new VaultError('KMSInternalException', `${nameToken(to.token)} took a copy that is not the key, which was removed again; see to the token, and do not trust it until you know why`);

/** UnsupportedOperationException where the token lets the key go under a wrapping key that it does not trust, or where nobody could try. */
export async function assertHeld(hardware: Hardware, { module, token }: Place, id: string): Promise<void> {
  const { allowed, refused, unknown } = (await hardware.ask({ module, token }, 'wrapTest', { token, id })).reply;
  if (allowed.length > 0) throw new VaultError('UnsupportedOperationException', `${nameToken(token)} lets a key go under a wrapping key that it does not trust, so no key of it may leave: a key store cannot span it`, { details: { wrapping: 'untrusted' } });
  // What another mechanism refuses says nothing of one that failed.
  if (unknown.length > 0) throw new VaultError('UnsupportedOperationException', `${nameToken(token)} failed when it was asked to wrap a key out, and did not refuse to, so nobody knows what it would do: a key store cannot span it`, { details: { wrapping: 'unknown' } });
  if (refused.length === 0) throw new VaultError('UnsupportedOperationException', `${nameToken(token)} wraps nothing in a way that is known here, so a key store cannot span it`, { details: { wrapping: 'unknown' } });
}
/** Of what `assertHeld` throws. */
export const isUnheld = (error: unknown): boolean => error instanceof VaultError && error.details?.['wrapping'] !== undefined;

/** Makes the copy, tries it out, and puts it in its place. What fails leaves none. */
export async function copyKey(hardware: Hardware, random: Random, { from, to, wrapper, mechanism }: Route, key: CopiedKey): Promise<Stated> {
  const way = { by: wrapper, mechanism };
  const { parts } = await hardware.ask(from, 'wrapOut', { token: from.token, id: key.id, way });
  const [wrapped] = parts;
  if (!wrapped?.byteLength) throw new VaultError('KMSInternalException', `${nameToken(from.token)} left out what was asked for`);
  const { stated } = (await hardware.ask(to, 'unwrapIn', { token: to.token, id: key.id, way, label: key.label, what: { kind: 'key', spec: key.spec, usage: key.usage } }, key.publicKey ? [wrapped, key.publicKey] : [wrapped])).reply;
  try {
    if (!(await isSameKey(hardware, random, from, to, key))) throw notSame(to);
    await assertHeld(hardware, to, stagingOf(key.id));
    await hardware.ask(to, 'settle', { token: to.token, id: key.id });
  } catch (error) {
    await hardware.ask(to, 'discard', { token: to.token, ids: [key.id] }).catch(() => undefined);
    throw error;
  }
  return stated;
}

type Proof = (asks: { readonly here: (name: 'sign' | 'encrypt' | 'decrypt', use: Use, data: Uint8Array) => Promise<Uint8Array>; readonly there: (name: 'sign' | 'encrypt' | 'decrypt', use: Use, data: Uint8Array) => Promise<Uint8Array>; readonly agree: (point: Uint8Array, length: number) => Promise<Uint8Array> }, key: CopiedKey, algorithm: Algorithm, offer: Offer, random: Random) => Promise<boolean>;

const same = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && timingSafeEqual(a, b);

/** Whether the copy at `to` does what only the key at `from` can do. */
async function isSameKey(hardware: Hardware, random: Random, from: Place, to: Place, key: CopiedKey): Promise<boolean> {
  const offer = await hardware.offer(to);
  const [algorithm] = usable(offer, key.spec, key.usage);
  if (algorithm === undefined) throw new VaultError('UnsupportedOperationException', `${nameToken(to.token)} cannot use a key of \`${key.spec}\` for \`${key.usage}\``);
  const asked = (place: Place, id: string) => async (name: 'sign' | 'encrypt' | 'decrypt', use: Use, data: Uint8Array): Promise<Uint8Array> => (await hardware.ask(place, name, { token: place.token, id, use }, [data])).parts[0] ?? new Uint8Array();
  const agree = async (point: Uint8Array, length: number): Promise<Uint8Array> => (await hardware.ask(to, 'derive', { token: to.token, id: stagingOf(key.id), length }, [point])).parts[0] ?? new Uint8Array();
  return PROOFS[proofOf(key)]({ here: asked(from, key.id), there: asked(to, stagingOf(key.id)), agree }, key, algorithm, offer, random);
}

type ProofName = 'wraps' | 'macs' | 'agrees' | 'opens' | 'signs';
function proofOf({ spec, usage }: CopiedKey): ProofName {
  if (keySpecOf(spec).family === 'symmetric') return 'wraps';
  return ({ ENCRYPT_DECRYPT: 'opens', SIGN_VERIFY: 'signs', GENERATE_VERIFY_MAC: 'macs', KEY_AGREEMENT: 'agrees', ENCAPSULATE_DECAPSULATE: 'signs' } as const)[usage];
}

const publicOf = ({ publicKey }: CopiedKey) => createPublicKey({ key: Buffer.from(publicKey ?? []), format: 'der', type: 'spki' });

const PROOFS: Readonly<Record<ProofName, Proof>> = {
  async wraps({ here, there }, _key, _algorithm, _offer, random) {
    const secret = random.bytes(32);
    const use: Use = { mechanism: CKM.AES_GCM, kind: 'gcm', iv: hex(random.bytes(12)), aad: '' };
    const opened = await there('decrypt', use, await here('encrypt', use, secret));
    const isSame = same(opened, secret);
    wipe(secret, opened);
    return isSame;
  },
  async macs({ here, there }, _key, algorithm, _offer, random) {
    const data = random.bytes(32);
    return same(await there('sign', signingUse(algorithm), data), await here('sign', signingUse(algorithm), data));
  },
  async opens({ there }, key, _algorithm, offer, random) {
    const size = keySpecOf(key.spec).bits / 8;
    if (!offer.has(CKM.RSA_X_509)) {
      const secret = random.bytes(32);
      return same(await there('decrypt', { mechanism: CKM.RSA_PKCS_OAEP, kind: 'oaep', hash: 'sha1' }, publicEncrypt({ key: publicOf(key), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, secret)), secret);
    }
    const block = random.bytes(size);
    // Smaller than any modulus of its length.
    block[0] = 0;
    const opened = padded(await there('decrypt', { mechanism: CKM.RSA_X_509, kind: 'plain' }, publicEncrypt({ key: publicOf(key), padding: constants.RSA_NO_PADDING }, block)), size);
    return opened !== undefined && same(opened, block);
  },
  async signs({ there }, key, algorithm, _offer, random) {
    const message = random.bytes(32);
    const { scheme, hash } = algorithmOf(algorithm);
    if (scheme === 'ed25519' || hash === undefined) return verify(null, message, publicOf(key), await there('sign', signingUse(algorithm), message));
    const digest = createHash(hash).update(message).digest();
    const isPkcs1 = scheme === 'pkcs1' && (hash === 'sha256' || hash === 'sha384' || hash === 'sha512');
    const raw = await there('sign', signingUse(algorithm), isPkcs1 ? Buffer.concat([DIGEST_INFO[hash], digest]) : digest);
    const padding = scheme === 'pss' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
    return verify(hash, message, { key: publicOf(key), ...padding }, scheme === 'ecdsa' ? writeEcdsaSignature(raw) : raw);
  },
  async agrees({ agree }, key) {
    const own = publicOf(key);
    const { curve, bits } = keySpecOf(key.spec);
    const fresh = generateKeyPairSync('ec', { namedCurve: own.asymmetricKeyDetails?.namedCurve ?? curve ?? '' });
    const point = curve && readSpki(curve, fresh.publicKey.export({ format: 'der', type: 'spki' }));
    return point !== undefined && same(await agree(point, Math.ceil(bits / 8)), diffieHellman({ privateKey: fresh.privateKey, publicKey: own }));
  },
};
