/** Tokens that lie: another's public key under a key's id, and a wrapping that opens nothing. */
import { constants, createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, privateDecrypt, sign, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createTokenBackend } from '../../../src/main/backends/pkcs11/backend.ts';
import { CKA, CKM, CKO, type Cryptoki, type Handle } from '../../../src/main/backends/pkcs11/cryptoki.ts';
import { createObjects } from '../../../src/main/backends/pkcs11/objects.ts';
import { openFor } from '../../../src/main/keyring/key.ts';
import type { KeyBackend, KeyRecord } from '../../../src/main/keyring/ports.ts';
import { provePair } from '../../../src/main/operations/prove-pair.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { instant, keyIdFrom } from '../../../src/shared/model/ids.ts';
import { bytesToBase64 } from '../../../src/shared/wire/base64.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

/** node:crypto signs no digest as it is: here it is hashed once more, on both sides. */
const HASH = 'sha256';

const spki = (key: KeyObject): Buffer<ArrayBuffer> => Buffer.from(key.export({ format: 'der', type: 'spki' }));
const recordOf = (given: Pick<KeyRecord, 'spec' | 'usage'> & { readonly publicKey?: string }): KeyRecord => ({
  keyId: keyIdFrom(systemRandom.bytes(16)), purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['0011223344556677'], origin: 'AWS_CLOUDHSM', hardware: { store: 's', id: 'ab', adopted: true }, ...given,
});

describe('a public key beside a key', () => {
  const ec = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })] as const;
  const rsa = [generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('rsa', { modulusLength: 2048 })] as const;
  const cases = [
    ['SIGN_VERIFY', 'ECC_NIST_P256', 'ECDSA_SHA_256', ec],
    ['KEY_AGREEMENT', 'ECC_NIST_P256', 'ECDH', ec],
    ['ENCRYPT_DECRYPT', 'RSA_2048', 'RSAES_OAEP_SHA_256', rsa],
  ] as const;

  it.each(cases)('is taken only where the key proves it (%s)', async (usage, spec, algorithm, [own, other]) => {
    const privateKey = createPrivateKey(own.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    for (const [publicKey, right] of [[own.publicKey, true], [other.publicKey, false]] as const) {
      const record = recordOf({ spec, usage, publicKey: bytesToBase64(spki(publicKey)) });
      // The token has the private key; what it signs is verified as the backend does, and encryption is done with the public key.
      const keys = createTokenBackend({
        software: { verify: async (_key: unknown, { message, signature }: { readonly message: Uint8Array; readonly signature: Uint8Array }) => verify(HASH, createHash('sha256').update(message).digest(), publicKey, signature) } as unknown as KeyBackend,
        sealer: undefined as never,
        random: systemRandom,
        tokens: {
          use: (_store: string, work: (place: unknown) => unknown) => work({ token: { serial: '1', label: 'one' } }),
          offer: async () => new Map([[CKM.ECDSA, 0x2800], [CKM.ECDH1_DERIVE, 0x80000], [CKM.RSA_PKCS_OAEP, 0x300], [CKM.RSA_X_509, 0x300]].map(([type, flags]) => [type ?? 0, { type: type ?? 0, flags: (flags ?? 0) | 0xffff, min: 0, max: 0 }])),
          async ask(_place: unknown, name: string, _request: unknown, [data]: readonly Uint8Array[] = []) {
            const given = Buffer.from(data ?? []);
            if (name === 'sign') return { reply: {}, parts: [sign(HASH, given, { key: privateKey, dsaEncoding: 'ieee-p1363' })] };
            if (name === 'decrypt') {
              try {
                return { reply: {}, parts: [privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, given)] };
              } catch {
                throw new VaultError('KMSInternalException', 'no', { details: { returned: 'CKR_ENCRYPTED_DATA_INVALID' } });
              }
            }
            const x = given.subarray(1, 33).toString('base64url');
            const y = given.subarray(33).toString('base64url');
            return { reply: {}, parts: [diffieHellman({ privateKey, publicKey: createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } }) })] };
          },
        } as never,
      });
      const proof = provePair(keys, record, spki(publicKey), algorithm, systemRandom);
      if (right) await proof;
      else await expect(proof).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
    }
  });

  it('is none where two objects carry the id', () => {
    const point = Buffer.from([4, 65, 4, ...Buffer.alloc(64, 1)]);
    const read = (publics: number) => {
      let left = publics;
      const p11 = {
        C_FindObjectsInit: (_session: Handle, template: readonly { readonly type: number; readonly value?: unknown }[]) => { left = template.some(({ type, value }) => type === CKA.CLASS && value === CKO.PUBLIC_KEY) ? publics : 0; },
        C_FindObjects: () => Array.from({ length: left }, (_, at) => { left = 0; return Buffer.of(at); }),
        C_FindObjectsFinal: () => undefined,
        C_GetAttributeValue: (_session: Handle, _object: Handle, [asked]: readonly { readonly type: number }[]) => [{ value: asked?.type === CKA.EC_PARAMS ? Buffer.from('06082a8648ce3d030107', 'hex') : asked?.type === CKA.EC_POINT ? point : undefined }],
      } as unknown as Cryptoki;
      return createObjects(p11).publicKeyOf(Buffer.of(1), Buffer.of(2), Buffer.of(0xab));
    };
    expect(read(1)).toBeDefined();
    expect(() => read(2)).toThrow(expect.objectContaining({ failure: { what: 'ambiguous' } }) as Error);
  });
});

describe('a wrapping', () => {
  it('is opened once after each connection, and withheld where it does not open to the same', async () => {
    let place = { token: { serial: '1', label: 'one' } };
    let lies: 'no' | 'other' | 'refuses' = 'no';
    let wrapped: Uint8Array = new Uint8Array();
    const asked: string[] = [];
    const record = recordOf({ spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' });
    const keys = createTokenBackend({
      software: {} as KeyBackend,
      random: systemRandom,
      sealer: { call: async () => ({ ciphertext: new Uint8Array(1) }) } as never,
      tokens: {
        use: (_store: string, work: (place: unknown) => unknown) => work(place),
        offer: async () => new Map([[CKM.AES_GCM, { type: CKM.AES_GCM, flags: 0xffff, min: 0, max: 0 }]]),
        async ask(_place: unknown, name: string, _request: unknown, [data]: readonly Uint8Array[] = []) {
          asked.push(name);
          if (name === 'encrypt') {
            wrapped = Uint8Array.from(data ?? []);
            return { reply: {}, parts: [new Uint8Array(48)] };
          }
          if (lies === 'refuses') throw new VaultError('KMSInternalException', 'no', { details: { returned: 'CKR_GENERAL_ERROR' } });
          return { reply: {}, parts: [lies === 'other' ? new Uint8Array(32) : Uint8Array.from(wrapped)] };
        },
      } as never,
    });
    const encrypt = async (): Promise<Uint8Array> => {
      using plaintext = SecretBytes.copy(Buffer.from('x'));
      return await keys.encrypt(openFor(record, 'ENCRYPT_DECRYPT'), { algorithm: 'SYMMETRIC_DEFAULT', plaintext, context: {} });
    };
    await encrypt();
    await encrypt();
    expect(asked).toEqual(['encrypt', 'decrypt', 'encrypt']);
    for (const lie of ['other', 'refuses'] as const) {
      place = { ...place };
      lies = lie;
      for (const _ of [1, 2]) await expect(encrypt()).rejects.toMatchObject({ code: 'KMSInternalException', message: expect.stringContaining('withheld') as string });
    }
    lies = 'no';
    await encrypt();
  });
});
