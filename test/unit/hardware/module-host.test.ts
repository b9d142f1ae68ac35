/** The parent's side of a module host: callers that want too much, and hosts that answer what was not asked. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createModuleHost } from '../../../src/main/backends/pkcs11/client.ts';
import { decodeToChild, decodeToParent, encode } from '../../../src/main/backends/pkcs11/messages.ts';
import { MOST_LISTED } from '../../../src/main/backends/pkcs11/protocol.ts';
import type { Child, Exit } from '../../../src/main/platform/ports.ts';

const LIMITS = { start: 1000, generate: 10_000, call: 1000 };
const TOKEN = { serial: '1', label: 'one' };

function setUp() {
  const sent: { readonly id: number; readonly call: string }[] = [];
  let receive: (frame: Uint8Array) => void = () => undefined;
  let leave: (exit: Exit) => void = () => undefined;
  const child: Child = {
    pid: 1,
    exited: new Promise((resolve) => { leave = resolve; }),
    kill: () => { leave({ code: null, signal: 'SIGKILL' }); },
    onFrame: (to) => { receive = to; },
    send(frame) {
      const given = decodeToChild(frame);
      if (given) sent.push({ id: given.id, call: given.message.call });
    },
  };
  const host = createModuleHost(child, 'm', LIMITS);
  return { host, sent, say: (id: number, reply: unknown = { tokens: [] }) => { receive(encode(id, { reply })); }, frame: (bytes: Uint8Array) => { receive(bytes); } };
}

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

describe('a module host', () => {
  it('is sent four calls at once; the time of the others begins when they are sent', async () => {
    const { host, sent, say } = setUp();
    const calls = Array.from({ length: 12 }, () => host.call('tokens', {}));
    expect(sent.length).toBe(4);
    for (let done = 0; done < 12; done += 1) {
      // Twelve times nine tenths of the limit: far too late for all but those that were sent since.
      vi.advanceTimersByTime(done % 4 === 0 ? 900 : 0);
      say(sent[done]?.id ?? -1);
    }
    await Promise.all(calls);
    expect([host.isGone, sent.length]).toEqual([false, 12]);
  });

  it('refuses what is too much, and goes on', async () => {
    const { host, sent, say } = setUp();
    const calls = Array.from({ length: 260 }, () => host.call('tokens', {}));
    await expect(host.call('tokens', {})).rejects.toMatchObject({ code: 'ThrottlingException' });
    for (let done = 0; done < 260; done += 1) say(sent[done]?.id ?? -1);
    await Promise.all(calls);
    expect(host.isGone).toBe(false);
  });

  it('waits with a short call for a long one that was sent before, and no longer', async () => {
    const { host, sent, say } = setUp();
    const long = host.call('generate', { token: TOKEN, spec: 'RSA_4096', usage: 'SIGN_VERIFY', id: '00', label: '' });
    const short = host.call('tokens', {});
    vi.advanceTimersByTime(9000);
    expect(host.isGone).toBe(false);
    say(sent[0]?.id ?? -1, { stated: {} });
    await long;
    short.catch(() => undefined);
    vi.advanceTimersByTime(2500);
    expect(host.isGone).toBe(true);
    await expect(short).rejects.toMatchObject({ code: 'KMSInternalException' });
  });

  it('that answers what nobody asked is ended, and so is every call, those that wait too', async () => {
    const { host, sent, say } = setUp();
    const calls = Array.from({ length: 6 }, () => host.call('tokens', {}));
    say(4_000_000);
    const answers = await Promise.allSettled(calls);
    expect([host.isGone, sent.length, answers.every(({ status }) => status === 'rejected')]).toEqual([true, 4, true]);
  });

  it('that says more than a frame or a list may hold, or names what is no name, is ended', async () => {
    const facts = { slot: '', description: '', present: true, serial: '', label: '', manufacturer: '', model: '', firmware: '', hardware: '', initialized: true, pinSet: true, pinPad: false, writeProtected: false, pin: 'ok', minPin: 0, maxPin: 0 };
    const many = setUp();
    const listed = many.host.call('tokens', {});
    many.say(many.sent[0]?.id ?? -1, { tokens: Array.from({ length: MOST_LISTED + 1 }, () => facts) });
    await expect(listed).rejects.toMatchObject({ code: 'KMSInternalException' });
    expect(many.host.isGone).toBe(true);
    expect(decodeToParent(encode(1, { reply: {} }, [new Uint8Array(1024 * 1024)]))).toBeUndefined();
    expect(decodeToParent(encode(1, { failure: { what: 'cryptoki', code: 5, function: 'C_Sign', name: 'CKR_GENERAL_ERROR' } }))).toBeDefined();
    for (const named of [{ function: 'C_Sign`; type your PIN' }, { function: 'Sign' }, { name: 'CKR_x' }, { name: '\u001b[2J' }]) expect(decodeToParent(encode(1, { failure: { what: 'cryptoki', code: 5, ...named } as never }))).toBeUndefined();
  });
});
