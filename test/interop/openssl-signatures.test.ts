/**
 * The openssl command line on the other side: it verifies what every signing algorithm makes, signs what the sealer verifies, encrypts what the
 * sealer decrypts, and computes the same MACs. Two are missing, since Debian 12 has openssl 3.0: Ed25519ph (from 3.2 on; RFC 8032's own
 * vector stands in `test/unit/sealer/signing.test.ts`) and ML-DSA (from 3.5 on; Wycheproof's vectors stand in `test/vectors`).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hex } from '../../src/main/crypto/bytes.ts';
import { digest } from '../../src/main/crypto/hmac.ts';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import { type Algorithm, KEY_SPECS, type KeySpec, algorithmOf, offered } from '../../src/shared/model/algorithms.ts';
import { systemRandom } from '../../src/main/platform/random.ts';
import { KEY_ID, fakeSession, givenKey, loaded, makeKey } from '../unit/sealer/fake-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'keystead-openssl-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const path = (name: string) => join(folder, name);
const openssl = (...args: readonly string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const succeeds = (...args: readonly string[]): boolean => {
  try {
    openssl(...args);
    return true;
  } catch {
    return false;
  }
};

const session = fakeSession();
const message = systemRandom.bytes(1000);
writeFileSync(path('message'), message);

const pem = (label: string, der: Uint8Array): string => `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

function pssOptions(algorithm: Algorithm): string[] {
  const { scheme, hash } = algorithmOf(algorithm);
  return scheme === 'pss' ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest', '-sigopt', `rsa_mgf1_md:${hash ?? ''}`] : [];
}

function verifies(algorithm: Algorithm, signature: string): boolean {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'ed25519') return succeeds('pkeyutl', '-verify', '-pubin', '-inkey', path('public'), '-rawin', '-in', path('message'), '-sigfile', signature);
  return succeeds('dgst', `-${hash ?? ''}`, ...pssOptions(algorithm), '-verify', path('public'), '-signature', signature, path('message'));
}

const isSpec = (text: string): text is KeySpec => text in KEY_SPECS;
const CASES = Object.keys(KEY_SPECS)
  .filter(isSpec)
  .flatMap((spec) => offered(spec, 'SIGN_VERIFY').map((algorithm) => ({ spec, algorithm })))
  .filter(({ algorithm }) => algorithm !== 'ED25519_PH_SHA_512' && algorithm !== 'ML_DSA_SHAKE_256');

test('every signing algorithm is here but Ed25519ph and ML-DSA', () => {
  expect(CASES).toHaveLength(3 * 6 + 4 + 1);
});

describe.each(CASES)('$spec $algorithm', ({ spec, algorithm }) => {
  test('openssl verifies the signature of the message and of its digest, and no changed one', async () => {
    const { ref, publicKey } = await makeKey(session, spec);
    writeFileSync(path('public'), pem('PUBLIC KEY', publicKey));
    const { hash, digestLength } = algorithmOf(algorithm);
    const inputs = [{ message, digest: false }, ...(digestLength && hash ? [{ message: digest(hash, message), digest: true }] : [])];
    for (const input of inputs) {
      const { signature } = await loaded(keyCalls.sign(session, { key: ref, purpose: 'kms', algorithm, ...input }));
      writeFileSync(path('signature'), signature);
      expect(verifies(algorithm, path('signature'))).toBe(true);
      signature[signature.length - 1]! ^= 1;
      writeFileSync(path('signature'), signature);
      expect(verifies(algorithm, path('signature'))).toBe(false);
    }
  });
});

const OPENSSL_KEYS: readonly { readonly spec: KeySpec; readonly algorithm: Algorithm; readonly generate: readonly string[] }[] = [
  { spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_384', generate: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] },
  { spec: 'RSA_3072', algorithm: 'RSASSA_PSS_SHA_384', generate: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'] },
  { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', generate: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] },
  { spec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384', generate: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
  { spec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512', generate: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'] },
  { spec: 'ECC_SECG_P256K1', algorithm: 'ECDSA_SHA_256', generate: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] },
  { spec: 'ECC_NIST_EDWARDS25519', algorithm: 'ED25519_SHA_512', generate: ['-algorithm', 'ED25519'] },
];

test.each(OPENSSL_KEYS)('the sealer verifies what openssl signs: $spec $algorithm', async ({ spec, algorithm, generate }) => {
  openssl('genpkey', ...generate, '-out', path('private'));
  const publicKey = openssl('pkey', '-in', path('private'), '-pubout', '-outform', 'DER');
  const { hash, scheme, digestLength } = algorithmOf(algorithm);
  if (scheme === 'ed25519') openssl('pkeyutl', '-sign', '-inkey', path('private'), '-rawin', '-in', path('message'), '-out', path('signature'));
  else openssl('dgst', `-${hash ?? ''}`, ...pssOptions(algorithm), '-sign', path('private'), '-out', path('signature'), path('message'));
  const signature = readFileSync(path('signature'));
  expect(await keyCalls.verify(session, { publicKey, spec, algorithm, message, digest: false, signature })).toEqual({ valid: true });
  if (digestLength && hash) expect(await keyCalls.verify(session, { publicKey, spec, algorithm, message: digest(hash, message), digest: true, signature })).toEqual({ valid: true });
});

test.each([
  ['RSAES_OAEP_SHA_1', 'sha1'],
  ['RSAES_OAEP_SHA_256', 'sha256'],
] as const)('the sealer decrypts what openssl encrypts: %s', async (algorithm, hash) => {
  const { ref, publicKey } = await makeKey(session, 'RSA_2048');
  writeFileSync(path('public'), pem('PUBLIC KEY', publicKey));
  const plaintext = systemRandom.bytes(100);
  writeFileSync(path('plaintext'), plaintext);
  openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', path('public'), '-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${hash}`, '-pkeyopt', `rsa_mgf1_md:${hash}`, '-in', path('plaintext'), '-out', path('ciphertext'));
  const reply = await loaded(keyCalls.decrypt(session, { key: ref, keyId: KEY_ID, algorithm, ciphertext: readFileSync(path('ciphertext')), context: {} }));
  expect(hex(reply.plaintext)).toBe(hex(plaintext));
});

test.each([224, 256, 384, 512] as const)('openssl computes the same HMAC: %i', async (bits) => {
  const key = systemRandom.bytes(bits / 8);
  const { mac } = await loaded(keyCalls.mac(session, { key: givenKey(session, `HMAC_${bits}`, key), algorithm: `HMAC_SHA_${bits}`, message }));
  expect(hex(mac)).toBe(openssl('dgst', `-sha${bits}`, '-mac', 'HMAC', '-macopt', `hexkey:${hex(key)}`, '-binary', path('message')).toString('hex'));
});

test('openssl verifies a checkpoint', async () => {
  const payload = Buffer.from('{"index":1}');
  const { envelope, publicKey } = await keyCalls.signCheckpoint(session, { payload });
  const { payloadType, signatures } = JSON.parse(Buffer.from(envelope).toString()) as { readonly payloadType: string; readonly signatures: readonly { readonly sig: string }[] };
  writeFileSync(path('public'), pem('PUBLIC KEY', publicKey));
  writeFileSync(path('pae'), `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} ${payload.toString()}`);
  writeFileSync(path('signature'), Buffer.from(signatures[0]!.sig, 'base64'));
  expect(succeeds('pkeyutl', '-verify', '-pubin', '-inkey', path('public'), '-rawin', '-in', path('pae'), '-sigfile', path('signature'))).toBe(true);
});
