/** Key material from elsewhere: made and wrapped by node:crypto, unwrapped and judged by the sealer. */
import { constants, createCipheriv, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes, verify, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '../../../src/main/crypto/bytes.ts';
import { importCalls } from '../../../src/main/sealer/import-calls.ts';
import { hasPrimes, readImported } from '../../../src/main/sealer/import-material.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { KEY_SPECS, keySpecOf, offered, type KeySpec, type KeyUsage } from '../../../src/shared/model/algorithms.ts';
import { fitsWrapping, isImportable, WRAPPING_ALGORITHM_NAMES, WRAPPING_KEY_SPECS, wrappingOf, type WrappingAlgorithm } from '../../../src/shared/model/wrapping.ts';
import { KEY_ID, codeOf, fakeSession, loaded } from './fake-session.ts';
import { MOMENT, RAM, RECOVERY, VAULT_ID, sha256 } from './vault-fixture.ts';

const ARN = `arn:aws:kms:us-east-1:123456789012:key/${KEY_ID}`;
const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const session = fakeSession();
const SPECS = (Object.keys(KEY_SPECS) as KeySpec[]).filter(isImportable);

const PAIRS: Partial<Record<KeySpec, () => KeyObject>> = {
  RSA_2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  RSA_3072: () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey,
  RSA_4096: () => generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey,
  ECC_NIST_P256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ECC_NIST_P384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  ECC_NIST_P521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  ECC_SECG_P256K1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  ECC_NIST_EDWARDS25519: () => generateKeyPairSync('ed25519').privateKey,
};

/** 1,024 bits, (6k + 1)(12k + 1)(18k + 1) with all three prime (J. Chernick, 1939): to every base that shares no factor it looks prime by Fermat's test. */
const CARMICHAEL = BigInt(`0x${[
  'e000000000000000000000000000000000000000000000000000000000000000000000000000000622307bbfaffac8292ffad88c5980a21ed90fa9e1c55d6400',
  '5b6e340f9146689208f63ca8f770de1f8e135f4aee8cb510528ea857dfa4c5c5fcb59306502ca2ecead110fe5a81a51e9408643c5287110924fcee1c7db7fa49',
].join('')}`);

const inverse = (a: bigint, m: bigint): bigint => {
  let [r, next, x, after] = [a % m, m, 1n, 0n];
  while (next !== 0n) [r, next, x, after] = [next, r % next, after, x - (r / next) * after];
  return ((x % m) + m) % m;
};

/** An RSA key of 2,048 bits whose first prime is none; OpenSSL takes it, and signs and decrypts with it. */
function withoutPrimes(): Buffer {
  const e = 65_537n;
  const number = (text: string | undefined): bigint => BigInt(`0x${Buffer.from(text ?? '', 'base64url').toString('hex')}`);
  for (;;) {
    const q = number(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }).p);
    const [p, n] = [CARMICHAEL, CARMICHAEL * q];
    if ((q - 1n) % e === 0n || n.toString(2).length !== 2048) continue;
    const d = inverse(e, (p - 1n) * (q - 1n));
    const text = (value: bigint): string => Buffer.from(value.toString(16).padStart(value.toString(16).length + (value.toString(16).length % 2), '0'), 'hex').toString('base64url');
    const jwk = { kty: 'RSA', n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), dp: text(d % (p - 1n)), dq: text(d % (q - 1n)), qi: text(inverse(q, p)) };
    return createPrivateKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' });
  }
}

interface Made {
  readonly bytes: Buffer;
  readonly publicKey?: Buffer;
}
const made = new Map<KeySpec, Made>();
function materialOf(spec: KeySpec): Made {
  const known = made.get(spec);
  if (known) return known;
  const pair = PAIRS[spec]?.();
  const material = pair
    ? { bytes: pair.export({ format: 'der', type: 'pkcs8' }), publicKey: createPublicKey(pair).export({ format: 'der', type: 'spki' }) }
    : { bytes: randomBytes(keySpecOf(spec).bits / 8) };
  made.set(spec, material);
  return material;
}

/** As a caller of AWS wraps, with OpenSSL's own AES-KWP. */
function wrap(algorithm: WrappingAlgorithm, publicKey: Uint8Array, material: Uint8Array): Buffer {
  const { hash, aes } = wrappingOf(algorithm);
  const key = { key: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
  if (!aes) return publicEncrypt(key, material);
  const kek = randomBytes(32);
  const cipher = createCipheriv('id-aes256-wrap-pad', kek, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([publicEncrypt(key, kek), cipher.update(material), cipher.final()]);
}

const parameters = async (algorithm: WrappingAlgorithm, spec: (typeof WRAPPING_KEY_SPECS)[number] = 'RSA_2048', binding = ARN) =>
  importCalls.importParameters(session, { binding, algorithm, spec, validTo: NOW + DAY });

const bring = async (spec: KeySpec, token: Uint8Array, wrapped: Uint8Array, change: { binding?: string; now?: number; keyId?: string } = {}) => {
  const rowId = systemRandom.bytes(16);
  const reply = await importCalls.importMaterial(session, { rowId, binding: ARN, now: NOW, keyId: KEY_ID, ...change, token, wrapped, spec, purpose: 'kms' });
  return { rowId, ...reply };
};

describe('every spec through every wrapping that fits it', () => {
  const cases = SPECS.flatMap((spec) => WRAPPING_ALGORITHM_NAMES.flatMap((algorithm) => WRAPPING_KEY_SPECS.map((wrapping) => [spec, algorithm, wrapping] as const)));
  const wrappingKeys = new Map<string, ReturnType<typeof parameters>>();
  const parametersFor = (algorithm: WrappingAlgorithm, wrapping: (typeof WRAPPING_KEY_SPECS)[number]) => {
    const name = `${algorithm} ${wrapping}`;
    const known = wrappingKeys.get(name) ?? parameters(algorithm, wrapping);
    wrappingKeys.set(name, known);
    return known;
  };

  test.each(cases.filter(([spec, algorithm, wrapping]) => fitsWrapping(spec, algorithm, wrapping)))('%s by %s under %s', { timeout: 60_000 }, async (spec, algorithm, wrapping) => {
    const { publicKey, token } = await parametersFor(algorithm, wrapping);
    expect(token.byteLength).toBeLessThanOrEqual(6144);
    const material = materialOf(spec);
    const brought = await bring(spec, token, wrap(algorithm, publicKey, material.bytes));
    expect(brought.publicKey && Buffer.from(brought.publicKey).toString('hex')).toBe(material.publicKey?.toString('hex'));
    const key = { rowId: brought.rowId, version: 1, body: brought.body };
    const usage = Object.keys(keySpecOf(spec).algorithms)[0] as KeyUsage;
    const offers = offered(spec, usage)[0];
    if (offers === undefined) throw new Error(spec);
    const message = randomBytes(100);
    if (usage === 'GENERATE_VERIFY_MAC') {
      const { mac } = await loaded(keyCalls.mac(session, { key, algorithm: offers, message }));
      expect(hex(mac)).toBe(createHmac(`sha${spec.slice(5)}`, material.bytes).update(message).digest('hex'));
    } else if (material.publicKey === undefined) {
      const { ciphertext } = await loaded(keyCalls.encrypt(session, { key, keyId: KEY_ID, algorithm: offers, plaintext: message, context: {} }));
      expect(hex((await keyCalls.locate(session, { ciphertext })).materialId)).toBe(hex(brought.identity.subarray(0, 8)));
    } else {
      const signing = offered(spec, 'SIGN_VERIFY').find((name) => /PKCS1|ECDSA|ED25519_SHA/.test(name));
      if (signing === undefined) throw new Error(spec);
      const { signature } = await loaded(keyCalls.sign(session, { key, purpose: 'kms', algorithm: signing, message, digest: false }));
      const hash = signing.startsWith('ED') ? null : `sha${signing.slice(-3)}`;
      expect(verify(hash, message, createPublicKey({ key: material.publicKey, format: 'der', type: 'spki' }), signature)).toBe(true);
    }
  });

  test('what does not fit is too long for OAEP', () => {
    for (const spec of ['RSA_2048', 'RSA_4096', 'ECC_NIST_P521'] as const) {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      expect(() => publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, materialOf(spec).bytes)).toThrow();
    }
  });
});

describe('the import token', () => {
  test('is for one key, one vault and 24 hours', async () => {
    const { publicKey, token } = await parameters('RSAES_OAEP_SHA_256');
    const wrapped = wrap('RSAES_OAEP_SHA_256', publicKey, materialOf('SYMMETRIC_DEFAULT').bytes);
    const code = (change: Parameters<typeof bring>[3], bytes: Uint8Array = token) => codeOf(() => bring('SYMMETRIC_DEFAULT', bytes, wrapped, change));
    expect(await code({})).toBe('none');
    expect(await code({ binding: ARN.replace('us-east-1', 'eu-west-1') })).toBe('InvalidImportTokenException');
    expect(await code({ now: NOW + DAY - 1 })).toBe('none');
    expect(await code({ now: NOW + DAY })).toBe('ExpiredImportTokenException');
    const other = fakeSession();
    expect(await codeOf(() => importCalls.importMaterial(other, { rowId: systemRandom.bytes(16), binding: ARN, token, now: NOW, wrapped, spec: 'SYMMETRIC_DEFAULT', keyId: KEY_ID, purpose: 'kms' }))).toBe('InvalidImportTokenException');
  });

  test('holds nothing of the wrapping key in the clear, and no changed or cut one opens', async () => {
    const { publicKey, token } = await parameters('RSAES_OAEP_SHA_1');
    const { n } = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }).export({ format: 'jwk' }) as { n: string };
    expect(Buffer.from(token).includes(Buffer.from(n, 'base64url').subarray(8, 40))).toBe(false);
    const wrapped = wrap('RSAES_OAEP_SHA_1', publicKey, materialOf('SYMMETRIC_DEFAULT').bytes);
    let refused = 0;
    for (let at = 0; at < token.byteLength; at += 7) {
      const bent = Uint8Array.from(token);
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 8));
      expect(await codeOf(() => bring('SYMMETRIC_DEFAULT', bent, wrapped))).toBe('InvalidImportTokenException');
      expect(await codeOf(() => bring('SYMMETRIC_DEFAULT', token.subarray(0, at), wrapped))).toBe('InvalidImportTokenException');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(100);
  });

  test('in a real vault: survives a lock, and never passes for a material nor a material for it', async () => {
    const sealer = createSealer({ random: systemRandom });
    const { header, recoveryCodes } = await sealer.call('createHeader', { vaultId: VAULT_ID, slots: [RECOVERY] });
    await sealer.call('createState', { headerHash: sha256(header), ...MOMENT });
    const { publicKey, token } = await sealer.call('importParameters', { binding: ARN, algorithm: 'RSAES_OAEP_SHA_256', spec: 'RSA_2048', validTo: NOW + DAY });
    const wrapped = wrap('RSAES_OAEP_SHA_256', publicKey, materialOf('SYMMETRIC_DEFAULT').bytes);
    await sealer.stop();
    const again = createSealer({ random: systemRandom });
    await again.call('unseal', { header, factors: { code: recoveryCodes[0] ?? new Uint8Array() }, type: 'recovery', ramBytes: RAM });
    const first = await again.call('importMaterial', { rowId: systemRandom.bytes(16), binding: ARN, token, now: NOW, wrapped, spec: 'SYMMETRIC_DEFAULT', keyId: KEY_ID, purpose: 'kms' });
    const rowId = systemRandom.bytes(16);
    const second = await again.call('importMaterial', { rowId, binding: ARN, token, now: NOW, wrapped, spec: 'SYMMETRIC_DEFAULT', keyId: KEY_ID, purpose: 'kms' });
    expect(hex(first.identity)).toBe(hex(second.identity));
    const asToken = Uint8Array.of(0x4b, 0x49, 1, ...rowId, ...second.body);
    await expect(again.call('importMaterial', { rowId, binding: ARN, token: asToken, now: NOW, wrapped, spec: 'SYMMETRIC_DEFAULT', keyId: KEY_ID, purpose: 'kms' })).rejects.toMatchObject({ code: 'InvalidImportTokenException' });
    const asMaterial = { rowId: token.subarray(3, 19), version: 1, body: token.subarray(19) };
    await expect(again.call('encrypt', { key: asMaterial, keyId: KEY_ID, algorithm: 'SYMMETRIC_DEFAULT', plaintext: new Uint8Array(1), context: {} })).rejects.toMatchObject({ code: 'VaultTamperedException' });
    await again.stop();
  });
});

describe('material that is refused', () => {
  test('the identity is of key, spec and material', async () => {
    const { publicKey, token } = await parameters('RSAES_OAEP_SHA_256');
    const wrapped = (bytes: Uint8Array) => wrap('RSAES_OAEP_SHA_256', publicKey, bytes);
    const [one, other] = [randomBytes(32), randomBytes(32)];
    const id = async (spec: KeySpec, bytes: Uint8Array, keyId = KEY_ID) => hex((await bring(spec, token, wrapped(bytes), { keyId })).identity);
    expect(await id('SYMMETRIC_DEFAULT', one)).toBe(await id('SYMMETRIC_DEFAULT', one));
    expect(new Set(await Promise.all([id('SYMMETRIC_DEFAULT', one), id('SYMMETRIC_DEFAULT', other), id('HMAC_256', one), id('SYMMETRIC_DEFAULT', one, KEY_ID.replace('1', '2'))])).size).toBe(4);
  });

  test('what does not unwrap is one error, whatever the reason', async () => {
    const messages = new Set<string>();
    for (const algorithm of WRAPPING_ALGORITHM_NAMES) {
      const { publicKey, token } = await parameters(algorithm);
      const whole = wrap(algorithm, publicKey, materialOf('ECC_NIST_P256').bytes);
      const otherHash = wrap(algorithm.endsWith('256') ? 'RSAES_OAEP_SHA_1' : 'RSAES_OAEP_SHA_256', publicKey, randomBytes(32));
      for (const bad of [new Uint8Array(), randomBytes(256), whole.subarray(1), whole.subarray(0, -1), Buffer.concat([whole, Buffer.alloc(8)]), otherHash, bent(whole, 3), bent(whole, whole.length - 1)]) {
        try {
          await bring('ECC_NIST_P256', token, bad);
          messages.add(`accepted ${algorithm}`);
        } catch (error) {
          messages.add(error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : String(error));
        }
      }
    }
    expect([...messages]).toHaveLength(1);
    expect([...messages][0]).toMatch(/^InvalidCiphertextException/);
  });

  const bent = (bytes: Uint8Array, at: number): Uint8Array => {
    const out = Uint8Array.from(bytes);
    out[at] = (out[at] ?? 0) ^ 1;
    return out;
  };
  const code = (spec: KeySpec, bytes: Uint8Array) => codeOf(() => readImported(spec, bytes));

  test('raw bytes of another length, pairs of another spec, encodings that are not PKCS #8', async () => {
    for (const spec of SPECS) {
      for (const other of SPECS) {
        // Raw keys are any bytes of the length: AES takes HMAC_256's, and HMAC_384 the 48 of an Ed25519 PKCS #8.
        const fits = materialOf(other).publicKey === undefined && keySpecOf(other).bits / 8 === materialOf(spec).bytes.length;
        expect([spec, other, await code(other, materialOf(spec).bytes)]).toEqual([spec, other, spec === other || fits ? 'none' : 'IncorrectKeyMaterialException']);
      }
    }
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    for (const bytes of [rsa.export({ format: 'der', type: 'pkcs1' }), Buffer.from(rsa.export({ format: 'pem', type: 'pkcs8' })), createPublicKey(rsa).export({ format: 'der', type: 'spki' })]) {
      expect(await code('RSA_2048', bytes)).toBe('IncorrectKeyMaterialException');
    }
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    expect(await code('ECC_NIST_P256', ec.export({ format: 'der', type: 'sec1' }))).toBe('IncorrectKeyMaterialException');
    for (const publicExponent of [3, 17]) {
      const weak = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent }).privateKey;
      expect(await code('RSA_2048', weak.export({ format: 'der', type: 'pkcs8' }))).toBe('IncorrectKeyMaterialException');
    }
    expect(await code('RSA_2048', generateKeyPairSync('rsa', { modulusLength: 2040 }).privateKey.export({ format: 'der', type: 'pkcs8' }))).toBe('IncorrectKeyMaterialException');
  });

  test('an RSA key whose primes are none is refused, though it can be used', async () => {
    const bytes = withoutPrimes();
    expect(() => readImported('RSA_2048', bytes)).not.toThrow();
    expect(await hasPrimes(bytes)).toBe(false);
    expect(await hasPrimes(materialOf('RSA_2048').bytes)).toBe(true);
    const { publicKey, token } = await parameters('RSA_AES_KEY_WRAP_SHA_256');
    const brought = (material: Buffer) => bring('RSA_2048', token, wrap('RSA_AES_KEY_WRAP_SHA_256', publicKey, material));
    expect(await codeOf(() => brought(bytes))).toBe('IncorrectKeyMaterialException');
    expect(await codeOf(() => brought(materialOf('RSA_2048').bytes))).toBe('none');
  });

  test('an EC key with the public key of another, or a scalar out of range', async () => {
    const [a, b] = [materialOf('ECC_NIST_P256').bytes, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' })];
    const mixed = Buffer.concat([a.subarray(0, -64), b.subarray(-64)]);
    expect(await code('ECC_NIST_P256', mixed)).toBe('IncorrectKeyMaterialException');
    const at = a.indexOf(Buffer.from('0420', 'hex')) + 2;
    for (const scalar of ['00'.repeat(32), 'ff'.repeat(32), 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551']) {
      const out = Buffer.from(a);
      out.write(scalar, at, 'hex');
      expect(await code('ECC_NIST_P256', out)).toBe('IncorrectKeyMaterialException');
    }
  });

  test('an EC key without its public key is whole: it is computed', async () => {
    const whole = materialOf('ECC_NIST_P256').bytes;
    const scalar = whole.subarray(whole.indexOf(Buffer.from('0420', 'hex')) + 2).subarray(0, 32);
    const bare = Buffer.concat([Buffer.from('3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 'hex'), scalar]);
    expect(hex(readImported('ECC_NIST_P256', bare).publicKey ?? new Uint8Array())).toBe(materialOf('ECC_NIST_P256').publicKey?.toString('hex'));
    expect(hex(readImported('ECC_NIST_P256', bare).key)).toBe(whole.toString('hex'));
  });

  test('no changed, cut or lengthened DER is accepted, and none ends the process', () => {
    for (const spec of ['RSA_2048', 'ECC_NIST_P384', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'] as const) {
      const { bytes, publicKey } = materialOf(spec);
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.constantFrom('flip', 'cut', 'insert', 'append'), (at, value, how) => {
          const changed =
            how === 'flip' ? Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ value : byte)))
            : how === 'cut' ? bytes.subarray(0, at)
            : how === 'append' ? Buffer.concat([bytes, Buffer.from([value])])
            : Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
          let read: ReturnType<typeof readImported> | undefined;
          try {
            read = readImported(spec, changed);
          } catch (error) {
            expect(error).toMatchObject({ code: 'IncorrectKeyMaterialException' });
          }
          // Another seed is another key, and a good one; everything else is refused.
          if (read) expect([spec, changed.length, hex(read.publicKey ?? new Uint8Array()) === publicKey?.toString('hex')]).toEqual(['ECC_NIST_EDWARDS25519', 48, false]);
        }),
        { numRuns: spec === 'RSA_2048' ? 300 : 500 },
      );
    }
  });

  test('random bytes are never a key pair', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...SPECS.filter((spec) => PAIRS[spec])), (bytes, spec) => {
        expect(() => readImported(spec, bytes)).toThrow(expect.objectContaining({ code: 'IncorrectKeyMaterialException' }) as Error);
      }),
    );
  });
});
