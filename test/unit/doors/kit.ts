/** A vault that is nothing but its doors, and callers of them. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoorName } from '../../../src/shared/api/operation.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { requestId } from '../../../src/shared/model/ids.ts';
import { encodeFrame, frameOf, FrameReader } from '../../../src/shared/wire/frame.ts';
import { decodeJson } from '../../../src/shared/wire/json.ts';
import { readServerMessage } from '../../../src/shared/wire/messages.ts';
import type { ServerMessage } from '../../../src/shared/wire/messages.ts';
import type { DoorPort, Refusal } from '../../../src/main/doors/port.ts';
import { openCliSocket } from '../../../src/main/doors/cli-socket.ts';
import type { CliDoor, CliSocketOptions } from '../../../src/main/doors/cli-socket.ts';
import type { Dispatch, Request, Result } from '../../../src/main/kernel/request.ts';
import type { VaultEvent } from '../../../src/shared/api/events.ts';

export interface FakePort extends DoorPort {
  readonly requests: Request[];
  readonly refusals: { door: DoorName; reason: Refusal; peer: number | undefined }[];
  readonly listeners: Set<(event: VaultEvent) => void>;
  emit(event: VaultEvent): void;
  /** Milliseconds of the monotonic clock. */
  now: number;
}

/** Answers with what it was given; parses the input as dispatch does. */
export const echo: Dispatch = (request) => {
  const { id } = request;
  try {
    const input = decodeJson(request.input, { secretFields: new Set(['Plaintext']) });
    return Promise.resolve({ ok: true, requestId: id, output: { op: request.operation, input } });
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return Promise.resolve({ ok: false, requestId: id, error: error.toBody() });
  }
};

export function fakePort(dispatch: Dispatch = echo): FakePort {
  let count = 0;
  const listeners = new Set<(event: VaultEvent) => void>();
  const port: FakePort = {
    requests: [],
    refusals: [],
    listeners,
    now: 0,
    dispatch: (request) => {
      if (port.requests.length < 1000) port.requests.push(request);
      return dispatch(request);
    },
    newRequestId: () => requestId(`request-${String(++count)}`),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refused: (door, reason, peer) => {
      if (port.refusals.length < 1000) port.refusals.push({ door, reason, peer });
    },
    hello: () => ({ version: 1, vaultId: '0f'.repeat(16), pid: process.pid, locked: false, features: [] }),
    clock: { monotonic: () => port.now },
    emit: (event) => {
      for (const listener of [...listeners]) listener(event);
    },
  };
  return port;
}

/** Answers only when told to. */
export function heldDispatch(): { dispatch: Dispatch; waiting: { request: Request; answer: (result?: Partial<Result>) => void }[] } {
  const waiting: { request: Request; answer: (result?: Partial<Result>) => void }[] = [];
  const dispatch: Dispatch = (request) =>
    new Promise((resolve) => {
      waiting.push({ request, answer: (result) => resolve({ ok: true, requestId: request.id, output: {}, ...result } as Result) });
    });
  return { dispatch, waiting };
}

export const me = process.geteuid?.() ?? 0;
export const peer = { uid: me, gid: 0, pid: process.pid };

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kd-'));
  folders.push(folder);
  return folder;
}
const folders: string[] = [];
const doors: CliDoor[] = [];
const callers: Caller[] = [];

export async function openDoor(port: DoorPort, options: Partial<CliSocketOptions> = {}): Promise<CliDoor> {
  const door = await openCliSocket({ path: join(temporaryFolder(), 'run', 'v.sock'), port, peerOf: () => peer, describe: () => ({}), ...options });
  doors.push(door);
  return door;
}

/** For `afterEach`. */
export async function tidy(): Promise<void> {
  for (const caller of callers.splice(0)) caller.socket.destroy();
  await Promise.all(doors.splice(0).map((door) => door.close(0)));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

type Reply = ServerMessage & { kind: 'reply' };

/** A caller on the socket. */
export class Caller {
  readonly socket: Socket;
  readonly replies: Reply[] = [];
  readonly events: ServerMessage[] = [];
  readonly hellos: ServerMessage[] = [];
  closed = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk, (frame) => {
        const message = readServerMessage(frame);
        if (message.kind === 'reply') this.replies.push(message);
        else if (message.kind === 'event') this.events.push(message);
        else this.hellos.push(message);
      });
      this.#stir();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#stir();
    });
  }

  static async to(path: string): Promise<Caller> {
    const socket = connect(path);
    const caller = new Caller(socket);
    callers.push(caller);
    await once(socket, 'connect');
    return caller;
  }

  send(...messages: unknown[]): void {
    this.socket.write(Buffer.concat(messages.map((message) => encodeFrame(message))));
  }

  sendText(...texts: string[]): void {
    this.socket.write(Buffer.concat(texts.map((text) => frameOf(Buffer.from(text)))));
  }

  /** Waits until it holds, or fails after 5 s. */
  async until(holds: () => boolean, what = 'what was waited for'): Promise<void> {
    const end = Date.now() + 5000;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`${what} did not happen`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async reply(id: number | null): Promise<Reply> {
    const find = (): Reply | undefined => this.replies.find((reply) => reply.id === id);
    await this.until(() => find() !== undefined, `an answer to ${String(id)}`);
    const reply = find();
    if (!reply) throw new Error('lost');
    this.replies.splice(this.replies.indexOf(reply), 1);
    return reply;
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

export async function eventually(holds: () => boolean, what = 'what was waited for'): Promise<void> {
  const end = Date.now() + 5000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const outputOf = (reply: Reply): unknown => (reply.ok ? decodeJson(reply.output) : reply.error);

export const call = (id: number, op = 'vault:Status', input: object = {}, more: object = {}): object => ({ id, op, input, ...more });
