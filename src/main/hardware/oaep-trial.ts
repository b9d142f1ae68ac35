/**
 * Who does OAEP with SHA-256 for a key in a token, found out by asking: the token decrypts what was encrypted here for it. A token's list
 * of mechanisms names OAEP, and no hash (SoftHSM: SHA-1 alone).
 */
import { constants, createPublicKey, publicEncrypt, timingSafeEqual } from 'node:crypto';
import { VaultError } from '../../shared/model/errors.ts';
import { CKF, CKM } from '../backends/pkcs11/cryptoki.ts';
import { hasReturned, UNSUPPORTED } from '../backends/pkcs11/errors.ts';
import { does } from '../backends/pkcs11/mechanisms.ts';
import { wipe } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import type { Hardware, Place } from './hardware.ts';

/** token: it does it itself. raw: it does raw RSA, and the padding is checked here. refused: neither. unknown: it failed in another way when it was tried. */
export type OaepBy = 'token' | 'raw' | 'refused' | 'unknown';

/** Bytes of the message that it is tried with. */
const TRIED = 32;

/** `id`: CKA_ID of the private key; `publicKey`: its SubjectPublicKeyInfo. Throws where the token is not there or nobody is logged in. */
export async function oaepSha256By(hardware: Pick<Hardware, 'ask' | 'offer'>, place: Place, id: string, publicKey: Uint8Array, random: Random): Promise<OaepBy> {
  const offer = await hardware.offer(place);
  const otherwise = does(offer, CKM.RSA_X_509, CKF.DECRYPT) ? 'raw' : 'refused';
  if (!does(offer, CKM.RSA_PKCS_OAEP, CKF.DECRYPT)) return otherwise;
  const message = random.bytes(TRIED);
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const ciphertext = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, message);
  try {
    const { parts } = await hardware.ask(place, 'decrypt', { token: place.token, id, use: { mechanism: CKM.RSA_PKCS_OAEP, kind: 'oaep', hash: 'sha256' } }, [ciphertext]);
    const [opened] = parts;
    const isRight = opened?.byteLength === TRIED && timingSafeEqual(opened, message);
    wipe(...parts);
    return isRight ? 'token' : 'unknown';
  } catch (error) {
    if (hasReturned(error, UNSUPPORTED)) return otherwise;
    if (error instanceof VaultError && error.code === 'KMSInternalException') return 'unknown';
    throw error;
  } finally {
    wipe(message);
  }
}
