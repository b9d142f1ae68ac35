/** The parts of the token backend that need no token. */
import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CKA, CKF, CKM, CKR, type Cryptoki } from '../../../src/main/backends/pkcs11/cryptoki.ts';
import { CallFailed } from '../../../src/main/backends/pkcs11/client.ts';
import { tryCurves } from '../../../src/main/backends/pkcs11/curve-trial.ts';
import { meant } from '../../../src/main/backends/pkcs11/errors.ts';
import { lacks, usable, withRefused, type Offer } from '../../../src/main/backends/pkcs11/mechanisms.ts';
import { decodeToChild, decodeToParent, encode } from '../../../src/main/backends/pkcs11/messages.ts';
import { padded, unpadOaep } from '../../../src/main/backends/pkcs11/oaep.ts';
import { Sessions } from '../../../src/main/backends/pkcs11/sessions.ts';
import { assertStore, connectionError, type StoreAct } from '../../../src/main/hardware/connection.ts';
import { writableBy } from '../../../src/main/hardware/module-file.ts';
import { moduleIn, registeredModules } from '../../../src/main/hardware/registry.ts';
import { clusterIdOf, keyUri } from '../../../src/main/hardware/token-names.ts';
import { KEY_SPECS, type KeySpec } from '../../../src/shared/model/algorithms.ts';
import type { ConnectionState } from '../../../src/shared/api/kms-key-stores.ts';
import { ERRORS, VaultError } from '../../../src/shared/model/errors.ts';

describe('OAEP taken off raw RSA', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const raw = (ciphertext: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(privateDecrypt({ key: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), padding: constants.RSA_NO_PADDING }, ciphertext));

  it('gives what was encrypted, of every length', () => {
    for (const hash of ['sha1', 'sha256'] as const) {
      for (const length of [0, 1, 32, hash === 'sha1' ? 214 : 190]) {
        const message = randomBytes(length);
        const encoded = raw(publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, message));
        const out = unpadOaep(hash, encoded);
        expect(out && Buffer.from(out)).toEqual(message);
        expect(encoded.every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  it('opens nothing that was changed, made with another hash or label, or is too short', () => {
    const good = raw(publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, randomBytes(16)));
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bent = Uint8Array.from(good);
        bent[at] = (bent[at] ?? 0) ^ change;
        expect(unpadOaep('sha256', bent)).toBeUndefined();
      }),
    );
    expect(unpadOaep('sha1', Uint8Array.from(good))).toBeUndefined();
    const labelled = raw(publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel: Buffer.from('x') }, randomBytes(16)));
    expect(unpadOaep('sha256', labelled)).toBeUndefined();
    expect(unpadOaep('sha256', new Uint8Array(65))).toBeUndefined();
  });

  it('fills up what a token left out, and takes nothing longer', () => {
    expect(padded(Uint8Array.of(1), 3)).toEqual(Uint8Array.of(0, 0, 1));
    expect(padded(new Uint8Array(4), 3)).toBeUndefined();
  });
});

describe('frames to and from a module host', () => {
  it('come back as they went', () => {
    const frame = encode(7, { call: 'tokens', request: {} }, [Uint8Array.of(1, 2), new Uint8Array()]);
    expect(decodeToChild(frame)).toEqual({ id: 7, message: { call: 'tokens', request: {} }, parts: [Uint8Array.of(1, 2), new Uint8Array()] });
  });

  it('are read without a fault whatever is in them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void [decodeToChild(bytes), decodeToParent(bytes)]));
    const whole = encode(1, { reply: { mechanisms: [] } }, [Uint8Array.of(1, 2, 3)]);
    for (let length = 0; length < whole.byteLength; length += 1) {
      const cut = decodeToParent(whole.subarray(0, length));
      // Cut exactly before its part a frame is a message without one, which the caller refuses.
      expect(cut === undefined || cut.parts.length === 0).toBe(true);
    }
    expect(decodeToParent(encode(1, { reply: {} }, Array.from({ length: 5 }, () => new Uint8Array(1))))).toBeUndefined();
  });
});

describe('sessions', () => {
  const fake = (most: number) => {
    let open = 0;
    let next = 0;
    const seen = { highest: 0, closed: 0 };
    const p11 = {
      C_OpenSession: () => {
        if (open >= most) throw Object.assign(new Error('CKR_SESSION_COUNT'), { code: CKR.SESSION_COUNT });
        open += 1;
        seen.highest = Math.max(seen.highest, open);
        next += 1;
        return Buffer.from([next]);
      },
      C_CloseSession: () => {
        open -= 1;
        seen.closed += 1;
      },
    } as unknown as Cryptoki;
    return { p11, seen };
  };

  it.each([1, 2, 3, 100])('do one operation each at a time, whatever the token takes (%i)', async (most) => {
    const { p11 } = fake(most);
    const sessions = new Sessions(p11, Buffer.alloc(8), 0);
    const busy = new Set<number>();
    let done = 0;
    const one = (fails: boolean): Promise<void> =>
      sessions.run(async (session) => {
        const id = session[0] ?? 0;
        expect(busy.has(id)).toBe(false);
        busy.add(id);
        await new Promise((resolve) => setImmediate(resolve));
        busy.delete(id);
        done += 1;
        if (fails) throw new Error('failed');
      });
    await Promise.allSettled(Array.from({ length: 40 }, (_, at) => one(at % 5 === 0)));
    expect(done).toBe(40);
  });
});

describe('what a token offers', () => {
  const offer = (...types: readonly (readonly [number, number])[]): Offer => new Map(types.map(([type, flags]) => [type, { type, flags, min: 0, max: 0 }]));

  it('is judged by its mechanisms and their flags', () => {
    const signs = offer([CKM.EC_KEY_PAIR_GEN, CKF.GENERATE_KEY_PAIR], [CKM.ECDSA, CKF.SIGN]);
    expect(lacks(signs, 'ECC_NIST_P256', 'SIGN_VERIFY')).toBeUndefined();
    expect(lacks(signs, 'ECC_NIST_P256', 'KEY_AGREEMENT')).toMatch(/cannot use a key/);
    expect(lacks(signs, 'RSA_2048', 'SIGN_VERIFY')).toMatch(/makes no keys/);
    expect(lacks(offer([CKM.AES_KEY_GEN, CKF.GENERATE], [CKM.AES_GCM, CKF.ENCRYPT]), 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')).toMatch(/no AES-GCM/);
    expect(usable(signs, 'ECC_NIST_P256', 'SIGN_VERIFY')).toEqual(['ECDSA_SHA_256']);
    const large: Offer = new Map([[CKM.RSA_PKCS_KEY_PAIR_GEN, { type: 0, flags: 0, min: 1024, max: 2048 }], [CKM.RSA_PKCS, { type: 1, flags: CKF.SIGN, min: 0, max: 0 }]]);
    expect(lacks(large, 'RSA_4096', 'SIGN_VERIFY')).toMatch(/from 1024 to 2048 bits/);
    for (const spec of Object.keys(KEY_SPECS) as KeySpec[]) expect(lacks(new Map(), spec, 'SIGN_VERIFY')).toMatch(/makes no keys/);
  });
});

describe('curves that are tried', () => {
  const CURVES = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1'];
  /** `answers`: by how many pairs were asked for before; a number is a CKR value. Every object is of the session, and destroyed. */
  async function tried(isPrivate: boolean, ...answers: readonly (number | 'ok')[]) {
    const objects = new Set<Buffer>();
    let asked = 0;
    const p11 = {
      C_GetMechanismList: () => [CKM.EC_KEY_PAIR_GEN],
      C_GenerateKeyPairAsync(_session: Buffer, _mechanism: unknown, publicTemplate: readonly { readonly type: number; readonly value: unknown }[], privateTemplate: typeof publicTemplate) {
        for (const one of [...publicTemplate, ...privateTemplate]) if (one.type === CKA.TOKEN) expect(one.value).toBe(false);
        const answer = answers[asked++] ?? 'ok';
        if (answer !== 'ok') return Promise.reject(Object.assign(new Error('CKR_X'), { code: answer }));
        const pair = { publicKey: Buffer.alloc(8), privateKey: Buffer.alloc(8) };
        objects.add(pair.publicKey).add(pair.privateKey);
        return Promise.resolve(pair);
      },
      C_DestroyObject: (_session: Buffer, object: Buffer) => { objects.delete(object); },
    };
    const result = await tryCurves(p11 as unknown as Cryptoki, Buffer.alloc(8), Buffer.alloc(8), isPrivate);
    expect(objects.size).toBe(0);
    return result;
  }

  it('are refused where the token says so of the curve, or of this one alone', async () => {
    expect(await tried(true)).toEqual({ made: CURVES, refused: [] });
    expect(await tried(true, 'ok', 'ok', 'ok', CKR.DOMAIN_PARAMS_INVALID)).toEqual({ made: CURVES.slice(0, 3), refused: ['ECC_SECG_P256K1'] });
    expect(await tried(true, 'ok', 'ok', 'ok', CKR.GENERAL_ERROR)).toMatchObject({ refused: ['ECC_SECG_P256K1'] });
  });
  it('are not judged by a failure that says nothing of them', async () => {
    expect(await tried(true, CKR.GENERAL_ERROR, CKR.GENERAL_ERROR, CKR.GENERAL_ERROR, CKR.GENERAL_ERROR)).toEqual({ made: [], refused: [] });
    expect(await tried(true, 'ok', CKR.DEVICE_MEMORY, CKR.SESSION_COUNT, CKR.DEVICE_ERROR)).toEqual({ made: ['ECC_NIST_P256'], refused: [] });
    expect(await tried(false, CKR.USER_NOT_LOGGED_IN)).toEqual({ made: [], refused: [] });
    await expect(tried(true, CKR.DEVICE_REMOVED)).rejects.toMatchObject({ code: CKR.DEVICE_REMOVED });
  });
  it('that were refused are not offered, and the others are', () => {
    const offer: Offer = new Map([[CKM.EC_KEY_PAIR_GEN, { type: CKM.EC_KEY_PAIR_GEN, flags: 0, min: 0, max: 0 }], [CKM.ECDSA, { type: CKM.ECDSA, flags: CKF.SIGN, min: 0, max: 0 }]]);
    const tell = withRefused(offer, ['ECC_SECG_P256K1']);
    expect(lacks(tell, 'ECC_SECG_P256K1', 'SIGN_VERIFY')).toMatch(/refused one when it was tried/);
    expect(lacks(tell, 'ECC_NIST_P256', 'SIGN_VERIFY')).toBeUndefined();
  });
});

/** What a person can do, in the imperative, after a semicolon or a colon; or who else has to. */
const NEXT = /[;:] (?:its security officer has to|(?:connect|put|try|see|choose|set|initialise|close|disconnect|use|remove|replace|get|take|look|lock|nothing was erased, look)\b)/;

describe('what a module’s return value means', () => {
  it('is a known error that names the token and the next step, for any value', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...Object.values(CKR)), fc.nat()), (code) => {
        const error = meant(new CallFailed({ what: 'cryptoki', code, name: 'CKR_X', function: 'C_Sign' }), 'token `t`');
        expect(Object.keys(ERRORS)).toContain(error instanceof VaultError ? error.code : 'none');
        expect(error.message).toMatch(/^token `t` .*[^.]$/);
        expect(error.message).toMatch(NEXT);
      }),
    );
    for (const what of ['load', 'absent', 'ambiguous', 'refused', 'changed', 'busy', 'internal'] as const) expect(meant(new CallFailed({ what }), 'token `t`').message).toMatch(NEXT);
    expect(meant(new CallFailed({ what: 'cryptoki', code: CKR.PIN_LOCKED, name: 'CKR_PIN_LOCKED' }), 'token `t`')).toMatchObject({ code: 'PinLockedException' });
  });
});

describe('a key store’s connection', () => {
  /** AWS KMS API Reference: which state each act is valid in, written down apart from the code. */
  const VALID: Readonly<Record<StoreAct, readonly ConnectionState[]>> = {
    connect: ['CONNECTED', 'CONNECTING', 'DISCONNECTED'],
    disconnect: ['CONNECTED', 'CONNECTING', 'FAILED'],
    change: ['DISCONNECTED'],
    createKey: ['CONNECTED'],
  };
  const STATES: readonly ConnectionState[] = ['CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING'];

  it.each(Object.entries(VALID) as [StoreAct, readonly ConnectionState[]][])('allows %s in AWS’s states', (act, valid) => {
    const allowed = STATES.filter((state) => {
      try {
        assertStore('s', state, act);
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CustomKeyStoreInvalidStateException' });
        return false;
      }
    });
    expect([...allowed].sort()).toEqual([...valid].sort());
  });

  it('has AWS’s word for each failure', () => {
    expect(connectionError(new VaultError('IncorrectPinException', 'x'))).toBe('INVALID_CREDENTIALS');
    expect(connectionError(new VaultError('PinLockedException', 'x'))).toBe('USER_LOCKED_OUT');
    expect(connectionError(new VaultError('PinLockedException', 'x', { details: { returned: 'CKR_USER_PIN_NOT_INITIALIZED' } }))).toBe('USER_NOT_FOUND');
    expect(connectionError(new VaultError('ModuleRefusedException', 'x'))).toBe('CLUSTER_NOT_FOUND');
    expect(connectionError(new Error('x'))).toBe('INTERNAL_ERROR');
  });
});

describe('names', () => {
  it('of tokens look like a cluster’s, and differ by serial number and label', () => {
    const one = clusterIdOf({ serial: '1', label: 'a' });
    expect(one).toMatch(/^cluster-[2-7a-z]{11}$/);
    expect(new Set([one, clusterIdOf({ serial: '1', label: 'b' }), clusterIdOf({ serial: '2', label: 'a' }), clusterIdOf({ serial: '1a', label: '' })]).size).toBe(4);
  });

  it('of keys are RFC 7512', () => {
    expect(keyUri({ serial: 's;1', label: 'my tökén' }, '0aff', 'private')).toBe('pkcs11:token=my%20t%C3%B6k%C3%A9n;serial=s%3B1;id=%0A%FF;type=private');
  });
});

describe('a module’s file', () => {
  it('is warned of where others could change it', () => {
    const at = (mode: number, uid = 0, gid = 0) => ({ mode, uid, gid });
    expect(writableBy('/m', at(0o100755), 1000, false)).toEqual([]);
    expect(writableBy('/m', at(0o100644, 1000, 1000), 1000, false)).toEqual([]);
    expect(writableBy('/m', at(0o100666), 1000, false)).toEqual(['file `/m` is writable by everybody']);
    expect(writableBy('/d', at(0o40777), 1000, true)).toEqual(['folder `/d` is writable by everybody']);
    expect(writableBy('/tmp', at(0o41777), 1000, true)).toEqual([]);
    expect(writableBy('/d', at(0o40775, 0, 50), 1000, true)).toEqual(['folder `/d` is writable by group 50']);
    expect(writableBy('/m', at(0o100755, 7), 1000, false)).toEqual(['file `/m` belongs to user 7, who can change the module']);
  });

  it('is found in p11-kit’s registry, if it is there', () => {
    expect(moduleIn('# comment\nmodule: /usr/lib/x.so\npriority: 1\n')).toBe('/usr/lib/x.so');
    expect(moduleIn('remote: unix:path=/x\n')).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void moduleIn(text)));
    const folder = mkdtempSync(join(tmpdir(), 'ks-p11-'));
    try {
      writeFileSync(join(folder, 'a.module'), 'module: /lib/a.so\n');
      writeFileSync(join(folder, 'b.module'), 'module: /lib/gone.so\n');
      writeFileSync(join(folder, 'trust.module'), 'module: /lib/p11-kit-trust.so\n');
      writeFileSync(join(folder, 'notes.txt'), 'module: /lib/a2.so\n');
      mkdirSync(join(folder, 'empty'));
      expect(registeredModules((path) => path !== '/lib/gone.so', [folder, join(folder, 'empty'), '/does/not/exist'])).toEqual(['/lib/a.so']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
