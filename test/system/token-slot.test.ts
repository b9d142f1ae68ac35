/** A vault that a key in a token opens: real SoftHSM, real processes; what the key makes is asked of pkcs11-tool as well. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHeader } from '../../src/main/seal/header.ts';
import type { ErrorBody } from '../../src/shared/model/errors.ts';
import type { Client, Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { scan } from './support/memory.ts';
import { patternsOf } from './support/needles.ts';
import { NOBODY, remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from './support/softhsm.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const SOURCE = resolve(import.meta.dirname, '../fixtures/pkcs11/bad-module.c');
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const token = { TokenPin: b64(PIN) };
const password = { Password: b64(PASSWORD) };

let home = '';
let hsm: SoftHsm;
let serial = '';

beforeAll(() => {
  home = temporaryFolder();
  hsm = softHsm(home);
  serial = hsm.makeToken('opener');
});
afterAll(() => {
  remove(home);
});

async function served(name: string, module: string | false = SOFTHSM): Promise<{ readonly folder: string; vault: VaultProcess; client: Client }> {
  const folder = join(home, 'v', name);
  if (!existsSync(folder)) await makeVault(folder);
  const vault = await startVault(folder, { home, env: hsm.env, within: 60_000 });
  if (module !== false) {
    await vault.client.ok('vault:Unlock', password);
    await vault.client.ok('hardware:AddModule', { Path: module });
  }
  return { folder, vault, client: vault.client };
}
async function refusal(client: Client, operation: string, input: Json): Promise<ErrorBody> {
  const answer = await client.call(operation, input);
  if (answer.ok) throw new Error(`${operation} was not refused`);
  return answer.error;
}
const add = (client: Client, more: Json = {}): Promise<Json> => client.ok('vault:AddSlot', { Type: 'token', Serial: serial, Pin: b64(PIN), ...password, ...more });
const slotOf = (folder: string) => {
  const slot = parseHeader(readFileSync(join(folder, 'header'))).slots.find(({ type }) => type === 'token');
  if (!slot) throw new Error('there is no token slot');
  return slot;
};
const vaultIdOf = (folder: string): Buffer => Buffer.from(parseHeader(readFileSync(join(folder, 'header'))).vaultId);
const tool = (...args: string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', 'opener', '--login', '--pin', PIN, ...args).toString('utf8');
const keysLabelled = (label: string): readonly string[] => tool('--list-objects', '--type', 'secrkey').split(/^Secret Key Object/m).filter((text) => text.includes(label));
/** What the slot's key makes of its challenge, by another program. */
function factorOf(folder: string): Buffer {
  const { salt, tokenUri = '' } = slotOf(folder);
  const [challenge, out] = [join(home, 'challenge'), join(home, 'factor')];
  writeFileSync(challenge, Buffer.concat([Buffer.from('keystead/token-factor/1'), vaultIdOf(folder), salt]));
  const id = /;id=([^;]*);/.exec(tokenUri)?.[1]?.replaceAll('%', '') ?? '';
  tool('--sign', '--mechanism', 'SHA256-HMAC', '--id', id, '--input-file', challenge, '--output-file', out);
  const factor = readFileSync(out);
  rmSync(out);
  return factor;
}

describe('a vault that a token opens', () => {
  let folder = '';
  let vault: VaultProcess;
  let client: Client;
  beforeAll(async () => {
    ({ folder, vault, client } = await served('default'));
  });
  afterAll(async () => {
    await vault.kill();
  });
  const lock = async (): Promise<void> => void (await client.ok('vault:Lock'));

  it('is told so with the password, and then opens with the PIN alone', async () => {
    const { Slot } = await add(client);
    expect(Slot).toMatchObject({ Type: 'token', Factors: ['token'] });
    expect((Slot as Json)['TokenUri']).toMatch(new RegExp(`^pkcs11:token=opener;serial=${serial};id=(?:%[0-9A-F]{2}){16};type=secret-key\\?module-path=.*softhsm.*&x-keystead-module-sha256=${createHash('sha256').update(readFileSync(SOFTHSM)).digest('hex')}$`));
    await lock();
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked', SlotTypes: expect.arrayContaining(['password', 'token']) as string[], TokenSlots: [{ SlotId: (Slot as Json)['SlotId'], Token: 'opener', Serial: serial }] });
    expect(await client.ok('vault:Unlock', token)).toMatchObject({ State: 'unlocked', SlotType: 'token', SlotId: (Slot as Json)['SlotId'] });
    expect(await client.code('hardware:ListModules')).toBe('ok');
  });

  it('asks the key, which says that it cannot leave, and no module goes on running for it', async () => {
    const [key = ''] = keysLabelled(`keystead unlock ${vaultIdOf(folder).toString('hex')}`);
    expect(key).toMatch(/sensitive, always sensitive, never extractable, local/);
    const children = execFileSync('ps', ['-o', 'args=', '--ppid', String(vault.pid)]).toString('utf8');
    expect(children).toContain('sealer.mjs');
    expect(children).not.toContain('pkcs11.mjs');
  });

  it('keeps what the key made in no process, unlocked or locked', async () => {
    const factor = factorOf(folder);
    const patterns = patternsOf({ name: 'factor', bytes: factor });
    // The scan can find: this process holds it.
    expect(scan(process.pid, patterns).hits.map(({ needle }) => needle)).toContain('factor');
    const look = () => [vault.pid, vault.sealer()].flatMap((pid) => (pid === undefined ? [] : scan(pid, patterns).hits.map(({ needle, form, mapping }) => `${String(pid)} ${needle} ${form} ${mapping}`)));
    await lock();
    await client.ok('vault:Unlock', token);
    expect(look()).toEqual([]);
    await lock();
    expect(look()).toEqual([]);
    await client.ok('vault:Unlock', token);
  });

  it('uses one key for several slots of the vault, and asks which is meant', async () => {
    const { Slot } = await add(client, { Password: undefined, ...token, TokenSlotId: Buffer.from(slotOf(folder).slotId).toString('hex') });
    expect(keysLabelled('keystead unlock')).toHaveLength(1);
    await lock();
    expect((await refusal(client, 'vault:Unlock', token)).message).toContain('--token-slot-id');
    expect(await client.ok('vault:Unlock', { ...token, TokenSlotId: (Slot as Json)['SlotId'] })).toMatchObject({ SlotId: (Slot as Json)['SlotId'] });
    await client.ok('vault:RemoveSlot', { SlotId: (Slot as Json)['SlotId'], How: 'compromised', ...password });
    await lock();
    // The root is another, and was wrapped for the slot that is left without its token.
    expect(await client.ok('vault:Unlock', token)).toMatchObject({ SlotType: 'token' });
  });

  it('says a wrong PIN of the token, and lets no password wait for it', async () => {
    await lock();
    const error = await refusal(client, 'vault:Unlock', { TokenPin: b64('not-the-pin') });
    expect(error).toMatchObject({ code: 'IncorrectPinException', message: expect.stringMatching(/^token `opener` refuses the PIN; .*it says that tries are running out$/) as string });
    expect(await client.ok('vault:Status')).not.toHaveProperty('RetryAfterSeconds');
    expect(await client.code('vault:Unlock', { ...token, TokenSlotId: '0'.repeat(32) })).toBe('SlotNotFoundException');
    expect(await client.code('vault:Unlock', { ...token, ...password })).toBe('ValidationException');
    expect(await client.code('vault:Unlock', { ...password, TokenSlotId: '0'.repeat(32) })).toBe('ValidationException');
  });

  it('is opened by the password while the token is away, and by the token once it is back', async () => {
    renameSync(hsm.folder, `${hsm.folder}.away`);
    mkdirSync(hsm.folder);
    expect(await refusal(client, 'vault:Unlock', token)).toMatchObject({ code: 'KeyUnavailableException', message: expect.stringMatching(/token `opener`.*not there.*another way/) as string });
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    await client.ok('vault:Unlock', password);
    await lock();
    rmSync(hsm.folder, { recursive: true });
    renameSync(`${hsm.folder}.away`, hsm.folder);
    await client.ok('vault:Unlock', token);
  });

  it('opens by nothing else than that key: deleted, or another under its name', async () => {
    await lock();
    const kept = `${hsm.folder}.kept`;
    cpSync(hsm.folder, kept, { recursive: true });
    const id = /;id=([^;]*);/.exec(slotOf(folder).tokenUri ?? '')?.[1]?.replaceAll('%', '').toLowerCase() ?? '';
    tool('--delete-object', '--type', 'secrkey', '--id', id);
    expect(await client.code('vault:Unlock', token)).toBe('KeyUnavailableException');
    tool('--keygen', '--key-type', 'GENERIC:32', '--id', id, '--label', `keystead unlock ${vaultIdOf(folder).toString('hex')}`, '--usage-sign', '--sensitive');
    expect(await refusal(client, 'vault:Unlock', token)).toMatchObject({ code: 'KeyUnavailableException', message: expect.stringContaining('is another than the one') as string });
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    rmSync(hsm.folder, { recursive: true });
    renameSync(kept, hsm.folder);
    await client.ok('vault:Unlock', token);
  });

  it('is opened on the command line, which takes the PIN from a terminal or standard input and from no argument', async () => {
    const run = (input: string, ...args: string[]) => spawnSync(process.execPath, [CLI, '--vault', folder, ...args], { env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') }, input });
    await lock();
    const opened = run(`${PIN}\n`, 'unlock', '--token', '--password-stdin');
    expect([opened.status, opened.stdout.toString('utf8')]).toEqual([0, expect.stringContaining('is unlocked')]);
    const list = run('', 'slot', 'list').stdout.toString('utf8');
    expect(list).toContain(`pkcs11:token=opener;serial=${serial}`);
    const added = run(`${PASSWORD}\n${PIN}\n`, 'slot', 'add', '--type', 'token', '--serial', serial, '--password-stdin');
    expect([added.status, added.stdout.toString('utf8')]).toEqual([0, expect.stringMatching(/ {2}token {5}token /)]);
    const removed = run(`${PIN}\n`, 'slot', 'remove', added.stdout.toString('utf8').slice(0, 32), '--how', 'retired', '--token', '--token-slot-id', Buffer.from(slotOf(folder).slotId).toString('hex'), '--password-stdin');
    expect([removed.status, removed.stderr.toString('utf8')]).toEqual([0, expect.stringContaining('removed as retired')]);
    await lock();
    expect(run('', 'unlock', '--token', '--keychain').status).toBe(2);
  });
});

describe('the module that a locked vault is to load', () => {
  let module = '';
  let mode = '';
  let folder = '';
  let vault: VaultProcess;
  let client: Client;
  beforeAll(async () => {
    module = join(home, 'lib', 'bad.so');
    mode = join(home, 'mode');
    mkdirSync(join(home, 'lib'));
    writeFileSync(mode, '');
    execFileSync('cc', ['-shared', '-fPIC', `-DMODE_FILE="${mode}"`, `-DREAL="${SOFTHSM}"`, SOURCE, '-o', module, '-ldl']);
    ({ folder, vault, client } = await served('module', module));
    await add(client);
    await client.ok('vault:Lock');
  });
  afterAll(async () => {
    await vault.kill();
  });
  const sha256 = (): string => createHash('sha256').update(readFileSync(module)).digest('hex');

  it.each([['token:locked', 'PinLockedException'], ['token:last-try', 'PinLockedException'], ['login:expired', 'IncorrectPinException'], ['sign:crash', 'KMSInternalException'], ['sign:short', 'KMSInternalException'], ['sign:wrong', 'KeyUnavailableException'], ['load:crash', 'ModuleRefusedException']])('may do %s: the vault stays locked and says %s', async (word, code) => {
    writeFileSync(mode, word);
    expect((await refusal(client, 'vault:Unlock', token)).code).toBe(code);
    expect(await client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    if (word === 'token:last-try') expect(await client.ok('vault:Unlock', { ...token, LastTry: true })).toMatchObject({ State: 'unlocked' });
    writeFileSync(mode, '');
    await client.ok('vault:Lock');
  });

  it('is not loaded where others could have put it there, unless its SHA-256 is said', async () => {
    chmodSync(module, 0o666);
    const error = await refusal(client, 'vault:Unlock', token);
    expect(error).toMatchObject({ code: 'ModuleRefusedException', details: { sha256: sha256() }, message: expect.stringContaining('--module-sha256') as string });
    expect(await client.code('vault:Unlock', { ...token, ModuleSha256: '0'.repeat(64) })).toBe('ModuleRefusedException');
    await client.ok('vault:Unlock', { ...token, ModuleSha256: sha256() });
    await client.ok('vault:Lock');
    chmodSync(module, 0o755);
  });

  it('is not loaded once its file is another', async () => {
    const before = readFileSync(module);
    appendFileSync(module, 'x');
    expect(await refusal(client, 'vault:Unlock', token)).toMatchObject({ code: 'ModuleRefusedException', message: expect.stringContaining('was not loaded') as string });
    expect(await client.code('vault:Unlock', { ...token, ModuleSha256: sha256() })).toBe('ModuleRefusedException');
    writeFileSync(module, before);
    await client.ok('vault:Unlock', token);
    await client.ok('vault:Lock');
  });

  it('is none that an edited header names', async () => {
    const [source, library, mark] = [join(home, 'evil.c'), join(home, 'lib', 'evl.so'), join(home, 'loaded')];
    writeFileSync(source, `#include <stdio.h>\n__attribute__((constructor)) static void run(void) { FILE *f = fopen("${mark}", "w"); if (f) fclose(f); }\nint C_GetFunctionList(void **l) { return 5; }\n`);
    execFileSync('cc', ['-shared', '-fPIC', source, '-o', library]);
    chownSync(library, NOBODY, NOBODY);
    const path = join(folder, 'header');
    const before = readFileSync(path);
    const evil = before.toString('latin1').replace(/bad\.so/, 'evl.so').replace(/module-sha256=[0-9a-f]{64}/, `module-sha256=${createHash('sha256').update(readFileSync(library)).digest('hex')}`);
    expect(Buffer.from(evil, 'latin1')).toHaveLength(before.length);
    writeFileSync(path, Buffer.from(evil, 'latin1'));
    expect(await client.code('vault:Unlock', token)).toBe('ModuleRefusedException');
    expect(existsSync(mark)).toBe(false);
    // Were it root's own, it would be loaded, and still open nothing: the URI is part of what the key is derived from.
    writeFileSync(path, Buffer.from(before.toString('latin1').replace('token=opener', 'token=openeR'), 'latin1'));
    expect(await client.code('vault:Unlock', token)).toBe('KeyUnavailableException');
    writeFileSync(path, before);
    await client.ok('vault:Unlock', token);
    await client.ok('vault:Lock');
  });
});

it('survives kill -9 while a slot is being added: one way in more, or as before, and one key at most', async () => {
  for (const delay of [150, 500, 1500]) {
    const { folder, vault, client } = await served('killed', existsSync(join(home, 'v', 'killed')) ? false : SOFTHSM);
    if (!(await client.ok('vault:Status'))['UnlockedAt']) await client.ok('vault:Unlock', password);
    const adding = add(client).catch(() => undefined);
    await sleep(delay);
    await vault.kill();
    await adding;
    const again = await startVault(folder, { home, env: hsm.env, within: 60_000 });
    await again.client.ok('vault:Unlock', password);
    const slots = ((await again.client.ok('vault:ListSlots'))['Slots'] as readonly Json[]).filter(({ Type }) => Type === 'token');
    await again.client.ok('vault:Lock');
    for (const { SlotId } of slots) {
      await again.client.ok('vault:Unlock', { ...token, TokenSlotId: SlotId });
      await again.client.ok('vault:Lock');
    }
    expect(keysLabelled(`keystead unlock ${vaultIdOf(folder).toString('hex')}`).length).toBeLessThanOrEqual(1);
    await again.kill();
  }
  const { folder, vault, client } = await served('killed', false);
  await client.ok('vault:Unlock', password);
  const { Slot } = await add(client);
  await client.ok('vault:Lock');
  await client.ok('vault:Unlock', { ...token, TokenSlotId: (Slot as Json)['SlotId'] });
  expect(keysLabelled(`keystead unlock ${vaultIdOf(folder).toString('hex')}`)).toHaveLength(1);
  await vault.kill();
});
