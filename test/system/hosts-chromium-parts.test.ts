/** The parts of the Chromium host that need no browser. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readBundle } from '../../src/main/hosts/bundle.ts';
import { findBrowser, majorOf } from '../../src/main/hosts/chromium/find.ts';
import { flags, environment } from '../../src/main/hosts/chromium/flags.ts';
import { createBindingReader, receiverCall } from '../../src/main/hosts/chromium/message-bytes.ts';
import { openPipe, type DevToolsEvent } from '../../src/main/hosts/chromium/pipe.ts';
import { policyNotes } from '../../src/main/hosts/chromium/policies.ts';
import { makeProfile, unprivileged } from '../../src/main/hosts/chromium/profile.ts';
import { findElectron } from '../../src/main/hosts/electron/find.ts';

const folder = mkdtempSync(join(tmpdir(), 'keystead-parts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** As a browser may write a string: as it is, or with everything escaped. */
const escaped = (value: string): string => `"${Array.from({ length: value.length }, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
const called = (payload: string, name = '__keystead'): Uint8Array =>
  bytes(`{"method":"Runtime.bindingCalled","params":{"name":${JSON.stringify(name)},"payload":${payload},"executionContextId":3},"sessionId":"S1"}`);

describe('messages as bytes', () => {
  const read = createBindingReader('__keystead');
  const wellFormed = fc.string({ unit: 'grapheme', maxLength: 200 });

  it('reads what JSON.parse reads, however it is escaped', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        for (const payload of [JSON.stringify(value), escaped(value)]) {
          const call = read(called(payload));
          expect(call && { ...call, payload: text(call.payload) }).toEqual({ payload: value, contextId: 3, sessionId: 'S1' });
        }
      }),
    );
  });

  it('writes what JSON.parse reads, and wipes what it was given', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const data = bytes(value);
        const message = receiverCall(7, 'S1', 'R"1', data);
        expect(message.at(-1)).toBe(0);
        expect(JSON.parse(text(message.subarray(0, -1)))).toMatchObject({ id: 7, sessionId: 'S1', params: { objectId: 'R"1', arguments: [{ value }] } });
        expect(data.every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it('is of another opinion about nothing: other messages, half pairs and broken escapes are not read', () => {
    for (const payload of ['"\\ud800"', '"\\udc00x"', '"\\u12"', '"\\x"', '"open']) expect(read(called(payload))).toBeUndefined();
    expect(read(called('"x"', 'another'))).toBeUndefined();
    expect(read(bytes('{"id":1,"result":{}}'))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => void read(noise)));
  });
});

describe('the pipe', () => {
  it('takes messages apart however they come, and answers in step with them', async () => {
    const out = new PassThrough();
    const seen: (string | DevToolsEvent)[] = [];
    const broken = vi.fn();
    const pipe = openPipe({ out, raw: () => false, event: (event) => seen.push(event), broken });
    const answered = pipe.send('Page.navigate', {}, 'S1', () => seen.push('answer'));
    expect(JSON.parse(text(out.read() as Uint8Array).slice(0, -1))).toEqual({ id: 1, method: 'Page.navigate', params: {}, sessionId: 'S1' });
    const stream = bytes('{"method":"A","params":{}}\0{"id":1,"result":{"x":1}}\0{"method":"B","params":{},"sessionId":"S1"}\0');
    for (const byte of stream) pipe.take(Uint8Array.of(byte));
    expect(await answered).toEqual({ x: 1 });
    expect(seen).toEqual([{ method: 'A', params: {} }, 'answer', { method: 'B', params: {}, sessionId: 'S1' }]);
    const refused = pipe.send('X');
    pipe.take(bytes('{"id":2,"error":{"message":"no"}}\0'));
    await expect(refused).rejects.toMatchObject({ code: 'InternalException' });
    pipe.take(bytes('nonsense\0'));
    expect(broken).toHaveBeenCalledOnce();
    const waiting = pipe.send('Y');
    pipe.end();
    await expect(waiting).rejects.toMatchObject({ code: 'InternalException' });
    await expect(pipe.send('Z')).rejects.toMatchObject({ code: 'InternalException' });
  });
});

describe('finding and starting a browser', () => {
  it('knows versions, and no browser where there is none', () => {
    expect(majorOf('Chrome/156.0.8078.79')).toBe(156);
    expect(majorOf('HeadlessChrome/99.1')).toBe(99);
    expect(majorOf(undefined)).toBe(0);
    expect(findBrowser('win32', {})).toBeUndefined();
    expect(findElectron(join(folder, 'no-electron'))).toBeUndefined();
  });

  it('never turns the sandbox off, opens a port, or hands on the session bus', () => {
    for (const headless of [true, false]) {
      const given = flags({ profile: '/p', headless });
      expect(given.filter((flag) => /no-sandbox|remote-debugging-(port|address)|disable-web-security|disable-setuid/.test(flag))).toEqual([]);
      expect(given).toContain('--remote-debugging-pipe');
    }
    expect(environment({ PATH: '/bin', DBUS_SESSION_BUS_ADDRESS: 'unix:x', SECRET: 'x', HOME: '/home/a', DISPLAY: ':0' }, '/h')).toEqual({ PATH: '/bin', HOME: '/h', TMPDIR: '/h', DISPLAY: ':0', XAUTHORITY: '/home/a/.Xauthority' });
  });

  it('makes a private profile in memory, and sweeps those of processes that are gone', () => {
    const left = '/dev/shm/keystead-window-4194303-abcdef';
    mkdirSync(join(left, 'profile'), { recursive: true });
    const { profile, inMemory, remove } = makeProfile(unprivileged());
    expect(inMemory).toBe(true);
    expect(statSync(join(profile, '..')).mode & 0o777).toBe(0o700);
    expect(readdirSync('/dev/shm')).not.toContain('keystead-window-4194303-abcdef');
    remove();
    remove();
    expect(statSync(profile, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('says that a policy installs extensions', () => {
    const policies: readonly (readonly [RegExp, string])[] = [[/chromium/, join(folder, 'managed')]];
    expect(policyNotes('/usr/lib/chromium/chromium', policies)).toEqual([]);
    mkdirSync(join(folder, 'managed'));
    writeFileSync(join(folder, 'managed/a.json'), '{"ExtensionInstallForcelist":["x"]}');
    expect(policyNotes('/usr/lib/chromium/chromium', policies)).toHaveLength(1);
  });
});

describe('the bundle', () => {
  it('is a closed table of files, read once', () => {
    const pages = join(folder, 'pages');
    expect(() => readBundle(pages)).toThrow(/npm run build/);
    mkdirSync(join(pages, 'assets'), { recursive: true });
    writeFileSync(join(pages, 'index.html'), 'page');
    writeFileSync(join(pages, 'assets/a.js'), '1');
    writeFileSync(join(pages, 'secret.key'), 'x');
    const bundle = readBundle(pages);
    expect(bundle.file('/')?.type).toContain('text/html');
    expect(bundle.file('/assets/a.js')?.type).toContain('javascript');
    for (const path of ['/index.html', '/secret.key', '/assets', '/../pages/index.html', '/assets/../assets/a.js', '/__proto__', '']) expect(bundle.file(path)).toBeUndefined();
  });
});
