import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createNew } from '../../../src/cli/files.ts';
import { reachOrLaunch } from '../../../src/cli/launch.ts';
import type { World } from '../../../src/cli/world.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keystead-launch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Its server says on its last line what `script` writes, and ends. */
const worldWith = (env: Readonly<Record<string, string>>, script: string): World => {
  const nothing = { isTTY: false, columns: 80, write: () => Promise.resolve() };
  return {
    surroundings: { platform: 'linux', env: { XDG_RUNTIME_DIR: folder, ...env }, home: folder, tmp: folder, uid: process.geteuid?.() ?? 0 },
    cwd: folder,
    version: '0',
    monotonic: () => performance.now(),
    randomBelow: () => 0,
    stdin: { isTTY: false, chunks: () => (async function* () {})(), raw: () => () => undefined, release: () => undefined },
    stdout: nothing,
    stderr: nothing,
    onInterrupt: () => () => undefined,
    server: { program: process.execPath, args: ['-e', script, '--'] },
  };
};

const place = () => ({ folder: join(folder, 'vault'), socket: join(folder, 'keystead', 'a.sock') });
const said = (world: World): Promise<string> => reachOrLaunch(world, place()).then(() => 'reached', (error: unknown) => (error instanceof Error ? error.message : ''));
const NAMES = "process.stderr.write(`keystead: ${Object.keys(process.env).sort().join(' ')} (StorageException)\\n`); process.exit(70)";

describe('starting the process of the vault', () => {
  it('gives it nothing of the shell that could run code in it or open a port, nor its tokens', async () => {
    const hostile = { NODE_OPTIONS: '--inspect=0', NODE_PATH: folder, LD_PRELOAD: '', AWS_SECRET_ACCESS_KEY: 'needle', GITHUB_TOKEN: 'needle' };
    expect(await said(worldWith({ HOME: folder, PATH: '/usr/bin:/bin', ...hostile }, NAMES))).toBe('HOME PATH XDG_RUNTIME_DIR');
  });

  it('leaves no file behind in the folder of the sockets', async () => {
    await said(worldWith({}, NAMES));
    expect(readdirSync(join(folder, 'keystead'))).toEqual([]);
  });

  it('starts nothing where the folder of the sockets is open to others', async () => {
    mkdirSync(join(folder, 'keystead'));
    expect(await said(worldWith({}, NAMES))).toMatch(/not yours alone/);
    expect(readdirSync(join(folder, 'keystead'))).toEqual([]);
  });
});

describe('a new file', () => {
  it('is removed when what it was for has failed, but not once it holds what is shown only once', async () => {
    const world = worldWith({}, '');
    const [failed, written] = [await createNew(world, 'failed', true), await createNew(world, 'written', true)];
    await failed.abandon();
    await written.write(Uint8Array.of(1));
    await written.abandon();
    expect(readdirSync(folder)).toEqual(['written']);
  });
});
