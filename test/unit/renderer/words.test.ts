/** Formatters, encodings, the strength estimate and the command line of the use panel. */
import { describe, expect, it } from 'vitest';
import { fromText, isReadable, toPem, toText } from '../../../src/renderer/encoding.ts';
import { ago, bareAlias, bareOperation, byteCount, clockTime, counted, day, duration, lastPart, left, plural, sentence, shortPath, specName, tailOf } from '../../../src/renderer/format.ts';
import { actionsOf } from '../../../src/renderer/keys/actions.ts';
import { readEvent } from '../../../src/renderer/events.ts';
import { bitsOf, strengthOf } from '../../../src/renderer/strength.ts';
import { CODE_WAYS, codeFor } from '../../../src/renderer/keys/code.ts';
import { commandFor, fileCommand, outputFor, quoted } from '../../../src/renderer/use/command.ts';
import { KEY_SPECS, type KeySpec, type KeyUsage } from '../../../src/shared/model/algorithms.ts';

const AT = new Date(2026, 9, 3, 14, 32, 7).getTime();

describe('formatters', () => {
  it('say times relatively, and exactly where asked', () => {
    expect(clockTime(AT)).toBe('14:32:07');
    expect(day(AT)).toBe('3 Oct 2026');
    expect([30_000, 300_000, 7_200_000, 2 * 86_400_000, 60 * 86_400_000].map((past) => ago(AT - past, AT))).toEqual(['just now', '5 min ago', '2 h ago', '2 d ago', day(AT - 60 * 86_400_000)]);
    expect([20_000, 11.5 * 60_000, 5 * 3_600_000, 11.6 * 86_400_000].map((rest) => left(AT + rest, AT))).toEqual(['less than a minute', '12 min', '5 h', '12 d']);
    expect(left(AT - 1, AT)).toBe('less than a minute');
    // By a clock that last ticked before these were set.
    expect([15 * 60_000 + 14_000, 4 * 3_600_000 + 59_000, 7 * 86_400_000 + 59_000].map((rest) => left(AT + rest, AT))).toEqual(['15 min', '4 h', '7 d']);
  });

  it('say numbers and names', () => {
    expect(counted(18_204)).toBe('18,204');
    expect([plural(1, 'key'), plural(2, 'key'), plural(0, 'key')]).toEqual(['1 key', '2 keys', '0 keys']);
    expect([byteCount(1), byteCount(4096), byteCount(20_000), byteCount(2_500_000)]).toEqual(['1 byte', '4,096 bytes', '20 kB', '2.5 MB']);
    expect([bareAlias('alias/orders/data'), bareOperation('kms:Sign'), tailOf('arn:aws:kms:us-east-1:000000000000:key/abc'), tailOf('arn:aws:kms:us-east-1:000000000000:alias/x')]).toEqual(['orders/data', 'Sign', 'abc', 'alias/x']);
    expect([shortPath('/home/ada/Vaults/x'), shortPath('/srv/x'), lastPart('/a/b/'), lastPart('C:\\a\\b')]).toEqual(['~/Vaults/x', '/srv/x', 'b', 'b']);
    expect([sentence('the password is wrong'), sentence('')]).toEqual(['The password is wrong.', '']);
  });

  it('have a name for every kind of key', () => {
    const names = (Object.keys(KEY_SPECS) as KeySpec[]).map(specName);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['AES-256', 'RSA 3072', 'ECC P-256', 'Ed25519', 'HMAC SHA-256', 'secp256k1']));
  });

  it('say how long a search takes', () => {
    expect([0.2, 1, 90, 7200, 3 * 86_400, 2 * 31_536_000].map(duration)).toEqual(['less than a second', 'about 1 second', 'about 2 minutes', 'about 2 hours', 'about 3 days', 'about 2 years']);
    expect(duration(Number.POSITIVE_INFINITY)).toBe('longer than anyone will wait');
  });
});

describe('the strength estimate', () => {
  it.each(['password', 'P@ssw0rd1', 'qwertyuiop', '12345678', 'aaaaaaaaaaaa', 'Summer2026!', 'letmein123', 'passwordpassword', 'abcdefgh'])('calls %s weak', (password) => {
    expect(strengthOf(password).level).toBe(0);
  });
  it.each(['correct horse battery staple', 'k7#Vq9!mZp2$xW', 'umbrella violin glacier tobacco'])('calls %s strong', (password) => {
    expect(strengthOf(password).level).toBe(3);
  });
  it('grows with length, and not with what is repeated', () => {
    expect(bitsOf('violin glacier')).toBeGreaterThan(bitsOf('violin'));
    expect(bitsOf('violin violin violin')).toBeLessThan(bitsOf('violin glacier tobacco'));
    expect(bitsOf('')).toBe(0);
  });
});

describe('encodings', () => {
  it('read what is meant, or nothing', () => {
    expect(toText(fromText('48 65 6C', 'hex')!, 'text')).toBe('Hel');
    expect(fromText('486', 'hex')).toBeUndefined();
    expect(fromText('zz', 'hex')).toBeUndefined();
    expect(fromText('SGVs\n', 'base64')).toEqual(Uint8Array.of(72, 101, 108));
    expect(fromText('SGV', 'base64')).toBeUndefined();
    expect(toText(Uint8Array.of(0, 255), 'hex')).toBe('00ff');
  });
  it('know text from bytes', () => {
    expect(isReadable(new TextEncoder().encode('Grüße,\n\twelt'))).toBe(true);
    expect(isReadable(Uint8Array.of(0, 1, 2))).toBe(false);
    expect(isReadable(Uint8Array.of(0xff, 0xfe))).toBe(false);
  });
  it('write PEM (RFC 7468)', () => {
    expect(toPem('PUBLIC KEY', new Uint8Array(49))).toBe(`-----BEGIN PUBLIC KEY-----\n${'A'.repeat(64)}\nAA==\n-----END PUBLIC KEY-----\n`);
  });
});

describe('what a key offers', () => {
  const key = (KeySpec: KeySpec, KeyUsage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT' | 'GENERATE_VERIFY_MAC', KeyState: 'Enabled' | 'Disabled' = 'Enabled') => actionsOf({ KeySpec, KeyUsage, KeyState });
  it('follows its usage', () => {
    expect(key('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')).toEqual(['encrypt', 'decrypt', 'data-key', 'file']);
    expect(key('RSA_3072', 'ENCRYPT_DECRYPT')).toEqual(['encrypt', 'decrypt', 'public-key']);
    expect(key('ECC_NIST_P256', 'SIGN_VERIFY')).toEqual(['sign', 'verify', 'public-key', 'request']);
    expect(key('ML_DSA_65', 'SIGN_VERIFY')).toEqual(['sign', 'verify', 'public-key']);
    expect(key('HMAC_256', 'GENERATE_VERIFY_MAC')).toEqual(['mac', 'verify-mac']);
    expect(key('ECC_NIST_P256', 'SIGN_VERIFY', 'Disabled')).toEqual([]);
  });
});

describe('a key’s code', () => {
  const facts = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', key: 'alias/orders', tls: true } as const;
  it('is whole for every kind of key, in each way', () => {
    for (const spec of Object.keys(KEY_SPECS) as KeySpec[]) {
      for (const usage of Object.keys(KEY_SPECS[spec].algorithms) as KeyUsage[]) {
        for (const way of CODE_WAYS) expect([spec, usage, /undefined|: ,|:,/.test(codeFor(way, { ...facts, spec, usage }))]).toEqual([spec, usage, false]);
      }
    }
  });

  it('quotes what a shell would split, and names the algorithm of key pairs', () => {
    expect(codeFor('cli', facts)).toBe('aws kms encrypt --key-id alias/orders --plaintext fileb://plaintext \\\n  --query CiphertextBlob --output text | base64 -d > ciphertext.bin');
    expect(codeFor('cli', { ...facts, spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' })).toContain('--message fileb://message --signing-algorithm ECDSA_SHA_256');
    expect(codeFor('sdk', facts)).toContain("new EncryptCommand({\n  KeyId: 'alias/orders',\n  Plaintext: await readFile('plaintext'),\n}));");
    expect(codeFor('curl', facts)).toContain(`{"KeyId":"alias/orders","Plaintext":"'"$(base64 -w0 plaintext)"'"}`);
    expect([codeFor('curl', facts).includes('--cacert'), codeFor('curl', { ...facts, tls: false }).includes('--cacert')]).toEqual([true, false]);
  });
});

describe('a file’s other form', () => {
  it('is beside it, and is nowhere when nobody can tell', () => {
    expect([outputFor('encrypt', '/a/b.tar'), outputFor('decrypt', '/a/b.tar.encrypted'), outputFor('decrypt', '/a/b.tar'), outputFor('decrypt', '.encrypted'), outputFor('encrypt', '')]).toEqual(['/a/b.tar.encrypted', '/a/b.tar', '', '', '']);
  });

  it('has a command line, which says where to only when that is not told by the file', () => {
    const facts = { work: 'encrypt', key: 'alias/backups', path: '/a/my b.tar', output: '/a/my b.tar.encrypted', context: { host: 'nas' } } as const;
    expect(fileCommand(facts)).toBe("keystead file encrypt '/a/my b.tar' --key-id alias/backups --encryption-context host=nas");
    expect(fileCommand({ ...facts, work: 'decrypt', context: {}, output: '/c' })).toBe("keystead file decrypt '/a/my b.tar' --key-id alias/backups --out /c");
    expect(fileCommand({ ...facts, path: '', output: '', context: {} })).toBe('keystead file encrypt FILE --key-id alias/backups');
  });
});

describe('the equivalent command line', () => {
  it('holds no value, and quotes what a shell would split', () => {
    expect(commandFor({ action: 'sign', key: 'alias/release', algorithm: 'ECDSA_SHA_256', input: 'my file.txt' })).toBe("keystead kms sign --key-id alias/release --message 'fileb://my file.txt' --signing-algorithm ECDSA_SHA_256 --output-file Signature=signature.bin");
    expect(commandFor({ action: 'encrypt', key: 'k', algorithm: 'SYMMETRIC_DEFAULT', context: { app: 'orders' } })).toBe('keystead kms encrypt --key-id k --plaintext fileb://plaintext --encryption-context app=orders --output-file CiphertextBlob=ciphertext.bin');
    expect(commandFor({ action: 'decrypt', key: 'k', algorithm: 'SYMMETRIC_DEFAULT', context: { app: 'a, "b"', 'x=y': '' } })).toBe(`keystead kms decrypt --key-id k --ciphertext-blob fileb://ciphertext.bin --encryption-context '{"app":"a, \\"b\\"","x=y":""}' --output-file Plaintext=plaintext`);
    expect(commandFor({ action: 'sign', key: 'k', algorithm: 'ECDSA_SHA_256', digest: true, input: 'a b.tar' })).toBe("keystead file sign 'a b.tar' --key-id k --signing-algorithm ECDSA_SHA_256 --out signature.bin");
    expect(commandFor({ action: 'verify', key: 'k', algorithm: 'ECDSA_SHA_256', digest: true })).toBe('keystead file verify message --key-id k --signature fileb://signature.bin --signing-algorithm ECDSA_SHA_256');
    expect(quoted("a'b")).toBe(String.raw`'a'\''b'`);
  });
});

describe('events', () => {
  it('are read, and what is none is not', () => {
    expect(readEvent({ event: 'key.changed', id: 'x', more: 1 })).toEqual({ event: 'key.changed', id: 'x' });
    expect(readEvent({ event: 'progress', call: 3, progress: { done: 1, total: 2, unit: 'records' } })).toEqual({ event: 'progress', call: 3, progress: { done: 1, total: 2, unit: 'records' } });
    for (const raw of [null, 1, 'event', {}, { event: 1 }]) expect(readEvent(raw)).toBeUndefined();
  });
});
