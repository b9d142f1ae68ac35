import { describe, expect, test } from 'vitest';
import { copy, fromHex, hex, utf8 } from '../../../src/main/crypto/bytes.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { type MaterialPlain, decodeMaterial, encodeMaterial } from '../../../src/main/sealer/material-format.ts';
import { type Material, MaterialCache, forgetMaterials, materialFrom, materialOf, materialsOf } from '../../../src/main/sealer/materials.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { KEY_ID, MATERIAL_ID, codeOf, fakeSession, givenKey, makeKey } from './fake-session.ts';

const PLAIN: MaterialPlain = { spec: 'HMAC_256', purpose: 'kms', keyId: KEY_ID, materialId: MATERIAL_ID, key: fromHex('7e'.repeat(32)) };

describe('material format', () => {
  test('is frozen', () => {
    const id = Buffer.from(KEY_ID).toString('hex');
    expect(hex(encodeMaterial(PLAIN))).toBe(`0100000008484d41435f323536000000036b6d7300000024${id}010203040506070800000020${'7e'.repeat(32)}`);
    expect(decodeMaterial(encodeMaterial(PLAIN))).toEqual(PLAIN);
  });

  test('cut, prolonged or of a later format is refused', async () => {
    const whole = encodeMaterial(PLAIN);
    for (let length = 0; length < whole.byteLength; length += 1) expect(await codeOf(() => decodeMaterial(whole.subarray(0, length)))).toBe('VaultTamperedException');
    expect(await codeOf(() => decodeMaterial(Uint8Array.of(...whole, 0)))).toBe('VaultTamperedException');
    for (const [format, code] of [[0, 'VaultTamperedException'], [2, 'VaultTooNewException'], [255, 'VaultTooNewException']] as const) {
      const changed = copy(whole);
      changed[0] = format;
      expect(await codeOf(() => decodeMaterial(changed))).toBe(code);
    }
  });

  test('unknown names and lengths that overflow are refused', async () => {
    for (const change of [{ spec: 'HMAC_257' }, { spec: '__proto__' }, { purpose: 'login' }, { purpose: 'constructor' }]) {
      expect(await codeOf(() => decodeMaterial(encodeMaterial({ ...PLAIN, ...change } as MaterialPlain)))).toBe('VaultTamperedException');
    }
    const whole = encodeMaterial(PLAIN);
    for (let at = 1; at < 5; at += 1) {
      const changed = copy(whole);
      changed[at] = 0xff;
      expect(await codeOf(() => decodeMaterial(changed))).toBe('VaultTamperedException');
    }
  });

  test('a key that is not of its spec is refused, whatever a library says of it, and no key byte is told', async () => {
    const wrong: readonly [MaterialPlain['spec'], string][] = [
      ['SYMMETRIC_DEFAULT', '11'.repeat(31)],
      ['SYMMETRIC_DEFAULT', '11'.repeat(33)],
      ['HMAC_224', '11'.repeat(32)],
      ['HMAC_512', ''],
      ['RSA_2048', '11'.repeat(300)],
      ['ECC_NIST_P256', '11'.repeat(100)],
      ['ECC_SECG_P256K1', '00'.repeat(32)],
      ['ECC_SECG_P256K1', 'ff'.repeat(32)],
      ['ECC_SECG_P256K1', '11'.repeat(31)],
      ['ECC_NIST_EDWARDS25519', '11'.repeat(33)],
      ['ML_DSA_65', '11'.repeat(31)],
      ['ML_KEM_768', '11'.repeat(32)],
    ];
    for (const [spec, key] of wrong) {
      const plain = encodeMaterial({ ...PLAIN, spec, key: fromHex(key) });
      expect(await codeOf(() => materialFrom(plain)), spec).toBe('VaultTamperedException');
      expect(plain.every((byte) => byte === 0), spec).toBe(true);
    }
  });

  test('a curve\'s or a modulus\' neighbour is refused', async () => {
    const session = fakeSession();
    const { ref } = await makeKey(session, 'ECC_NIST_P384');
    const { key } = decodeMaterial(session.unsealed.openMaterial({ ...ref, body: ref.body! }));
    expect(await codeOf(() => materialFrom(encodeMaterial({ ...PLAIN, spec: 'ECC_NIST_P256', key })))).toBe('VaultTamperedException');
    const rsa = await makeKey(session, 'RSA_2048');
    const rsaKey = decodeMaterial(session.unsealed.openMaterial({ ...rsa.ref, body: rsa.ref.body! })).key;
    expect(await codeOf(() => materialFrom(encodeMaterial({ ...PLAIN, spec: 'RSA_3072', key: rsaKey })))).toBe('VaultTamperedException');
  });
});

describe('cache', () => {
  const row = (n: number) => fromHex(n.toString(16).padStart(32, '0'));
  const material = (): Material & { readonly key: { readonly family: 'hmac' | 'symmetric'; readonly secret: Uint8Array } } => {
    const made = materialFrom(encodeMaterial(PLAIN));
    if (made.key.family !== 'hmac') throw new Error('not an HMAC key');
    return { ...made, key: made.key };
  };
  const isWiped = (one: ReturnType<typeof material>): boolean => one.key.secret.every((byte) => byte === 0);

  test('the least recently used goes first, and is wiped', () => {
    const cache = new MaterialCache(2);
    const [a, b, c] = [material(), material(), material()] as const;
    cache.put(row(1), 1, a);
    cache.put(row(2), 1, b);
    expect(cache.get(row(1), 1)).toBe(a);
    cache.put(row(3), 1, c);
    expect(cache.get(row(2), 1)).toBeUndefined();
    expect([isWiped(a), isWiped(b), isWiped(c), cache.size]).toEqual([false, true, false, 2]);
  });

  test('another version replaces and wipes; forget and clear wipe', () => {
    const cache = new MaterialCache(8);
    const [a, b, c] = [material(), material(), material()] as const;
    cache.put(row(1), 1, a);
    expect(cache.get(row(1), 2)).toBeUndefined();
    cache.put(row(1), 2, b);
    expect([isWiped(a), isWiped(b), cache.size]).toEqual([true, false, 1]);
    cache.forget(row(1));
    expect([isWiped(b), cache.size]).toEqual([true, 0]);
    cache.put(row(2), 1, c);
    cache.clear();
    expect([isWiped(c), cache.size]).toEqual([true, 0]);
  });

  test('scalars and seeds are wiped, too', async () => {
    const session = fakeSession();
    for (const spec of ['ECC_NIST_P256', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519', 'ML_DSA_44', 'ML_KEM_512'] as const) {
      const { ref } = await makeKey(session, spec);
      const opened = materialOf(session, ref)!.key;
      const secret = opened.family === 'ec' ? opened.scalar : opened.family === 'edwards' ? opened.seed : 'secretKey' in opened ? opened.secretKey : undefined;
      expect(secret!.some((byte) => byte !== 0)).toBe(true);
      await keyCalls.forget(session, { rowId: ref.rowId });
      expect(secret!.every((byte) => byte === 0), spec).toBe(true);
    }
  });

  test('belongs to one session, and is gone after lock', () => {
    const [one, other] = [fakeSession(), fakeSession()];
    const ref = givenKey(one, 'HMAC_256', fromHex('7e'.repeat(32)));
    const opened = materialOf(one, ref)!;
    expect(materialOf(other, { rowId: ref.rowId, version: 1 })).toBeUndefined();
    expect(materialsOf(one).size).toBe(1);
    forgetMaterials(one);
    expect(materialsOf(one).size).toBe(0);
    expect(opened.key.family === 'hmac' && opened.key.secret.every((byte) => byte === 0)).toBe(true);
  });

  test('another vault in the same session starts empty', () => {
    const session = fakeSession();
    const ref = givenKey(session, 'HMAC_256', fromHex('7e'.repeat(32)));
    materialOf(session, ref);
    const moved = { ...session, unsealed: { ...session.unsealed, vaultId: fromHex('01'.repeat(16)) } };
    expect(materialsOf(moved).size).toBe(0);
    Object.assign(session.unsealed, { vaultId: fromHex('02'.repeat(16)) });
    expect(materialOf(session, { rowId: ref.rowId, version: 1 })).toBeUndefined();
  });

  test('while RSA signs off-thread, an eviction takes nothing away from it', async () => {
    const session = fakeSession();
    const { ref } = await makeKey(session, 'RSA_2048');
    const signing = keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm: 'RSASSA_PSS_SHA_256', message: utf8('m'), digest: false });
    forgetMaterials(session);
    expect(await signing).toHaveProperty('signature');
    expect(systemRandom.bytes(1)).toHaveLength(1);
  });
});
