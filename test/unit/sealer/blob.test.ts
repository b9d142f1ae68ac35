import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, hex, lp, utf8 } from '../../../src/main/crypto/bytes.ts';
import { canonicalContext } from '../../../src/main/crypto/context.ts';
import { sealGcm } from '../../../src/main/crypto/aead.ts';
import { BLOB_OVERHEAD, type BlobKey, locateBlob, openBlob, sealBlob } from '../../../src/main/sealer/blob.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { KEY_ID, MATERIAL_ID, countingRandom, fakeSession, loaded, makeKey } from './fake-session.ts';
import { salamander } from './salamander.ts';

const LOCATOR_KEY = fromHex('a1'.repeat(32));
const KEY: BlobKey = { keyId: KEY_ID, materialId: MATERIAL_ID, secret: fromHex('42'.repeat(32)) };
const CONTEXT = canonicalContext({ purpose: 'test', tenant: 'ä' });
const fresh = (length: number) => systemRandom.bytes(length);
const seal = (plaintext: Uint8Array, key = KEY, context: Uint8Array = CONTEXT) => sealBlob(LOCATOR_KEY, key, context, plaintext, fresh);
const failure = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof VaultError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
};

interface Golden {
  readonly locatorKey: string;
  readonly secret: string;
  readonly keyId: string;
  readonly materialId: string;
  readonly context: Record<string, string>;
  readonly plaintext: string;
  readonly blob: string;
}

describe('the blob format is frozen', () => {
  const golden = JSON.parse(readFileSync(new URL('../../golden/kms-blob-1.json', import.meta.url), 'utf8')) as Golden;
  const key: BlobKey = { keyId: golden.keyId, materialId: fromHex(golden.materialId), secret: fromHex(golden.secret) };

  test('random bytes 00 01 02 … give the golden bytes', () => {
    const random = countingRandom();
    const blob = sealBlob(fromHex(golden.locatorKey), key, canonicalContext(golden.context), fromHex(golden.plaintext), (length) => random.bytes(length));
    expect(hex(blob)).toBe(golden.blob);
  });

  test('the golden bytes open', () => {
    expect(hex(openBlob(fromHex(golden.locatorKey), key, canonicalContext(golden.context), fromHex(golden.blob)))).toBe(golden.plaintext);
    expect(hex(locateBlob(fromHex(golden.locatorKey), fromHex(golden.blob)))).toBe(golden.materialId);
  });

  test('the layout, read by code that shares nothing with the product', () => {
    const blob = Buffer.from(golden.blob, 'hex');
    expect(blob.subarray(0, 4).toString('hex')).toBe('4b420101');
    expect(blob.length).toBe(golden.plaintext.length / 2 + 100);
    const locator = createDecipheriv('aes-256-ecb', Buffer.from(golden.locatorKey, 'hex'), null).setAutoPadding(false);
    expect(locator.update(blob.subarray(4, 20)).toString('hex')).toBe(`${golden.materialId}0001020304050607`);
    const context = createHash('sha512').update(canonicalContext(golden.context)).digest();
    const info = Buffer.concat([Buffer.from('keystead/kms-blob/v1'), blob.subarray(0, 20), Buffer.from([0, 0, 0, 36]), Buffer.from(golden.keyId), Buffer.from(golden.materialId, 'hex'), context]);
    const derived = Buffer.from(hkdfSync('sha512', Buffer.from(golden.secret, 'hex'), blob.subarray(20, 52), info, 76));
    expect(derived.subarray(32, 64).equals(blob.subarray(52, 84))).toBe(true);
    const gcm = createDecipheriv('aes-256-gcm', derived.subarray(0, 32), derived.subarray(64)).setAAD(Buffer.concat([blob.subarray(0, 84), context])).setAuthTag(blob.subarray(-16));
    expect(Buffer.concat([gcm.update(blob.subarray(84, -16)), gcm.final()]).toString('hex')).toBe(golden.plaintext);
  });
});

describe('what does not open', () => {
  const blob = seal(utf8('attack at dawn'));

  test('every bit flipped, every length cut: 0 accepted, one message', () => {
    const answers = new Set<string>();
    for (let bit = 0; bit < blob.byteLength * 8; bit += 1) {
      const changed = Uint8Array.from(blob);
      changed[bit >> 3]! ^= 0x80 >> (bit & 7);
      answers.add(failure(() => openBlob(LOCATOR_KEY, KEY, CONTEXT, changed)));
    }
    for (let length = 0; length < blob.byteLength; length += 1) answers.add(failure(() => openBlob(LOCATOR_KEY, KEY, CONTEXT, blob.subarray(0, length))));
    answers.add(failure(() => openBlob(LOCATOR_KEY, KEY, CONTEXT, concat(blob, fromHex('00')))));
    // A wrong key, key id, material id, context and locator key answer with the same words.
    answers.add(failure(() => openBlob(LOCATOR_KEY, { ...KEY, secret: fromHex('43'.repeat(32)) }, CONTEXT, blob)));
    answers.add(failure(() => openBlob(LOCATOR_KEY, { ...KEY, keyId: KEY_ID.replace('1', '2') }, CONTEXT, blob)));
    answers.add(failure(() => openBlob(LOCATOR_KEY, { ...KEY, materialId: fromHex('0102030405060709') }, CONTEXT, blob)));
    answers.add(failure(() => openBlob(LOCATOR_KEY, KEY, canonicalContext({ purpose: 'test' }), blob)));
    answers.add(failure(() => openBlob(fromHex('a2'.repeat(32)), KEY, CONTEXT, blob)));
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^InvalidCiphertextException: /);
  });

  test('a part of one blob in another of the same key and context', () => {
    const other = seal(utf8('retreat at six'));
    for (const [from, to] of [[4, 20], [20, 52], [52, 84], [84, 98], [98, 114]] as const) {
      const mixed = Uint8Array.from(blob);
      mixed.set(other.subarray(from, to), from);
      expect(failure(() => openBlob(LOCATOR_KEY, KEY, CONTEXT, mixed))).toMatch(/^InvalidCiphertextException/);
    }
  });
});

describe('a two-key salamander', () => {
  const KEYS = [fromHex('11'.repeat(32)), fromHex('22'.repeat(32))] as const;
  const decrypt = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Buffer => {
    const gcm = createDecipheriv('aes-256-gcm', key, iv).setAAD(aad).setAuthTag(sealed.subarray(-16));
    return Buffer.concat([gcm.update(sealed.subarray(0, -16)), gcm.final()]);
  };

  test('plain GCM of node:crypto accepts one ciphertext under both keys', () => {
    const iv = fromHex('00'.repeat(12));
    const sealed = salamander({ key: KEYS[0], iv }, { key: KEYS[1], iv }, utf8('header'), systemRandom.bytes(48));
    const [one, other] = KEYS.map((key) => decrypt(key, iv, utf8('header'), sealed));
    expect(one).toHaveLength(64);
    expect(other).toHaveLength(64);
    expect(one!.equals(other!)).toBe(false);
  });

  test('made for two Keystead materials, GCM inside would accept both; the commitment refuses the second', () => {
    const materials = KEYS.map((secret): BlobKey => ({ ...KEY, secret }));
    // Whoever holds both materials can derive what follows; header, salt and context are the same bytes for both.
    const template = seal(utf8('x'), materials[0]);
    const header = template.subarray(0, 20);
    const salt = template.subarray(20, 52);
    const contextHash = createHash('sha512').update(CONTEXT).digest();
    const derive = ({ secret }: BlobKey): Buffer =>
      Buffer.from(hkdfSync('sha512', secret, salt, concat(utf8('keystead/kms-blob/v1'), header, lp(utf8(KEY_ID)), MATERIAL_ID, contextHash), 76));
    const derived = materials.map(derive);
    const gcmKeys = derived.map((bytes) => ({ key: bytes.subarray(0, 32), iv: bytes.subarray(64) }));
    for (const committedTo of [0, 1]) {
      const before = concat(header, salt, derived[committedTo]!.subarray(32, 64));
      const aad = concat(before, contextHash);
      const sealed = salamander(gcmKeys[0]!, gcmKeys[1]!, aad, systemRandom.bytes(32));
      const plaintexts = gcmKeys.map(({ key, iv }) => decrypt(key, iv, aad, sealed));
      expect(plaintexts[0]!.equals(plaintexts[1]!)).toBe(false);
      const blob = concat(before, sealed);
      expect(hex(openBlob(LOCATOR_KEY, materials[committedTo]!, CONTEXT, blob))).toBe(plaintexts[committedTo]!.toString('hex'));
      expect(failure(() => openBlob(LOCATOR_KEY, materials[1 - committedTo]!, CONTEXT, blob))).toMatch(/^InvalidCiphertextException/);
    }
  });

  test('the attack is the real one: sealed honestly, the second key refuses', () => {
    const iv = fromHex('00'.repeat(12));
    const honest = sealGcm(KEYS[0], iv, utf8('header'), systemRandom.bytes(64));
    expect(() => decrypt(KEYS[1], iv, utf8('header'), honest)).toThrow();
  });
});

test('two blobs of one plaintext share nothing but the first four bytes', () => {
  const [one, other] = [seal(utf8('same')), seal(utf8('same'))];
  expect(hex(one.subarray(0, 4))).toBe(hex(other.subarray(0, 4)));
  for (const [from, to] of [[4, 20], [20, 52], [52, 84], [84, 88]] as const) expect(hex(one.subarray(from, to))).not.toBe(hex(other.subarray(from, to)));
  expect(one.byteLength).toBe(4 + BLOB_OVERHEAD);
});

test('after 1,000 rotations every old blob finds its material and opens; under a newer material it only names its own', async () => {
  const session = fakeSession();
  const algorithm = 'SYMMETRIC_DEFAULT';
  const context = { a: 'b' };
  const materials = new Map<string, Awaited<ReturnType<typeof makeKey>>['ref']>();
  const blobs: { readonly ciphertext: Uint8Array; readonly plaintext: string }[] = [];
  for (let i = 0; i < 1000; i += 1) {
    const materialId = systemRandom.bytes(8);
    const { ref } = await makeKey(session, 'SYMMETRIC_DEFAULT', 'kms', KEY_ID, materialId);
    materials.set(hex(materialId), ref);
    const plaintext = systemRandom.bytes(i % 50);
    const { ciphertext } = await loaded(keyCalls.encrypt(session, { key: ref, keyId: KEY_ID, algorithm, plaintext, context }));
    blobs.push({ ciphertext, plaintext: hex(plaintext) });
  }
  const latest = [...materials.values()].at(-1)!;
  for (const { ciphertext, plaintext } of blobs) {
    const { materialId } = await keyCalls.locate(session, { ciphertext });
    const key = materials.get(hex(materialId))!;
    expect(hex((await loaded(keyCalls.decrypt(session, { key, keyId: KEY_ID, algorithm, ciphertext, context }))).plaintext)).toBe(plaintext);
    if (key !== latest) expect(await keyCalls.decrypt(session, { key: latest, keyId: KEY_ID, algorithm, ciphertext, context })).toEqual({ other: materialId });
  }
  expect(materials.size).toBe(1000);
});
