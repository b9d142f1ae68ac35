import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { adoptAccepted } from '../../../src/main/platform/wiped-reads.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ks-reads-'));
});
afterEach(() => rm(folder, { recursive: true }));

const inodes = (): readonly string[] => readdirSync('/proc/self/fd').flatMap((fd) => {
  try {
    return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
  } catch {
    return [];
  }
});

it('takes an accepted connection over, and reads it into one buffer that is wiped', async () => {
  const seen: string[] = [];
  const kept: Uint8Array[] = [];
  const server = createServer({ pauseOnConnect: true });
  const path = join(folder, 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const before = inodes();
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const caller = connect(path);
  caller.write('first');
  const first = await accepted;
  const mine = adoptAccepted(first, (chunk) => {
    seen.push(Buffer.from(chunk).toString('latin1'));
    kept.push(chunk);
    mine.write(`got ${String(chunk.length)}`);
  });
  mine.resume();
  const answer = await new Promise<string>((resolve) => caller.once('data', (data: Buffer) => { resolve(data.toString()); }));
  expect(answer).toBe('got 5');
  caller.write('second!');
  await new Promise((resolve) => caller.once('data', resolve));
  expect(seen).toEqual(['first', 'second!']);
  expect(kept.every((chunk) => chunk.every((byte) => byte === 0))).toBe(true);
  expect(kept[0]?.buffer).toBe(kept[1]?.buffer);
  expect(first.destroyed).toBe(true);

  // A child that inherited it would keep the conversation open.
  const fresh = inodes().filter((entry) => !before.includes(entry) && entry.includes('socket:')).map((entry) => entry.split(' ')[0] ?? '');
  expect(fresh.length).toBe(2);
  for (const fd of fresh) expect(Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '', 8) & 0o2000000).not.toBe(0);

  // Paused, it reads nothing; an end arrives as one.
  mine.pause();
  caller.write('third');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(seen.length).toBe(2);
  mine.resume();
  const ended = new Promise((resolve) => mine.once('end', resolve));
  caller.end();
  await ended;
  expect(seen[2]).toBe('third');
  await new Promise((resolve) => server.close(resolve));
});
