/** How often the software backend goes to the sealer, and what it says of ciphertexts of other materials. A real sealer, in this process. */
import { expect, it } from 'vitest';
import { createSoftwareBackend } from '../../../src/main/backends/software.ts';
import type { KeyHandle, MaterialRow } from '../../../src/main/keyring/ports.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import type { Sealer } from '../../../src/main/seal/protocol.ts';
import { keyIdFrom } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { codeOf, createVault } from '../store/vault.ts';

const algorithm = 'SYMMETRIC_DEFAULT';
const context = { app: 'test' };

async function keys() {
  const { sealer } = await createVault();
  const asked: string[] = [];
  const counting: Sealer = { ...sealer, gone: sealer.gone, stop: () => sealer.stop(), call: (method, request) => { asked.push(method); return sealer.call(method, request); } };
  const rows = new Map<string, MaterialRow>();
  const backend = createSoftwareBackend({ sealer: counting, random: systemRandom, material: (id) => Promise.resolve(rows.get(id)) });
  const materialOf = async (keyId: string): Promise<string> => {
    const { material } = await backend.generate({ spec: algorithm, keyId: keyId as KeyHandle<'ENCRYPT_DECRYPT'>['keyId'], purpose: 'kms' });
    rows.set(material.materialId, { ...material, version: 1 });
    return material.materialId;
  };
  const handle = (keyId: string, ...materials: string[]) => ({ keyId, spec: algorithm, purpose: 'kms', materials }) as unknown as KeyHandle<'ENCRYPT_DECRYPT'>;
  const encrypt = async (key: KeyHandle<'ENCRYPT_DECRYPT'>): Promise<Uint8Array> => {
    using plaintext = SecretBytes.take(new TextEncoder().encode('text'));
    return await backend.encrypt(key, { algorithm, plaintext, context });
  };
  const decrypt = async (key: KeyHandle<'ENCRYPT_DECRYPT'>, ciphertext: Uint8Array): Promise<string> => {
    asked.length = 0;
    using plain = await backend.decrypt(key, { algorithm, ciphertext, context });
    return plain.borrow((bytes) => new TextDecoder().decode(bytes));
  };
  return { asked, materialOf, handle, encrypt, decrypt };
}

it('asks the sealer once for what the newest material has encrypted, and once more for what an older one has', async () => {
  const { asked, materialOf, handle, encrypt, decrypt } = await keys();
  const id = keyIdFrom(systemRandom.bytes(16));
  const [older, newer] = [await materialOf(id), await materialOf(id)];
  const [before, after] = [await encrypt(handle(id, older)), await encrypt(handle(id, older, newer))];
  expect([await decrypt(handle(id, older, newer), after), asked]).toEqual(['text', ['decrypt']]);
  expect([await decrypt(handle(id, older, newer), before), asked]).toEqual(['text', ['decrypt', 'decrypt']]);
});

it('decrypts nothing of a material that is not the key\'s, and says so', async () => {
  const { asked, materialOf, handle, encrypt, decrypt } = await keys();
  const [id, other] = [keyIdFrom(systemRandom.bytes(16)), keyIdFrom(systemRandom.bytes(16))];
  const [older, newer, foreign] = [await materialOf(id), await materialOf(id), await materialOf(other)];
  const [before, blob] = [await encrypt(handle(id, older)), await encrypt(handle(other, foreign))];
  // One that the key has lost, and one of another key.
  for (const ciphertext of [before, blob]) expect(await codeOf(decrypt(handle(id, newer), ciphertext))).toBe('IncorrectKeyException');
  expect(asked).toEqual(['decrypt']);
  const changed = await encrypt(handle(id, newer));
  changed[changed.length - 1]! ^= 1;
  expect(await codeOf(decrypt(handle(id, newer), changed))).toBe('InvalidCiphertextException');
});
