/** Malformed input by the ten thousand, on each decoder: an answer each or a close, no crash, no growth, and valid calls in between are served. */
import { Duplex, PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { openIpcDoor } from '../../src/main/doors/ipc.ts';
import type { IpcMessage } from '../../src/main/doors/ipc.ts';
import type { FrameEvidence } from '../../src/main/kernel/request.ts';
import { frameOf, FrameReader } from '../../src/shared/wire/frame.ts';
import { readClientMessage } from '../../src/shared/wire/messages.ts';
import { Caller, eventually, fakePort, openDoor, tidy } from '../unit/doors/kit.ts';
import type { FakePort } from '../unit/doors/kit.ts';

afterEach(tidy);

const ROUNDS = 450;
const PER_ROUND = 50;
/** Reused after warming up: what a decoder keeps of one message it would keep of all. */
const GROWTH_BYTES = 8 * 1024 * 1024;
const UNLIMITED = { burst: 1e9, callsPerSecond: 1e9, inFlight: 10_000 };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function memory(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** xorshift32: the same cases each time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const VALID = [
  '{"id":7,"op":"kms:Encrypt","input":{"KeyId":"alias/a","Plaintext":"aGVsbG8=","EncryptionContext":{"a":"b\\u00e9"}}}',
  '{"id":8,"op":"kms:ListKeys","input":{"Limit":10,"Deep":[[[{"a":[1,2.5e3,true,null]}]]]},"progress":true}',
  '{"id":9,"cancel":true}',
  '{"hello":{"version":1,"events":false}}',
];
const TOKENS = ['{', '}', '[', ']', '"', ':', ',', '\\', '\\u', '\\ud800', 'id', 'op', 'input', 'hello', 'cancel', '__proto__', 'true', 'null', '1', '-', '1e999', ' ', '\u0000', 'é', '\u{1f639}', '"id":1,', '"input":{', '"Plaintext":"A'];

/** A hello of another version is answered by a close: `cli-socket.test.ts` has it. */
function hostile(random: (below: number) => number): Buffer {
  const body = anything(random);
  const message = readClientMessage(Uint8Array.from(body));
  return message.kind === 'hello' && message.version !== 1 ? hostile(random) : body;
}

function anything(random: (below: number) => number): Buffer {
  const valid = Buffer.from(VALID[random(VALID.length)] ?? '');
  switch (random(6)) {
    case 0:
      return Buffer.from(Array.from({ length: 1 + random(80) }, () => random(256)));
    case 1: {
      for (let flips = 1 + random(4); flips > 0; flips--) valid[random(valid.length)] = random(256);
      return valid;
    }
    case 2:
      return valid.subarray(0, 1 + random(valid.length));
    case 3: {
      const at = random(valid.length);
      return Buffer.concat([valid.subarray(0, at), Buffer.from(TOKENS[random(TOKENS.length)] ?? ''), valid.subarray(at)]);
    }
    case 4:
      return Buffer.from(Array.from({ length: 1 + random(40) }, () => TOKENS[random(TOKENS.length)]).join(''));
    default:
      return Buffer.from((random(2) ? '[' : '{"a":').repeat(1 + random(random(50) === 0 ? 20_000 : 60)));
  }
}

interface Target {
  /** Sends bodies, then a valid call with this id; resolves with what was answered before and to it. */
  round(bodies: readonly Buffer[], id: number): Promise<{ answers: number; served: boolean }>;
}

async function fuzz(target: Target, seed: number): Promise<{ malformed: number; growth: number }> {
  const random = generator(seed);
  const counts = { malformed: 0, growth: 0 };
  let before = 0;
  for (let round = 0; round < ROUNDS; round++) {
    if (round === 40) before = await memory();
    const bodies = Array.from({ length: PER_ROUND }, () => hostile(random));
    const expected = bodies.map((body) => readClientMessage(Uint8Array.from(body)).kind);
    const { answers, served } = await target.round(bodies, 1_000_000 + round);
    expect(served).toBe(true);
    // Cancels and repeated hellos have no answer; all else has one.
    expect(answers).toBe(expected.filter((kind) => kind === 'malformed' || kind === 'request').length);
    counts.malformed += expected.filter((kind) => kind === 'malformed').length;
  }
  counts.growth = (await memory()) - before;
  return counts;
}

const ping = (id: number): string => `{"id":${String(id)},"op":"ping","input":{}}`;

describe('hostile bytes', () => {
  it('on the command line\'s socket', { timeout: 120_000 }, async () => {
    const port = fakePort();
    const caller = await Caller.to((await openDoor(port, { limits: UNLIMITED })).path);
    caller.send({ hello: { version: 1 } });
    const random = generator(99);
    const counts = await fuzz(
      {
        round: async (bodies, id) => {
          const stream = Buffer.concat([...bodies.map((body) => frameOf(body)), frameOf(Buffer.from(ping(id)))]);
          for (let at = 0; at < stream.length; ) {
            const size = 1 + random(4000);
            caller.socket.write(stream.subarray(at, at + size));
            at += size;
          }
          const { ok } = await caller.reply(id);
          return { answers: caller.replies.splice(0).length, served: ok };
        },
      },
      20_260_101,
    );
    expect(counts.malformed).toBeGreaterThanOrEqual(20_000);
    expect(counts.growth).toBeLessThan(GROWTH_BYTES);
    expect(caller.closed).toBe(false);
  });

  it('on the command line\'s socket, without frames: a close each, and the next one is served', { timeout: 60_000 }, async () => {
    const port = fakePort();
    const { path } = await openDoor(port, { limits: { ...UNLIMITED, frameMs: 100 } });
    const random = generator(4242);
    const before = await memory();
    for (let round = 0; round < 300; round++) {
      const caller = await Caller.to(path);
      caller.sendText(ping(1));
      expect((await caller.reply(1)).ok).toBe(true);
      caller.socket.write(Buffer.from([1 + random(255), ...Array.from({ length: 40 }, () => random(256))]));
      expect((await caller.reply(null)).ok).toBe(false);
      await caller.until(() => caller.closed);
    }
    expect((await memory()) - before).toBeLessThan(GROWTH_BYTES);
  });

  it('on the window\'s door, over a pair of streams', { timeout: 120_000 }, async () => {
    const port = fakePort();
    const { window, answers } = ipcOverStreams(port);
    const send = (body: Buffer): boolean => window.write(frameOf(body));
    send(Buffer.from('{"hello":{"version":1}}'));
    await eventually(() => answers.length === 1);
    answers.splice(0);
    const counts = await fuzz(
      {
        round: async (bodies, id) => {
          for (const body of bodies) send(body);
          send(Buffer.from(ping(id)));
          const own = (): string | undefined => answers.find((answer) => answer.startsWith(`{"id":${String(id)},"ok":true`));
          while (own() === undefined) await new Promise((resolve) => setImmediate(resolve));
          return { answers: answers.splice(0).length - 1, served: true };
        },
      },
      20_260_102,
    );
    expect(counts.malformed).toBeGreaterThanOrEqual(20_000);
    expect(counts.growth).toBeLessThan(GROWTH_BYTES);
  });
});

/** A window host that is a pair of streams: framed messages in, framed answers out. */
function ipcOverStreams(port: FakePort): { window: Duplex; answers: string[] } {
  const [toVault, toWindow] = [new PassThrough(), new PassThrough()];
  const window = Duplex.from({ writable: toVault, readable: toWindow });
  const answers: string[] = [];
  const windowReader = new FrameReader();
  window.on('data', (chunk: Buffer) => windowReader.push(chunk, (frame) => answers.push(Buffer.from(frame).toString())));
  const frame: FrameEvidence = { isMainFrame: true, origin: 'keystead://app', windowId: 1 };
  openIpcDoor({
    port,
    origin: 'keystead://app',
    limits: UNLIMITED,
    ipc: {
      onMessage: (receive: (message: IpcMessage) => void) => {
        const reader = new FrameReader();
        toVault.on('data', (chunk: Buffer) => reader.push(chunk, (data) => receive({ frame, data })));
      },
      onGone: (receive) => void toVault.once('end', () => receive(1)),
      send: (_windowId, data) => {
        toWindow.write(frameOf(data));
        data.fill(0);
      },
    },
  });
  return { window, answers };
}
