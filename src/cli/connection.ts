/** One conversation with a running vault over its socket: hello, calls by id, progress, cancel. */
import { connect, type Socket } from 'node:net';
import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Answer, CallOptions, Transport } from '../shared/api/client.ts';
import { declarationOf, type Name } from '../shared/api/index.ts';
import { secretFields } from '../shared/api/operation.ts';
import { errnoOf } from '../shared/model/errno.ts';
import { EXIT } from '../shared/model/errors.ts';
import { encodeFrame, FrameReader } from '../shared/wire/frame.ts';
import { decodeJson } from '../shared/wire/json.ts';
import { PROTOCOL_VERSION, readServerMessage, type CancelMessage, type RequestMessage, type ServerHello, type ServerMessage } from '../shared/wire/messages.ts';
import { CliError, ofVault } from './world.ts';

const HELLO_WITHIN = 5000;

export interface Connection extends Transport {
  readonly hello: ServerHello;
  /** Resolves when the other side is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/**
 * INVARIANT: nothing is sent to a socket that another user could have put there. The folder must be this user's own, no link,
 * and closed to everybody else; then only this user (and root) can have made what is in it. Undefined: nobody answers.
 */
export async function connectTo(path: string, uid: number): Promise<Connection | undefined> {
  if (!path.startsWith('\\\\') && !(await socketIsOurs(path, uid))) return undefined;
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  } catch (error) {
    socket.destroy();
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new CliError('NotRunning', EXIT.notRunning, `the vault's socket \`${path}\` cannot be reached: ${code ?? 'unknown'}`);
  }
  return converse(socket);
}

/** False when there is nothing. Throws when there is something that is not to be trusted. */
export async function socketIsOurs(path: string, uid: number): Promise<boolean> {
  const folder = dirname(path);
  const stat = await lstat(folder).catch(() => undefined);
  if (!stat) return false;
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new CliError('UnsafeFolder', EXIT.tampered, `the folder \`${folder}\` is not yours alone, so what answers there is not trusted`, { next: `ls -ld ${folder}` });
  }
  const socket = await lstat(path).catch(() => undefined);
  if (!socket) return false;
  if (!socket.isSocket() || socket.uid !== uid) throw new CliError('UnsafeFolder', EXIT.tampered, `\`${path}\` is not a socket of yours`, { next: `ls -l ${path}` });
  return true;
}

interface Pending {
  readonly name: Name;
  readonly options: CallOptions;
  settle(answer: Answer<Readonly<Record<string, unknown>>>): void;
  fail(error: Error): void;
}

/** What came is not the vault's side of the conversation: no fault of what was asked. */
const garbled = (): CliError => new CliError('ProtocolError', EXIT.internal, 'what answers on the vault\'s socket does not speak as a vault does', { next: 'keystead doctor' });
const gone = (): CliError => new CliError('NotRunning', EXIT.notRunning, 'the vault went away before it answered', { next: 'keystead status' });

async function converse(socket: Socket): Promise<Connection> {
  const reader = new FrameReader({ wipeChunks: true });
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let greet: ((hello: ServerHello) => void) | undefined;

  const closed = new Promise<void>((resolve) => socket.once('close', () => { resolve(); }));
  let broken: Error | undefined;
  const breakOff = (error: Error): void => {
    broken ??= error;
    for (const call of pending.values()) call.fail(error);
    pending.clear();
    socket.destroy();
  };
  socket.on('error', () => undefined);
  void closed.then(() => { breakOff(gone()); });

  const receive = (frame: Uint8Array): void => {
    const message = readServerMessage(frame);
    if (message.kind === 'hello') greet?.(message.hello);
    else if (message.kind === 'event') {
      const { call, progress } = message.event;
      if (call !== undefined && progress) pending.get(call)?.options.progress?.(progress);
    } else if (message.id === null) {
      throw message.ok ? garbled() : ofVault(message.error, message.requestId);
    } else {
      const call = pending.get(message.id);
      pending.delete(message.id);
      if (call) call.settle(answerOf(call.name, message));
    }
  };
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk, (frame) => {
        try {
          receive(frame);
        } finally {
          frame.fill(0);
        }
      });
    } catch (error) {
      breakOff(error instanceof CliError ? error : garbled());
    }
  });

  const hello = await new Promise<ServerHello>((resolve, reject) => {
    const late = setTimeout(() => { reject(new CliError('NotRunning', EXIT.notRunning, 'the vault does not answer', { next: 'keystead doctor' })); }, HELLO_WITHIN);
    const settle = (): void => { clearTimeout(late); };
    greet = (greeting) => { settle(); resolve(greeting); };
    void closed.then(() => { settle(); reject(broken ?? gone()); });
  }).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
  if (hello.version !== PROTOCOL_VERSION) {
    socket.destroy();
    throw new CliError('ProtocolVersion', EXIT.conflict, `the running vault speaks version ${String(hello.version)} of the protocol and this command line ${String(PROTOCOL_VERSION)}`, {
      next: 'stop it with its own version, then: keystead unlock',
    });
  }

  const send = (message: RequestMessage | CancelMessage): void => {
    const frame = encodeFrame(message);
    socket.write(frame, () => { frame.fill(0); });
  };

  return {
    hello,
    closed,
    close: () => { socket.destroy(); },
    call(name, input, options) {
      if (socket.destroyed) return Promise.reject(gone());
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        const cancel = (): void => { if (pending.has(id)) send({ id, cancel: true }); };
        const done = (): void => { options.signal?.removeEventListener('abort', cancel); };
        pending.set(id, {
          name,
          options,
          settle: (answer) => { done(); resolve(answer); },
          fail: (error) => { done(); reject(error); },
        });
        options.signal?.addEventListener('abort', cancel, { once: true });
        try {
          send({ id, op: name, input, ...(options.progress ? { progress: true } : {}), ...(options.region === undefined ? {} : { region: options.region }) });
        } catch (error) {
          pending.delete(id);
          done();
          reject(error instanceof Error ? error : gone());
          return;
        }
        if (options.signal?.aborted) cancel();
      });
    },
  };
}

/** Decodes an output by its declaration: secrets without a string, blobs to bytes. */
function answerOf(name: Name, message: Extract<ServerMessage, { kind: 'reply' }>): Answer<Readonly<Record<string, unknown>>> {
  if (!message.ok) return { ok: false, requestId: message.requestId, error: message.error };
  const { output } = declarationOf(name);
  try {
    const parsed = output.safeParse(decodeJson(message.output, { secretFields: secretFields(output) }));
    if (parsed.success) return { ok: true, requestId: message.requestId, output: parsed.data as Readonly<Record<string, unknown>> };
  } catch {
    // Falls to the one answer below.
  }
  return { ok: false, requestId: message.requestId, error: { code: 'InternalException', message: 'the vault answered in a form that this command line does not know; use the one that belongs to it' } };
}
