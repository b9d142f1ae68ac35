/** Wycheproof: X25519. A shared secret of all zeros is refused, everything else is what the file says. */
import { expect, test } from 'vitest';
import { x25519PublicKey, x25519SharedSecret } from '../../src/main/crypto/x25519.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly tests: readonly (Case & { readonly public: string; readonly private: string; readonly shared: string })[];
}

const hex = (secret: Uint8Array | undefined): string | undefined => secret && Buffer.from(secret).toString('hex');

test('every case', () => {
  const { testGroups, numberOfTests } = wycheproof<Group>('x25519');
  let run = 0;
  let refused = 0;
  for (const vector of testGroups.flatMap(({ tests }) => tests)) {
    const shared = x25519SharedSecret(bytes(vector.private), bytes(vector.public));
    const zero = vector.flags.includes('ZeroSharedSecret');
    expect(hex(shared), `case ${String(vector.tcId)}`).toBe(zero ? undefined : vector.shared);
    run += 1;
    if (zero) refused += 1;
  }
  expect(run).toBe(numberOfTests);
  expect(run).toBe(518);
  expect(refused).toBe(31);
});

test('both sides agree, and other lengths are refused', () => {
  const one = bytes('01'.repeat(32));
  const two = bytes('02'.repeat(32));
  expect(hex(x25519SharedSecret(one, x25519PublicKey(two)))).toBe(hex(x25519SharedSecret(two, x25519PublicKey(one))));
  for (const length of [0, 31, 33]) expect(() => x25519PublicKey(new Uint8Array(length))).toThrow(RangeError);
  expect(() => x25519SharedSecret(one, new Uint8Array(31))).toThrow(RangeError);
});
