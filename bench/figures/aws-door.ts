/**
 * Encrypt of 1 KB by AWS clients: over 32 connections with Signature Version 4, against a bare `node:http` server that parses the same JSON, and
 * against the same operation over the command line's socket, in the same run. And what a throwaway vault for test suites costs.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { signedHeaders } from '../../test/fakes/aws-signer.ts';
import { median, pause, ratePerSecond, timed, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';

const CALLERS = 32;
const ROUNDS = 5;

const BARE = `
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { Plaintext } = JSON.parse(Buffer.concat(chunks).toString());
    const body = JSON.stringify({ CiphertextBlob: Plaintext, KeyId: 'x', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.1', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
}).listen(0, '127.0.0.1', () => process.stdout.write(String(server.address().port)));
`;

/** One connection, one request at a time; reads no more of an answer than that it came whole and was a 200. */
async function httpCaller(port: number): Promise<(request: Buffer) => Promise<void>> {
  const socket: Socket = connect(port, '127.0.0.1');
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let held: Buffer = Buffer.alloc(0);
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
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return (request) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      socket.write(request);
    });
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Signed anew twice a second: a client's own signing is not what is measured, and a repeat within its second is taken. */
function signing(port: number, body: string, keys: Keys, number: number): () => Buffer {
  let made = 0;
  let request: Buffer = Buffer.alloc(0);
  return () => {
    const now = Date.now();
    if (now - made < 500) return request;
    made = now;
    const headers = signedHeaders({ host: `127.0.0.1:${String(port)}`, target: 'TrentService.Encrypt', body, now, ...keys, extra: [['x-amz-meta-caller', String(number)]] });
    request = Buffer.from(`POST / HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
    return request;
  };
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

export const awsDoor: Figure = {
  name: 'aws-door',
  async run(bench: Bench) {
    await encrypting(bench);
    await ephemeral(bench);
  },
};

async function encrypting({ scratch, root, report }: Bench): Promise<void> {
  const vault = await Vault.create(root, scratch);
  const bare = spawn(process.execPath, ['-e', BARE], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const barePort = await new Promise<number>((found) => bare.stdout.once('data', (chunk: Buffer) => found(Number(chunk.toString()))));
    const socketCallers = await vault.callers(CALLERS);
    const owner = socketCallers[0]!;
    const { KeyMetadata } = await owner.call('kms:CreateKey', {});
    const { KeyId } = KeyMetadata as { readonly KeyId: string };
    const { AccessKeyId, SecretAccessKey } = await owner.call('access:CreateClient', { Name: 'bench' });
    const keys = { accessKeyId: AccessKeyId as string, secretAccessKey: Buffer.from(SecretAccessKey as string, 'base64').toString() };
    const port = await freePort();
    await owner.call('access:UpdateAwsDoor', { Open: true, Port: port, Tls: false });
    await owner.call('access:DescribeAwsDoor', {});

    const input = { KeyId, Plaintext: randomBytes(1024).toString('base64') };
    const body = JSON.stringify(input);
    const frame = Caller.frame('kms:Encrypt', input);
    const over = async (to: number): Promise<(() => Promise<void>)[]> =>
      Promise.all(Array.from({ length: CALLERS }, async (_, number) => {
        const send = await httpCaller(to);
        const next = signing(port, body, keys, number);
        return () => send(next());
      }));
    const aws = await over(port);
    const plain = await over(barePort);
    const socket = socketCallers.map((caller) => () => caller.send(frame));
    for (const works of [aws, plain, socket]) await warmUp(works);
    const rounds: Record<'aws' | 'plain' | 'socket', number[]> = { aws: [], plain: [], socket: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.plain.push(await ratePerSecond(plain, 2));
      rounds.aws.push(await ratePerSecond(aws, 2));
      rounds.socket.push(await ratePerSecond(socket, 2));
    }
    report({ figure: `Encrypt 1 KB by AWS clients, ${CALLERS} connections`, value: median(rounds.aws), unit: '/s', target: { atLeast: Math.max(0.12 * median(rounds.plain), 0.6 * median(rounds.socket)) }, rounds: rounds.aws, note: `target: 12 % of bare node:http (${String(Math.round(median(rounds.plain)))}/s) and 60 % of the socket (${String(Math.round(median(rounds.socket)))}/s)` });
    const took: number[] = [];
    for (let i = 0; i < 200; i += 1) took.push(await timed(aws[0]!));
    report({ figure: 'Encrypt 1 KB by one AWS client, p50', value: median(took), unit: 'ms' });
  } finally {
    bare.kill();
    await vault.stop();
  }
}

const residentKb = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
const childrenOf = (pid: number): number[] => readdirSync('/proc').flatMap((name) => {
  if (!/^\d+$/.test(name)) return [];
  try {
    return Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')[1]) === pid ? [Number(name)] : [];
  } catch {
    return [];
  }
});

async function ephemeral({ root, report }: Bench): Promise<void> {
  const ready: number[] = [];
  let memory = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const child = spawn(process.execPath, [join(root, 'dist/main/serve.mjs'), '--ephemeral', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((found) => child.stdout.once('data', () => found()));
    ready.push(performance.now() - started);
    if (round === 0 && child.pid !== undefined) {
      await pause(2000);
      memory = [child.pid, ...childrenOf(child.pid)].reduce((sum, pid) => sum + residentKb(pid), 0) / 1024;
    }
    child.kill('SIGTERM');
    await new Promise((ended) => child.once('exit', ended));
  }
  report({ figure: 'a throwaway vault for test suites, ready', value: median(ready), unit: 'ms', target: { atMost: 600 }, rounds: ready });
  report({ figure: 'a throwaway vault for test suites, idle, with its sealer', value: memory, unit: 'MB', target: { atMost: 120 } });
}
