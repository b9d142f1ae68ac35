/** The Electron host, as far as a fake can show it; docs/verification.md says what only a real Electron can. */
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ElectronApi } from '../../src/main/hosts/electron/api.ts';
import { clipboardOf } from '../../src/main/hosts/electron/clipboard.ts';
import { startDesktop } from '../../src/main/hosts/electron/desktop.ts';
import { createUtilityHost } from '../../src/main/hosts/electron/processes.ts';
import { conformance } from '../hosts/conformance.ts';
import { openElectron, type ElectronSubject } from '../hosts/electron-subject.ts';
import { FakeElectron, preventable, strict } from '../hosts/fake-electron.ts';

conformance('electron', openElectron);

describe('the Electron host', () => {
  let subject: ElectronSubject;
  beforeEach(async () => {
    subject = await openElectron();
  });
  afterEach(() => subject.end());

  it('opens a sandboxed window with context isolation and without Node, developer tools or webviews', () => {
    expect(subject.electron.windowOptions['webPreferences']).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      devTools: false,
      navigateOnDragDrop: false,
    });
  });

  it('has a session in memory, behind a proxy where nobody listens, and lets only its own files be asked for', async () => {
    const { electron } = subject;
    expect(electron.calls.find(([name]) => name === 'fromPartition')).toEqual(['fromPartition', expect.not.stringMatching(/^persist:/), { cache: false }]);
    expect(electron.calls.find(([name]) => name === 'setProxy')?.[1]).toMatchObject({ proxyRules: 'http://0.0.0.0:1', proxyBypassRules: '<-loopback>' });
    expect(['https://example.com/', 'http://127.0.0.1/', 'ws://127.0.0.1/', 'file:///etc/passwd', 'keystead://other/', 'keystead://app.example/'].filter((url) => electron.goesOut(url))).toEqual([]);
    expect(electron.goesOut('keystead://app/page.js')).toBe(true);
    expect((await electron.fetch('keystead://app/page.js')).headers.get('content-type')).toContain('text/javascript');
    for (const path of ['../package.json', 'page.js.txt', 'page.js?x', 'index.html', '%2e%2e/page.js']) expect((await electron.fetch(`keystead://app/${path}`)).status, path).toBe(404);
    expect((await electron.fetch('keystead://app/', 'POST')).status).toBe(404);
  });

  it('gives the page the clipboard to write to, in its main frame only, and nothing else', () => {
    const { electron } = subject;
    expect(electron.permission('clipboard-sanitized-write')).toBe('granted');
    expect(electron.permission('clipboard-sanitized-write', 'keystead://app/', false)).toBe('denied');
    expect(electron.permission('clipboard-sanitized-write', 'https://example.com/')).toBe('denied');
    for (const permission of ['display-capture', 'openExternal', 'fileSystem', 'hid', 'unknown']) expect(electron.permission(permission)).toBe('denied');
  });

  it('refuses downloads, redirects, webviews and navigation in frames', () => {
    const { electron } = subject;
    const download = preventable();
    electron.downloads.emit('will-download', download);
    expect(download.defaultPrevented).toBe(true);
    for (const name of ['will-redirect', 'will-attach-webview', 'will-frame-navigate']) {
      const event = preventable();
      electron.contents.emit(name, event);
      expect(event.defaultPrevented, name).toBe(true);
    }
  });

  it('shows notifications, and itself when one is clicked; it knows whether the person has it before them', async () => {
    const { electron, host } = subject;
    expect(await host.notifications.isThere()).toBe(true);
    await host.notifications.show({ title: 'A rotation failed', body: 'The key stays as it was.', isUrgent: true });
    await host.notifications.show({ title: 'A key was rotated', body: 'The trail says which.', isUrgent: false });
    expect(electron.notifications.map(({ options }) => options)).toEqual([
      { title: 'A rotation failed', body: 'The key stays as it was.', urgency: 'critical' },
      { title: 'A key was rotated', body: 'The trail says which.', urgency: 'normal' },
    ]);
    const before = electron.calls.length;
    electron.notifications[0]?.events.emit('click');
    expect(electron.calls.slice(before).map(([name]) => name)).toEqual(['restore', 'show', 'focus']);
    electron.notifications[1]?.events.emit('close');
    expect(host.isFocused()).toBe(false);
    electron.focused = true;
    expect(host.isFocused()).toBe(true);
  });

  it('keeps the window out of recordings when it is told to', () => {
    subject.host.protect(true);
    subject.host.protect(false);
    expect(subject.electron.calls.filter(([name]) => name === 'setContentProtection')).toEqual([['setContentProtection', true], ['setContentProtection', false]]);
  });

  it('gives the path that a person chose, and nothing when it was cancelled', async () => {
    const { signal } = new AbortController();
    subject.electron.chosen = '/home/someone/file';
    expect(await subject.host.dialogs.pickFile(signal)).toBe('/home/someone/file');
    expect(await subject.host.dialogs.saveFile('file', signal)).toBe('/home/someone/file');
    subject.electron.chosen = undefined;
    expect(await subject.host.dialogs.pickFile(signal)).toBeUndefined();
    expect(await subject.host.dialogs.saveFile('file', signal)).toBeUndefined();
  });

  it('clears the clipboard only while it holds what was put there', async () => {
    const { electron } = subject;
    const value = new TextEncoder().encode('a value');
    await subject.host.clipboard.write(value);
    expect(value.every((byte) => byte === 0)).toBe(true);
    expect(electron.clipboardText).toBe('a value');
    electron.clipboard = new Map([['text/plain', 'something else']]);
    expect(await subject.host.clipboard.clear()).toBe(false);
    expect(electron.clipboardText).toBe('something else');
    await subject.host.clipboard.write(new TextEncoder().encode('a value'));
    expect(await subject.host.clipboard.clear()).toBe(true);
    expect(electron.clipboard.size).toBe(0);
    expect(await subject.host.clipboard.clear()).toBe(false);
  });

  it.each([
    ['linux', { 'x-kde-passwordManagerHint': 'secret' }],
    ['darwin', { 'org.nspasteboard.ConcealedType': '1' }],
    ['win32', { ExcludeClipboardContentFromMonitorProcessing: '1', CanIncludeInClipboardHistory: '\0\0\0\0', CanUploadToCloudClipboard: '\0\0\0\0' }],
  ])('marks what it copies for the histories of %s, and copies nothing where that is not taken', async (platform, marks) => {
    const { electron } = subject;
    const clipboard = clipboardOf(electron.api, platform);
    await clipboard.write(new TextEncoder().encode('a value'));
    expect(Object.fromEntries(electron.clipboard)).toEqual({ 'text/plain': 'a value', ...Object.fromEntries(Object.entries(marks).map(([format, payload]) => [`electron application/osclipboard;format="${format}"`, payload])) });
    electron.takesFormats = false;
    await expect(clipboard.write(new TextEncoder().encode('another'))).rejects.toMatchObject({ code: 'InternalException' });
    expect(electron.clipboardText).toBe('a value');
    // What was copied before is still ours to take back.
    electron.takesFormats = true;
    expect(await clipboard.clear()).toBe(true);
  });

  it('says so when the clipboard takes nothing, and claims nothing afterwards', async () => {
    const { electron } = subject;
    electron.clipboard = new Map([['text/plain', 'mine']]);
    electron.takesText = false;
    await expect(subject.host.clipboard.write(new TextEncoder().encode('mine'))).rejects.toMatchObject({ code: 'InternalException' });
    expect(await subject.host.clipboard.clear()).toBe(false);
    expect(electron.clipboardText).toBe('mine');
  });
});

describe('the desktop around it', () => {
  it('locks on suspend, screen lock and by its menu, shows itself to a second instance, and quits by closing the vault', () => {
    const electron = new FakeElectron();
    const [show, lock, left, quit] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
    startDesktop({ electron: electron.api, host: { show }, lock, left, quit });
    electron.power.emit('suspend');
    electron.power.emit('lock-screen');
    expect(left.mock.calls).toEqual([['suspend'], ['screen-lock']]);
    electron.appEvents.emit('second-instance');
    expect(show).toHaveBeenCalledOnce();
    const event = preventable();
    electron.appEvents.emit('before-quit', event);
    expect(event.defaultPrevented).toBe(true);
    expect(quit).toHaveBeenCalledOnce();
    expect(electron.appEvents.listenerCount('window-all-closed')).toBe(1);
    const items = (electron.menu as { submenu: { label?: string; role?: string; click?: () => void }[] }[]).flatMap(({ submenu }) => submenu);
    items.find(({ label }) => label === 'Lock')?.click?.();
    expect(lock).toHaveBeenCalledOnce();
    expect(items.map(({ role }) => role).filter((role) => role === 'reload' || role === 'forceReload' || role === 'toggleDevTools')).toEqual([]);
  });
});

describe('a child as a utility process', () => {
  const forked = () => {
    const events = new EventEmitter();
    const posted: Uint8Array[] = [];
    const killed: number[] = [];
    const child = Object.assign(events, { pid: 77, postMessage: (frame: Uint8Array) => void posted.push(structuredClone(frame)), kill: () => true });
    const fork = vi.fn((..._given: unknown[]) => child);
    const host = createUtilityHost({ electron: { utilityProcess: strict<ElectronApi['utilityProcess']>('utilityProcess', { fork }) }, entries: { sealer: '/s.mjs', keychain: '/k.mjs', cipher: '/c.mjs', pkcs11: '', importer: '', egress: '/e.mjs' }, kill: (pid) => void killed.push(pid) });
    return { host, events, posted, killed, fork };
  };

  it('carries frames both ways, and wipes what was sent', () => {
    const { host, events, posted, fork } = forked();
    const child = host.spawn('sealer');
    expect(fork.mock.calls[0]?.[0]).toBe('/s.mjs');
    expect(Object.keys((fork.mock.calls[0]?.[2] as { env: object }).env)).not.toContain('DBUS_SESSION_BUS_ADDRESS');
    const frame = Uint8Array.of(1, 2, 3);
    child.send(frame);
    expect(posted).toEqual([Uint8Array.of(1, 2, 3)]);
    expect(frame).toEqual(new Uint8Array(3));
    const got: Uint8Array[] = [];
    events.emit('message', Uint8Array.of(4));
    events.emit('message', 'not bytes');
    child.onFrame((one) => got.push(one));
    events.emit('message', Uint8Array.of(5));
    expect(got).toEqual([Uint8Array.of(4), Uint8Array.of(5)]);
  });

  it('is killed without being asked, and takes nothing more', async () => {
    const { host, events, killed } = forked();
    const child = host.spawn('sealer');
    child.kill();
    expect(killed).toEqual([77]);
    expect(() => child.send(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'SealerStoppedException' }));
    events.emit('exit', 9);
    expect(await child.exited).toEqual({ code: 9, signal: null });
  });
});
