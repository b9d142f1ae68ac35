/** A renderer that was taken over tries to get out of the Chromium host: nothing of it succeeds, from inside or as seen from outside. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleOf, openChromium, type ChromiumSubject } from '../hosts/chromium-subject.ts';
import { startLocal, type LocalProgram } from './support/program.ts';
import { isDeadProxy, watchSockets, type InternetSocket } from '../hosts/sockets.ts';

const AT_LEAST = 30;

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
