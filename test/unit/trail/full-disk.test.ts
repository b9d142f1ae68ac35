import { execFileSync } from 'node:child_process';
import { closeSync, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { VaultError } from '../../../src/shared/model/errors.ts';
import { RESERVE_LENGTH } from '../../../src/main/trail/reserve.ts';
import { checkFiles, create, reopen, temporaryFolder, text } from './support.ts';

/** Takes every byte that is left. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (const size of [65_536, 4096, 1]) for (;;) writeSync(fd, Buffer.alloc(size, 1));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(fd);
  }
}

const codeOf = (error: unknown): string => (error instanceof VaultError ? error.code : String(error));

// A real file system that is full. It needs root to be mounted; where that is not to be had the test fails and says so.
it('on a full file system usual records are refused, lock is recorded, and the trail verifies and opens again', async () => {
  using folder = temporaryFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', folder.path]);
  try {
    const log = await create(folder.path);
    await log.append(text('before'));
    fill(join(folder.path, 'filler'));
    // A page of the segment may have room for a few more.
    let usual = 1;
    const outcome = (reserve: boolean): Promise<string> => log.append(text('x'.repeat(3000)), { reserve }).then(() => 'ok', codeOf);
    while ((await outcome(false)) === 'ok') usual += 1;
    expect(usual).toBeLessThan(20);
    expect(await outcome(false)).toBe('StorageFullException');
    expect(checkFiles(folder.path, log)).toMatchObject({ broken: undefined, checked: usual });

    expect(await outcome(true)).toBe('ok');
    expect(await outcome(false)).toBe('StorageFullException');
    let locked = 1;
    while ((await outcome(true)) === 'ok') locked += 1;
    expect(locked).toBeGreaterThan(50);
    expect(checkFiles(folder.path, log)).toMatchObject({ broken: undefined, checked: usual + locked });
    await log.close();

    const full = await reopen(folder.path);
    expect(full.recovery).toEqual({ fastForwarded: 0, tornBytes: 0 });
    await expect(full.append(text('usual'))).rejects.toMatchObject({ code: 'StorageFullException' });
    unlinkSync(join(folder.path, 'filler'));
    await full.append(text('room again'));
    expect(statSync(join(folder.path, 'trail', 'reserve')).size).toBe(RESERVE_LENGTH);
    await full.close();
    expect(checkFiles(folder.path, full)).toMatchObject({ broken: undefined, checked: usual + locked + 1 });
  } finally {
    execFileSync('umount', [folder.path]);
  }
});
