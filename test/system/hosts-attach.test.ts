/** What follows from the life of a window for the vault, and the other way round; over a host that does what the test says. */
import { describe, expect, it, vi } from 'vitest';
import { attachWindow, type Windowed } from '../../src/main/app/windowed.ts';
import type { VaultEvent } from '../../src/shared/api/events.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import type { Ending, WindowHost } from '../../src/main/hosts/port.ts';
import type { IpcMessage } from '../../src/main/doors/ipc.ts';
import type { Dispatch } from '../../src/main/kernel/request.ts';
import { noLog } from '../../src/main/platform/log.ts';
import { fakePort } from '../unit/doors/kit.ts';
import { until } from './support/processes.ts';

async function attached({ renew = () => Promise.resolve(), dispatch }: { renew?: () => Promise<void>; dispatch?: Dispatch } = {}) {
  let ended: (how: Ending) => void = () => undefined;
  let receive: (message: IpcMessage) => void = () => undefined;
  let gone: (windowId: number) => void = () => undefined;
  const [renewed, closed, protect, stop] = [vi.fn(renew), vi.fn(() => Promise.resolve()), vi.fn(), vi.fn(() => Promise.resolve())];
  const host: WindowHost = {
    name: 'chromium',
    origin: 'https://vault.invalid',
    notes: [],
    ipc: { onMessage: (take) => (receive = take), onGone: (take) => (gone = take), send: (_id, data) => void data.fill(0) },
    open: () => Promise.resolve(),
    renew: renewed,
    onEnded: (take) => (ended = take),
    protect,
    close: closed,
  };
  const port = fakePort(dispatch);
  const closers: ((graceMs: number) => Promise<void>)[] = [];
  const programOf = (door: typeof port) => ({ desk: { attach: () => undefined }, door, dispatch: door.dispatch, events: { emit: door.emit, subscribe: door.subscribe } }) as unknown as Windowed['program'];
  const program = programOf(port);
  const moves: ((graceMs: number) => Promise<void>)[] = [];
  const vault = { program, log: noLog, stop, beside: (close: (graceMs: number) => Promise<void>) => void closers.push(close), onMoved: (receive: (graceMs: number) => Promise<void>) => void moves.push(receive) };
  await attachWindow(vault, host);
  const moveTo = async (other: typeof port): Promise<void> => {
    vault.program = programOf(other);
    await Promise.all(moves.map((receive) => receive(0)));
  };
  const call = (op: string): void => receive({ frame: { isMainFrame: true, origin: 'https://vault.invalid', windowId: 1 }, data: new TextEncoder().encode(JSON.stringify({ id: 1, op, input: {} })) });
  return { port, moveTo, renewed, closed, protect, stop, end: (how: Ending) => ended(how), gone: (id: number) => gone(id), call, close: () => Promise.all(closers.map((close) => close(0))), emit: (event: VaultEvent) => port.emit(event) };
}

describe('a window beside a vault', () => {
  it('has a fresh page after a lock, one after the other', async () => {
    const window = await attached();
    window.emit({ event: 'key.changed' });
    window.emit({ event: 'vault.locked' });
    await until(() => window.renewed.mock.calls.length === 1, 'a fresh page');
    expect(window.stop).not.toHaveBeenCalled();
  });

  it('locks the vault when the page left its document, before the fresh page', async () => {
    const window = await attached();
    window.end('navigated');
    await until(() => window.renewed.mock.calls.length === 1, 'a fresh page');
    expect(window.port.requests.map(({ door, operation }) => [door, operation])).toEqual([['schedule', 'vault:Lock']]);
  });

  it('stops when it is closed, when a page keeps crashing, and when a page cannot be ended', async () => {
    const closed = await attached();
    closed.end('closed');
    expect(closed.stop).toHaveBeenCalledWith('asked');

    const crashing = await attached();
    for (let time = 0; time < 5; time++) crashing.end('crashed');
    expect(crashing.stop).not.toHaveBeenCalled();
    crashing.end('crashed');
    expect(crashing.stop).toHaveBeenCalledOnce();

    const stuck = await attached({ renew: () => Promise.reject(new Error('it does not end')) });
    stuck.emit({ event: 'vault.locked' });
    await until(() => stuck.stop.mock.calls.length === 1, 'the program stops');
  });

  it('keeps the window out of recordings from the first value that a page was given until that page is gone', async () => {
    const dispatch: Dispatch = ({ id, operation }) => Promise.resolve({ ok: true, requestId: id, output: operation === 'kms:Decrypt' ? { Plaintext: SecretBytes.copy(new Uint8Array(3)) } : {} });
    const window = await attached({ dispatch });
    window.call('vault:Status');
    await new Promise((done) => setTimeout(done, 20));
    expect(window.protect).not.toHaveBeenCalled();
    window.call('kms:Decrypt');
    await until(() => window.protect.mock.calls.length === 1, 'protection');
    expect(window.protect).toHaveBeenLastCalledWith(true);
    window.emit({ event: 'vault.locked' });
    await until(() => window.protect.mock.calls.length === 2, 'no protection');
    expect(window.protect).toHaveBeenLastCalledWith(false);
  });

  it('has a fresh page for another vault, and nothing more to do with the one before', async () => {
    const window = await attached();
    const other = fakePort();
    await window.moveTo(other);
    expect(window.renewed).toHaveBeenCalledOnce();
    window.call('vault:Status');
    await until(() => other.requests.length === 1, 'the other vault is asked');
    expect(window.port.requests).toEqual([]);
    window.emit({ event: 'vault.locked' });
    await new Promise((done) => setTimeout(done, 20));
    expect(window.renewed).toHaveBeenCalledOnce();
    other.emit({ event: 'vault.locked' });
    await until(() => window.renewed.mock.calls.length === 2, 'a fresh page');
  });

  it('does nothing more once the program is closing', async () => {
    const window = await attached();
    await window.close();
    expect(window.closed).toHaveBeenCalledOnce();
    window.end('crashed');
    window.emit({ event: 'vault.locked' });
    await new Promise((done) => setTimeout(done, 20));
    expect(window.renewed).not.toHaveBeenCalled();
    expect(window.stop).not.toHaveBeenCalled();
  });
});
