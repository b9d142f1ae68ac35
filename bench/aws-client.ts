/** AWS clients over plain HTTP, and the bare `node:http` server that they are held against. */
import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { signedHeaders } from '../test/fakes/aws-signer.ts';
import type { Caller } from './vault.ts';

/** One connection, one request at a time; reads no more of an answer than that it came whole and was a 200. Connects again where a server has closed what lay idle. */
export async function httpCaller(port: number): Promise<(request: Buffer) => Promise<void>> {
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let held: Buffer = Buffer.alloc(0);
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    held = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = held.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (held.length < end + 4 + length) return;
      const whole = held;
      held = Buffer.alloc(0);
      if (head.startsWith('HTTP/1.1 200')) waiting?.resolve();
      else waiting?.reject(new Error(whole.toString('latin1')));
    });
    const gone = (): void => waiting?.reject(new Error('the connection was closed'));
    socket.on('close', gone);
    socket.on('error', gone);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  };
  let socket = await open();
  return async (request) => {
    if (socket.destroyed || !socket.writable) socket = await open();
    await new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject };
      socket.write(request);
    });
  };
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Signed anew twice a second: a client's own signing is not what is measured, and a repeat within its second is taken. */
export function signing(port: number, target: string, body: string, keys: Keys, number: number): () => Buffer {
  let made = 0;
  let request: Buffer = Buffer.alloc(0);
  return () => {
    const now = Date.now();
    if (now - made < 500) return request;
    made = now;
    const service = target.startsWith('secretsmanager.') ? 'secretsmanager' : 'kms';
    const headers = signedHeaders({ service, host: `127.0.0.1:${String(port)}`, target, body, now, ...keys, extra: [['x-amz-meta-caller', String(number)]] });
    request = Buffer.from(`POST / HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
    return request;
  };
}

/** So many connections that each send `body` to `target`. */
export const clientsOver = (count: number, port: number, target: string, body: string, keys: Keys): Promise<(() => Promise<void>)[]> =>
  Promise.all(Array.from({ length: count }, async (_, number) => {
    const send = await httpCaller(port);
    const next = signing(port, target, body, keys, number);
    return () => send(next());
  }));

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** A client of the vault's, and its door for AWS clients open over plain HTTP. */
export async function openAwsDoor(owner: Caller): Promise<{ readonly port: number; readonly keys: Keys }> {
  const { AccessKeyId, SecretAccessKey } = await owner.call('access:CreateClient', { Name: 'bench' });
  const port = await freePort();
  await owner.call('access:UpdateAwsDoor', { Open: true, Port: port, Tls: false });
  await owner.call('access:DescribeAwsDoor', {});
  return { port, keys: { accessKeyId: AccessKeyId as string, secretAccessKey: Buffer.from(SecretAccessKey as string, 'base64').toString() } };
}

/** A bare server that parses JSON and answers with some: `answer` is an expression over the parsed `input`. */
export async function bareServer(answer: string): Promise<{ readonly port: number; stop(): void }> {
  const code = `
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const input = JSON.parse(Buffer.concat(chunks).toString());
    const body = JSON.stringify(${answer});
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)));
`;
  const bare = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((found) => bare.stdout.once('data', (chunk: Buffer) => found(Number(chunk.toString()))));
  return { port, stop: () => void bare.kill() };
}
