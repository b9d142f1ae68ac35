/** What is said on the page of a key in a token of what is done here for it, and what the token does itself. */
import { keySpecOf } from '../../shared/model/algorithms.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { does, type Offer } from '../backends/pkcs11/mechanisms.ts';
import { CKF, CKM } from '../backends/pkcs11/cryptoki.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { oaepSha256By, type OaepBy } from '../hardware/oaep-trial.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';

/** In words that continue "token x …". `own`: whether it has OAEP at all. */
const OAEP: Readonly<Record<OaepBy, (own: boolean) => string>> = {
  token: () => 'does OAEP with SHA-256 itself, as it did when it was tried',
  raw: (own) => `${own ? 'knows OAEP with SHA-1 only, as it said when it was tried: for SHA-256' : 'has no OAEP:'} it does raw RSA, and the padding is checked here in constant time`,
  refused: (own) => `${own ? 'knows OAEP with SHA-1 only, as it said when it was tried, and does no raw RSA: `RSAES_OAEP_SHA_256` is' : 'does neither OAEP nor raw RSA: decryption is'} refused`,
  unknown: () => 'failed when OAEP with SHA-256 was tried: nobody knows whether it does that itself',
};

export interface TokenKeyNotes {
  /** `places`: the tokens that hold the key and answer. */
  of(hardware: Hardware, places: readonly Place[], key: KeyRecord): Promise<readonly string[]>;
}

export function createTokenKeyNotes(random: Random): TokenKeyNotes {
  /** What was found out, by the token's list of mechanisms, which is asked for anew once its module was started again. */
  const known = new WeakMap<Offer, OaepBy>();

  async function oaepOf(hardware: Hardware, place: Place, key: KeyRecord): Promise<string> {
    const offer = await hardware.offer(place);
    const publicKey = base64ToBytes(key.publicKey ?? '');
    let by = known.get(offer);
    if (by === undefined && key.hardware && publicKey) {
      by = await oaepSha256By(hardware, place, key.hardware.id, publicKey, random);
      if (by !== 'unknown') known.set(offer, by);
    }
    return `${nameToken(place.token)} ${OAEP[by ?? 'unknown'](does(offer, CKM.RSA_PKCS_OAEP, CKF.DECRYPT))}`;
  }

  return {
    async of(hardware, places, key) {
      const { family } = keySpecOf(key.spec);
      const notes: string[] = [];
      if (family === 'symmetric') notes.push(...places.slice(0, 1).map(({ token }) => `Each message is encrypted here with a key of its own, which ${nameToken(token)} wraps with AES-GCM; the IV comes from this vault`));
      if (family === 'rsa' && key.usage === 'ENCRYPT_DECRYPT') for (const place of places) notes.push(await oaepOf(hardware, place, key));
      if (family === 'edwards') notes.push('Messages and files of up to 4,096 bytes are signed whole, and nothing longer: `ED25519_PH_SHA_512` is not offered for keys in a token');
      if (key.usage === 'SIGN_VERIFY') notes.push(`${family === 'edwards' ? 'Each' : 'Messages are hashed here, and each'} signature is verified here before it is given out`);
      return notes;
    },
  };
}
