/**
 * The sealer's calls that agree on a secret with somebody outside.
 *
 * Defends against: a public key that is no point of the curve or one of another curve (invalid curve attacks); an oracle (ML-KEM's implicit
 * rejection). What it does not do: say who holds the other key.
 */
import { invalidCiphertext } from '../../shared/model/errors.ts';
import { deriveEcdh } from './algorithms/ecdh.ts';
import { decapsulateMlKem, encapsulateMlKem, isMlKemSet } from './algorithms/ml-kem.ts';
import { MISSING, drawing, invalid, kmsMaterial, wrongUse } from './encryption.ts';
import type { Handlers } from './session.ts';

/** Of ML-KEM's only random input, m (FIPS 203 algorithm 20). */
const ENTROPY_LENGTH = 32;

export const agreementCalls: Handlers<'deriveSharedSecret' | 'encapsulate' | 'decapsulate'> = {
  deriveSharedSecret(session, { key, publicKey }) {
    const material = kmsMaterial(session, key, 'KEY_AGREEMENT', 'ECDH');
    if (!material) return MISSING;
    const { key: own } = material;
    if (own.family !== 'ec' || !own.privateKey) throw wrongUse('the key does not agree on secrets: choose an ECC_NIST key of usage `KEY_AGREEMENT`');
    const secret = deriveEcdh(own.curve, own.privateKey, publicKey);
    if (!secret) throw invalid(`the other side's public key must be a SubjectPublicKeyInfo in DER with an uncompressed point of \`${own.curve}\``);
    return { secret };
  },

  encapsulate(session, { publicKey, spec }) {
    if (!isMlKemSet(spec)) throw wrongUse(`a key of \`${spec}\` does not encapsulate: choose an ML-KEM key`);
    const draw = drawing(session);
    const made = encapsulateMlKem(spec, publicKey, () => draw(ENTROPY_LENGTH));
    if (!made) throw invalid(`the public key is not one of \`${spec}\``);
    return made;
  },

  decapsulate(session, { key, ciphertext }) {
    const material = kmsMaterial(session, key, 'ENCAPSULATE_DECAPSULATE', 'ML_KEM');
    if (!material) return MISSING;
    if (material.key.family !== 'ml-kem') throw wrongUse('the key is not an ML-KEM key');
    const secret = decapsulateMlKem(material.key, ciphertext);
    if (!secret) throw invalidCiphertext();
    return { secret };
  },
};
