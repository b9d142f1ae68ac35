/** Values under their data keys, with a backend that wraps like the real one: bound to its context. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openGcm, sealGcm } from '../../../src/main/crypto/aead.ts';
import { utf8 } from '../../../src/main/crypto/bytes.ts';
import type { KeyBackend, KeyHandle } from '../../../src/main/keyring/ports.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { MAX_VALUE, openValue, sealValue, type ValuePlace } from '../../../src/main/secrets/values.ts';
import { invalidCiphertext } from '../../../src/shared/model/errors.ts';
import type { Arn } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const root = systemRandom.bytes(32);
const iv = new Uint8Array(12);
const key = {} as KeyHandle<'ENCRYPT_DECRYPT'>;
const made: string[] = [];
const keys: Pick<KeyBackend, 'generateDataKey' | 'decrypt'> = {
  generateDataKey: async (_key, { length, context }) => {
    const plain = systemRandom.bytes(length);
    made.push(Buffer.from(plain).toString('hex'));
    return { ciphertext: sealGcm(root, iv, utf8(JSON.stringify(context)), plain), plaintext: SecretBytes.take(plain) };
  },
  decrypt: async (_key, { ciphertext, context }) => {
    const plain = openGcm(root, iv, utf8(JSON.stringify(context)), ciphertext);
    if (!plain) throw invalidCiphertext();
    return SecretBytes.take(plain);
  },
};
const place: ValuePlace = { arn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:a-abcdef' as Arn, versionId: 'v'.repeat(32) };
const failure = expect.objectContaining({ code: 'DecryptionFailure' });

it('open to what was sealed, each under a data key of its own', async () => {
  made.length = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      using value = SecretBytes.copy(bytes);
      using opened = await openValue(keys, key, place, await sealValue(keys, systemRandom, key, place, value));
      expect(opened.borrow((plain) => Buffer.from(plain).equals(bytes))).toBe(true);
    }),
  );
  expect(new Set(made).size).toBe(made.length);
});

it('do not open in another place', async () => {
  using value = SecretBytes.copy(utf8('hunter2'));
  const envelope = await sealValue(keys, systemRandom, key, place, value);
  await expect(openValue(keys, key, { ...place, versionId: 'w'.repeat(32) }, envelope)).rejects.toEqual(failure);
  await expect(openValue(keys, key, { ...place, arn: `${place.arn}x` as Arn }, envelope)).rejects.toEqual(failure);
});

it('do not open with any bit flipped, or any byte cut off', async () => {
  using value = SecretBytes.copy(utf8('hunter2'));
  const envelope = await sealValue(keys, systemRandom, key, place, value);
  for (let bit = 0; bit < envelope.length * 8; bit++) {
    const changed = Uint8Array.from(envelope);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await expect(openValue(keys, key, place, changed)).rejects.toEqual(failure);
  }
  for (let length = 0; length < envelope.length; length++) await expect(openValue(keys, key, place, envelope.subarray(0, length))).rejects.toEqual(failure);
});

it('are at most 65,536 bytes', async () => {
  using most = SecretBytes.allocate(MAX_VALUE);
  using more = SecretBytes.allocate(MAX_VALUE + 1);
  await expect(sealValue(keys, systemRandom, key, place, most)).resolves.toBeInstanceOf(Uint8Array);
  await expect(sealValue(keys, systemRandom, key, place, more)).rejects.toEqual(expect.objectContaining({ code: 'InvalidParameterException' }));
});
