import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ensurePrivateFolder, readBounded, refuseSharedFolder, storageError, sweepTemporary, writeFileAtomic } from '../../../src/main/platform/files.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { bundle } from './bundle.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-files-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function failure(promise: Promise<unknown>): Promise<VaultError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof VaultError)) throw new Error(`expected a VaultError, got ${String(error)}`);
  return error;
}

describe('writeFileAtomic', () => {
  it('creates a private file and replaces it whole', async () => {
    const path = join(folder, 'header');
    await writeFileAtomic(path, bytes('one'));
    await writeFileAtomic(path, bytes('two, longer'));
    expect(await readFile(path, 'utf8')).toBe('two, longer');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['header']);
  });

  it('takes the mode that it is given', async () => {
    const path = join(folder, 'public');
    await writeFileAtomic(path, bytes('x'), { mode: 0o644 });
    expect((await stat(path)).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('replaces a link and leaves its target alone', async () => {
    await writeFile(join(folder, 'target'), 'theirs');
    await symlink('target', join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), bytes('mine'));
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('theirs');
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('mine');
  });

  it('cleans up when the rename fails', async () => {
    await mkdir(join(folder, 'taken'));
    const error = await failure(writeFileAtomic(join(folder, 'taken'), bytes('x')));
    expect(error.code).toBe('StorageException');
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('says what to do when the folder is missing', async () => {
    const error = await failure(writeFileAtomic(join(folder, 'no', 'file'), bytes('x')));
    expect(error.toBody()).toMatchObject({ code: 'StorageException', details: { errno: 'ENOENT' } });
    expect(error.message).toContain('create it or name another');
  });

  it('keeps the old content on a full disk, and cleans up', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      const path = join(folder, 'header');
      await writeFileAtomic(path, bytes('old'));
      const error = await failure(writeFileAtomic(path, new Uint8Array(1 << 20)));
      expect(error.code).toBe('StorageFullException');
      expect(error.message).toContain('free some space');
      expect(await readFile(path, 'utf8')).toBe('old');
      expect(await readdir(folder)).toEqual(['header']);
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      expect((await failure(writeFileAtomic(path, bytes('new')))).message).toContain('read-only');
      expect(await readFile(path, 'utf8')).toBe('old');
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('survives kill -9 at any moment with one whole content', async () => {
    const path = join(folder, 'state');
    await writeFile(path, 'a'.repeat(5000));
    const script = await bundle(
      'atomic-writer',
      `import { writeFileAtomic } from './src/main/platform/files.ts';
       for (let i = 0; ; i++) await writeFileAtomic(process.argv[2] ?? '', new TextEncoder().encode((i % 2 ? 'a' : 'b').repeat(5000)));`,
    );
    for (let round = 0; round < 5; round++) {
      spawnSync(process.execPath, [script, path], { timeout: 150 + round * 13, killSignal: 'SIGKILL' });
      expect(await readFile(path, 'utf8')).toMatch(/^(?:a{5000}|b{5000})$/);
      await sweepTemporary(folder);
      expect(await readdir(folder)).toEqual(['state']);
    }
  });
});

describe('readBounded', () => {
  it('reads a whole file into memory of its own', async () => {
    await writeFile(join(folder, 'f'), 'hello');
    const read = await readBounded(join(folder, 'f'), 5);
    expect(read && new TextDecoder().decode(read)).toBe('hello');
    expect(read?.buffer.byteLength).toBe(5);
  });

  it('is undefined for what is not there', async () => {
    expect(await readBounded(join(folder, 'f'), 5)).toBeUndefined();
  });

  it('refuses a larger file, a folder, a device and a pipe without hanging', async () => {
    await writeFile(join(folder, 'f'), 'hello!');
    expect((await failure(readBounded(join(folder, 'f'), 5))).message).toContain('larger than 5 bytes');
    expect((await failure(readBounded(folder, 5))).message).toContain('is not a regular file');
    if (process.platform === 'win32') return;
    expect((await failure(readBounded('/dev/zero', 5))).message).toContain('is not a regular file');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await failure(readBounded(join(folder, 'pipe'), 5))).message).toContain('is not a regular file');
  });
});

describe('ensurePrivateFolder', () => {
  it('creates it with its parents, for this user only', async () => {
    await ensurePrivateFolder(join(folder, 'a', 'b'));
    await ensurePrivateFolder(join(folder, 'a', 'b'));
    expect((await stat(join(folder, 'a', 'b'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700);
  });

  it('refuses a link, a file and an open folder, and says how to mend it', async () => {
    await mkdir(join(folder, 'real'), { mode: 0o700 });
    await symlink('real', join(folder, 'link'));
    await writeFile(join(folder, 'file'), '');
    await mkdir(join(folder, 'open'));
    await chmod(join(folder, 'open'), 0o755);
    expect((await failure(ensurePrivateFolder(join(folder, 'link')))).message).toContain('symbolic link');
    expect((await failure(ensurePrivateFolder(join(folder, 'file')))).message).toContain('is not a folder');
    expect((await failure(ensurePrivateFolder(join(folder, 'file', 'x')))).message).toContain('is not a folder');
    expect((await failure(ensurePrivateFolder(join(folder, 'open')))).message).toContain(`chmod 700 ${join(folder, 'open')}`);
  });

  it('refuses a folder of somebody else', async () => {
    await mkdir(join(folder, 'theirs'), { mode: 0o700 });
    await chown(join(folder, 'theirs'), 65534, 65534);
    expect((await failure(ensurePrivateFolder(join(folder, 'theirs')))).message).toContain('belongs to user 65534');
  });
});

describe('refuseSharedFolder', () => {
  it('refuses a folder that others may write in, and says how to mend it', async () => {
    const path = join(folder, 'shared');
    await mkdir(path);
    for (const mode of [0o720, 0o702, 0o777, 0o1777]) {
      await chmod(path, mode);
      expect((await failure(refuseSharedFolder(path))).message).toContain(`chmod 700 ${path}`);
    }
    for (const mode of [0o700, 0o755]) {
      await chmod(path, mode);
      await refuseSharedFolder(path);
    }
  });

  it('refuses a folder of somebody else', async () => {
    await mkdir(join(folder, 'theirs'), { mode: 0o700 });
    await chown(join(folder, 'theirs'), 65534, 65534);
    expect((await failure(refuseSharedFolder(join(folder, 'theirs')))).message).toContain('belongs to user 65534');
  });
});

describe('storageError', () => {
  const system = (code: string): Error => Object.assign(new Error('x'), { code });
  it.each(['ENOSPC', 'EDQUOT'])('maps %s to StorageFullException', (code) => {
    expect(storageError('write', '/x', system(code)).code).toBe('StorageFullException');
  });
  it.each(['EACCES', 'EROFS', 'EIO', 'EWHATEVER'])('maps %s to StorageException with a next step', (code) => {
    const error = storageError('write', '/x', system(code));
    expect(error.code).toBe('StorageException');
    expect(error.message).toMatch(/^cannot write `\/x`: .+, .+[^.]$/);
  });
});
