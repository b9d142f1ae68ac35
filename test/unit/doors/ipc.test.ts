import { afterEach, describe, expect, it } from 'vitest';
import { isOwnFrame, openIpcDoor } from '../../../src/main/doors/ipc.ts';
import type { IpcLimits, IpcMessage, IpcPort } from '../../../src/main/doors/ipc.ts';
import { WINDOW_ORIGINS, type FrameEvidence, type WindowOrigin } from '../../../src/main/kernel/request.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeJson } from '../../../src/shared/wire/encode.ts';
import { MAX_FRAME_BYTES } from '../../../src/shared/wire/frame.ts';
import type { FakePort } from './kit.ts';
import { eventually, fakePort, heldDispatch, tidy } from './kit.ts';

afterEach(tidy);

const origin: WindowOrigin = 'https://vault.invalid';
const frame: FrameEvidence = { isMainFrame: true, origin, windowId: 1 };

interface Window {
  readonly sent: { windowId: number; text: string }[];
  post(message: unknown, from?: FrameEvidence | null): void;
  postRaw(data: unknown, from?: FrameEvidence | null): void;
  gone(windowId: number): void;
  answer(id: number | null): { ok: boolean; output?: unknown; error?: { code: string } } | undefined;
  door: ReturnType<typeof openIpcDoor>;
}

function openWindow(port: FakePort, limits: Partial<IpcLimits> = {}): Window {
  let receive: (message: IpcMessage) => void = () => undefined;
  let gone: (windowId: number) => void = () => undefined;
  const sent: { windowId: number; text: string }[] = [];
  const ipc: IpcPort = {
    onMessage: (receiver) => (receive = receiver),
    onGone: (receiver) => (gone = receiver),
    send: (windowId, data) => {
      sent.push({ windowId, text: Buffer.from(data).toString() });
      data.fill(0);
    },
  };
  const door = openIpcDoor({ ipc, port, origin, limits });
  return {
    sent,
    door,
    post: (message, from = frame) => receive({ frame: from, data: encodeJson(message) }),
    postRaw: (data, from = frame) => receive({ frame: from, data }),
    gone: (windowId) => gone(windowId),
    answer: (id) => sent.map(({ text }) => JSON.parse(text) as { id?: number | null; ok: boolean }).find((reply) => reply.id === id),
  };
}

function shared(text: string): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(text.length));
  bytes.set(Buffer.from(text));
  return bytes;
}

const call = (id: number, op = 'x', input: object = {}): object => ({ id, op, input });

describe('frame checks', () => {
  it.each<[string, FrameEvidence | null]>([
    ['a frame that is gone', null],
    ['a frame inside the page', { ...frame, isMainFrame: false }],
    ['no origin', { ...frame, origin: '' }],
    ['an opaque origin', { ...frame, origin: 'null' }],
    ['http', { ...frame, origin: 'http://vault.invalid' }],
    ['a port', { ...frame, origin: 'https://vault.invalid:443' }],
    ['a path', { ...frame, origin: 'https://vault.invalid/' }],
    ['a longer host', { ...frame, origin: 'https://vault.invalid.example' }],
    ['a sub-domain', { ...frame, origin: 'https://x.vault.invalid' }],
    ['capitals', { ...frame, origin: 'HTTPS://VAULT.INVALID' }],
    ['the other host\'s origin', { ...frame, origin: 'keystead://app' }],
    ['a file', { ...frame, origin: 'file://' }],
    ['a user in the origin', { ...frame, origin: 'https://vault.invalid@example.org' }],
    ['a window that is no number', { ...frame, windowId: NaN }],
  ])('refuse %s, count it, and do not answer', async (_name, from) => {
    const port = fakePort();
    const window = openWindow(port);
    window.post(call(1), from);
    await new Promise((resolve) => setImmediate(resolve));
    expect(window.sent).toEqual([]);
    expect(port.requests).toEqual([]);
    expect(port.refusals.map(({ door, reason }) => [door, reason])).toEqual([['ipc', 'frame']]);
  });

  it('know both hosts\' pages, one at a time', () => {
    for (const own of WINDOW_ORIGINS) {
      for (const other of WINDOW_ORIGINS) expect(isOwnFrame({ ...frame, origin: other }, own)).toBe(own === other);
    }
  });
});

describe('the window\'s door', () => {
  it('makes the same request of a message, with the frame as evidence', async () => {
    const port = fakePort();
    const window = openWindow(port);
    window.post(call(1, 'kms:Encrypt', { KeyId: 'k' }));
    await eventually(() => window.sent.length === 1);
    expect(window.answer(1)).toMatchObject({ ok: true, output: { op: 'kms:Encrypt', input: { KeyId: 'k' } } });
    expect(port.requests[0]).toMatchObject({ door: 'ipc', evidence: { door: 'ipc', frame }, operation: 'kms:Encrypt' });
    expect(port.requests[0]?.evidence).not.toHaveProperty('frame', expect.objectContaining({ extra: 1 }));
  });

  it('answers a hello with its own', async () => {
    const port = fakePort();
    const window = openWindow(port);
    window.post({ hello: { version: 1, events: true } });
    await eventually(() => window.sent.length === 1);
    expect(JSON.parse(window.sent[0]?.text ?? '')).toEqual({ hello: port.hello() });
    port.emit({ event: 'vault.locked' });
    expect(JSON.parse(window.sent[1]?.text ?? '')).toEqual({ event: 'vault.locked' });
    window.gone(1);
    expect(port.listeners.size).toBe(0);
  });

  it.each([
    ['a string', '{"id":1,"op":"x","input":{}}'],
    ['an object', { id: 1, op: 'x', input: {} }],
    ['an array buffer', new ArrayBuffer(4)],
    ['shared memory', shared('{"id":1,"cancel":true}')],
    ['another typed array', new Uint16Array(4)],
    ['nothing', undefined],
    ['null', null],
  ])('takes only bytes: not %s', (_name, data) => {
    const port = fakePort();
    const window = openWindow(port);
    window.postRaw(data);
    expect(window.answer(null)).toMatchObject({ ok: false, error: { code: 'SerializationException' } });
    expect(port.requests).toEqual([]);
  });

  it('takes 1 MiB and refuses more', async () => {
    const window = openWindow(fakePort(({ id, input }) => Promise.resolve({ ok: true, requestId: id, output: { length: input.length } })));
    const [head, tail] = ['{"id":1,"op":"x","input":{"a":"', '"}}'];
    const text = head + 'x'.repeat(MAX_FRAME_BYTES - head.length - tail.length) + tail;
    window.postRaw(Uint8Array.from(Buffer.from(text)));
    await eventually(() => window.sent.length === 1);
    expect(window.answer(1)?.ok).toBe(true);
    window.postRaw(Uint8Array.from(Buffer.from(`${text} `)));
    expect(window.answer(null)).toMatchObject({ error: { code: 'RequestTooLargeException' } });
  });

  it('has 64 in flight and 200 calls a second for each window', async () => {
    const { dispatch, waiting } = heldDispatch();
    const port = fakePort(dispatch);
    const window = openWindow(port);
    for (let id = 1; id <= 70; id++) window.post(call(id));
    await eventually(() => waiting.length === 64);
    expect(window.answer(65)).toMatchObject({ error: { code: 'ThrottlingException' } });
    for (const { answer } of waiting) answer();
    await eventually(() => window.sent.length === 70);
    for (let id = 100; id < 500; id++) window.post(call(id));
    expect(port.refusals.filter(({ reason }) => reason === 'rate').length).toBe(70);
    window.post(call(1), { ...frame, windowId: 2 });
    await eventually(() => waiting.length === 64 + 64 + 1);
    for (const { answer } of waiting) answer();
    await eventually(() => window.sent.some(({ windowId }) => windowId === 2));
  });

  it('keeps so many windows and no more', async () => {
    const port = fakePort();
    const window = openWindow(port, { windows: 2 });
    for (const windowId of [1, 2, 3]) window.post(call(1), { ...frame, windowId });
    await eventually(() => window.sent.length === 2);
    expect(port.refusals.map(({ reason, peer }) => [reason, peer])).toEqual([['connections', 3]]);
    window.gone(1);
    window.post(call(1), { ...frame, windowId: 3 });
    await eventually(() => window.sent.length === 3);
  });

  it('aborts the calls of a window that is gone, drops their answers and wipes their secrets', async () => {
    const { dispatch, waiting } = heldDispatch();
    const window = openWindow(fakePort(dispatch));
    window.post(call(1));
    await eventually(() => waiting.length === 1);
    window.gone(1);
    expect(waiting[0]?.request.signal.aborted).toBe(true);
    const secret = SecretBytes.allocate(3);
    waiting[0]?.answer({ output: { secret } });
    await eventually(() => secret.disposed);
    expect(window.sent).toEqual([]);
  });

  it('never throws across, and wipes what came in', async () => {
    const window = openWindow(fakePort(() => Promise.reject(new Error('inner words'))));
    const data = encodeJson(call(1, 'x', { Plaintext: 'AQID' }));
    window.postRaw(data);
    await eventually(() => window.sent.length === 1);
    expect(window.sent[0]?.text).toContain('InternalException');
    expect(window.sent[0]?.text).not.toContain('inner');
    expect(data.every((byte) => byte === 0)).toBe(true);
    const foreign = encodeJson(call(2));
    window.postRaw(foreign, null);
    expect(foreign.every((byte) => byte === 0)).toBe(true);
  });

  it('waits at its close for what is running, and takes nothing more', async () => {
    const { dispatch, waiting } = heldDispatch();
    const window = openWindow(fakePort(dispatch));
    window.post(call(1));
    await eventually(() => waiting.length === 1);
    const closing = window.door.close();
    window.post(call(2));
    waiting[0]?.answer();
    await closing;
    expect(window.answer(1)?.ok).toBe(true);
    expect(waiting.length).toBe(1);
  });
});
