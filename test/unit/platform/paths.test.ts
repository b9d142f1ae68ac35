import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { foldersOf, parseVaultName, socketPath, vaultFolder, type Surroundings } from '../../../src/main/platform/paths.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

const linux: Surroundings = { platform: 'linux', env: {}, home: '/home/ada', temporary: '/tmp', uid: 1000 };

describe('folders', () => {
  it('are those of the XDG specification', () => {
    expect(foldersOf(linux)).toEqual({
      vaults: '/home/ada/.local/share/keystead/vaults',
      config: '/home/ada/.config/keystead',
      state: '/home/ada/.local/state/keystead',
      runtime: '/tmp/keystead-1000',
    });
    const env = { XDG_DATA_HOME: '/d', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/run/user/1000' };
    expect(foldersOf({ ...linux, env })).toEqual({ vaults: '/d/keystead/vaults', config: '/c/keystead', state: '/s/keystead', runtime: '/run/user/1000/keystead' });
  });

  it('ignore relative and empty XDG paths', () => {
    const env = { XDG_DATA_HOME: 'd', XDG_CONFIG_HOME: '', XDG_STATE_HOME: './s', XDG_RUNTIME_DIR: '../run' };
    expect(foldersOf({ ...linux, env })).toEqual(foldersOf(linux));
  });

  it('are the own ones of macOS and Windows', () => {
    expect(foldersOf({ ...linux, platform: 'darwin', home: '/Users/ada' })).toMatchObject({
      vaults: '/Users/ada/Library/Application Support/Keystead/vaults',
      state: '/Users/ada/Library/Logs/Keystead',
    });
    const windows = foldersOf({ platform: 'win32', env: { APPDATA: 'D:\\R' }, home: 'C:\\Users\\ada', temporary: 'C:\\T', uid: -1 });
    expect(windows).toEqual({ vaults: 'C:\\Users\\ada\\AppData\\Local\\Keystead\\vaults', config: 'D:\\R\\Keystead', state: 'C:\\Users\\ada\\AppData\\Local\\Keystead\\state', runtime: '' });
    expect(vaultFolder(windows, 'x')).toBe('C:\\Users\\ada\\AppData\\Local\\Keystead\\vaults\\x');
  });
});

describe('the socket', () => {
  const id = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
  it('is named by the first 16 hex digits of the vault id', () => {
    expect(socketPath({ runtime: '/run/user/1000/keystead' }, id)).toBe('/run/user/1000/keystead/0011223344556677.sock');
    expect(socketPath({ runtime: '' }, id)).toBe('\\\\.\\pipe\\keystead-0011223344556677');
  });
  it('may have 100 bytes and no more', () => {
    const folder = (bytes: number): string => `/${'x'.repeat(bytes - 1)}`;
    expect(socketPath({ runtime: folder(100 - 22) }, id)).toHaveLength(100);
    expect(() => socketPath({ runtime: folder(101 - 22) }, id)).toThrow(/101 bytes, over the limit of 100: set XDG_RUNTIME_DIR/);
    expect(() => socketPath({ runtime: `/${'ä'.repeat(40)}` }, id)).toThrow(VaultError);
  });
});

describe('names of vaults', () => {
  it.each(['default', 'Täglich', '金庫', 'Ma cave à clés', 'a.b', 'x'.repeat(64), '🔑 keys', 'contract'])('%s is one', (name) => {
    expect(parseVaultName(name)).toBe(name.normalize('NFC'));
  });
  it('is normalised to NFC, so that one name is one folder', () => {
    expect(parseVaultName('Ta\u0308glich')).toBe('T\u00e4glich');
    expect(vaultFolder(foldersOf(linux), 'a\u0301')).toBe('/home/ada/.local/share/keystead/vaults/\u00e1');
  });
  it.each([
    ['', 'empty'],
    ['x'.repeat(65), 'more than 64 characters'],
    ['🔑'.repeat(64), 'more than 255 bytes'],
    ['.hidden', 'starts with a dot'],
    ['..', 'starts with a dot'],
    ['a/b', 'path separator'],
    ['a\\b', 'path separator'],
    ['a\0b', 'invisible'],
    ['a\nb', 'invisible'],
    ['a\u202eb', 'invisible'],
    ['a\u200bb', 'invisible'],
    ['a:b', 'one of'],
    [' a', 'space'],
    ['a ', 'space'],
    ['a.', 'ends with a dot'],
    ['NUL', 'Windows'],
    ['com1.txt', 'Windows'],
    ['\ud800', 'not valid Unicode'],
  ])('%j is none', (name, why) => {
    expect(() => parseVaultName(name)).toThrow(why);
  });
  it('never leave the folder of vaults, and messages show nothing invisible', () => {
    const vaults = foldersOf(linux).vaults;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        try {
          const folder = vaultFolder(foldersOf(linux), text);
          expect(folder.startsWith(`${vaults}/`) && !folder.slice(vaults.length + 1).includes('/')).toBe(true);
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          expect(error.message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
