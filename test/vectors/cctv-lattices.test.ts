/**
 * ML-DSA and ML-KEM by accumulated vectors (https://c2sp.org/CCTV/ML-DSA/accumulated): keys, signatures, ciphertexts and secrets of a hundred seeds out
 * of one SHAKE128 go into another, through the sealer's own calls, and one digest that others came to stands for all of them.
 *
 * Of ML-DSA the digests are C2SP's own; of ML-KEM-768 that of Go's `crypto/mlkem` (TestAccumulated). C2SP's of ML-KEM are of the draft, before its keys
 * had the set in them; those of ML-KEM-512 and 1024 here are what PQClean and CIRCL come to by Go's procedure.
 */
import { shake128 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { copy } from '../../src/main/crypto/bytes.ts';
import { writeLatticeSpki } from '../../src/main/crypto/lattice-der.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { materialOf } from '../../src/main/sealer/materials.ts';
import { fakeSession, givenKey, loaded } from '../unit/sealer/fake-session.ts';

const ROUNDS = 100;

/** A session whose next random bytes are given, and the two streams. */
function accumulator() {
  const drawn = shake128.create({});
  const written = shake128.create({});
  const next = { entropy: new Uint8Array(32) as Uint8Array };
  return {
    session: fakeSession({ bytes: () => copy(next.entropy) }),
    next,
    read: (length: number) => copy(drawn.xof(length)),
    write: (bytes: Uint8Array) => written.update(bytes),
    digest: () => Buffer.from(written.xof(32)).toString('hex'),
  };
}

/** Without the head of its SubjectPublicKeyInfo. */
const rawOf = (spki: Uint8Array): Uint8Array => spki.subarray(22);

describe('ML-DSA: the signature of the empty message, not hedged', () => {
  test.each([
    ['ML_DSA_44', 'd51148e1f9f4fa1a723a6cf42e25f2a99eb5c1b378b3d2dbbd561b1203beeae4'],
    ['ML_DSA_65', '8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199'],
    ['ML_DSA_87', '8c3ad714777622b8f21ce31bb35f71394f23bc0fcf3c78ace5d608990f3b061b'],
  ] as const)('%s', { timeout: 120_000 }, async (spec, expected) => {
    const { session, read, write, digest } = accumulator();
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = givenKey(session, spec, read(32));
      const opened = materialOf(session, key)?.key;
      if (opened?.family !== 'ml-dsa') throw new Error(spec);
      const signed = { algorithm: 'ML_DSA_SHAKE_256', message: new Uint8Array(), digest: false } as const;
      const { signature } = await loaded(keyCalls.sign(session, { key, purpose: 'kms', ...signed }));
      expect((await keyCalls.verify(session, { publicKey: opened.publicKey, spec, ...signed, signature })).valid).toBe(true);
      write(rawOf(opened.publicKey));
      write(signature);
    }
    expect(digest()).toBe(expected);
  });
});

describe('ML-KEM: what is encapsulated, and a ciphertext of random bytes', () => {
  test.each([
    ['ML_KEM_512', 768, '86b1b4703b8ffef6f7f3290c6dbce4ad954498a0673ded401a94828e8c519a59'],
    ['ML_KEM_768', 1088, '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415'],
    ['ML_KEM_1024', 1568, '800018fec3e2723f73f1d657fe239b4d5d8782efaade297e8cd448e54cc2ac00'],
  ] as const)('%s', { timeout: 120_000 }, async (spec, length, expected) => {
    const { session, next, read, write, digest } = accumulator();
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = givenKey(session, spec, read(64));
      const opened = materialOf(session, key)?.key;
      if (opened?.family !== 'ml-kem') throw new Error(spec);
      const decapsulated = async (ciphertext: Uint8Array) => (await loaded(keyCalls.decapsulate(session, { key, ciphertext }))).secret;
      next.entropy = read(32);
      const { ciphertext, secret } = await loaded(keyCalls.encapsulate(session, { publicKey: writeLatticeSpki(spec, rawOf(opened.publicKey)), spec }));
      expect(await decapsulated(ciphertext)).toEqual(secret);
      for (const part of [rawOf(opened.publicKey), ciphertext, secret, await decapsulated(read(length))]) write(part);
    }
    expect(digest()).toBe(expected);
  });
});
