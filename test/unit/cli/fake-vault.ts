/** A vault for the command line to talk to: the real wire, made-up answers. And a world without a terminal or with one. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommandLine } from '../../../src/cli/run.ts';
import type { World } from '../../../src/cli/world.ts';
import { declarationOf, isOperationName, type Name } from '../../../src/shared/api/index.ts';
import { secretFields } from '../../../src/shared/api/operation.ts';
import { VaultError, type ErrorBody } from '../../../src/shared/model/errors.ts';
import { socketPath, type Surroundings } from '../../../src/shared/model/paths.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { encodeFrame, FrameReader } from '../../../src/shared/wire/frame.ts';
import { decodeJson } from '../../../src/shared/wire/json.ts';
import { PROTOCOL_VERSION, readClientMessage } from '../../../src/shared/wire/messages.ts';

export type Input = Readonly<Record<string, unknown>>;
export type FakeHandler = (input: Input, call: { progress(done: number, total: number): void; readonly cancelled: Promise<void> }) => unknown;
export type Handlers = Readonly<Partial<Record<Name, FakeHandler>>>;

export interface Fake {
  readonly folder: string;
  readonly home: string;
  readonly surroundings: Surroundings;
  /** Operations in the order of arrival, with secrets as `secret:TEXT`. */
  readonly seen: { readonly name: string; readonly input: Input; readonly region?: string }[];
  listen(handlers: Handlers, options?: { readonly version?: number }): Promise<void>;
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  close(): Promise<void>;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  /** What is typed: the keys of each question, the world being a terminal. */
  readonly typed?: readonly string[];
  /** Called when the command line starts waiting; returns what interrupts it. */
  readonly interrupt?: (interrupt: () => void) => void;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly outBytes: Uint8Array;
  readonly err: string;
  /** Raw mode was entered and left equally often. */
  readonly restored: boolean;
}

export const error = (code: ErrorBody['code'], message: string, details?: Record<string, string>): VaultError => new VaultError(code, message, details ? { details } : undefined);
export const textOf = (value: unknown): string => (value instanceof SecretBytes ? value.borrow((bytes) => new TextDecoder().decode(bytes)) : String(value));

export function createFake(options: { readonly header?: boolean } = {}): Fake {
  const home = mkdtempSync(join(tmpdir(), 'keystead-cli-'));
  const folder = join(home, 'vault');
  mkdirSync(folder, { mode: 0o700 });
  if (options.header !== false) writeFileSync(join(folder, 'header'), 'x');
  const surroundings: Surroundings = { platform: 'linux', env: { XDG_RUNTIME_DIR: join(home, 'run'), KEYSTEAD_VAULT: folder }, home, tmp: home, uid: process.geteuid?.() ?? 0 };
  const socket = socketPath(surroundings, createHash('sha256').update(folder).digest('hex'));
  const seen: Fake['seen'] = [];
  const sockets = new Set<Socket>();
  let server: Server | undefined;

  const serve = (connection: Socket, handlers: Handlers): void => {
    const reader = new FrameReader();
    const cancels = new Map<number, () => void>();
    const answer = async (id: number, op: string, bytes: Uint8Array, region: string | undefined): Promise<void> => {
      const requestId = '00000000-0000-4000-8000-000000000001';
      try {
        if (!isOperationName(op)) throw error('UnknownOperationException', `no operation \`${op}\``);
        const input = decodeJson(bytes, { secretFields: secretFields(declarationOf(op).input) }) as Input;
        seen.push({ name: op, input: Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value instanceof SecretBytes ? `secret:${textOf(value)}` : value])), ...(region === undefined ? {} : { region }) });
        const parsed = declarationOf(op).input.safeParse(input);
        if (!parsed.success) throw error('ValidationException', parsed.error.issues[0]?.message ?? '');
        const handler = handlers[op];
        if (!handler) throw error('AccessDeniedException', 'not in this test');
        const cancelled = new Promise<void>((resolve) => cancels.set(id, resolve));
        const progress = (done: number, total: number): void => void connection.write(encodeFrame({ event: 'progress', call: id, progress: { done, total, unit: 'bytes' } }));
        const output = await handler(parsed.data as Input, { progress, cancelled });
        connection.write(encodeFrame({ id, ok: true, output, requestId }));
      } catch (failure) {
        const body = failure instanceof VaultError ? failure.toBody() : { code: 'InternalException', message: String(failure) };
        connection.write(encodeFrame({ id, ok: false, error: body, requestId }));
      }
    };
    connection.on('data', (chunk: Buffer) => {
      reader.push(chunk, (frame) => {
        const message = readClientMessage(frame);
        if (message.kind === 'request') void answer(message.id, message.op, message.input, message.region);
        if (message.kind === 'cancel') cancels.get(message.id)?.();
      });
    });
  };

  return {
    folder,
    home,
    surroundings,
    seen,
    async listen(handlers, { version = PROTOCOL_VERSION } = {}) {
      mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
      chmodSync(dirname(socket), 0o700);
      const listening = createServer((connection) => {
        sockets.add(connection);
        connection.on('error', () => undefined);
        connection.write(encodeFrame({ hello: { version, pid: process.pid, locked: false, features: [] } }));
        serve(connection, handlers);
      });
      server = listening;
      await new Promise<void>((resolve) => listening.listen(socket, resolve));
    },
    run: (argv, runOptions = {}) => runIn(surroundings, home, argv, runOptions),
    async close() {
      for (const connection of sockets) connection.destroy();
      const closing = server;
      if (closing) await new Promise((resolve) => closing.close(resolve));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function runIn(surroundings: Surroundings, cwd: string, argv: readonly string[], { stdin, typed, interrupt }: RunOptions = {}): Promise<Ran> {
  const out: Uint8Array[] = [];
  let err = '';
  let raw = 0;
  const pending = [...(typed ?? [])];
  const bytesOf = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? new TextEncoder().encode(text) : Uint8Array.from(text));
  const world: World = {
    surroundings,
    cwd,
    version: '0.0.0-test',
    monotonic: () => performance.now(),
    randomBelow: () => 0,
    stdin: {
      isTTY: typed !== undefined,
      async *chunks() {
        const next = typed === undefined ? stdin : pending.shift();
        if (next !== undefined) yield bytesOf(next);
      },
      raw() {
        raw++;
        let lowered = false;
        return () => {
          if (!lowered) raw--;
          lowered = true;
        };
      },
      release: () => undefined,
    },
    stdout: { isTTY: false, columns: 80, write: async (chunk) => void out.push(bytesOf(chunk)) },
    stderr: { isTTY: typed !== undefined, columns: 80, write: async (chunk) => void (err += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)) },
    onInterrupt(interrupted) {
      interrupt?.(interrupted);
      return () => undefined;
    },
    server: undefined,
  };
  const code = await runCommandLine(argv, world);
  const outBytes = Uint8Array.from(Buffer.concat(out));
  return { code, out: new TextDecoder().decode(outBytes), outBytes, err, restored: raw === 0 };
}
