/** The door for AWS clients against callers that are none: raw bytes on a real socket, a stub in place of the one path. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openAwsDoor, type AwsDoor, type AwsDoorOptions } from '../../../src/main/doors/aws/server.ts';
import type { Dispatch } from '../../../src/main/kernel/request.ts';
import { createTcpPeers, uidIn } from '../../../src/main/platform/tcp-peer.ts';
import { systemClock } from '../../../src/main/platform/clock.ts';
import { signedHeaders } from '../../fakes/aws-signer.ts';
import { fakePort, heldDispatch, me, type FakePort } from './kit.ts';

const doors: AwsDoor[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(doors.splice(0).map((door) => door.close(100)));
});

async function open(options: Partial<AwsDoorOptions> = {}, dispatch?: Dispatch): Promise<{ door: AwsDoor; port: FakePort; host: string }> {
  const port = fakePort(dispatch);
  const door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me, limits: { requestMs: 300, idleMs: 5000 }, ...options });
  doors.push(door);
  return { door, port, host: `127.0.0.1:${String(door.port)}` };
}

async function raw(door: AwsDoor): Promise<Socket> {
  const socket = connect(door.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** Everything until the other side ends, or `quiet` milliseconds without a byte after the first one, which a busy machine may take long for. */
function all(socket: Socket, quiet = 200, first = 10_000): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => resolve(text);
    let timer = setTimeout(done, first);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(done, quiet);
    });
    socket.once('close', done);
  });
}

const request = (headers: readonly (readonly [string, string])[], body = '', line = 'POST / HTTP/1.1'): string => `${line}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
const good = (host: string, body = '{}'): string =>
  request(signedHeaders({ host, target: 'TrentService.ListKeys', body, accessKeyId: 'AKIAX', secretAccessKey: 's', now: Date.now() }), body);

async function answer(door: AwsDoor, text: string): Promise<{ status: number; type: string; whole: string }> {
  const socket = await raw(door);
  const reading = all(socket);
  socket.write(text);
  const whole = await reading;
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(whole)?.[1] ?? 0), type: /"__type":"(\w+)"/.exec(whole)?.[1] ?? '', whole };
}

describe('the door for AWS clients', () => {
  it('hands a signed request to the one path, with the evidence of who signed', async () => {
    const { door, port, host } = await open();
    const { status, whole } = await answer(door, good(host, '{"Limit":5}'));
    expect(status).toBe(200);
    expect(whole).toMatch(/x-amzn-RequestId: request-1\r\n/);
    expect(whole).not.toMatch(/access-control/i);
    expect(port.requests).toMatchObject([{ door: 'aws', operation: 'kms:ListKeys', evidence: { door: 'aws', signed: { accessKeyId: 'AKIAX', scope: { region: 'us-east-1', service: 'kms' } } } }]);
    expect(door.recent(10)).toMatchObject([{ operation: 'kms:ListKeys', accessKeyId: 'AKIAX', status: 200 }]);
  });

  it('turns pages of a browser away before anything else', async () => {
    const { door, port, host } = await open();
    for (const header of ['Origin: https://evil.example', 'Origin: null', 'Referer: https://evil.example/', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: empty', 'Sec-WebSocket-Key: x', 'Cookie: a=b', 'Access-Control-Request-Method: POST']) {
      expect([header, await answer(door, good(host).replace('\r\n', `\r\n${header}\r\n`)).then(({ status, type }) => `${String(status)} ${type}`)]).toEqual([header, '403 AccessDeniedException']);
    }
    for (const name of ['evil.example', `evil.example:${String(door.port)}`, '127.0.0.1', 'localhost', '[::1]', `127.0.0.1:${String(door.port)}.evil.example`, `127.0.0.2:${String(door.port)}`, '']) {
      expect([name, (await answer(door, good(host).replace(`host: ${host}`, `host: ${name}`))).status]).toEqual([name, 403]);
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json', 'application/x-amz-json-1.0', 'application/x-amz-json-1.1, text/plain']) {
      expect([type, (await answer(door, good(host).replace('application/x-amz-json-1.1', type))).status]).toEqual([type, 415]);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) expect([method, (await answer(door, good(host).replace('POST', method))).status]).toEqual([method, 405]);
    expect(port.requests).toEqual([]);
    expect(port.refusals.filter(({ reason }) => reason === 'browser')).toHaveLength(8);
  });

  it('takes nothing that two readers could read as two requests', async () => {
    const { door, port, host } = await open();
    const doubled = (header: string): string => good(host).replace('\r\n', `\r\n${header}\r\n`);
    for (const header of [`host: ${host}`, 'x-amz-target: TrentService.Decrypt', 'content-type: application/x-amz-json-1.1', 'authorization: x', 'Content-Length: 2', 'Transfer-Encoding: chunked', 'Expect: 100-continue', 'Content-Encoding: gzip', 'TE: trailers', 'x-amz-target : TrentService.Decrypt', ' folded', 'X-Amz-Date: 20260101T000000Z']) {
      const { status } = await answer(door, doubled(header));
      expect([header, status >= 400 && status < 500]).toEqual([header, true]);
    }
    for (const url of ['//', '/?', '/?X-Amz-Signature=x', '/a', '/..', '*', 'http://127.0.0.1/', '/_keystead/reset']) {
      const { status } = await answer(door, good(host).replace('POST / ', `POST ${url} `));
      expect([url, status >= 400 && status < 500]).toEqual([url, true]);
    }
    expect(port.requests).toEqual([]);
  });

  it('bounds what it reads, and how long', async () => {
    const { door, port, host } = await open();
    expect((await answer(door, good(host).replace(/content-length: \d+/, 'content-length: 262145'))).status).toBe(413);
    for (const length of ['-1', '1e3', '0x10', '99999999999999999999', '']) expect([length, (await answer(door, good(host).replace(/content-length: \d+/, `content-length: ${length}`))).status >= 400]).toEqual([length, true]);
    expect((await answer(door, good(host).replace('\r\n', `\r\nx-long: ${'a'.repeat(17_000)}\r\n`))).status).toBeGreaterThanOrEqual(400);
    expect((await answer(door, good(host).replace('\r\n', `\r\n${Array.from({ length: 80 }, (_, i) => `x-${String(i)}: 1`).join('\r\n')}\r\n`))).status).toBe(431);
    const slow = await raw(door);
    slow.write('POST / HTTP/1.1\r\nHost: ');
    await once(slow, 'close');
    const half = await raw(door);
    half.write(good(host, '{"Limit":5}').slice(0, -3));
    await once(half, 'close');
    expect(port.requests).toEqual([]);
    expect(port.refusals.map(({ reason }) => reason)).toContain('slow');
  });

  it('is no place for noise', async () => {
    const { door, port } = await open();
    for (const noise of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'.repeat(1000), 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET / HTTP/0.9\r\n\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', '{"op":"kms:ListKeys"}\n']) {
      const socket = await raw(door);
      const reading = all(socket);
      socket.write(Buffer.from(noise, 'latin1'));
      expect(await reading).not.toMatch(/^HTTP\/1\.1 2/);
    }
    expect(port.requests).toEqual([]);
  });

  it('lets so many in and no more, and nobody but its own user', async () => {
    const { door, port } = await open({ limits: { connections: 3, requestMs: 300, idleMs: 500 } });
    const held = await Promise.all([raw(door), raw(door), raw(door)]);
    const fourth = await raw(door);
    await once(fourth, 'close');
    expect(port.refusals).toMatchObject([{ door: 'aws', reason: 'connections' }]);
    for (const socket of held) socket.destroy();
    for (const uidOf of [() => Promise.resolve(me + 1), () => Promise.resolve(undefined), () => Promise.reject(new Error('no table'))]) {
      const strangers = await open({ uidOf });
      const socket = await raw(strangers.door);
      await once(socket, 'close');
      expect([strangers.port.refusals, strangers.port.requests]).toMatchObject([[{ reason: 'peer' }], []]);
    }
  });

  it('lets in a socket of IPv6 that speaks IPv4, by the kernel’s own tables', async () => {
    const { door, port, host } = await open();
    const socket = connect(door.port, '::ffff:127.0.0.1');
    sockets.push(socket);
    const reading = all(socket);
    await once(socket, 'connect');
    socket.write(good(host));
    expect(await reading).toMatch(/^HTTP\/1\.1 200/);
    expect(port.refusals).toEqual([]);
  });

  it('holds back only so many whose user it does not know yet, and forgets them when it closes', async () => {
    const { door, port } = await open({ uidOf: () => new Promise(() => undefined), limits: { unknown: 2 } });
    const held = await Promise.all([raw(door), raw(door)]);
    const third = await raw(door);
    await once(third, 'close');
    expect(port.refusals).toMatchObject([{ reason: 'connections' }]);
    const ended = Promise.all(held.map((socket) => once(socket, 'close')));
    await door.close(100);
    await ended;
  });

  it('gives up what nobody waits for, and closes with what is under way', async () => {
    const { dispatch, waiting } = heldDispatch();
    const { door, host } = await open({ limits: { requestMs: 300, idleMs: 5000 } }, dispatch);
    const gone = await raw(door);
    gone.write(good(host));
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    gone.destroy();
    while (!waiting[0]?.request.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
    const staying = await raw(door);
    const reading = all(staying, 1000);
    staying.write(good(host));
    while (waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = door.close(2000);
    for (const { answer: reply } of waiting) reply();
    await closed;
    expect(await reading).toMatch(/^HTTP\/1\.1 200/);
    await expect(raw(door)).rejects.toThrow();
  });

  it('says which port it could not have', async () => {
    const { door } = await open();
    await expect(open({ port: door.port })).rejects.toMatchObject({ code: 'PortUnavailableException' });
  });
});

describe('the kernel’s tables of connections', () => {
  const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:176E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1
   1: 0100007F:C350 0100007F:176E 01 00000000:00000000 00:00000000 00000000  1001        0 2 1
   2: 0100007F:176E 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 3 1
`;
  const TABLE6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C350 0000000000000000FFFF00000100007F:176E 01 00000000:00000000 00:00000000 00000000  1002        0 4 1 0000000000000000 20 4 0 10 -1
`;
  const ends = { localAddress: '127.0.0.1', localPort: 5998, remoteAddress: '127.0.0.1', remotePort: 50_000 };

  it('says whose the other end is, and not whose ours is', () => {
    expect(uidIn(TABLE, ends)).toBe(1001);
    for (const other of [{ remotePort: 50_001 }, { localPort: 5999 }, { remoteAddress: '::1' }, { remoteAddress: '127.0.0.256' }, { remoteAddress: '' }]) {
      expect(uidIn(TABLE, { ...ends, ...other })).toBeUndefined();
    }
    // Closing, closed, or held by nobody: the user is written as 0, or as one who has gone.
    for (const gone of [TABLE.replaceAll(' 01 ', ' 06 '), TABLE.replaceAll(' 01 ', ' 08 '), TABLE.replace('0 2 1', '0 0 1')]) expect(uidIn(gone, ends)).toBeUndefined();
    expect(uidIn('', { localAddress: '127.0.0.1', localPort: 1, remoteAddress: '127.0.0.1', remotePort: 2 })).toBeUndefined();
  });

  it('knows a socket of IPv6 that speaks IPv4, as Java’s are', () => {
    expect(uidIn(TABLE6, ends)).toBe(1002);
    expect(uidIn(`${TABLE.split('\n').slice(0, 2).join('\n')}\n${TABLE6}`, ends)).toBe(1002);
    expect(uidIn(TABLE6, { ...ends, remotePort: 50_001 })).toBeUndefined();
  });

  it('are read once for all who wait, one reading at a time', async () => {
    const readings: ((tables: string) => void)[] = [];
    let now = 0;
    const peers = createTcpPeers(() => now, () => new Promise((resolve) => readings.push(resolve)));
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const first = peers.uidOf(ends);
    await settle();
    const later = Array.from({ length: 1000 }, () => peers.uidOf(ends));
    await settle();
    // Those who came during the first reading are not served by it: it may have begun before they were there.
    expect(readings).toHaveLength(1);
    now += 5;
    readings[0]?.(TABLE);
    expect(await first).toBe(1001);
    while (readings.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    readings[1]?.(TABLE6);
    expect(new Set(await Promise.all(later))).toEqual(new Set([1002]));
    expect(readings).toHaveLength(2);
  });

  it('that cannot be read say nothing, and are read again for the next', async () => {
    let readings = 0;
    const peers = createTcpPeers(() => 0, () => ((readings += 1) === 1 ? Promise.reject(new Error('no table')) : Promise.resolve(TABLE)));
    await expect(peers.uidOf(ends)).rejects.toThrow('no table');
    expect(await peers.uidOf(ends)).toBe(1001);
  });
});
