/** The parent's side: a process that dies, lies or says nothing is a failure, and never the vault's. */
import { describe, expect, it } from 'vitest';
import { createEgress } from '../../../src/main/egress/client.ts';
import type { DatabaseOrder } from '../../../src/main/egress/port.ts';
import { decodeToChild, encode, type ToChild, type ToParent } from '../../../src/main/egress/protocol.ts';
import type { Child, Exit } from '../../../src/main/platform/ports.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const ORDER: DatabaseOrder = { kind: 'database', action: 'set', engine: 'postgres', strategy: 'single', allow: ['db:5432'], timeMs: 1000 };
const DONE: ToParent = { kind: 'done', notes: ['already-set'], connections: [] };

/** `act` is what a process does with a message. */
function setUp(act: (message: ToChild, child: { say(bytes: Uint8Array): void; die(): void }, values: readonly string[]) => void) {
  const timers = new Set<{ readonly ms: number; readonly fire: () => void }>();
  let spawned = 0;
  let alive = 0;
  const spawn = (): Child => {
    spawned += 1;
    alive += 1;
    let receive: (frame: Uint8Array) => void = () => undefined;
    let end: (exit: Exit) => void = () => undefined;
    const exited = new Promise<Exit>((settle) => (end = settle));
    let gone = false;
    const die = (): void => {
      if (!gone) alive -= 1;
      gone = true;
      end({ code: null, signal: 'SIGKILL' });
    };
    return {
      pid: 1,
      exited,
      kill: die,
      onFrame: (to) => (receive = to),
      send(frame) {
        if (gone) throw new Error('gone');
        const decoded = decodeToChild(frame)!;
        const values = Object.values(decoded.values).map((bytes) => Buffer.from(bytes).toString());
        queueMicrotask(() => { act(decoded.message, { say: (bytes) => { receive(bytes); }, die }, values); });
      },
    };
  };
  const egress = createEgress({
    host: { spawn },
    after(ms, fire) {
      const timer = { ms, fire };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  });
  return { egress, timers, counts: () => [spawned, alive] };
}
const run = (session: ReturnType<ReturnType<typeof createEgress>['open']>, signal = new AbortController().signal) => session.run(ORDER, { current: SecretBytes.copy(Buffer.from('now')), pending: SecretBytes.copy(Buffer.from('next')) }, { signal });

describe('a session', () => {
  it('has one process for its orders, one after the other, and none when it is closed', async () => {
    const seen: unknown[] = [];
    const { egress, timers, counts } = setUp((message, { say }, values) => {
      seen.push([message.kind, ...values]);
      say(encode(DONE));
    });
    const session = egress.open();
    expect(await Promise.all([run(session), run(session)])).toEqual([{ ok: true, notes: ['already-set'], connections: [] }, { ok: true, notes: ['already-set'], connections: [] }]);
    expect([seen, counts(), timers.size]).toEqual([[['order', 'now', 'next'], ['order', 'now', 'next']], [1, 1], 0]);
    await session.close();
    await session.close();
    expect(counts()).toEqual([1, 0]);
  });

  it('of a process that dies or lies fails, and starts another for the next order', async () => {
    for (const [act, code] of [[(child: { die(): void }) => { child.die(); }, 'stopped'], [(child: { say(bytes: Uint8Array): void }) => { child.say(Buffer.from('hunter2')); }, 'answer-malformed']] as const) {
      let first = true;
      const { egress, counts } = setUp((_message, child) => {
        if (first) act(child);
        else child.say(encode(DONE));
        first = false;
      });
      const session = egress.open();
      const answer = await run(session);
      expect(answer).toMatchObject({ ok: false, failure: { code, uncertain: true } });
      expect(JSON.stringify(answer)).not.toContain('hunter2');
      expect(await run(session)).toMatchObject({ ok: true });
      expect(counts()).toEqual([2, 1]);
    }
  });

  it('ends a process that says nothing in time, or after a cancel', async () => {
    const { egress, timers, counts } = setUp(() => undefined);
    const session = egress.open();
    const late = run(session);
    await new Promise((soon) => setTimeout(soon));
    expect([...timers].map(({ ms }) => ms)).toEqual([3000]);
    for (const { fire } of timers) fire();
    expect(await late).toMatchObject({ ok: false, failure: { code: 'timed-out' } });
    const cancel = new AbortController();
    const cancelled = run(session, cancel.signal);
    await new Promise((soon) => setTimeout(soon));
    cancel.abort();
    expect([...timers].map(({ ms }) => ms)).toEqual([3000, 1000]);
    [...timers].at(-1)?.fire();
    expect(await cancelled).toMatchObject({ ok: false, failure: { code: 'cancelled', uncertain: true } });
    expect(await run(session, cancel.signal)).toMatchObject({ ok: false, failure: { code: 'cancelled', uncertain: false } });
    expect(counts()).toEqual([2, 0]);
  });

  it('is over with all others at lock', async () => {
    const { egress, counts } = setUp(() => undefined);
    const running = [run(egress.open()), run(egress.open())];
    await new Promise((soon) => setTimeout(soon));
    expect(counts()).toEqual([2, 2]);
    await egress.endAll();
    expect(await Promise.all(running)).toMatchObject([{ failure: { code: 'stopped' } }, { failure: { code: 'stopped' } }]);
    expect(counts()).toEqual([2, 0]);
  });

  it('that was opened before lock, or while the vault is locked, starts no process after it', async () => {
    const { egress, counts } = setUp((_message, child) => { child.say(encode(DONE)); });
    const before = egress.open();
    await egress.endAll();
    const during = egress.open();
    expect([await run(before), await run(during)]).toMatchObject([{ failure: { code: 'stopped' } }, { failure: { code: 'stopped' } }]);
    egress.begin();
    expect([await run(before), await run(during)]).toMatchObject([{ failure: { code: 'stopped' } }, { failure: { code: 'stopped' } }]);
    expect(counts()).toEqual([0, 0]);
    expect(await run(egress.open())).toMatchObject({ ok: true });
  });
});
