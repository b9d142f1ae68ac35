/** Properties of the ciphertext blob, through the sealer's calls. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hex } from '../../src/main/crypto/bytes.ts';
import { BLOB_OVERHEAD } from '../../src/main/sealer/blob.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { KEY_ID, codeOf, fakeSession, loaded, makeKey } from '../unit/sealer/fake-session.ts';

const session = fakeSession();
const made = makeKey(session, 'SYMMETRIC_DEFAULT');
const context = fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), { maxKeys: 4 });
const common = async () => ({ key: (await made).ref, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT' }) as const;

test('what was encrypted decrypts under the same context, and the length is the plaintext\'s and a constant', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), context, async (plaintext, pairs) => {
      const { ciphertext } = await loaded(keyCalls.encrypt(session, { ...(await common()), plaintext, context: pairs }));
      expect(ciphertext.byteLength).toBe(plaintext.byteLength + BLOB_OVERHEAD);
      const opened = await loaded(keyCalls.decrypt(session, { ...(await common()), ciphertext, context: { ...pairs } }));
      expect(hex(opened.plaintext)).toBe(hex(plaintext));
    }),
    { numRuns: 500 },
  );
});

test('bytes that nobody sealed never open', async () => {
  const shaped = fc.tuple(fc.constantFrom([0x4b, 0x42, 1, 1], [0x4b, 0x42, 2, 1], [0x4b, 0x42, 1, 2], []), fc.uint8Array({ maxLength: 200 })).map(([start, rest]) => Uint8Array.of(...start, ...rest));
  await fc.assert(
    fc.asyncProperty(shaped, async (ciphertext) => {
      expect(await codeOf(async () => keyCalls.decrypt(session, { ...(await common()), ciphertext, context: {} }))).toBe('InvalidCiphertextException');
    }),
    { numRuns: 2000 },
  );
});
