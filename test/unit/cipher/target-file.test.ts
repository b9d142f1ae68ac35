/** The file that is written, on file systems that can make one without a name and on others. */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTarget } from '../../../src/main/cipher/target-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keystead-target-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const order = (): { target: string; temporary: string } => ({ target: join(folder, 'whole'), temporary: join(folder, '.whole.0123456789abcdef.tmp') });

describe.each([
  { how: 'without a name', withoutName: undefined, meanwhile: [] as string[] },
  { how: 'with a name of its own', withoutName: () => Promise.resolve(undefined), meanwhile: ['.whole.0123456789abcdef.tmp'] },
])('a file $how', ({ withoutName, meanwhile }) => {
  it('has its target’s name once it is whole, for its owner alone', async () => {
    const file = await openTarget(order(), withoutName);
    await file.handle.write('half');
    expect(readdirSync(folder)).toEqual(meanwhile);
    await file.handle.write(' and half');
    await file.name();
    await file.handle.close();
    expect(readdirSync(folder)).toEqual(['whole']);
    expect([readFileSync(join(folder, 'whole'), 'utf8'), lstatSync(join(folder, 'whole')).mode & 0o777]).toEqual(['half and half', 0o600]);
  });

  it('takes no name that is taken, at once or meanwhile', async () => {
    symlinkSync('/nowhere', join(folder, 'whole'));
    await expect(openTarget(order(), withoutName)).rejects.toMatchObject({ where: 'target', code: 'EEXIST' });
    rmSync(join(folder, 'whole'));
    const file = await openTarget(order(), withoutName);
    writeFileSync(join(folder, 'whole'), 'somebody else’s');
    await expect(file.name()).rejects.toMatchObject({ where: 'target', code: 'EEXIST' });
    await file.handle.close();
    expect(readFileSync(join(folder, 'whole'), 'utf8')).toBe('somebody else’s');
  });

  it('says what keeps it from being written', async () => {
    const nowhere = { target: join(folder, 'no', 'whole'), temporary: join(folder, 'no', '.whole.tmp') };
    await expect(openTarget(nowhere, withoutName)).rejects.toMatchObject({ where: 'target', code: 'ENOENT' });
  });
});
