/** Addresses that no rotation gets to, in every spelling; and the one connection that there is to the others. */
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopback, isRefused } from '../../../src/main/egress/addresses.ts';
import { createDialler, tlsFor } from '../../../src/main/egress/dial.ts';
import { RotatorError } from '../../../src/main/rotators/rotator-error.ts';

it.each([
  '169.254.169.254', '169.254.0.1', '169.254.170.2', '0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '168.63.129.16', '100.100.100.200', '192.0.0.192',
  '::', 'fe80::1', 'febf::1', 'ff02::1', 'fd00:ec2::254', 'fd20:ce::254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe', '::a9fe:a9fe', '2002:a9fe:a9fe::1', 'fe80::1%eth0', '10.0.0.1%eth0',
  '', 'localhost', '169.254.169.254.', '2852039166', '::ffff:0.0.0.0',
])('never: %s', (address) => {
  expect(isRefused(address)).toBe(true);
});

it.each(['127.0.0.1', '::1', '10.0.0.1', '192.168.1.1', '172.16.0.1', '8.8.8.8', '100.64.0.1', '2606:4700::1', 'fd12:3456::1', '::ffff:10.0.0.1', '64:ff9b::808:808', '2002:808:808::1', '168.63.129.17'])('may be allowed: %s', (address) => {
  expect(isRefused(address)).toBe(false);
});

it('knows this machine', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1', '::2', '128.0.0.1'].map(isLoopback)).toEqual([true, true, true, true, false, false, false]);
});

describe('a name', () => {
  const server = createServer((socket) => { socket.on('error', () => undefined); });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => { server.close(); });
  const dialler = (addresses: readonly (readonly string[])[], allow: readonly string[] = [`db:${String(port)}`]) => {
    const asked: string[] = [];
    const made = createDialler(allow, { now: () => 0, resolve: async (host) => addresses[asked.push(host) - 1] ?? [] });
    return { made, asked };
  };
  const codeOf = (dial: Promise<unknown>): Promise<string> => dial.then(() => 'ok', (error: unknown) => (error instanceof RotatorError ? error.code : 'other'));

  it('is resolved once: an answer that changes between two connections changes nothing', async () => {
    const { made, asked } = dialler([['127.0.0.1'], ['169.254.169.254']]);
    expect([await codeOf(made.dial('db', port)), await codeOf(made.dial('db', port)), asked]).toEqual(['ok', 'ok', ['db']]);
    expect(made.connections).toMatchObject([{ host: 'db', port, address: '127.0.0.1' }, { address: '127.0.0.1' }]);
    made.destroy();
  });

  it('with one forbidden address among good ones is refused whole', async () => {
    expect(await codeOf(dialler([['127.0.0.1', '169.254.169.254']]).made.dial('db', port))).toBe('address-refused');
    expect(await codeOf(dialler([['::ffff:169.254.169.254']]).made.dial('db', port))).toBe('address-refused');
    expect(await codeOf(dialler([[]]).made.dial('db', port))).toBe('unresolved');
  });

  it('that is not allowed is not even resolved', async () => {
    const { made, asked } = dialler([['127.0.0.1']], ['db:1', 'other:5432']);
    expect([await codeOf(made.dial('db', port)), await codeOf(made.dial('DB.', port)), asked]).toEqual(['host-refused', 'host-refused', []]);
  });

  it('is tried at its next address when one does not answer', async () => {
    const { made } = dialler([['::1', '127.0.0.1']]);
    expect(await codeOf(made.dial('DB', port))).toBe('ok');
    expect(made.connections).toMatchObject([{ address: '127.0.0.1' }]);
    made.destroy();
    expect(await codeOf(dialler([['::1']]).made.dial('db', port))).toBe('unreachable');
  });

  it('is what the certificate has to be for; an address is not sent as a name', () => {
    expect(tlsFor('db.example.', 'PEM')).toEqual({ host: 'db.example', servername: 'db.example', ca: 'PEM', minVersion: 'TLSv1.2', rejectUnauthorized: true });
    expect(tlsFor('[::1]', undefined)).toEqual({ host: '::1', minVersion: 'TLSv1.2', rejectUnauthorized: true });
  });
});
