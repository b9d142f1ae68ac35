/** A renderer that was taken over tries to get out of the Chromium host: nothing of it succeeds, from inside or as seen from outside. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserOrThrow, bundleOf, openChromium, type ChromiumSubject } from '../hosts/chromium-subject.ts';
import { startLocal, type LocalProgram } from './support/program.ts';
import { isDeadProxy, watchSockets, type InternetSocket } from '../hosts/sockets.ts';

const AT_LEAST = 95;
/** Attempts of each kind that an ordinary page of an ordinary server gets through with, and does not end by. */
const ORDINARY = [
  ...['fetch', 'XMLHttpRequest', 'WebRTC', 'import of another origin', 'fetch that outlives the page'],
  ...['window.open of nothing', 'frame with source', 'frame of a blob', 'worker of its own file', 'service worker'],
  ...['eval', 'Function', 'timer of text', 'inline script', 'inner html', 'event attribute', 'import of data', 'web assembly', 'trusted types policy'],
  ...['local storage', 'session storage', 'indexed db', 'cache storage', 'cookie', 'private file system'],
  ...['undeclared operation', 'operation of the clock', 'polluted prototypes'],
];
/** Attempts that gain nothing in the page, and what they ask a server for. */
const ASKING = { image: 'image', 'stylesheet of another origin': 'style', 'css import': 'import', 'css background': 'background', 'css in a constructed sheet': 'constructed', font: 'font', 'video poster': 'poster', 'stylesheet in a shadow root': 'shadow', 'prefetch, preconnect, dns': 'prefetch' };

describe('a hostile page in the Chromium host', () => {
  const home = mkdtempSync(join(tmpdir(), 'keystead-hostile-'));
  let local: LocalProgram;
  let subject: ChromiumSubject;
  let results: Readonly<Record<string, string>> = {};
  let sockets: readonly InternetSocket[] = [];
  /** What reached a server that stands open for it. */
  const arrived: string[] = [];
  const server = createServer((socket) => {
    arrived.push('tcp');
    socket.destroy();
  });
  const datagrams = createSocket('udp4', () => arrived.push('udp'));

  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    await new Promise<void>((done) => datagrams.bind(port, '127.0.0.1', done));
    const bundle = bundleOf('hostile', (script) => script.replaceAll('__PORT__', String(port)));
    local = await startLocal(join(home, 'vault'));
    subject = await openChromium(bundle, local.program.dispatch);
    const watching = watchSockets(subject.pid);
    results = (await subject.evaluate('done')) as Record<string, string>;
    sockets = watching.stop();
  }, 60_000);
  afterAll(async () => {
    await subject.end();
    await local.close();
    server.close();
    datagrams.close();
    rmSync(home, { recursive: true, force: true });
  });

  it('has every attempt refused', () => {
    expect(Object.keys(results).length).toBeGreaterThanOrEqual(AT_LEAST);
    expect(Object.entries(results).filter(([, gained]) => gained !== 'refused')).toEqual([]);
  });

  it('reaches nobody: no connection, no datagram, no name asked for', () => {
    expect(arrived).toEqual([]);
    expect(sockets.filter((socket) => !isDeadProxy(socket))).toEqual([]);
  });

  it('listens nowhere', () => {
    expect(sockets.filter(({ listening }) => listening)).toEqual([]);
  });

  it('is still in its document, alone, and is still served', async () => {
    expect(subject.endings).toEqual([]);
    expect(await subject.evaluate('location.origin')).toBe('https://vault.invalid');
    const { targetInfos } = (await subject.command('Target.getTargets')) as { targetInfos: { type: string }[] };
    expect(targetInfos.filter(({ type }) => type === 'page' || type.includes('worker'))).toHaveLength(1);
    expect(await subject.invoke('vault:Status', {})).toMatchObject({ ok: true });
  });

  it('leaves nothing to the page after it', async () => {
    await subject.host.renew();
    expect(await subject.evaluate('[window.name, history.state, history.length]')).toEqual(['', null, 1]);
  });

  it('has the profile in memory, private, and removes it', async () => {
    const mine = new RegExp(`^keystead-window-${String(process.pid)}-`);
    expect(readdirSync('/dev/shm').filter((name) => mine.test(name))).toHaveLength(1);
    await subject.host.close();
    expect(readdirSync('/dev/shm').filter((name) => mine.test(name))).toEqual([]);
  });
});

/** The same attempts where nobody refuses them: what succeeds here is what the host keeps from happening, and none is so clumsy that it could not. */
describe('the same page without a host', () => {
  it('gains what the host refuses', async () => {
    const asked: string[] = [];
    const server = createHttpServer(({ url = '' }, response) => {
      asked.push(url);
      response.setHeader('access-control-allow-origin', '*');
      response.setHeader('content-type', url === '/' ? 'text/html' : url === '/style' || url === '/import' ? 'text/css' : 'text/javascript');
      response.end(url === '/' ? '<!doctype html><title>x</title><body><script type="module" src="/page.js"></script>' : url === '/page.js' ? script : '');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const script = readFileSync(join(bundleOf('hostile', (text) => text.replaceAll('__PORT__', String(port))), 'page.js'), 'utf8');
    const browser = await chromium.launch({ executablePath: browserOrThrow(), args: ['--disable-gpu'] });
    try {
      const page = await browser.newPage();
      await page.addInitScript(`globalThis.only = ${JSON.stringify([...ORDINARY, ...Object.keys(ASKING)])}; globalThis.keystead = { invoke: async () => ({ ok: true }) }`);
      await page.goto(`http://localhost:${String(port)}/`);
      const gained = await page.evaluate<Record<string, string>>('done');
      expect(ORDINARY.filter((name) => (gained[name] ?? 'refused') === 'refused')).toEqual([]);
      expect(Object.values(ASKING).filter((path) => !asked.includes(`/${path}`))).toEqual([]);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});
