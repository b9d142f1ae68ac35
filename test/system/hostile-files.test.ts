/**
 * The vault's files damaged, swapped and replaced by other things while it is stopped: a named error each, in time, and nothing
 * written over what is there. Most of it in this process; the start's own words and exit codes from the built program.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { exitCodeOf, isErrorCode } from '../../src/shared/model/errors.ts';
import { base64, type Json } from './support/client.ts';
import { chance } from './support/chance.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { remove, startVault, StartFailed, temporaryFolder } from './support/served-vault.ts';

const unlock = { Password: base64(PASSWORD) };
const home = temporaryFolder();
const good = join(home, 'good');
const other = join(home, 'other');
const keys: string[] = [];
let copies = 0;

async function fill(folder: string): Promise<string[]> {
  await makeVault(folder);
  const vault = await startLocal(folder);
  const made: string[] = [];
  await vault.ok('vault:Unlock', unlock);
  for (let n = 0; n < 4; n += 1) {
    const { KeyMetadata: key } = await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256', Description: `key ${String(n)}` });
    made.push(String((key as Json)['KeyId']));
    await vault.ok('kms:CreateAlias', { AliasName: `alias/${String(n)}`, TargetKeyId: made[n] });
  }
  await vault.close();
  return made;
}

beforeAll(async () => {
  keys.push(...(await fill(good)));
  await fill(other);
});
afterAll(() => remove(home));

type Damage = (path: string, name: string) => void;
const size = (path: string): number => statSync(path).size;
const cut = (share: number): Damage => (path) => truncateSync(path, Math.floor(size(path) * share));
const flip = (share: number): Damage => (path) => {
  const bytes = readFileSync(path);
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
};
const HUGE = 100 * 1024 * 1024;

const DAMAGES: Readonly<Record<string, Damage>> = {
  'removed': (path) => rmSync(path),
  'empty': (path) => truncateSync(path, 0),
  'cut to one byte': (path) => truncateSync(path, 1),
  'cut in half': cut(0.5),
  'cut by one byte': (path) => truncateSync(path, size(path) - 1),
  'longer by one byte': (path) => appendFileSync(path, Buffer.alloc(1)),
  '100 MB of nothing': (path) => {
    truncateSync(path, 0);
    truncateSync(path, HUGE);
  },
  '100 MB of nothing after it': (path) => truncateSync(path, HUGE),
  'of another vault': (path, name) => cpSync(join(other, name), path),
  'a folder': (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  'a link to itself elsewhere': (path, name) => {
    rmSync(path);
    symlinkSync(join(good, name), path);
  },
  'a link to nothing': (path) => {
    rmSync(path);
    symlinkSync(join(home, 'nothing'), path);
  },
  'a named pipe': (path) => {
    rmSync(path);
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
  },
};

const bits = chance(20_240_229);
const FLIPS = Array.from({ length: 24 }, (_, at) => (at < 2 ? at : bits.fraction()));

const FILES = ['header', 'vault.db', 'trail/00000001.seg', 'trail/trail.key'] as const;

/** What it is now: bytes by their hash, everything else by its kind. */
function stateOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 'nothing';
  if (!stat.isFile()) return stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'folder' : 'pipe';
  return `${String(stat.size)} ${stat.size > 1_000_000 ? '' : createHash('sha256').update(readFileSync(path)).digest('hex')}`;
}

function damaged(name: string, damage: Damage): string {
  copies += 1;
  const folder = join(home, `copy-${String(copies)}`);
  cpSync(good, folder, { recursive: true });
  damage(join(folder, name), name);
  return folder;
}

/** Start, unlock, read and use everything, stop: the code of the first thing that fails, `readOnly`, or `opens`. */
const livingWith = async (folder: string): Promise<string> => (await liveWith(folder)).verdict;

/** `wrote`: it was open for writing, whatever came then. */
async function liveWith(folder: string): Promise<{ readonly verdict: string; readonly wrote: boolean }> {
  let vault: LocalProgram | undefined;
  let readOnly: boolean | undefined;
  const code = await codeOf(
    (async () => {
      vault = await startLocal(folder);
      readOnly = (await vault.ok('vault:Unlock', unlock))['State'] === 'readOnly';
      await vault.ok('kms:ListKeys');
      await vault.ok('kms:ListAliases');
      for (const KeyId of keys) {
        await vault.ok('kms:DescribeKey', { KeyId });
        if (!readOnly) await vault.ok('kms:GenerateMac', { KeyId, MacAlgorithm: 'HMAC_SHA_256', Message: base64('m') });
      }
      if (!readOnly) await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' });
    })(),
  );
  // Whatever state it is in, it locks.
  if (vault) expect(await codeOf(vault.ok('vault:Lock'))).toBe('ok');
  await vault?.close();
  return { verdict: code !== 'ok' ? code : readOnly ? 'readOnly' : 'opens', wrote: readOnly === false };
}

/** By file: every answer that is right for some damage. `opens` stands only where `OPENS` says so. */
const NAMED: Readonly<Record<(typeof FILES)[number], readonly string[]>> = {
  header: ['VaultNotFoundException', 'HeaderRefusedException', 'StorageException', 'VaultTamperedException', 'VaultTooNewException', 'TrailBrokenException', 'IncorrectPasswordException', 'readOnly'],
  'vault.db': ['VaultNotFoundException', 'VaultTamperedException', 'VaultTooNewException', 'StorageException', 'readOnly'],
  'trail/00000001.seg': ['TrailBrokenException', 'readOnly'],
  'trail/trail.key': ['TrailBrokenException', 'TrailUnavailableException', 'readOnly'],
};

/** Bytes after the last record are the rest of a write that was cut off: they are taken away, and that is recorded. */
const OPENS: ReadonlySet<string> = new Set(['trail/00000001.seg longer by one byte', 'trail/00000001.seg 100 MB of nothing after it']);
/** SQLite knows the length of its file and ignores what follows; the last page is an empty table's, which ends in nothing. */
const MAY_OPEN: ReadonlySet<string> = new Set(['vault.db cut by one byte', 'vault.db longer by one byte', 'vault.db 100 MB of nothing after it']);

describe.each(FILES)('%s', (name) => {
  it.each(Object.keys(DAMAGES))('%s', { timeout: 20_000 }, async (what) => {
    const folder = damaged(name, DAMAGES[what] as Damage);
    const before = FILES.map((file) => stateOf(join(folder, file)));
    const outside = stateOf(join(good, name));
    const verdict = await livingWith(folder);
    const label = `${name} ${what}`;
    if (OPENS.has(label)) expect(verdict).toBe('opens');
    else if (!MAY_OPEN.has(label) || verdict !== 'opens') expect(NAMED[name]).toContain(verdict);
    if (verdict !== 'opens') {
      const after = FILES.map((file) => stateOf(join(folder, file)));
      for (const [at, file] of FILES.entries()) if (!file.startsWith('trail/') || file === name) expectKept(file, before[at], after[at], verdict);
    }
    expect(stateOf(join(good, name))).toBe(outside);
    remove(folder);
  });

  it.each(FLIPS)('one bit flipped at %f', { timeout: 20_000 }, async (share) => {
    const folder = damaged(name, flip(share));
    const before = stateOf(join(folder, name));
    const { verdict, wrote } = await liveWith(folder);
    // Some bits of a database mean nothing: then everything in it has just been read and used.
    if (name !== 'vault.db' || verdict !== 'opens') expect(NAMED[name]).toContain(verdict);
    if (!wrote && !name.startsWith('trail/')) expect(stateOf(join(folder, name))).toBe(before);
    // The body of a record is judged when it is opened: the vault goes on around it, and it is neither mended nor dropped.
    if (wrote && verdict !== 'opens') expect(await livingWith(folder)).toBe(verdict);
    remove(folder);
  });
});

/** A trail that can be written goes on being written, whatever else is wrong: it is what records the attempt. */
function expectKept(file: string, before: string | undefined, after: string | undefined, verdict: string): void {
  if (file.startsWith('trail/') && verdict === 'readOnly') return;
  expect(`${file} ${String(after)}`).toBe(`${file} ${String(before)}`);
}

describe('files that hold nothing of worth', () => {
  it.each([
    ['attempts', 'a folder', /^(opens|UnlockDelayedException)$/],
    ['attempts', 'a named pipe', /^(opens|UnlockDelayedException)$/],
    ['lock.db', 'a folder', /^StorageException$/],
    ['lock.db', 'a named pipe', /^StorageException$/],
    ['lock.db', 'a link to itself elsewhere', /^StorageException$/],
    ['lock.db', '100 MB of nothing', /^StorageException$/],
    ['lock.db', 'removed', /^opens$/],
    ['lock.db', 'empty', /^opens$/],
    ['trail/reserve', 'a folder', /^TrailUnavailableException$/],
    ['trail/reserve', 'a named pipe', /^TrailUnavailableException$/],
    ['trail/reserve', 'removed', /^opens$/],
    ['trail/reserve', 'empty', /^opens$/],
    ['trail/reserve', '100 MB of nothing after it', /^opens$/],
    ['vault.db-wal', 'a folder', /^StorageException$/],
    ['vault.db-wal', 'a named pipe', /^StorageException$/],
    ['vault.db-wal', 'a link to itself elsewhere', /^StorageException$/],
    ['vault.db-shm', 'a named pipe', /^StorageException$/],
    ['vault.db-wal', '100 MB of nothing', /^(opens|VaultTamperedException)$/],
    ['vault.db-wal', 'of another vault', /^(opens|readOnly|VaultTamperedException)$/],
  ] as const)('%s: %s', { timeout: 20_000 }, async (name, what, expected) => {
    const folder = damaged(name, (path) => {
      if (!statSync(path, { throwIfNoEntry: false })) writeFileSync(path, '');
      if (what === 'of another vault') cpSync(join(other, 'vault.db'), path);
      else (DAMAGES[what] as Damage)(path, name);
    });
    const outside = stateOf(join(good, name));
    expect(await livingWith(folder)).toMatch(expected);
    expect(stateOf(join(good, name))).toBe(outside);
    remove(folder);
  });

  it('a later segment that does not follow is refused at the start, and kept', async () => {
    const folder = damaged('trail/00000002.seg', (path) => cpSync(join(other, 'trail/00000001.seg'), path));
    const before = stateOf(join(folder, 'trail/00000002.seg'));
    expect(await livingWith(folder)).toBe('TrailBrokenException');
    expect(stateOf(join(folder, 'trail/00000002.seg'))).toBe(before);
  });
});

describe('the built program', () => {
  it.each([
    ['header', 'empty', 'HeaderRefusedException'],
    ['header', 'a named pipe', 'StorageException'],
    ['header', '100 MB of nothing', 'StorageException'],
    ['lock.db', 'a folder', 'StorageException'],
  ] as const)('says at its start of %s (%s): %s', async (name, what, code) => {
    const folder = damaged(name, DAMAGES[what] as Damage);
    const failed: unknown = await startVault(folder, { home: join(home, 'run') }).catch((error: unknown) => error);
    if (!(failed instanceof StartFailed)) throw new Error('the vault started');
    expect(failed.ended.stderr.trimEnd().split('\n').at(-1)).toMatch(/^keystead: [^\n]+[^.] \(\w+\)$/);
    expect(failed.errorCode).toBe(code);
    expect(isErrorCode(code) && failed.ended.code === exitCodeOf(code)).toBe(true);
  });

  it.each([
    ['header', 'of another vault'],
    ['trail/00000001.seg', 'cut in half'],
    ['trail/00000001.seg', 'a named pipe'],
    ['trail/trail.key', 'cut by one byte'],
    ['trail/trail.key', 'removed'],
  ] as const)('says of %s (%s) that the trail is broken; it goes on, for the owner to look', async (name, what) => {
    const folder = damaged(name, DAMAGES[what] as Damage);
    const vault = await startVault(folder, { home: join(home, 'run') });
    expect(await vault.client.ok('vault:Status')).toMatchObject({ State: 'trailBroken', Problem: expect.any(String) as string });
    expect(await vault.client.code('vault:Unlock', unlock)).toBe('TrailBrokenException');
    expect(vault.sealer()).toBeUndefined();
    await vault.stop();
  });

  it.each([
    ['vault.db', 'empty', ['VaultTamperedException']],
    ['vault.db', 'a named pipe', ['StorageException']],
    ['vault.db', 'of another vault', ['VaultTamperedException']],
    ['vault.db', 'removed', ['VaultNotFoundException']],
  ] as const)('says at unlock of %s (%s): %s; it goes on, locked', async (name, what, codes) => {
    const folder = damaged(name, DAMAGES[what] as Damage);
    const vault = await startVault(folder, { home: join(home, 'run') });
    expect(codes).toContain(await vault.client.code('vault:Unlock', unlock));
    expect(await vault.client.ok('vault:Status')).toMatchObject({ State: 'locked' });
    expect(vault.sealer()).toBeUndefined();
    await vault.stop();
  });
});
