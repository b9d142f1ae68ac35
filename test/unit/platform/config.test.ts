import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { EMPTY_CONFIG, forget, readConfig, remember, writeConfig } from '../../../src/main/platform/config.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('config.json', () => {
  it('is empty where there is none, and comes back as it was written, privately', async () => {
    const nested = join(folder, 'keystead');
    expect(await readConfig(nested)).toEqual(EMPTY_CONFIG);
    const config = remember(remember(EMPTY_CONFIG, { name: 'a', path: '/v/a' }), { name: 'bä', path: '/v/b' });
    await writeConfig(nested, config);
    expect(await readConfig(nested)).toEqual({ format: 1, vaults: [{ name: 'a', path: '/v/a' }, { name: 'bä', path: '/v/b' }], last: '/v/b', theme: 'system' });
    expect((await stat(join(nested, 'config.json'))).mode & 0o777).toBe(0o600);
  });

  it('remembers and forgets', () => {
    const two = remember(remember(EMPTY_CONFIG, { name: 'a', path: '/v/a' }), { name: 'b', path: '/v/b' });
    expect(remember(two, { name: 'a2', path: '/v/a' })).toMatchObject({ vaults: [{ name: 'b' }, { name: 'a2' }], last: '/v/a' });
    expect(forget(two, '/v/a')).toMatchObject({ vaults: [{ name: 'b' }], last: '/v/b' });
    expect(forget(two, '/v/b')).toEqual({ format: 1, vaults: [{ name: 'a', path: '/v/a' }], theme: 'system' });
  });

  it.each([
    ['not JSON', '{', 'is not JSON'],
    ['an unknown field', '{"format":1,"vaults":[],"theme":"dark","password":"x"}', 'at `'],
    ['a newer format', '{"format":2,"vaults":[],"theme":"dark"}', 'at `format`'],
    ['a relative path', '{"format":1,"vaults":[{"name":"a","path":"a"}],"theme":"dark"}', 'at `vaults.0.path`'],
    ['a last one that is not known', '{"format":1,"vaults":[],"last":"/x","theme":"dark"}', 'at `last`'],
    ['a list', '[]', 'at `(top)`'],
    ['bad UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'is not JSON'],
    ['5 MB', 'x'.repeat(5_000_000), 'is larger than'],
  ])('%s is an error that names the place, and stays as it is', async (_what, content, message) => {
    await writeFile(join(folder, 'config.json'), content);
    const error: unknown = await readConfig(folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VaultError);
    expect((error as VaultError).message).toContain(message);
    expect((error as VaultError).message).not.toContain('password');
    expect((await readFile(join(folder, 'config.json'))).equals(Buffer.from(content))).toBe(true);
  });
});
