/** One process goes from vault to vault: what it locks, what it lets go of, and what it does where the other cannot be served. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openConfigFile } from '../../src/main/app/config.ts';
import { knownVaults, rememberWhenOpen } from '../../src/main/app/known-vaults.ts';
import { startServing, type Served, type Serving } from '../../src/main/app/serving.ts';
import { acquireVaultLock } from '../../src/main/platform/lock.ts';
import { systemClock } from '../../src/main/platform/clock.ts';
import { configFile } from '../../src/shared/model/paths.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { until } from './support/processes.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const unlock = { Password: base64(PASSWORD) };
let home: string;
let serving: Serving;
let served: Map<string, LocalProgram>;
let moved: string[];
let first: string;
let second: string;

const now = (): LocalProgram => served.get(serving.now.folder) as LocalProgram;
const inPage = async (operation: string, input: Json = {}): Promise<string> => {
  const { door } = serving.now.program;
  const result = await door.dispatch({ id: door.newRequestId(), door: 'ipc', evidence: { door: 'ipc', frame: { isMainFrame: true, origin: 'https://vault.invalid', windowId: 1 } }, operation, input: new TextEncoder().encode(JSON.stringify(input)), signal: new AbortController().signal });
  return result.ok ? 'ok' : result.error.code;
};
const stateOf = async (local: LocalProgram): Promise<unknown> => (await local.ok('vault:Status'))['State'];
const isFree = (folder: string): boolean => {
  try {
    acquireVaultLock(folder, systemClock).release();
    return true;
  } catch {
    return false;
  }
};

beforeEach(async () => {
  home = temporaryFolder();
  [first, second] = [join(home, 'first'), join(home, 'second')];
  for (const folder of [first, second]) await makeVault(folder);
  const surroundings = { platform: process.platform, env: {}, home, tmp: home, uid: process.geteuid?.() ?? 0 };
  const config = openConfigFile(configFile(surroundings));
  served = new Map();
  moved = [];
  const serve = async (folder: string): Promise<Served> => {
    const local = await startLocal(folder, {}, knownVaults({ surroundings, config, folder, moveTo: (other) => serving.moveTo(other) }));
    served.set(folder, local);
    rememberWhenOpen(local.program, config, folder);
    return { folder, program: local.program, closeDoor: () => Promise.resolve(void moved.push(`closed ${folder}`)) };
  };
  serving = await startServing(first, serve, 1000);
  serving.onMoved(() => Promise.resolve(void moved.push(`moved to ${serving.now.folder}`)));
});
afterEach(async () => {
  await serving.close(0, []);
  remove(home);
});

describe('going to another vault', () => {
  it('locks the one before, closes its doors first, and lets go of its folder', async () => {
    const before = now();
    await before.ok('vault:Unlock', unlock);
    expect(await inPage('vault:SwitchVault', { Folder: second })).toBe('ok');
    expect(serving.now.folder).toBe(second);
    expect(await stateOf(now())).toBe('locked');
    await until(() => isFree(first), 'the one before is let go');
    expect(moved).toEqual([`closed ${first}`, `moved to ${second}`]);
    expect(isFree(second)).toBe(false);
    expect(before.program.vault.open).toBeUndefined();
    // And back, to the same content.
    expect(await inPage('vault:SwitchVault', { Folder: `${first}/../first/` })).toBe('ok');
    await now().ok('vault:Unlock', unlock);
    const { Events } = await now().ok('trail:LookupEvents', { Limit: 50 });
    expect((Events as { Operation: string }[]).some(({ Operation }) => Operation === 'vault:SwitchVault')).toBe(true);
    expect(await now().ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
  });

  it('stays, open as it was, where the other cannot be served', async () => {
    await now().ok('vault:Unlock', unlock);
    const held = acquireVaultLock(second, systemClock);
    expect(await inPage('vault:SwitchVault', { Folder: second })).toBe('VaultInUseException');
    held.release();
    writeFileSync(join(home, 'file'), '');
    mkdirSync(join(home, 'empty'));
    for (const Folder of [join(home, 'empty'), join(home, 'nothing'), join(home, 'file'), join(home, 'file', 'below')]) expect(await inPage('vault:SwitchVault', { Folder })).toBe('VaultNotFoundException');
    for (const Folder of ['second', '../second', '', `${second}\0`]) expect(await inPage('vault:SwitchVault', { Folder })).toBe('ValidationException');
    writeFileSync(join(second, 'header'), 'no header');
    expect(await inPage('vault:SwitchVault', { Folder: second })).toBe('HeaderRefusedException');
    expect(isFree(second)).toBe(true);
    expect(moved).toEqual([]);
    expect(serving.now.folder).toBe(first);
    await now().ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
  });

  it('to the one that is shown changes nothing', async () => {
    await now().ok('vault:Unlock', unlock);
    expect(await inPage('vault:SwitchVault', { Folder: first })).toBe('ok');
    expect([await stateOf(now()), moved]).toEqual(['unlocked', []]);
  });

  it('is done once when it is asked for twice at a time, and is over before the process ends', async () => {
    const answers = await Promise.all([inPage('vault:SwitchVault', { Folder: second }), inPage('vault:SwitchVault', { Folder: second })]);
    expect(answers).toEqual(['ok', 'VaultInUseException']);
    await serving.close(0, []);
    expect([isFree(first), isFree(second)]).toEqual([true, true]);
    expect(await codeOf(serving.moveTo(first))).toBe('VaultInUseException');
  });

  it('goes where a new one can be made, and writes nothing there before that', async () => {
    expect(await inPage('vault:NewVault', { FolderName: '../evil' })).toBe('ValidationException');
    expect(await inPage('vault:NewVault', { FolderName: 'third' })).toBe('ok');
    const { folder } = serving.now;
    expect(folder.startsWith(home) && folder.endsWith('/third')).toBe(true);
    expect(await stateOf(now())).toBe('absent');
    // Away again without having made it.
    expect(await inPage('vault:SwitchVault', { Folder: second })).toBe('ok');
    expect(() => readFileSync(folder)).toThrow('ENOENT');
    expect(await inPage('vault:NewVault', { FolderName: 'third' })).toBe('ok');
    await now().ok('vault:Create', { ...unlock, Factors: 'password', RecoveryCode: false });
    expect(await inPage('vault:SwitchVault', { Folder: second })).toBe('ok');
    expect(await inPage('vault:NewVault', { FolderName: 'third' })).toBe('VaultExistsException');
  });

  it('is for the window: the command line has `--vault`', async () => {
    expect(await now().call('vault:SwitchVault', { Folder: second })).toMatchObject({ ok: false, error: { code: 'AccessDeniedException' } });
  });
});

describe('the list', () => {
  const listed = async (): Promise<Json[]> => (await now().ok('vault:ListVaults'))['Vaults'] as Json[];

  it('has what was opened, and what is shown; what is forgotten stays on the disk', async () => {
    expect(await listed()).toEqual([{ Folder: first, Current: true, Found: true }]);
    await now().ok('vault:Unlock', unlock);
    await inPage('vault:SwitchVault', { Folder: second });
    await now().ok('vault:Unlock', unlock);
    await until(async () => (await listed()).length === 2, 'both are known');
    expect(await listed()).toEqual([{ Folder: second, Current: true, Found: true }, { Folder: first, Current: false, Found: true }]);
    expect(await inPage('vault:ForgetVault', { Folder: second })).toBe('VaultInUseException');
    expect(await inPage('vault:ForgetVault', { Folder: first })).toBe('ok');
    expect(await inPage('vault:ForgetVault', { Folder: first })).toBe('VaultNotFoundException');
    expect(await listed()).toHaveLength(1);
    expect(await inPage('vault:SwitchVault', { Folder: first })).toBe('ok');
  });

  it('says where a vault is no more', async () => {
    await now().ok('vault:Unlock', unlock);
    await inPage('vault:SwitchVault', { Folder: second });
    await until(() => isFree(first), 'the first is let go');
    await until(async () => (await listed()).length === 2, 'both are known');
    remove(first);
    expect(await listed()).toContainEqual({ Folder: first, Current: false, Found: false });
  });
});
