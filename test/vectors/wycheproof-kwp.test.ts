/** Wycheproof: AES Key Wrap with Padding, what imported key material is unwrapped with; the primitive by itself, and under RSA_AES_KEY_WRAP as it comes in. */
import { constants, createHmac, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { unwrapKwp, wrapKwp } from '../../src/main/crypto/key-wrap.ts';
import { importCalls } from '../../src/main/sealer/import-calls.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { KEY_ID, codeOf, fakeSession, loaded } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly keySize: number;
  readonly tests: readonly (Case & { readonly key: string; readonly msg: string; readonly ct: string })[];
}

test('every case by the primitive', () => {
  const { testGroups, numberOfTests } = wycheproof<Group>('aes_kwp');
  let run = 0;
  for (const { tests } of testGroups) {
    for (const { tcId, key, msg, ct, result } of tests) {
      run += 1;
      const opened = unwrapKwp(bytes(key), bytes(ct));
      if (result === 'valid') {
        expect(Buffer.from(wrapKwp(bytes(key), bytes(msg))).toString('hex'), `case ${String(tcId)}`).toBe(ct);
        expect(opened && Buffer.from(opened).toString('hex'), `case ${String(tcId)}`).toBe(msg);
      } else {
        expect(opened, `case ${String(tcId)}`).toBeUndefined();
      }
    }
  }
  expect(run).toBe(numberOfTests);
  expect(run).toBeGreaterThan(100);
});

test('every case as the material of an HMAC key: what is valid and of its length comes in as it is, and nothing else does', async () => {
  const session = fakeSession();
  const binding = `arn:aws:kms:us-east-1:123456789012:key/${KEY_ID}`;
  const { publicKey, token } = await importCalls.importParameters(session, { binding, algorithm: 'RSA_AES_KEY_WRAP_SHA_256', spec: 'RSA_2048', validTo: 2 });
  const wrappingKey = { key: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const outcomes = new Map<string, number>();
  for (const { tests } of wycheproof<Group>('aes_kwp').testGroups) {
    for (const { tcId, key, msg, ct, result } of tests) {
      const wrapped = Buffer.concat([publicEncrypt(wrappingKey, bytes(key)), bytes(ct)]);
      const rowId = randomBytes(16);
      const bring = async () => importCalls.importMaterial(session, { rowId, binding, now: 1, keyId: KEY_ID, token, wrapped, spec: 'HMAC_256', purpose: 'kms' });
      const code = await codeOf(bring);
      const outcome = `${result}${result === 'valid' && msg.length === 64 ? ' of 32 bytes' : ''}: ${code}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (code !== 'none') continue;
      const { mac } = await loaded(keyCalls.mac(session, { key: { rowId, version: 1, body: (await bring()).body }, algorithm: 'HMAC_SHA_256', message: bytes(ct) }));
      expect(Buffer.from(mac).toString('hex'), `case ${String(tcId)}`).toBe(createHmac('sha256', bytes(msg)).update(bytes(ct)).digest('hex'));
    }
  }
  expect(Object.fromEntries(outcomes)).toEqual({ 'valid: IncorrectKeyMaterialException': 68, 'valid of 32 bytes: none': 9, 'invalid: InvalidCiphertextException': 177 });
}, 60_000);
