/**
 * Encrypt of 1 KB by AWS clients: over 32 connections with Signature Version 4, against a bare `node:http` server that parses the same JSON, and
 * against the same operation over the command line's socket, in the same run. And what a throwaway vault for test suites costs.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { bareServer, clientsOver, openAwsDoor } from '../aws-client.ts';
import { median, pause, ratePerSecond, timed, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, childrenOf, processMegabytes, Vault } from '../vault.ts';
import { restedFsync } from './disk.ts';

const CALLERS = 32;
const ROUNDS = 5;

export const awsDoor: Figure = {
  name: 'aws-door',
  async run(bench: Bench) {
    await encrypting(bench);
    await ephemeral(bench);
  },
};

async function encrypting({ scratch, root, report }: Bench): Promise<void> {
  const vault = await Vault.create(root, scratch);
  const bare = await bareServer("{ CiphertextBlob: input.Plaintext, KeyId: 'x', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }");
  try {
    const socketCallers = await vault.callers(CALLERS);
    const owner = socketCallers[0]!;
    const { KeyMetadata } = await owner.call('kms:CreateKey', {});
    const { KeyId } = KeyMetadata as { readonly KeyId: string };
    const { port, keys } = await openAwsDoor(owner);

    const input = { KeyId, Plaintext: randomBytes(1024).toString('base64') };
    const body = JSON.stringify(input);
    const frame = Caller.frame('kms:Encrypt', input);
    const aws = await clientsOver(CALLERS, port, 'TrentService.Encrypt', body, keys);
    const plain = await clientsOver(CALLERS, bare.port, 'TrentService.Encrypt', body, keys);
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
    const fsync = await restedFsync(scratch, 200, async () => took.push(await timed(aws[0]!)));
    report({ figure: 'Encrypt 1 KB by one AWS client, p50', value: median(took), unit: 'ms', target: { atMost: 4 + 2 * fsync }, note: `target: 4 ms beyond two fsyncs of ${fsync.toFixed(2)} ms` });
  } finally {
    bare.stop();
    await vault.stop();
  }
}

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
      memory = [child.pid, ...childrenOf(child.pid)].reduce((sum, pid) => sum + processMegabytes(pid, 'smaps_rollup', 'Pss'), 0);
    }
    child.kill('SIGTERM');
    await new Promise((ended) => child.once('exit', ended));
  }
  report({ figure: 'a throwaway vault for test suites, ready', value: median(ready), unit: 'ms', target: { atMost: 600 }, rounds: ready });
  report({ figure: 'a throwaway vault for test suites, idle, with its sealer', value: memory, unit: 'MB', target: { atMost: 120 }, note: 'PSS: a page of both counts once' });
}
