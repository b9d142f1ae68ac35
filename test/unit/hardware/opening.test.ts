/** Module processes and lock: what began before it starts nothing and hands nothing on after it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CallFailed, type ModuleHost } from '../../../src/main/backends/pkcs11/client.ts';
import type { HardwarePorts } from '../../../src/main/hardware/hardware.ts';
import type { ModuleRecord } from '../../../src/main/hardware/kinds.ts';
import { hardwareOpenings } from '../../../src/main/hardware/opening.ts';
import { instant } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const folder = mkdtempSync(join(tmpdir(), 'keystead-opening-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const TOKEN = { serial: '1', label: 'one' };
const pin = (): SecretBytes => SecretBytes.copy(Buffer.from('123456'));
const module = (name: string): ModuleRecord => {
  const path = join(folder, name);
  writeFileSync(path, name);
  return { path, sha256: createHash('sha256').update(name).digest('hex'), added: instant(0) };
};

type Act = (name: string, path: string) => Promise<unknown> | undefined;

/** `act` may answer a call in its own time; otherwise each module has one token. */
function setUp(act: Act = () => undefined) {
  const log: string[] = [];
  const alive = new Set<string>();
  let changed = 0;
  const startHost: HardwarePorts['startHost'] = (path) => {
    const name = path.slice(folder.length + 1);
    log.push(`start ${name}`);
    alive.add(name);
    let isGone = false;
    let leave: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => { leave = resolve; });
    const host = {
      gone,
      get isGone() { return isGone; },
      async call(call: string) {
        if (isGone) throw new Error('gone');
        log.push(`${call} ${name}`);
        const own = act(call, name);
        const reply = own ? await Promise.race([own, gone.then(() => { throw new Error('gone'); })]) : call === 'tokens' ? { tokens: [{ ...TOKEN, initialized: true, pin: 'ok' }] } : call === 'mechanisms' ? { mechanisms: [] } : {};
        return { reply, parts: [] };
      },
      stop() {
        isGone = true;
        alive.delete(name);
        leave();
        return gone;
      },
    };
    return host as unknown as ModuleHost;
  };
  const openings = hardwareOpenings({ startHost, uid: process.geteuid?.() ?? 0, now: () => instant(0), changed: () => { changed += 1; } });
  return { openings, log, alive, changes: () => changed };
}
const soon = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 20); });

describe('at lock', () => {
  it('a request that waits for one module goes on to no other, and gives no PIN', async () => {
    const { openings, log, alive } = setUp((call, name) => (call === 'tokens' && name === 'a' ? new Promise(() => undefined) : undefined));
    const [a, b] = [module('a'), module('b')];
    const hardware = openings.begin();
    const request = (async () => {
      await hardware.tokens(a).catch(() => undefined);
      await hardware.tokens(b);
      await hardware.login({ module: b, token: TOKEN }, pin());
    })();
    request.catch(() => undefined);
    while (!log.includes('tokens a')) await soon();
    await openings.end();
    await expect(request).rejects.toMatchObject({ code: 'VaultLockedException' });
    expect([log.filter((line) => line.endsWith('b')), [...alive]]).toEqual([[], []]);
  });

  it('a module that is being loaded is killed at once, and one whose file is being read is not started', async () => {
    const { openings, log, alive } = setUp((call) => (call === 'load' ? new Promise(() => undefined) : undefined));
    const hardware = openings.begin();
    const loading = hardware.host(module('a'));
    loading.catch(() => undefined);
    while (!log.includes('load a')) await soon();
    const reading = hardware.host(module('b'));
    reading.catch(() => undefined);
    await openings.end();
    await expect(loading).rejects.toMatchObject({ code: 'VaultLockedException' });
    await expect(reading).rejects.toMatchObject({ code: 'VaultLockedException' });
    await soon();
    expect([log, [...alive]]).toEqual([['start a', 'load a'], []]);
  });

  it('nothing is to be had until the vault is opened, and what began before stays of no use after', async () => {
    const { openings, log, changes } = setUp();
    expect(() => openings.now()).toThrow(expect.objectContaining({ code: 'VaultLockedException' }) as Error);
    const before = openings.begin();
    await openings.end();
    expect(() => openings.now()).toThrow(expect.objectContaining({ code: 'VaultLockedException' }) as Error);
    const after = openings.begin();
    expect([openings.now() === after, openings.current === after]).toEqual([true, true]);
    await expect(before.login({ module: module('a'), token: TOKEN }, pin())).rejects.toMatchObject({ code: 'VaultLockedException' });
    expect(log).toEqual([]);
    await after.login({ module: module('a'), token: TOKEN }, pin());
    expect(await after.logins()).toEqual([{ path: join(folder, 'a'), token: TOKEN }]);
    expect(changes()).toBe(0);
  });

  it('a key store that is being connected is not connected afterwards', async () => {
    let answer: (reply: unknown) => void = () => undefined;
    const { openings, log } = setUp((call) => (call === 'mechanisms' ? new Promise((resolve) => { answer = resolve; }) : undefined));
    const hardware = openings.begin();
    const a = module('a');
    const connecting = hardware.connect({ id: 'cks-00000000000000001', name: 's', module: a.path, ...TOKEN, created: instant(0) }, [{ module: a, token: TOKEN }]);
    connecting.catch(() => undefined);
    while (!log.includes('mechanisms a')) await soon();
    await openings.end();
    answer({ mechanisms: [] });
    await expect(connecting).rejects.toBeInstanceOf(Error);
    expect(hardware.connection('cks-00000000000000001').state).toBe('DISCONNECTED');
  });
});

describe('a module', () => {
  it('that is stopped while it is loaded is killed at once, and another start is not forgotten for its failure', async () => {
    let loads = 0;
    const { openings, log, alive } = setUp((call) => (call === 'load' && (loads += 1) === 1 ? new Promise(() => undefined) : undefined));
    const hardware = openings.begin();
    const a = module('a');
    const first = hardware.host(a);
    first.catch(() => undefined);
    while (!log.includes('load a')) await soon();
    const stopped = hardware.stopModule(a.path);
    const second = await hardware.host(a);
    await stopped;
    await expect(first).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect([(await hardware.host(a)) === second, [...alive], log.filter((line) => line === 'start a').length]).toEqual([true, ['a'], 2]);
  });

  it('that is stopped leaves none of its key stores connected, and has not crashed', async () => {
    const { openings } = setUp();
    const hardware = openings.begin();
    const a = module('a');
    const id = 'cks-00000000000000001';
    await hardware.connect({ id, name: 's', module: a.path, ...TOKEN, created: instant(0) }, [{ module: a, token: TOKEN }]);
    await hardware.stopModule(a.path);
    expect([hardware.connection(id).state, hardware.crashes(a.path)]).toEqual(['FAILED', 0]);
    await openings.end();
  });

  it('that says that one try is left is given no PIN to change either', async () => {
    const { openings, log } = setUp((call) => (call === 'tokens' ? Promise.resolve({ tokens: [{ ...TOKEN, initialized: true, pin: 'last' }] }) : call === 'setPin' ? Promise.reject(new CallFailed({ what: 'internal' })) : undefined));
    const hardware = openings.begin();
    await expect(hardware.setPin({ module: module('a'), token: TOKEN }, [Buffer.from('1'), Buffer.from('2')])).rejects.toMatchObject({ code: 'PinLockedException' });
    expect(log).not.toContain('setPin a');
  });
});

describe('looking for tokens anew', () => {
  it('loads no module anew that is being asked something: it would end what it was asked', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const slow = new Promise((resolve) => { answer = resolve; });
    const { openings, log } = setUp((call) => (call === 'keys' ? slow : undefined));
    const hardware = openings.begin();
    const a = module('a');
    const asking = hardware.ask({ module: a, token: TOKEN }, 'keys', { token: TOKEN });
    await expect.poll(() => log).toContain('keys a');
    await hardware.tokens(a, { fresh: true });
    expect(log.filter((line) => line === 'start a')).toHaveLength(1);
    answer({ keys: [] });
    await asking;
    await hardware.tokens(a, { fresh: true });
    expect(log.filter((line) => line === 'rescan a')).toHaveLength(1);
    expect(log.filter((line) => line === 'start a')).toHaveLength(1);
    expect(hardware.crashes(a.path)).toBe(0);
    await openings.end();
  });

  it('goes on while a token that is logged in is being asked something: that is in a process of its own', async () => {
    let answer: (value: unknown) => void = () => undefined;
    const { openings, log } = setUp((call) => (call === 'keys' ? new Promise((resolve) => { answer = resolve; }) : undefined));
    const hardware = openings.begin();
    const place = { module: module('a'), token: TOKEN };
    await hardware.login(place, pin());
    const asking = hardware.ask(place, 'keys', { token: TOKEN });
    await expect.poll(() => log).toContain('keys a');
    await hardware.tokens(place.module, { fresh: true });
    expect(log.filter((line) => line === 'rescan a')).toHaveLength(1);
    answer({ keys: [] });
    await asking;
    await openings.end();
  });
});
