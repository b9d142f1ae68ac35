/** The X11 clipboard against a real server (Xvfb) and another client (xclip). */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAuthority } from '../../src/main/hosts/chromium/x11/authority.ts';
import { xClipboard } from '../../src/main/hosts/chromium/x11/clipboard.ts';
import { connectX, displayNumber } from '../../src/main/hosts/chromium/x11/connection.ts';
import type { Clipboard } from '../../src/main/hosts/port.ts';
import { bundle } from '../unit/platform/bundle.ts';
import { temporaryFolder } from './support/served-vault.ts';
import { copyElsewhere, paste, startXServer, type XServer } from './support/x-server.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const VALUE = 'pässwört\twith 漢字 and 😀';

describe('the X11 clipboard', () => {
  let home: string;
  let server: XServer;
  let clipboard: Clipboard;
  beforeEach(async () => {
    home = temporaryFolder();
    server = await startXServer(home);
    clipboard = xClipboard(server.env)!;
  });
  afterEach(async () => {
    await clipboard.clear();
    await server.end();
    rmSync(home, { recursive: true, force: true });
  });

  it('gives the value to whoever pastes, as often as they like, and wipes what it was given', async () => {
    const value = bytes(VALUE);
    await clipboard.write(value);
    expect(value.every((byte) => byte === 0)).toBe(true);
    for (const target of [undefined, 'UTF8_STRING', 'text/plain;charset=utf-8', 'STRING', 'TEXT']) expect(await paste(server, target)).toBe(VALUE);
  });

  it('marks it for histories of the desktop, and offers nothing else', async () => {
    await clipboard.write(bytes(VALUE));
    expect(await paste(server, 'x-kde-passwordManagerHint')).toBe('secret');
    expect((await paste(server, 'TARGETS'))?.trim().split('\n')).toEqual(['TARGETS', 'UTF8_STRING', 'text/plain;charset=utf-8', 'text/plain', 'STRING', 'TEXT', 'x-kde-passwordManagerHint']);
    expect(await paste(server, 'image/png')).toBeUndefined();
  });

  it('carries the longest value that there is', async () => {
    const value = randomBytes(65_536).toString('hex');
    await clipboard.write(bytes(value));
    expect((await paste(server)) === value).toBe(true);
  });

  it('is empty once it is cleared', async () => {
    await clipboard.write(bytes(VALUE));
    expect(await clipboard.clear()).toBe(true);
    expect(await paste(server)).toBeUndefined();
    expect(await clipboard.clear()).toBe(false);
  });

  it('holds the later of two values, and clears that', async () => {
    await clipboard.write(bytes('first'));
    await clipboard.write(bytes('second'));
    expect(await paste(server)).toBe('second');
    expect(await clipboard.clear()).toBe(true);
    expect(await paste(server)).toBeUndefined();
  });

  it('leaves alone what another program has put there since', async () => {
    await clipboard.write(bytes(VALUE));
    await copyElsewhere(server, 'of another program');
    expect(await clipboard.clear()).toBe(false);
    expect(await paste(server)).toBe('of another program');
  });

  it('clears the same text where a history of the desktop has taken it over', async () => {
    await clipboard.write(bytes(VALUE));
    await copyElsewhere(server, VALUE);
    expect(await clipboard.clear()).toBe(true);
    expect(await paste(server)).toBeUndefined();
  });

  it('goes with the process, however that ends', async () => {
    const script = await bundle('clipboard-holder', "import { xClipboard } from './src/main/hosts/chromium/x11/clipboard.ts';\nawait xClipboard(process.env)?.write(new TextEncoder().encode('held'));\nprocess.stdout.write('held');\nsetInterval(() => undefined, 1000);");
    const child = spawn(process.execPath, [script], { env: server.env, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((done) => child.stdout.once('data', done));
    expect(await paste(server)).toBe('held');
    child.kill('SIGKILL');
    await new Promise((done) => child.once('exit', done));
    expect(await paste(server)).toBeUndefined();
  });

  it('says so, soon, when the display has gone or does not let us in', async () => {
    await clipboard.write(bytes(VALUE));
    const stranger = xClipboard({ DISPLAY: server.env['DISPLAY'], XAUTHORITY: join(home, 'none') })!;
    await expect(stranger.write(bytes(VALUE))).rejects.toMatchObject({ code: 'InternalException' });
    await server.end();
    expect(await clipboard.clear()).toBe(false);
    const value = bytes(VALUE);
    await expect(clipboard.write(value)).rejects.toMatchObject({ code: 'InternalException' });
    expect(value.every((byte) => byte === 0)).toBe(true);
    server = await startXServer();
  });
});

describe('what an X server may say', () => {
  let home: string;
  let fake: Server | undefined;
  beforeEach(() => {
    home = temporaryFolder();
  });
  afterEach(() => {
    fake?.close();
    rmSync(home, { recursive: true, force: true });
  });
  const answering = async (answer: Uint8Array): Promise<void> => {
    fake = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(answer));
    });
    await new Promise<void>((done) => fake?.listen(join(home, 'X7'), done));
  };

  it.each([
    ['no', Uint8Array.of(0, 3, 11, 0, 0, 0, 1, 0, 110, 111, 33, 0)],
    ['a setup that is too short', Uint8Array.of(1, 0, 11, 0, 0, 0, 1, 0, 1, 2, 3, 4)],
    ['a setup whose screen is beyond its end', Uint8Array.from({ length: 40 }, (_, at) => [1, 0, 11, 0, 0, 0, 8, 0][at] ?? 0xff)],
    ['nothing more than half a head', Uint8Array.of(1, 0, 11)],
  ])('%s: refused', async (_name, answer) => {
    await answering(answer);
    await expect(connectX('7', undefined, home)).rejects.toMatchObject({ code: 'InternalException' });
  });

  it('only a display of this machine is one', () => {
    expect([':0', ':12.1', 'unix:3', 'host:0', ':x', '', ':0.x', ':999999', '../:0', undefined].map(displayNumber)).toEqual(['0', '12', '3', undefined, undefined, undefined, undefined, undefined, undefined, undefined]);
    expect(xClipboard({ DISPLAY: 'localhost:10.0' })).toBeUndefined();
    expect(xClipboard({})).toBeUndefined();
  });

  it('reads any file of cookies without a throw, and finds the entry for this machine and display', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void findAuthority(noise, '0', 'here')), { numRuns: 5000 });
    const entry = (family: number, address: string, display: string, name: string, data: string): Uint8Array => {
      const counted = (text: string): number[] => [text.length >> 8, text.length & 255, ...Buffer.from(text)];
      return Uint8Array.from([family >> 8, family & 255, ...[address, display, name, data].flatMap(counted)]);
    };
    const cookie = 'MIT-MAGIC-COOKIE-1';
    const file = Buffer.concat([entry(256, 'elsewhere', '0', cookie, 'a'), entry(256, 'here', '1', cookie, 'b'), entry(256, 'here', '0', 'OTHER', 'c'), entry(256, 'here', '0', cookie, 'd'), entry(65535, '', '', cookie, 'e')]);
    const found = (display: string, host: string, of: Uint8Array = file): string | undefined => Buffer.from(findAuthority(of, display, host)?.data ?? []).toString() || undefined;
    expect([found('0', 'here'), found('1', 'here'), found('0', 'nowhere'), found('0', 'here', file.subarray(0, 20))]).toEqual(['d', 'b', 'e', undefined]);
  });
});
