/** A key store that spans SoftHSM tokens, in a real served vault: what travels, what does not, and what happens when a token is pulled out. */
import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inLanes, type Answer, type Client, type Json } from '../system/support/client.ts';
import { addInput, clusterIds, makeCluster, type MadeCluster } from '../system/support/cluster.ts';
import { makeVault, PASSWORD } from '../system/support/make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from '../system/support/served-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, softHsm, type SoftHsm } from '../system/support/softhsm.ts';

const b64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');

let home = '';
let hsm: SoftHsm;
let vault: VaultProcess;
let client: Client;
let made: MadeCluster;
let folder = '';

const unlock = async (): Promise<void> => {
  await client.ok('vault:Unlock', { Password: b64(PASSWORD) });
};
beforeAll(async () => {
  home = temporaryFolder();
  hsm = softHsm(home);
  folder = join(home, 'v', 'default');
  await makeVault(folder);
  vault = await startVault(folder, { home, env: hsm.env });
  client = vault.client;
  await unlock();
  await client.ok('hardware:AddModule', { Path: SOFTHSM });
  made = await makeCluster(client, hsm, 'cluster', ['one', 'two']);
});
afterAll(async () => {
  await vault.kill();
  remove(home);
});

const describeCluster = (): Promise<Json> => client.ok('hardware:DescribeCluster', { CustomKeyStoreId: made.store });
const members = async (): Promise<readonly Json[]> => (await describeCluster())['Members'] as readonly Json[];
const memberOf = async (label: string): Promise<Json> => (await members()).find((one) => one['Label'] === label) ?? {};
const refusal = async (operation: string, input: Json): Promise<{ readonly code: string; readonly message: string }> => {
  const answer: Answer = await client.call(operation, input);
  return answer.ok ? { code: 'ok', message: '' } : answer.error;
};
const create = async (KeySpec: string, KeyUsage: string): Promise<string> => ((await client.ok('kms:CreateKey', { KeySpec, KeyUsage, Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: made.store }))['KeyMetadata'] as { KeyId: string }).KeyId;
const sign = (KeyId: string): Json => ({ KeyId, Message: b64('message'), SigningAlgorithm: 'ECDSA_SHA_256' });
/** Waits until it is so; the test's own limit ends it. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await sleep(100);
}
/** Folder of a token's files. */
const folderOf = (label: string): string => {
  const serial = made.serials.get(label) ?? '';
  const name = readdirSync(hsm.folder).find((one) => one.replaceAll('-', '').endsWith(serial));
  if (name === undefined) throw new Error(`no folder for ${label}`);
  return join(hsm.folder, name);
};
/** A token's own words on its objects, by other people's tool. */
const objectsOf = (label: string, ...more: readonly string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, '--list-objects', ...more).toString('utf8');

/** CKA_ID of the cluster's own objects of a class: wrapping keys and what they travel under. */
const idsOf = (label: string, type: 'secrkey' | 'pubkey'): readonly string[] => [...objectsOf(label, '--type', type).matchAll(/label: +keystead cks-\S+\n +ID: +(\w+)/g)].map(([, id = '']) => id);
const tokensLoggedIn = (answer: Json): readonly unknown[] => (answer['Tokens'] as readonly Json[]).filter(({ LoggedIn }) => LoggedIn === true).map(({ Label }) => Label).sort();

describe('a cluster', () => {
  it('is made of tokens whose wrapping keys are trusted and private, and offers what was seen to travel', async () => {
    const shown = await describeCluster();
    expect(shown).toMatchObject({ State: 'open', WrappingMechanism: 'CKM_AES_KEY_WRAP_PAD' });
    expect(shown['KeySpecs']).toEqual(expect.arrayContaining(['SYMMETRIC_DEFAULT', 'RSA_2048', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'HMAC_224', 'HMAC_512']));
    expect(shown['KeySpecs']).not.toContain('ECC_NIST_EDWARDS25519');
    expect(await members()).toEqual([expect.objectContaining({ Label: 'one', Health: 'connected', ReachedFrom: [made.ids.get('two')] }), expect.objectContaining({ Label: 'two', Health: 'connected', ReachedFrom: [made.ids.get('one')] })]);
    expect((shown['Notices'] as readonly string[]).join(' ')).toMatch(/wrapping key of token `one` and token `two` lay in plain/);
    // They are no keys that anybody might adopt.
    const { Keys } = await client.ok('hardware:ListTokenKeys', { Serial: made.serials.get('one') });
    const own = (Keys as readonly Json[]).filter(({ Label }) => String(Label).startsWith('keystead cks-'));
    expect(own.length).toBeGreaterThan(1);
    expect(own.map(({ State }) => State)).toEqual(own.map(() => 'cluster'));
    expect((await refusal('kms:CreateKey', { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: made.store })).code).toBe('UnsupportedOperationException');
    for (const label of ['one', 'two']) {
      // Without a login nobody sees a secret key: none lies there in plain any more.
      expect(hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--list-objects', '--type', 'secrkey').toString('utf8')).not.toContain('Secret Key Object');
      expect(objectsOf(label, '--type', 'secrkey')).toContain(`keystead ${made.store}`);
    }
  });

  it('has a copy of each key in each token, which leaves under a trusted key only', async () => {
    const key = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    const { Copies, Tested, Notes } = (await client.ok('hardware:DescribeTokenKey', { KeyId: key })) as { Copies: readonly Json[]; Tested: { WrapAllowed: readonly string[]; WrapRefused: readonly string[] }; Notes: readonly string[] };
    expect(Copies.map((one) => one['Origin']).sort()).toEqual(['cloned', 'local']);
    for (const one of Copies) expect(one['Stated']).toMatchObject({ Sensitive: true, Extractable: true, TrustedOnly: true });
    expect([Tested.WrapAllowed, Tested.WrapRefused.length > 0, Notes.length > 0]).toEqual([[], true, true]);
    for (const label of ['one', 'two']) {
      const text = objectsOf(label, '--type', 'privkey');
      expect(text).toContain(key);
      expect(text.split('Private Key Object').find((block) => block.includes(key))).toMatch(/Access:.*sensitive.*extractable/);
      expect(text).not.toMatch(/ID: +\w+5a\n/);
    }
  });

  it('is put to the test, and no token keeps the test’s key', async () => {
    const before = ['one', 'two'].map((label) => objectsOf(label, '--type', 'privkey'));
    await client.ok('hardware:TestToken', { CustomKeyStoreId: made.store });
    expect(['one', 'two'].map((label) => objectsOf(label, '--type', 'privkey'))).toEqual(before);
  });

  it('answers with either token, and each token’s answer is the other’s', async () => {
    const key = await create('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');
    const blobs = await inLanes(Array.from({ length: 40 }), async () => (await client.ok('kms:Encrypt', { KeyId: key, Plaintext: b64('x') }))['CiphertextBlob']);
    for (const answer of await inLanes([...blobs, ...blobs], (CiphertextBlob) => client.ok('kms:Decrypt', { CiphertextBlob }))) expect(answer['Plaintext']).toBe(b64('x'));
    for (const one of await members()) expect(one['Answered']).toBeGreaterThan(10);
    expect(await client.code('kms:Decrypt', { CiphertextBlob: b64(Buffer.concat([Buffer.from(blobs[0] as string, 'base64').subarray(0, -1), Buffer.from([0])])) })).toBe('InvalidCiphertextException');
    expect((await members()).map((one) => one['Health'])).toEqual(['connected', 'connected']);
  });

  it('loses no request when a token is pulled out, says so, and is level again after it is back', async () => {
    const key = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    const gone = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    const publicKey = createPublicKey({ key: Buffer.from((await client.ok('kms:GetPublicKey', { KeyId: key }))['PublicKey'] as string, 'base64'), format: 'der', type: 'spki' });
    const at = folderOf('two');
    const answers = inLanes(Array.from({ length: 200 }), async (_one, turn) => {
      if (turn === 60) renameSync(at, join(home, 'away'));
      return client.ok('kms:Sign', sign(key));
    });
    for (const { Signature } of await answers) expect(verify('sha256', Buffer.from('message'), publicKey, Buffer.from(Signature as string, 'base64'))).toBe(true);
    await until(async () => (await memberOf('two'))['Health'] === 'failing');
    expect(await memberOf('two')).toMatchObject({ Failure: 'CLUSTER_NOT_FOUND', FailureMessage: expect.stringContaining('token `two`') as string });
    expect((await client.ok('kms:DescribeKey', { KeyId: key }))['KeyMetadata']).toMatchObject({ KeyState: 'Enabled' });
    // Both attempts of one request stand in its record.
    const { Events } = (await client.ok('trail:LookupEvents', { Operation: 'kms:Sign', Limit: 500 })) as { Events: readonly Json[] };
    expect(JSON.stringify(Events)).toMatch(new RegExp(`attempt:${made.ids.get('two') ?? ''}:\\w+Exception.*attempt:${made.ids.get('one') ?? ''}:ok`));
    const made2 = await create('ECC_NIST_P384', 'SIGN_VERIFY');
    expect((await client.ok('hardware:LevelCluster', { CustomKeyStoreId: made.store }))['Left']).toEqual([expect.objectContaining({ CloudHsmClusterId: made.ids.get('two') })]);
    renameSync(join(home, 'away'), at);
    await until(async () => (await memberOf('two'))['Health'] === 'connected');
    await until(async () => (await memberOf('two'))['Missing'] === 0);
    expect(await client.ok('hardware:LevelCluster', { CustomKeyStoreId: made.store })).toMatchObject({ Made: 0, Left: [] });
    expect(await memberOf('two')).toMatchObject({ Missing: 0, Deleted: 0 });
    expect(objectsOf('two', '--type', 'privkey')).toContain(made2);
    expect(objectsOf('two', '--type', 'privkey')).toContain(gone);
  });

  it('goes on when a token’s process is killed, and asks for that token’s PIN only', async () => {
    const key = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    const hosts = pidsOf(vault.pid);
    // One that looks, and one of each token.
    expect(hosts.length).toBe(3);
    const answers = inLanes(Array.from({ length: 120 }), async (_one, turn) => {
      if (turn === 40) process.kill(hosts.at(-1) ?? 0, 'SIGKILL');
      return client.code('kms:Sign', sign(key));
    });
    expect(new Set(await answers)).toEqual(new Set(['ok']));
    const failed = async (): Promise<Json | undefined> => (await members()).find((one) => one['Health'] === 'failing');
    await until(async () => ((await failed())?.['FailureMessage'] as string | undefined)?.includes('PIN') === true);
    const failing = (await failed()) ?? {};
    expect(failing).not.toHaveProperty('NextTryDate');
    expect((await refusal('hardware:UnlockToken', { Serial: failing['Serial'], Pin: b64('wrong-pin') })).code).toBe('IncorrectPinException');
    expect((await memberOf(failing['Label'] as string))['Health']).toBe('failing');
    expect(await client.code('kms:Sign', sign(key))).toBe('ok');
    await client.ok('hardware:UnlockToken', { Serial: failing['Serial'], Pin: b64(PIN) });
    expect((await memberOf(failing['Label'] as string))['Health']).toBe('connected');
  });

  it('takes a third token, with every key, and lets one go that is not the only one with a key', async () => {
    hsm.makeToken('three');
    const ids = await clusterIds(client);
    expect((await refusal('hardware:AddTokenToKeyStore', { ...addInput(made.store, ids.get('three')), SecurityOfficerPin: b64('00000000') })).code).toBe('IncorrectPinException');
    expect(objectsOf('three')).not.toContain('keystead');
    const joined = await client.ok('hardware:AddTokenToKeyStore', addInput(made.store, ids.get('three')));
    expect((joined['Members'] as readonly Json[]).map((one) => [one['Label'], one['Missing']])).toEqual([['one', 0], ['two', 0], ['three', 0]]);
    const third = (joined['Members'] as readonly Json[])[2];
    expect(third).toMatchObject({ Keys: joined['Keys'] });
    const leave = { CustomKeyStoreId: made.store, CloudHsmClusterId: made.ids.get('one') };
    expect((await refusal('hardware:RemoveTokenFromKeyStore', { ...leave, Confirm: 'two' })).code).toBe('KMSInvalidStateException');
    const left = await client.ok('hardware:RemoveTokenFromKeyStore', { ...leave, Confirm: 'one' });
    expect((left['Members'] as readonly Json[]).map((one) => [one['Label'], one['Deleted']])).toEqual([['two', 0], ['three', 0]]);
    // What later copies could be opened with is gone: the leaver's of the others, and the others' of the leaver. Its copies are there.
    expect(objectsOf('one')).not.toContain(`keystead ${made.store}`);
    expect(objectsOf('one').split('Private Key Object').length).toBeGreaterThan(3);
    // A token that joins opens what the one wraps that keys came from; only that one’s officer marks the public key of the new one.
    for (const [label, secrets, publics] of [['two', 2, 1], ['three', 1, 2]] as const) expect([label, idsOf(label, 'secrkey').length, idsOf(label, 'pubkey').length]).toEqual([label, secrets, publics]);
    expect(tokensLoggedIn(await client.ok('hardware:ListTokens'))).toEqual(['three', 'two']);
    const key = await create('RSA_2048', 'SIGN_VERIFY');
    expect(await client.code('kms:Sign', { KeyId: key, Message: b64('m'), SigningAlgorithm: 'RSASSA_PSS_SHA_256' })).toBe('ok');
  });

  it('goes on levelling after kill -9, and what was half made is made anew', async () => {
    const keys = await Promise.all(Array.from({ length: 6 }, () => create('ECC_NIST_P256', 'SIGN_VERIFY')));
    hsm.makeToken('four');
    const ids = await clusterIds(client);
    const joining = client.call('hardware:AddTokenToKeyStore', addInput(made.store, ids.get('four'))).catch(() => undefined);
    await sleep(400);
    await vault.kill();
    await joining;
    vault = await startVault(folder, { home, env: hsm.env });
    client = vault.client;
    await unlock();
    for (const label of ['two', 'three', 'four']) await client.ok('hardware:UnlockToken', { Serial: ((await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === label)?.['Serial'], Pin: b64(PIN) });
    await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: made.store });
    if ((await members()).length < 3) await client.ok('hardware:AddTokenToKeyStore', addInput(made.store, ids.get('four')));
    expect(await client.ok('hardware:LevelCluster', { CustomKeyStoreId: made.store })).toMatchObject({ Left: [] });
    for (const one of await members()) expect(one).toMatchObject({ Missing: 0 });
    const text = objectsOf('four', '--type', 'privkey');
    for (const key of keys) expect(text.split(key).length).toBe(2);
    expect(hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'four', '--list-objects', '--type', 'secrkey').toString('utf8')).not.toContain('Secret Key Object');
  });

  it('is sealed for good: no key leaves, no token joins, and new keys are born sealed', async () => {
    const before = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    expect((await refusal('hardware:SealCluster', { CustomKeyStoreId: made.store, Confirm: 'other' })).code).toBe('KMSInvalidStateException');
    expect(await client.ok('hardware:SealCluster', { CustomKeyStoreId: made.store, Confirm: 'cluster' })).toMatchObject({ State: 'sealed' });
    const after = await create('ECC_NIST_P256', 'SIGN_VERIFY');
    for (const key of [before, after]) {
      const { Copies } = (await client.ok('hardware:DescribeTokenKey', { KeyId: key })) as { Copies: readonly Json[] };
      expect(Copies.map((one) => (one['Stated'] as Json)['Extractable'])).toEqual([false, false, false]);
      expect(await client.code('kms:Sign', sign(key))).toBe('ok');
    }
    for (const label of ['two', 'three', 'four']) expect(objectsOf(label, '--type', 'privkey').split('Private Key Object').find((block) => block.includes(before))).not.toMatch(/, extractable/);
    hsm.makeToken('five');
    const ids = await clusterIds(client);
    expect(await refusal('hardware:AddTokenToKeyStore', addInput(made.store, ids.get('five')))).toMatchObject({ code: 'KMSInvalidStateException', message: expect.stringContaining('is sealed') as string });
  });

  it('keeps no PIN of a security officer: not in what a process was started with, a file, or the trail', async () => {
    const holding = (pin: string): readonly string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
        if (!entry.isFile()) return [];
        const bytes = readFileSync(join(entry.parentPath, entry.name));
        return [pin, b64(pin), Buffer.from(pin).toString('hex')].some((form) => bytes.includes(form)) ? [entry.name] : [];
      });
    // The control: what does lie there in plain is found.
    writeFileSync(join(folder, 'control'), `x${OFFICER_PIN}x`);
    expect(holding(OFFICER_PIN)).toEqual(['control']);
    rmSync(join(folder, 'control'));
    expect([holding(OFFICER_PIN), holding(PIN)]).toEqual([[], []]);
    const { Events } = (await client.ok('trail:LookupEvents', { Operation: 'hardware:AddTokenToKeyStore', Limit: 500 })) as { Events: readonly Json[] };
    expect(Events.length).toBeGreaterThan(0);
    expect(JSON.stringify(Events)).not.toContain(OFFICER_PIN);
    for (const pid of pidsOf(vault.pid)) expect(readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8') + readFileSync(`/proc/${String(pid)}/environ`, 'utf8')).not.toContain(OFFICER_PIN);
  });
});

/** Module hosts of a vault, oldest first. */
function pidsOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const isChild = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(parent);
        return isChild && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('pkcs11.mjs') ? [Number(name)] : [];
      } catch {
        return [];
      }
    })
    .sort((a, b) => a - b);
}
