import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Output } from '../../../src/shared/api/index.ts';
import { ERRORS, exitCodeOf, type ErrorCode } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { createFake, error, textOf, type Fake } from './fake-vault.ts';

const KEY = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:us-east-1:111122223333:key/${KEY}`;
const METADATA: Output<'kms:CreateKey'>['KeyMetadata'] = {
  AWSAccountId: '111122223333',
  KeyId: KEY,
  Arn: ARN,
  CreationDate: 1_700_000_000.25,
  Enabled: true,
  Description: '',
  KeyUsage: 'SIGN_VERIFY',
  KeyState: 'Enabled',
  Origin: 'AWS_KMS',
  KeyManager: 'CUSTOMER',
  CustomerMasterKeySpec: 'ECC_NIST_P256',
  KeySpec: 'ECC_NIST_P256',
  SigningAlgorithms: ['ECDSA_SHA_256'],
  MultiRegion: false,
};
const secret = (text: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(text));

let fake: Fake;
beforeEach(() => {
  fake = createFake();
});
afterEach(() => fake.close());
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(fake.home, name), content);
  return name;
};

describe('a declared command', () => {
  it('prints what AWS’s prints', async () => {
    await fake.listen({ 'kms:CreateKey': () => ({ KeyMetadata: METADATA }) });
    const { code, out } = await fake.run(['kms', 'create-key', '--key-spec', 'ECC_NIST_P256', '--key-usage', 'SIGN_VERIFY', '--no-multi-region']);
    expect(code).toBe(0);
    expect(fake.seen).toEqual([{ name: 'kms:CreateKey', input: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', MultiRegion: false } }]);
    expect(JSON.parse(out)).toEqual({ KeyMetadata: { ...METADATA, CreationDate: '2023-11-14T22:13:20.250000+00:00' } });
    expect(out).toMatch(/^\{\n {4}"KeyMetadata": \{\n {8}"AWSAccountId"/);
  });

  it('is asked in a region where it has one, and never in that of a replica that it names', async () => {
    await fake.listen({ 'kms:ListKeys': () => ({ Keys: [], Truncated: false }), 'secretsmanager:ListSecrets': () => ({ SecretList: [] }), 'secretsmanager:RestoreSecret': () => ({ ARN: 'a', Name: 'n' }), 'secretsmanager:ReleaseReplica': () => ({ ARN: 'a', Name: 'n' }) });
    for (const words of ['kms list-keys', 'secret list', 'secret restore --secret-id app', 'secret release-replica --secret-id app']) expect([words, (await fake.run([...words.split(' '), '--region', 'eu-west-1'])).err]).toEqual([words, '']);
    expect(fake.seen.map(({ name, region, input: { Region } }) => [name, region, Region])).toEqual([
      ['kms:ListKeys', 'eu-west-1', undefined],
      ['secretsmanager:ListSecrets', 'eu-west-1', undefined],
      ['secretsmanager:RestoreSecret', 'eu-west-1', undefined],
      ['secretsmanager:ReleaseReplica', undefined, 'eu-west-1'],
    ]);
  });

  it('prints text as the AWS CLI does: sorted scalars and tabs', async () => {
    await fake.listen({ 'kms:ListKeys': () => ({ Keys: [{ KeyId: 'b', KeyArn: 'a' }, { KeyId: 'd', KeyArn: 'c' }], Truncated: false }), 'kms:DescribeKey': () => ({ KeyMetadata: METADATA }) });
    expect((await fake.run(['kms', 'list-keys', '--output', 'text'])).out).toBe('KEYS\ta\tb\nKEYS\tc\td\n');
    expect((await fake.run(['kms', 'describe-key', '--key-id', KEY, '--output', 'text'])).out).toMatch(/^KEYMETADATA\t111122223333\t.*\tFalse\t?\S*\nSIGNINGALGORITHMS\tECDSA_SHA_256\n$/);
  });

  it('gathers every page, unless a page is asked for', async () => {
    const all = Array.from({ length: 5 }, (_, at) => ({ KeyId: String(at), KeyArn: '' }));
    await fake.listen({
      'kms:ListKeys': ({ Marker }) => {
        const from = Number(Marker ?? '0');
        return { Keys: all.slice(from, from + 2), ...(from + 2 < all.length ? { NextMarker: String(from + 2), Truncated: true } : { Truncated: false }) };
      },
    });
    expect(JSON.parse((await fake.run(['kms', 'list-keys'])).out)).toEqual({ Keys: all });
    expect(JSON.parse((await fake.run(['kms', 'list-keys', '--limit', '2'])).out)).toEqual({ Keys: all.slice(0, 2), NextMarker: '2', Truncated: true });
    expect(JSON.parse((await fake.run(['kms', 'list-keys', '--no-paginate'])).out)).toHaveProperty('Truncated', true);
  });

  it('takes plaintext from a file of bytes, of base64, or standard input, and nowhere else', async () => {
    await fake.listen({ 'kms:Encrypt': () => ({ CiphertextBlob: Uint8Array.of(1, 2, 3), KeyId: ARN, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }) });
    const encrypt = (plaintext: string, stdin?: string) => fake.run(['kms', 'encrypt', '--key-id', 'alias/a', '--plaintext', plaintext], stdin === undefined ? {} : { stdin });
    expect(JSON.parse((await encrypt(`fileb://${file('raw', 'top\n')}`)).out)).toHaveProperty('CiphertextBlob', 'AQID');
    await encrypt(`file://${file('b64', 'dG9w\n')}`);
    await encrypt('-', 'top');
    expect(fake.seen.map(({ input }) => input['Plaintext'])).toEqual(['secret:top\n', 'secret:top', 'secret:top']);
    const refused = await encrypt('hunter2hunter2');
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/other programs see.*fileb:\/\/PATH/)]);
    expect(refused.err).not.toContain('hunter2');
    expect((await encrypt(`file://${file('bad', 'not base64!')}`)).err).toMatch(/for raw bytes write `fileb:\/\/`/);
    expect((await encrypt('fileb://missing')).code).toBe(5);
    expect(fake.seen).toHaveLength(3);
  });

  it('takes encryption context as pairs or JSON, and the whole input as JSON', async () => {
    await fake.listen({ 'kms:Encrypt': () => ({ CiphertextBlob: Uint8Array.of(1), KeyId: ARN, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }) });
    file('p', 'x');
    await fake.run(['kms', 'encrypt', '--key-id', 'a', '--plaintext', 'fileb://p', '--encryption-context', 'k=v,k2=v2']);
    await fake.run(['kms', 'encrypt', '--cli-input-json', `file://${file('in.json', '{"KeyId":"b","Plaintext":"eA==","EncryptionContext":{"a":"b"}}')}`, '--key-id', 'a']);
    expect(fake.seen.map(({ input }) => input)).toEqual([
      { KeyId: 'a', Plaintext: 'secret:x', EncryptionContext: { k: 'v', k2: 'v2' } },
      { KeyId: 'a', Plaintext: 'secret:x', EncryptionContext: { a: 'b' } },
    ]);
    const inline = await fake.run(['kms', 'encrypt', '--cli-input-json', '{"KeyId":"b","Plaintext":"eA=="}']);
    expect([inline.code, inline.err]).toEqual([2, expect.stringMatching(/holds a secret in the argument/)]);
    expect((await fake.run(['kms', 'describe-key', '--cli-input-json', '{"KeyId":1,"KeyId":2}'])).code).toBe(2);
  });

  it('takes structures in the shorthand of the AWS CLI, and words that follow as more of a list', async () => {
    const seen: unknown[] = [];
    const see = (input: unknown) => { seen.push(input); return {}; };
    await fake.listen({ 'secretsmanager:TagResource': see, 'secretsmanager:UntagResource': see, 'secretsmanager:ListSecrets': (input) => { seen.push(input); return { SecretList: [] }; } });
    await fake.run(['secret', 'tag', '--secret-id', 'a', '--tags', 'Key=team,Value=web', 'Key=stage,Value="a,b"']);
    await fake.run(['secret', 'tag', '--tags', 'Key=team,Value=', '--tags', 'Key=b,Value=c', '--secret-id', 'a']);
    await fake.run(['secret', 'untag', '--secret-id', 'a', '--tag-keys', 'team', 'stage']);
    await fake.run(['secret', 'list', '--filters', 'Key=name,Values=prod/,dev/', 'Key=tag-key,Values=team']);
    expect(seen).toEqual([
      { SecretId: 'a', Tags: [{ Key: 'team', Value: 'web' }, { Key: 'stage', Value: 'a,b' }] },
      { SecretId: 'a', Tags: [{ Key: 'team', Value: '' }, { Key: 'b', Value: 'c' }] },
      { SecretId: 'a', TagKeys: ['team', 'stage'] },
      expect.objectContaining({ Filters: [{ Key: 'name', Values: ['prod/', 'dev/'] }, { Key: 'tag-key', Values: ['team'] }] }),
    ]);
  });

  it('names what is missing before it calls anybody', async () => {
    const { code, err } = await fake.run(['kms', 'sign']);
    expect([code, err]).toEqual([2, 'keystead: these must be given: --key-id, --message, --signing-algorithm (UsageError)\n  type: keystead kms sign --help\n']);
  });

  it('writes binary fields to new files, 0600 when they are secret, and never over another', async () => {
    await fake.listen({ 'kms:GenerateDataKey': () => ({ CiphertextBlob: Uint8Array.of(9), Plaintext: secret('key!'), KeyId: ARN }), 'kms:GenerateRandom': () => ({ Plaintext: secret('rand') }) });
    const base = ['kms', 'generate-data-key', '--key-id', KEY, '--key-spec', 'AES_256'];
    const both = await fake.run([...base, '--output-file', 'Plaintext=k', '--output-file', 'CiphertextBlob=c']);
    expect([both.code, JSON.parse(both.out)]).toEqual([0, { KeyId: ARN }]);
    expect([readFileSync(join(fake.home, 'k'), 'utf8'), [...readFileSync(join(fake.home, 'c'))]]).toEqual(['key!', [9]]);
    expect(statSync(join(fake.home, 'k')).mode & 0o777).toBe(0o600);
    expect((await fake.run([...base, '--output-file', 'x'])).err).toMatch(/must say which field: CiphertextBlob=PATH or Plaintext=PATH/);
    const again = await fake.run(['kms', 'generate-random', '--number-of-bytes', '4', '--output-file', 'k']);
    expect([again.code, again.err, readFileSync(join(fake.home, 'k'), 'utf8')]).toEqual([8, expect.stringMatching(/not overwritten/), 'key!']);
    expect((await fake.run(['kms', 'generate-random', '--number-of-bytes', '4', '--output-file', '-'])).out).toBe('rand');
    expect(JSON.parse((await fake.run(['kms', 'generate-random', '--number-of-bytes', '4'])).out)).toEqual({ Plaintext: 'cmFuZA==' });
  });

  it('leaves no file behind when the call fails', async () => {
    await fake.listen({ 'kms:GenerateRandom': () => { throw error('VaultLockedException', 'the vault is locked'); } });
    const { code } = await fake.run(['kms', 'generate-random', '--number-of-bytes', '4', '--output-file', 'k']);
    expect([code, existsSync(join(fake.home, 'k'))]).toEqual([3, false]);
  });

  it('gives a public key as PEM or DER', async () => {
    const der = Uint8Array.from({ length: 91 }, (_, at) => at);
    await fake.listen({ 'kms:GetPublicKey': () => ({ KeyId: ARN, PublicKey: der, CustomerMasterKeySpec: 'ECC_NIST_P256', KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: ['ECDSA_SHA_256'] }) });
    const get = (...more: string[]) => fake.run(['kms', 'get-public-key', '--key-id', KEY, ...more]);
    const { out } = await get('--format', 'pem');
    expect(out).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\w+/]{64}\n[\w+/=]{1,64}\n-----END PUBLIC KEY-----\n$/);
    expect((await get('--format', 'der')).outBytes).toEqual(der);
    await get('--format', 'pem', '--output-file', 'p.pem');
    expect(readFileSync(join(fake.home, 'p.pem'), 'utf8')).toBe(out);
  });
});

describe('exit codes', () => {
  it.each(Object.keys(ERRORS) as ErrorCode[])('%s', async (code) => {
    await fake.listen({ 'kms:DescribeKey': () => { throw error(code, 'as it is'); } });
    const ran = await fake.run(['kms', 'describe-key', '--key-id', KEY, '--debug']);
    expect([ran.code, ran.out, ran.err]).toEqual([exitCodeOf(code), '', expect.stringContaining(`keystead: as it is (${code})\n`)]);
    expect(ran.err).toContain('request: 00000000-0000-4000-8000-000000000001');
  });

  it('is 7 when the vault is not running, 5 when there is none', async () => {
    const stopped = await fake.run(['kms', 'list-keys']);
    expect([stopped.code, stopped.err]).toEqual([7, expect.stringMatching(/is not running.*\n {2}type: keystead unlock/)]);
    const none = await fake.run(['kms', 'list-keys', '--vault', join(fake.home, 'nowhere')]);
    expect([none.code, none.err]).toEqual([5, expect.stringContaining('type: keystead init')]);
  });

  it('is 2 for what it does not know, with what is near', async () => {
    expect(await fake.run(['kms', 'encrpt'])).toMatchObject({ code: 2, err: 'keystead: there is no command `kms encrpt` (UsageError)\n  type: keystead kms encrypt\n' });
    expect(await fake.run(['kms', 'create-key', '--policy', '{}'])).toMatchObject({ code: 2, err: expect.stringContaining('--policy is not offered: every key belongs to the owner of the vault') as string });
    expect(await fake.run(['secret', 'tag', '--secret-id', 'a', '--tags', 'team'])).toMatchObject({ code: 2, err: expect.stringContaining('--tags must be as `Key=…,Value=…`, or JSON') as string });
    expect(await fake.run([])).toMatchObject({ code: 2, out: '' });
    expect(await fake.run(['kms', 'list-keys', '--timeout', 'soon'])).toMatchObject({ code: 2 });
  });

  it('is 10 after Ctrl+C, which reaches the vault', async () => {
    let reached = false;
    let press = (): void => undefined;
    await fake.listen({
      'file:Sign': async (_input, { cancelled }) => {
        press();
        await cancelled;
        reached = true;
        throw error('CancelledException', 'cancelled');
      },
    });
    const { code } = await fake.run(['file', 'sign', 'f', '--key-id', KEY, '--out', 'f.sig'], { interrupt: (interrupt) => { press = interrupt; } });
    expect([code, reached, existsSync(join(fake.home, 'f.sig'))]).toEqual([10, true, false]);
  });

  it('is 10 after --timeout, also when the vault does not answer the cancel', async () => {
    await fake.listen({ 'kms:ListKeys': () => new Promise(() => undefined) });
    expect((await fake.run(['kms', 'list-keys', '--timeout', '0.05'])).code).toBe(10);
  });

  it('is 8 for a vault of another protocol', async () => {
    await fake.listen({}, { version: 99 });
    expect(await fake.run(['status'])).toMatchObject({ code: 8 });
  });
});

describe('a socket that is not trusted', () => {
  it('gets nothing when its folder is open to others', async () => {
    await fake.listen({ 'kms:ListKeys': () => ({ Keys: [], Truncated: false }) });
    chmodSync(join(fake.home, 'run', 'keystead'), 0o777);
    expect(await fake.run(['kms', 'list-keys'])).toMatchObject({ code: 9, err: expect.stringContaining('not yours alone') as string });
    expect(fake.seen).toEqual([]);
  });

  it('is not followed when it is a file', async () => {
    mkdirSync(join(fake.home, 'run', 'keystead'), { recursive: true, mode: 0o700 });
    await fake.listen({});
    expect((await fake.run(['status'])).code).toBe(4);
  });
});

describe('unlock', () => {
  const opened = { VaultId: 'ab'.repeat(16), Name: 'default', State: 'unlocked', SlotId: 'cd'.repeat(16), SlotType: 'password', RecoveryCodeUsed: false };
  const locked = { State: 'locked', Folder: '/', Version: '1', ProcessId: 1, StartedAt: 1 };
  const unlock = (right: string) => ({
    'vault:Status': () => locked,
    'vault:Unlock': ({ Password, RecoveryCode }: Readonly<Record<string, unknown>>) => {
      if (RecoveryCode !== undefined) return { ...opened, SlotType: 'recovery', RecoveryCodeUsed: true };
      if (textOf(Password) !== right) throw error('IncorrectPasswordException', 'the password is wrong');
      return opened;
    },
  });

  it('reads the password from standard input, one line', async () => {
    await fake.listen(unlock('correct horse'));
    expect(await fake.run(['unlock', '--password-stdin'], { stdin: 'correct horse\n' })).toMatchObject({ code: 0, out: 'Vault `default` is unlocked.\n' });
    expect(await fake.run(['unlock', '--password-stdin'], { stdin: 'correct horse' })).toMatchObject({ code: 0 });
    expect(await fake.run(['unlock', '--password-stdin'], { stdin: 'wrong horse\r\n' })).toMatchObject({ code: 6, err: expect.stringContaining('unlock --recovery-code') as string });
    expect(await fake.run(['unlock', '--password-stdin'], { stdin: 'two\nlines\n' })).toMatchObject({ code: 2 });
    expect(await fake.run(['unlock'], { stdin: '' })).toMatchObject({ code: 2, err: expect.stringContaining('--password-stdin') as string });
    expect(await fake.run(['unlock', '--password', 'x'])).toMatchObject({ code: 2 });
  });

  it('asks three times on a terminal, without echo, and puts the terminal back', async () => {
    await fake.listen(unlock('correct horse'));
    const ran = await fake.run(['unlock'], { typed: ['wrong\r', 'correct horsX\u007fe\r'] });
    expect(ran).toMatchObject({ code: 0, restored: true });
    expect(ran.err).not.toMatch(/horse|wrong horse/);
    expect(await fake.run(['unlock'], { typed: ['a\r', 'b\r', 'c\r', 'correct horse\r'] })).toMatchObject({ code: 6, restored: true });
    expect(await fake.run(['unlock'], { typed: ['abc\u0003'] })).toMatchObject({ code: 10, restored: true });
    expect(await fake.run(['unlock'], { typed: [] })).toMatchObject({ code: 10, restored: true });
  });

  it('edits what is typed by characters, and leaves keys and pastes out of it', async () => {
    await fake.listen(unlock('pässwörd'));
    expect(await fake.run(['unlock'], { typed: ['x\u0015\u001b[200~pässwörß\u007fd\u001b[D\u001b[201~\r'] })).toMatchObject({ code: 0 });
  });

  it('shows the wait and passes it', async () => {
    let early = true;
    await fake.listen({
      ...unlock('correct horse'),
      'vault:Unlock': () => {
        if (!early) return opened;
        early = false;
        throw error('UnlockDelayedException', 'too early', { retryAfterSeconds: '1' });
      },
    });
    expect(await fake.run(['unlock'], { typed: ['correct horse\r'] })).toMatchObject({ code: 0, err: expect.stringContaining('waits: 1 s') as string });
    early = true;
    expect(await fake.run(['unlock', '--password-stdin'], { stdin: 'x' })).toMatchObject({ code: 6 });
  });

  it('says what comes after a recovery code', async () => {
    await fake.listen(unlock(''));
    const ran = await fake.run(['unlock', '--recovery-code-file', file('code', '  ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345 \n')]);
    expect([ran.code, ran.err]).toEqual([0, expect.stringContaining('password change --recovery-code')]);
    expect(fake.seen.at(-1)?.input).toEqual({ RecoveryCode: 'secret:ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345 ' });
  });
});
