import { describe, expect, it } from 'vitest';
import type { Child, Exit } from '../../../src/main/platform/ports.ts';
import { createSealerClient } from '../../../src/main/seal/client.ts';
import { decodeMessage, encodeError, encodeReply, encodeWiped } from '../../../src/main/seal/wire.ts';

const stopped: unknown = expect.objectContaining({ code: 'SealerStoppedException' });

/** A child that keeps what it was sent and answers when the test says so. */
function scripted() {
  const sent: { id: number; kind: string; frame: Uint8Array }[] = [];
  const deaths: string[] = [];
  let receive: (frame: Uint8Array) => void = () => undefined;
  let exit: (how: Exit) => void = () => undefined;
  let alive = true;
  const exited = new Promise<Exit>((resolve) => {
    exit = resolve;
  });
  const die = (why: string): void => {
    if (!alive) return;
    alive = false;
    deaths.push(why);
    exit({ code: null, signal: 'SIGKILL' });
  };
  const child: Child = {
    pid: 1,
    exited,
    send(frame) {
      if (!alive) throw new Error('gone');
      const { id, kind } = decodeMessage(frame, () => 'copies');
      sent.push({ id, kind, frame });
      if (kind === 'wipe') receive(encodeWiped());
    },
    onFrame(receiver) {
      receive = receiver;
    },
    kill: () => {
      die('killed');
    },
  };
  return { child, sent, deaths, answer: (frame: Uint8Array) => { receive(frame); }, crash: () => { die('crashed'); } };
}

describe('sealer client', () => {
  it('matches answers to calls, in any order', async () => {
    const { child, sent, answer } = scripted();
    const sealer = createSealerClient(child);
    const first = sealer.call('random', { length: 1 });
    const second = sealer.call('random', { length: 2 });
    answer(encodeReply(sent[1]!.id, { bytes: Uint8Array.of(2, 2) }));
    answer(encodeReply(sent[0]!.id, { bytes: Uint8Array.of(1) }));
    expect(await first).toEqual({ bytes: Uint8Array.of(1) });
    expect(await second).toEqual({ bytes: Uint8Array.of(2, 2) });
  });

  it('rejects with the sealer\'s error', async () => {
    const { child, sent, answer } = scripted();
    const call = createSealerClient(child).call('random', { length: 1 });
    answer(encodeError(sent[0]!.id, { code: 'VaultLockedException', message: 'locked' }));
    await expect(call).rejects.toMatchObject({ code: 'VaultLockedException' });
  });

  it('rejects everything that waits when the process dies, and everything after', async () => {
    const { child, crash } = scripted();
    const sealer = createSealerClient(child);
    const calls = [sealer.call('random', { length: 1 }), sealer.call('checkBegin', {})];
    crash();
    for (const call of calls) await expect(call).rejects.toEqual(stopped);
    await sealer.gone;
    await expect(sealer.call('random', { length: 1 })).rejects.toEqual(stopped);
    await sealer.stop();
  });

  it('stops by wipe, kill and waiting, once', async () => {
    const { child, sent, deaths } = scripted();
    const sealer = createSealerClient(child);
    const waiting = sealer.call('random', { length: 1 });
    const stops = Promise.all([sealer.stop(), sealer.stop()]);
    await expect(waiting).rejects.toEqual(stopped);
    await stops;
    expect(sent.map(({ kind }) => kind)).toEqual(['request', 'wipe']);
    expect(deaths).toEqual(['killed']);
    await expect(sealer.call('random', { length: 1 })).rejects.toEqual(stopped);
  });

  it('does not wait long for a sealer that is deep in a computation', async () => {
    const { child, deaths } = scripted();
    child.send = () => undefined;
    const started = Date.now();
    await createSealerClient(child).stop();
    expect(deaths).toEqual(['killed']);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it('kills a sealer that does not speak the protocol', async () => {
    const { child, deaths, answer } = scripted();
    const call = createSealerClient(child).call('random', { length: 1 });
    answer(Uint8Array.of(1, 2, 3));
    await expect(call).rejects.toEqual(stopped);
    expect(deaths).toEqual(['killed']);
  });

  it('wipes an answer that nobody waits for', () => {
    const { child, answer } = scripted();
    createSealerClient(child);
    const late = encodeReply(99, { bytes: Uint8Array.of(1, 2, 3) });
    answer(late);
    expect(late.every((byte) => byte === 0)).toBe(true);
  });

  it('lends plaintext off-heap', async () => {
    const { child, sent, answer } = scripted();
    const call = createSealerClient(child).call('random', { length: 8 });
    answer(encodeReply(sent[0]!.id, { bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }));
    const { bytes } = await call;
    // V8 keeps small arrays that were made by length in its heap; a view of a larger buffer is not one of them.
    expect(bytes.buffer.byteLength).toBeGreaterThan(bytes.byteLength);
  });

  it('rejects what cannot be sent, and goes on', async () => {
    const { child, sent, answer } = scripted();
    const sealer = createSealerClient(child);
    await expect(sealer.call('random', { length: Number.NaN })).rejects.toMatchObject({ code: 'SerializationException' });
    const call = sealer.call('random', { length: 0 });
    answer(encodeReply(sent[0]!.id, { bytes: new Uint8Array() }));
    await call;
  });
});
