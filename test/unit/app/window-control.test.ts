/** The window's desk over a desktop of the test's making: what is in the clipboard, and for how long. */
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigFile } from '../../../src/main/app/config.ts';
import { createWindowDesk, type WindowDesk } from '../../../src/main/app/window-control.ts';
import { changeConfig, readConfig } from '../../../src/shared/model/config.ts';
import { instant, requestId } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const never = new AbortController().signal;

function memoryConfig(): ConfigFile {
  let text = '{}';
  return {
    read: () => Promise.resolve(readConfig(text)),
    change(next) {
      text = changeConfig(text, next(readConfig(text)));
      return Promise.resolve(readConfig(text));
    },
  };
}

describe('the clipboard', () => {
  let held: string | undefined;
  let ours: string | undefined;
  let writing: Promise<void>;
  let open: boolean;
  let timers: Map<number, { readonly ms: number; readonly fire: () => void }>;
  let desk: WindowDesk;
  beforeEach(() => {
    [held, ours, writing, open, timers] = [undefined, undefined, Promise.resolve(), true, new Map()];
    let last = 0;
    desk = createWindowDesk({
      config: memoryConfig(),
      clock: { now: () => instant(1_000_000) },
      after(ms, fire) {
        const id = ++last;
        timers.set(id, { ms, fire });
        return () => void timers.delete(id);
      },
      isOpen: () => open,
      dispatch: () => Promise.reject(new Error('nobody asks')),
      newRequestId: () => requestId('00000000-0000-4000-8000-000000000001'),
    });
    desk.attach({
      name: 'chromium',
      origin: 'https://vault.invalid',
      clipboard: {
        async write(text) {
          const value = new TextDecoder().decode(text);
          text.fill(0);
          await writing;
          held = ours = value;
        },
        clear() {
          const same = ours !== undefined && held === ours;
          if (same) held = undefined;
          ours = undefined;
          return Promise.resolve(same);
        },
      },
    });
  });

  it('holds a value for the time of the settings, and is emptied then', async () => {
    expect(await desk.copy(bytes('value'))).toBe(1_030_000);
    expect([held, [...timers.values()].map(({ ms }) => ms)]).toEqual(['value', [30_000]]);
    [...timers.values()][0]?.fire();
    await expect.poll(() => held).toBeUndefined();
    expect(timers.size).toBe(0);
  });

  it('starts the time anew with each value, and keeps none with 0 seconds', async () => {
    await desk.copy(bytes('one'));
    await desk.change({ clipboardSeconds: 60 });
    expect(await desk.copy(bytes('two'))).toBe(1_060_000);
    expect([...timers.values()].map(({ ms }) => ms)).toEqual([60_000]);
    await desk.change({ clipboardSeconds: 0 });
    expect(await desk.copy(bytes('three'))).toBeUndefined();
    expect([held, timers.size]).toEqual(['three', 0]);
    expect(await desk.clear()).toBe(true);
  });

  it('is emptied by a lock that comes while a value is still being written', async () => {
    let written: () => void = () => undefined;
    writing = new Promise((resolve) => (written = resolve));
    const copying = desk.copy(bytes('value'));
    const cleared = desk.clear();
    written();
    await copying;
    expect(await cleared).toBe(true);
    expect([held, timers.size]).toEqual([undefined, 0]);
  });

  it('takes no value that comes after the lock', async () => {
    open = false;
    const value = bytes('value');
    await expect(desk.copy(value)).rejects.toMatchObject({ code: 'VaultLockedException' });
    expect([held, value.every((byte) => byte === 0)]).toEqual([undefined, true]);
  });

  it('is left alone where something else was put there', async () => {
    await desk.copy(bytes('value'));
    held = 'of another program';
    expect(await desk.clear()).toBe(false);
    expect(held).toBe('of another program');
  });
});

describe('notices', () => {
  it('are shown where the settings want it, there is something to show them, and the person looks elsewhere', async () => {
    const desk = createWindowDesk({ config: memoryConfig(), clock: { now: () => instant(0) }, after: () => () => undefined, isOpen: () => true, dispatch: () => Promise.reject(new Error()), newRequestId: () => requestId('00000000-0000-4000-8000-000000000001') });
    const notice = { title: 'A key was rotated', body: 'The trail says which.', isUrgent: false };
    const shown: unknown[] = [];
    let focused = false;
    await desk.tell(notice);
    desk.attach({ name: 'electron', origin: 'keystead://app' });
    await desk.tell(notice);
    expect(await desk.notifies()).toBe(false);
    desk.attach({ name: 'electron', origin: 'keystead://app', isFocused: () => focused, notifications: { isThere: () => Promise.resolve(true), show: (given) => Promise.resolve(void shown.push(given)) } });
    expect(await desk.notifies()).toBe(true);
    await desk.tell(notice);
    focused = true;
    await desk.tell(notice);
    focused = false;
    await desk.change({ notifications: false });
    await desk.tell(notice);
    expect(shown).toEqual([notice]);
  });
});

describe('files', () => {
  let home: string;
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'keystead-desk-'))));
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const deskWith = (choose: () => Promise<string | undefined>): WindowDesk => {
    const desk = createWindowDesk({ config: memoryConfig(), clock: { now: () => instant(0) }, after: () => () => undefined, isOpen: () => true, dispatch: () => Promise.reject(new Error()), newRequestId: () => requestId('00000000-0000-4000-8000-000000000001') });
    desk.attach({ name: 'electron', origin: 'keystead://app', dialogs: { pickFile: choose, saveFile: choose } });
    return desk;
  };
  const save = (desk: WindowDesk, text: string, isPrivate = false, signal = never): Promise<string | undefined> => desk.save({ suggestedName: 'x', content: SecretBytes.take(bytes(text)), isPrivate }, signal);

  it('gives path, name and size of what was chosen; nothing when it was cancelled; an error for what is no file', async () => {
    const path = join(home, 'a file');
    writeFileSync(path, 'four');
    expect(await deskWith(() => Promise.resolve(path)).pick(never)).toEqual({ path, name: 'a file', size: 4 });
    expect(await deskWith(() => Promise.resolve(undefined)).pick(never)).toBeUndefined();
    await expect(deskWith(() => Promise.resolve(home)).pick(never)).rejects.toMatchObject({ code: 'FileNotReadableException' });
    await expect(deskWith(() => Promise.resolve(join(home, 'gone'))).pick(never)).rejects.toMatchObject({ code: 'FileNotReadableException' });
  });

  it('writes whole, for everybody to read or for this user alone; not through a link, not over a folder', async () => {
    const path = join(home, 'out');
    expect(await save(deskWith(() => Promise.resolve(path)), 'public')).toBe(path);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777 & ~process.umask()]).toEqual(['public', 0o644 & ~process.umask()]);
    await save(deskWith(() => Promise.resolve(path)), 'private', true);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['private', 0o600]);
    symlinkSync(path, join(home, 'link'));
    await expect(save(deskWith(() => Promise.resolve(join(home, 'link'))), 'x')).rejects.toMatchObject({ code: 'StorageException' });
    await expect(save(deskWith(() => Promise.resolve(home)), 'x')).rejects.toMatchObject({ code: 'StorageException' });
    expect(readFileSync(path, 'utf8')).toBe('private');
  });

  it('writes nothing when it was cancelled, or nobody waits for it any more', async () => {
    expect(await save(deskWith(() => Promise.resolve(undefined)), 'x')).toBeUndefined();
    const gone = new AbortController();
    const path = join(home, 'out');
    const saving = save(deskWith(() => {
      gone.abort();
      return Promise.resolve(path);
    }), 'x', false, gone.signal);
    await expect(saving).rejects.toThrow();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('shows one dialog at a time', async () => {
    let choose: (path: undefined) => void = () => undefined;
    const desk = deskWith(() => new Promise((resolve) => (choose = resolve)));
    const first = desk.pick(never);
    await expect(desk.pick(never)).rejects.toMatchObject({ code: 'ThrottlingException' });
    await expect(save(desk, 'x')).rejects.toMatchObject({ code: 'ThrottlingException' });
    choose(undefined);
    expect(await first).toBeUndefined();
    const again = desk.pick(never);
    choose(undefined);
    expect(await again).toBeUndefined();
  });

  it('says what is missing where the desktop has nothing', async () => {
    const desk = deskWith(() => Promise.resolve(undefined));
    desk.attach({ name: 'chromium', origin: 'https://vault.invalid' });
    expect([desk.host, desk.copies, desk.picks]).toEqual(['chromium', false, false]);
    for (const act of [() => desk.pick(never), () => save(desk, 'x'), () => desk.copy(bytes('x'))]) await expect(act()).rejects.toMatchObject({ code: 'UnsupportedOperationException' });
    expect(await desk.clear()).toBe(false);
  });
});
