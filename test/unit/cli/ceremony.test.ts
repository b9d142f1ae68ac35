/** Commands that are wrapped by hand: making a vault, its recovery code, its slots, its trail. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventLine } from '../../../src/cli/trail-commands.ts';
import { nodeCheck, oneList, type Check } from '../../../src/cli/doctor.ts';
import { bar } from '../../../src/cli/progress.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { createFake, error, type Fake, type Handlers } from './fake-vault.ts';

const CODE = 'ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345';
const SLOT = { SlotId: 'ab'.repeat(16), Type: 'password', Factors: ['password'], CreationDate: 1_700_000_000 };
const code = (): SecretBytes => SecretBytes.take(new TextEncoder().encode(CODE));

let fake: Fake;
beforeEach(() => {
  fake = createFake({ header: false });
});
afterEach(() => fake.close());

const creating: Handlers = {
  'vault:Create': ({ RecoveryCode }) => ({ VaultId: 'cd'.repeat(16), Name: 'default', Region: 'us-east-1', Account: '111122223333', Factors: 'password', ...(RecoveryCode === true ? { RecoveryCode: code() } : {}) }),
};

describe('init', () => {
  it('shows the code once and has two groups typed back', async () => {
    await fake.listen(creating);
    const ran = await fake.run(['init'], { typed: ['correct horse\r', 'correct horse\r', 'wrng\r', 'efgh\r', 'abcd\r', 'efgh\r'] });
    expect(ran).toMatchObject({ code: 0, restored: true, out: expect.stringContaining('is unlocked') as string });
    expect(ran.err.split(CODE)).toHaveLength(3);
    expect(ran.err).toContain('confirmed');
    expect(ran.out + ran.err).not.toContain('correct horse');
    expect(fake.seen).toEqual([{ name: 'vault:Create', input: { Password: 'secret:correct horse', RecoveryCode: true } }]);
    expect(readFileSync(join(fake.home, '.config/keystead/config.json'), 'utf8')).toContain(fake.folder);
  });

  it('writes the code to a new file without a terminal, or makes none, or refuses', async () => {
    await fake.listen(creating);
    expect(await fake.run(['init', '--password-stdin'], { stdin: 'correct horse' })).toMatchObject({ code: 2, err: expect.stringContaining('--recovery-code-file PATH, or --no-recovery-code') as string });
    expect(await fake.run(['init', '--password-stdin', '--recovery-code-file', 'c'], { stdin: 'correct horse' })).toMatchObject({ code: 0 });
    expect([readFileSync(join(fake.home, 'c'), 'utf8'), statSync(join(fake.home, 'c')).mode & 0o777]).toEqual([`${CODE}\n`, 0o600]);
    expect(await fake.run(['init', '--password-stdin', '--no-recovery-code'], { stdin: 'correct horse' })).toMatchObject({ code: 0, err: expect.stringContaining('the end of this vault') as string });
    expect(await fake.run(['init', '--password-stdin', '--recovery-code-file', 'c'], { stdin: 'correct horse' })).toMatchObject({ code: 8 });
    expect(fake.seen.map(({ input }) => input['RecoveryCode'])).toEqual([true, false]);
  });

  it('leaves no code file when no vault was made', async () => {
    await fake.listen({ 'vault:Create': () => { throw error('StorageException', 'no'); } });
    expect(await fake.run(['init', '--password-stdin', '--recovery-code-file', 'c'], { stdin: 'correct horse' })).toMatchObject({ code: 70 });
    expect(existsSync(join(fake.home, 'c'))).toBe(false);
  });

  it('wants a password of a length, twice the same', async () => {
    await fake.listen(creating);
    expect(await fake.run(['init', '--password-stdin', '--no-recovery-code'], { stdin: 'short' })).toMatchObject({ code: 2 });
    expect(await fake.run(['init', '--no-recovery-code'], { typed: ['short\r', 'correct horse\r', 'different\r', 'correct horse\r', 'correct horse\r'] })).toMatchObject({ code: 0 });
    expect(await fake.run(['init', '--no-recovery-code', '--vault', 'other'], { typed: ['a\r', 'b\r', 'c\r'] })).toMatchObject({ code: 2, restored: true });
  });

  it('names the price of the keychain alone', async () => {
    await fake.listen(creating);
    expect(await fake.run(['init', '--keychain-only', '--no-recovery-code'])).toMatchObject({ code: 2, err: expect.stringContaining('every program that you start') as string });
    expect(await fake.run(['init', '--keychain-only', '--no-recovery-code'], { typed: ['yes\n'] })).toMatchObject({ code: 10 });
    expect(await fake.run(['init', '--keychain-only', '--no-recovery-code'], { typed: ['keychain only\n'] })).toMatchObject({ code: 0 });
    expect(fake.seen.at(-1)?.input).toEqual({ Factors: 'keychain', AcceptKeychainOnly: true, RecoveryCode: false });
  });

  it('does not touch a vault that is there', async () => {
    writeFileSync(join(fake.folder, 'header'), 'x');
    expect(await fake.run(['init', '--no-recovery-code'])).toMatchObject({ code: 8, err: expect.stringContaining('keystead unlock') as string });
  });
});

describe('slots and password', () => {
  it('proves, then asks for what is new, in one order of lines', async () => {
    await fake.listen({
      'vault:ChangePassword': ({ RecoveryCode }) => ({ Slot: SLOT, ...(RecoveryCode === undefined ? {} : { RecoveryCode: code() }) }),
      'vault:AddSlot': () => ({ Slot: SLOT }),
      'vault:RemoveSlot': () => ({ SlotId: SLOT.SlotId, How: 'retired', Slots: [SLOT] }),
      'vault:ListSlots': () => ({ Slots: [SLOT] }),
    });
    expect(await fake.run(['password', 'change', '--password-stdin'], { stdin: 'old\nnew horse\n' })).toMatchObject({ code: 0 });
    expect(await fake.run(['password', 'change', '--password-stdin', '--recovery-code', '--recovery-code-file', 'n'], { stdin: `${CODE}\nnew horse\n` })).toMatchObject({ code: 0 });
    expect(readFileSync(join(fake.home, 'n'), 'utf8')).toBe(`${CODE}\n`);
    expect(await fake.run(['slot', 'add', '--type', 'password', '--password-stdin'], { stdin: 'old\nnew horse\n' })).toMatchObject({ code: 0 });
    expect(await fake.run(['slot', 'remove', SLOT.SlotId, '--how', 'retired', '--password-stdin'], { stdin: 'old\n' })).toMatchObject({ code: 0 });
    expect(fake.seen.map(({ input }) => input)).toEqual([
      { CurrentPassword: 'secret:old', NewPassword: 'secret:new horse' },
      { RecoveryCode: `secret:${CODE}`, NewPassword: 'secret:new horse' },
      { Type: 'password', Password: 'secret:old', NewPassword: 'secret:new horse' },
      { SlotId: SLOT.SlotId, How: 'retired', Password: 'secret:old' },
    ]);
    expect(await fake.run(['slot', 'list'])).toMatchObject({ out: `${SLOT.SlotId}  password  password          2023-11-14\n` });
    expect(JSON.parse((await fake.run(['slot', 'list', '--output', 'json'])).out)).toHaveProperty('Slots');
    expect(await fake.run(['slot', 'add', '--type', 'keychain', '--password-stdin'], { stdin: 'old' })).toMatchObject({ code: 2, err: expect.stringContaining('--accept-keychain-only') as string });
    expect(await fake.run(['slot', 'remove', SLOT.SlotId])).toMatchObject({ code: 2 });
  });
});

describe('files', () => {
  it('are named by absolute path, and their signature goes where it is told', async () => {
    const answer = { Signature: Uint8Array.of(1, 2), KeyId: 'arn', SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'DIGEST', Digest: 'ab', Size: 3 };
    await fake.listen({
      'file:Sign': (_input, { progress }) => {
        progress(1, 3);
        return answer;
      },
      'file:Verify': () => ({ ...answer, Signature: undefined, SignatureValid: true }),
    });
    const signed = await fake.run(['file', 'sign', 'a b', '--key-id', 'k', '--out', 's']);
    expect([signed.code, JSON.parse(signed.out), [...readFileSync(join(fake.home, 's'))]]).toEqual([0, { ...answer, Signature: undefined }, [1, 2]]);
    expect(JSON.parse((await fake.run(['file', 'verify', 'a b', '--key-id', 'k', '--signature', 'fileb://s'])).out)).toHaveProperty('SignatureValid', true);
    expect(fake.seen.map(({ input }) => input['Path'])).toEqual([join(fake.home, 'a b'), join(fake.home, 'a b')]);
  });

  it('show how far they are', () => {
    expect(bar('Signing', { done: 512_000_000, total: 1_024_000_000, unit: 'bytes' })).toBe('Signing [############            ]  50 % of 1.0 GB');
    expect(bar('Checking', { done: 0, total: 0, unit: 'records' })).toContain('  0 % of 0 records');
  });
});

describe('the trail', () => {
  const whole = { Intact: true, Records: 2, Segments: 1, LastIndex: 1, LastHash: 'ab', Unfinished: [] };
  it('ends with 9 when it is not intact, and names the record', async () => {
    let answer: unknown = whole;
    await fake.listen({ 'trail:VerifyTrail': () => answer });
    expect(await fake.run(['trail', 'verify'])).toMatchObject({ code: 0, out: 'Intact: 2 records in 1 segment, the last is 1 (ab).\n' });
    answer = { ...whole, Intact: false, Broken: { Segment: 1, Index: 1, Offset: 99, What: 'mac' } };
    expect(await fake.run(['trail', 'verify'])).toMatchObject({ code: 9, out: expect.stringContaining('record 1 in segment 1 at byte 99 (mac)') as string });
    expect(await fake.run(['trail', 'verify', '--output', 'json'])).toMatchObject({ code: 9, out: expect.stringContaining('"What": "mac"') as string });
  });

  it('cannot write to the terminal through a recorded name', () => {
    expect(eventLine({ Index: 1, Time: 0, Kind: 'intent', Operation: 'kms:\u001b[2JSign\u202e' })).toBe('       1  1970-01-01T00:00:00.000  intent    kms:�[2JSign�\n');
  });

  it('goes into a checkpoint, and a checkpoint that does not fit is 9', async () => {
    await fake.listen({
      'trail:DescribeCheckpointKey': () => ({}),
      'trail:ExportCheckpoint': () => ({ Checkpoint: new TextEncoder().encode('{"payload":""}'), PublicKey: Uint8Array.of(1), Index: 4, Hash: 'ab' }),
      'trail:VerifyCheckpoint': () => ({ Relation: 'ahead', SignatureValid: true, Index: 4, Hash: 'ab', Created: 1 }),
    });
    expect(await fake.run(['trail', 'checkpoint', '--out', 'c.json'])).toMatchObject({ code: 0, out: '' });
    expect(readFileSync(join(fake.home, 'c.json'), 'utf8')).toBe('{"payload":""}');
    expect(await fake.run(['trail', 'verify-checkpoint', '--checkpoint', 'fileb://c.json'])).toMatchObject({ code: 9 });
  });
});

it('knows an old Node', () => {
  expect([nodeCheck('20.19.0').state, nodeCheck('22.1.0').state, nodeCheck('20.18.9').state, nodeCheck('18.20.0').state]).toEqual(['ok', 'ok', 'problem', 'problem']);
});

it('doctor says each thing once: the graver of two, else what the running vault says', () => {
  const check = (name: string, state: Check['state'], message: string): Check => ({ name, state, message });
  const here = [check('folder', 'problem', 'no trail'), check('disk', 'ok', '1 GB'), check('keychain', 'note', 'locked')];
  const vault = [check('folder', 'ok', 'private'), check('disk', 'ok', '900 MiB'), check('keychain', 'ok', 'usable'), check('trail', 'ok', '1 record')];
  expect(oneList([...here, ...vault]).map(({ name, message }) => `${name}: ${message}`)).toEqual(['folder: no trail', 'disk: 900 MiB', 'keychain: locked', 'trail: 1 record']);
});
