/** `dist/main/window.mjs` as a process: the vault, its window in the installed Chromium, and the command line's socket beside it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { internetSockets } from '../hosts/sockets.ts';
import { connectTo, type Client } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { argumentsOf, descendantsOf, until } from './support/processes.ts';
import { startXServer } from './support/x-server.ts';
import { childrenOf, isAlive, remove, socketOf, temporaryFolder } from './support/served-vault.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PATIENCE = 20_000;

/** Unlocks as soon as it is shown: whether the vault is open says from outside which page has run. */
const UNLOCKS = `
const answer = await keystead.invoke('vault:Status', {});
document.title = answer.ok ? answer.output.State : 'failed';
await keystead.invoke('vault:Unlock', { Password: btoa(${JSON.stringify(PASSWORD)}) });
`;
const HTML = '<!doctype html><html lang="en"><title>x</title><script type="module" src="/page.js"></script></html>';

describe('the window', () => {
  let home: string;
  let place: string;
  let child: ChildProcess;
  let client: Client;
  let output = '';
  const pid = (): number => child.pid ?? 0;
  const renderers = (): readonly number[] => descendantsOf(pid()).filter((at) => argumentsOf(at).includes('--type=renderer'));
  const browser = (): number | undefined => childrenOf(pid()).find((at) => argumentsOf(at).includes('--remote-debugging-pipe'));
  const state = async (): Promise<unknown> => (await client.ok('vault:Status'))['State'];
  const profiles = (): readonly string[] => readdirSync('/dev/shm').filter((name) => name.startsWith(`keystead-window-${String(pid())}-`));

  beforeEach(async () => {
    home = temporaryFolder();
    // Below the checkout, for the native modules; with a page of the test's in the renderer's place.
    mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true });
    place = mkdtempSync(join(ROOT, 'node_modules/.cache/window-'));
    cpSync(join(ROOT, 'dist/main'), join(place, 'dist/main'), { recursive: true });
    mkdirSync(join(place, 'dist/renderer'));
    writeFileSync(join(place, 'dist/renderer/index.html'), HTML);
    writeFileSync(join(place, 'dist/renderer/page.js'), UNLOCKS);
    const folder = join(home, 'vault');
    await makeVault(folder);
    for (const name of ['run', 'state']) mkdirSync(join(home, name), { mode: 0o700 });
    output = '';
    child = spawn(process.execPath, [join(place, 'dist/main/window.mjs'), '--vault', folder, '--headless'], {
      env: { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', XDG_RUNTIME_DIR: join(home, 'run'), XDG_STATE_HOME: join(home, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    await until(async () => ((client = await connectTo(socketOf(folder, home)).catch(() => undefined as never)) as Client | undefined) !== undefined, `it answers; it said: ${output}`, PATIENCE);
    await until(async () => (await state()) === 'unlocked', 'the page has unlocked', PATIENCE);
  });
  afterEach(async () => {
    client.close();
    const running = [pid(), ...descendantsOf(pid())].filter(isAlive);
    for (const each of running) {
      try {
        process.kill(each, 'SIGKILL');
      } catch {
        // It went with the one before.
      }
    }
    await until(() => running.every((each) => !isAlive(each)), 'all are gone');
    rmSync(place, { recursive: true, force: true });
    remove(home);
  });

  it('says where it is shown, unlocks over the window’s door, and listens on nothing but its own socket', () => {
    expect(output).toContain('window in Chromium');
    expect(internetSockets(pid()).filter(({ listening, protocol }) => listening || protocol.startsWith('udp'))).toEqual([]);
  });

  it('ends the page’s process at a lock, also one from the command line, and shows a fresh page', async () => {
    const before = renderers();
    expect(before).toHaveLength(1);
    await client.ok('vault:Lock');
    await until(() => before.every((each) => !isAlive(each)), 'the process that had the page is gone');
    await until(async () => (await state()) === 'unlocked', 'the fresh page has unlocked', PATIENCE);
    expect(renderers()).toHaveLength(1);
  });

  it('stops when the window is closed, and leaves nothing', async () => {
    expect(profiles()).toHaveLength(1);
    const all = descendantsOf(pid());
    process.kill(browser() ?? 0, 'SIGTERM');
    await until(() => [pid(), ...all].every((each) => !isAlive(each)), 'everything is gone', PATIENCE);
    // The process is gone before its parent has been told.
    await until(() => child.exitCode !== null || child.signalCode !== null, 'its end is reported', PATIENCE);
    expect(child.exitCode).toBe(0);
    expect(profiles()).toEqual([]);
  });

  it('stops on a signal, and leaves nothing', async () => {
    const all = descendantsOf(pid());
    child.kill('SIGTERM');
    await until(() => [pid(), ...all].every((each) => !isAlive(each)), 'everything is gone', PATIENCE);
    // The process is gone before its parent has been told.
    await until(() => child.exitCode !== null || child.signalCode !== null, 'its end is reported', PATIENCE);
    expect(child.exitCode).toBe(0);
    expect(profiles()).toEqual([]);
  });

  it('takes the browser along when it is killed', async () => {
    const all = descendantsOf(pid());
    child.kill('SIGKILL');
    await until(() => all.every((each) => !isAlive(each)), 'the browser is gone', PATIENCE);
  });

  it('runs the browser without rights', () => {
    const status = (id: number, field: string): string => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(statusOf(id))?.[1] ?? '';
    for (const each of descendantsOf(browser() ?? 0)) expect(status(each, 'Uid')).not.toMatch(/\b0\b/);
    expect(argumentsOf(browser() ?? 0)).not.toContain('--no-sandbox');
    // Seccomp mode 2: a filter is on.
    for (const each of renderers()) expect(status(each, 'Seccomp')).toBe('2');
  });
});

const statusOf = (pid: number): string => readFileSync(`/proc/${String(pid)}/status`, 'utf8');

describe('the window on a display', () => {
  const home = temporaryFolder();
  afterAll(() => {
    remove(home);
  });
  /** What it says, from the start until it is there or has ended; it is gone then. */
  const said = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const child = spawn(process.execPath, [join(ROOT, 'dist/main/window.mjs'), '--vault', join(home, 'vault')], { env: { ...env, HOME: home, XDG_RUNTIME_DIR: home, XDG_STATE_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
    const ended = new Promise((done) => child.once('close', done));
    await until(() => text.includes('\n') || child.exitCode !== null, 'it says how it went', PATIENCE);
    child.kill('SIGTERM');
    await ended;
    return text;
  };

  it('is shown where the display wants the person’s cookie, though the browser runs as another user', async () => {
    const server = await startXServer(home);
    expect(await said(server.env)).toContain('window in Chromium');
    await server.end();
  });

  it('says that it cannot reach a display', async () => {
    expect(await said({ PATH: process.env['PATH'] ?? '', DISPLAY: ':977' })).toContain('it cannot reach the display');
  });
});
