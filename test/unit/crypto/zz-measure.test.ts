import { test } from 'vitest';
import { createPublicKey, sign as nsign, generateKeyPairSync } from 'node:crypto';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { digest } from '../../../src/main/crypto/hmac.ts';
import { rsaPublicKey, verifyRsa } from '../../../src/main/sealer/algorithms/rsa.ts';
import { fakeSession, makeKey, loaded, KEY_ID } from '../sealer/fake-session.ts';
import { openGcm, sealGcm } from '../../../src/main/crypto/aead.ts';
const s = fakeSession();
const time = async (name: string, n: number, f: () => unknown) => { for (let i = 0; i < Math.min(n, 200); i++) await f(); const t = performance.now(); for (let i = 0; i < n; i++) await f(); const ms = (performance.now() - t) / n; console.log(name.padEnd(30), ms.toFixed(4), 'ms', (1000 / ms).toFixed(0), '/s'); };
test('m', async () => {
  const message = new Uint8Array(1024);
  for (const spec of ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const) {
    const { ref, publicKey } = await makeKey(s, spec);
    const d = digest('sha256', message);
    for (const algorithm of ['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'] as const) {
      await time(`${spec} ${algorithm} raw`, 100, () => keyCalls.sign(s, { key: ref, purpose: 'kms', algorithm, message, digest: false }));
      await time(`${spec} ${algorithm} digest`, 100, () => keyCalls.sign(s, { key: ref, purpose: 'kms', algorithm, message: d, digest: true }));
      const { signature } = await loaded(keyCalls.sign(s, { key: ref, purpose: 'kms', algorithm, message, digest: false }));
      const pk = rsaPublicKey(publicKey, +spec.slice(4))!;
      for (const dg of [false, true]) await time(`  verify ${dg}`, 1000, () => verifyRsa({ padding: algorithm.includes('PSS') ? 'pss' : 'pkcs1', hash: 'sha256' }, pk, dg ? d : message, dg, signature));
    }
  }
  const bare = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  await time('bare P-256', 5000, () => nsign('sha256', message, bare));
  for (const [spec, algorithm] of [['ECC_NIST_P256', 'ECDSA_SHA_256'], ['ECC_NIST_P384', 'ECDSA_SHA_384'], ['ECC_NIST_P521', 'ECDSA_SHA_512'], ['ECC_SECG_P256K1', 'ECDSA_SHA_256'], ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'], ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512']] as const) {
    const { ref, publicKey } = await makeKey(s, spec);
    const bare = { rowId: ref.rowId, version: 1 };
    await keyCalls.sign(s, { key: ref, purpose: 'kms', algorithm, message: new Uint8Array(64).subarray(0, algorithm.includes('PH') ? 64 : 10), digest: algorithm.includes('PH') });
    for (const dg of [false, true]) {
      if (algorithm === 'ED25519_SHA_512' && dg) continue; if (algorithm === 'ED25519_PH_SHA_512' && !dg) continue;
      const len = { ECDSA_SHA_256: 32, ECDSA_SHA_384: 48, ECDSA_SHA_512: 64, ED25519_PH_SHA_512: 64, ED25519_SHA_512: 0 }[algorithm];
      const m = dg ? new Uint8Array(len) : message;
      const n = dg || spec === 'ECC_SECG_P256K1' ? 200 : 3000;
      await time(`${spec} ${dg ? 'digest' : 'raw'}`, n, () => keyCalls.sign(s, { key: bare, purpose: 'kms', algorithm, message: m, digest: dg }));
      const { signature } = await loaded(keyCalls.sign(s, { key: bare, purpose: 'kms', algorithm, message: m, digest: dg }));
      await time(`   verify`, n, () => keyCalls.verify(s, { publicKey, spec, algorithm, message: m, digest: dg, signature }));
    }
  }
  const { ref } = await makeKey(s, 'SYMMETRIC_DEFAULT');
  await keyCalls.encrypt(s, { key: ref, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: message, context: {} });
  const key = { rowId: ref.rowId, version: 1 };
  await time('encrypt 1K', 5000, () => keyCalls.encrypt(s, { key, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: message, context: { a: 'b' } }));
  const { ciphertext } = await loaded(keyCalls.encrypt(s, { key, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: message, context: { a: 'b' } }));
  await time('decrypt 1K', 5000, () => keyCalls.decrypt(s, { key, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', ciphertext, context: { a: 'b' } }));
  const k = new Uint8Array(32), iv = new Uint8Array(12), aad = new Uint8Array(80), pt = new Uint8Array(256);
  const sealed = sealGcm(k, iv, aad, pt);
  await time('openGcm 256', 10000, () => openGcm(k, iv, aad, sealed));
  await time('hmac512', 10000, () => digest('sha512', k));
  const mk = await makeKey(s, 'ECC_NIST_P256');
  await time('miss+sign p256', 1000, () => { keyCalls.forget(s, { rowId: mk.ref.rowId }); return keyCalls.sign(s, { key: mk.ref, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message, digest: false }); });
  // memory of the cache
  const m0 = process.memoryUsage().rss;
  for (let i = 0; i < 60; i++) { const r = await makeKey(s, 'RSA_2048'); await keyCalls.sign(s, { key: r.ref, purpose: 'kms', algorithm: 'RSASSA_PSS_SHA_256', message, digest: false }); }
  console.log('rss per rsa key KB', (process.memoryUsage().rss - m0) / 60 / 1024);
  void createPublicKey;
}, 200000);
