/** A vault of the built program in a process of its own, and callers on its socket. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketPath } from '../src/shared/model/paths.ts';
import { encodeFrame, FrameReader } from '../src/shared/wire/frame.ts';
import { readServerMessage } from '../src/shared/wire/messages.ts';
import { pause } from './harness.ts';

export type Output = Readonly<Record<string, unknown>>;
export const PASSWORD = Buffer.from('correct horse battery staple').toString('base64');

/** One connection, one call at a time. */
export class Caller {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #waiting: { resolve: (frame: Buffer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#reader.push(chunk, (frame) => this.#waiting?.resolve(Buffer.from(frame.buffer)));
    });
    const gone = (): void => this.#waiting?.reject(new Error('the vault closed the connection'));
    socket.on('close', gone);
    socket.on('error', gone);
  }

  static connect(path: string): Promise<Caller> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        const caller = new Caller(socket);
        // The server speaks first.
        caller.#waiting = { resolve: () => resolve(caller), reject };
      });
    });
  }

  /** A call as a frame, to be sent any number of times. */
  static frame(op: string, input: Output): Uint8Array {
    return encodeFrame({ id: 1, op, input });
  }

  /**
   * Sends a call and resolves once it was answered well. Reads no more of the answer than that: the caller shares the
   * machine with the vault, and it is the vault that is measured.
   */
  async send(frame: Uint8Array): Promise<void> {
    const reply = await this.#exchange(frame);
    if (!reply.includes('"ok":true')) read(reply);
  }

  async call(op: string, input: Output = {}): Promise<Output> {
    return read(await this.#exchange(Caller.frame(op, input)));
  }

  #exchange(frame: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(frame);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The output of a reply; throws what the vault answered. */
function read(frame: Uint8Array): Output {
  const reply = readServerMessage(frame);
  if (reply.kind !== 'reply') throw new Error('not a reply');
  if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
  return JSON.parse(Buffer.from(reply.output).toString('utf8')) as Output;
}

/** A running vault, created with a password and a recovery code, and unlocked. */
export class Vault {
  readonly folder: string;
  readonly recoveryCode: string;
  readonly pid: number;
  readonly #path: string;
  readonly #stop: () => void;
  readonly #callers: Caller[] = [];

  private constructor(folder: string, path: string, pid: number, recoveryCode: string, stop: () => void) {
    this.folder = folder;
    this.#path = path;
    this.pid = pid;
    this.recoveryCode = recoveryCode;
    this.#stop = stop;
  }

  static async create(root: string, scratch: string): Promise<Vault> {
    const place = mkdtempSync(join(scratch, 'vault-'));
    const folder = join(place, 'vault');
    // A socket's path is short; a checkout's may not be.
    const run = mkdtempSync(join(tmpdir(), 'ksb-'));
    const env = {
      PATH: process.env['PATH'] ?? '',
      ...(process.env['SOFTHSM2_CONF'] === undefined ? {} : { SOFTHSM2_CONF: process.env['SOFTHSM2_CONF'] }),
      HOME: place,
      XDG_RUNTIME_DIR: run,
      XDG_CONFIG_HOME: join(place, 'config'),
      XDG_STATE_HOME: join(place, 'state'),
      XDG_DATA_HOME: join(place, 'data'),
    };
    mkdirSync(env.XDG_CONFIG_HOME);
    const child = spawn(process.execPath, [join(root, 'dist/main/serve.mjs'), '--vault', folder], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const stop = (): void => {
      child.kill('SIGKILL');
      rmSync(run, { recursive: true, force: true });
    };
    process.once('exit', stop);
    const real = join(realpathSync(place), 'vault');
    const path = socketPath({ platform: process.platform, env, home: place, tmp: run, uid: process.getuid?.() ?? 0 }, createHash('sha256').update(real).digest('hex'));
    try {
      const caller = await patiently(() => Caller.connect(path));
      const { RecoveryCode } = await caller.call('vault:Create', { Password: PASSWORD, Factors: 'password' });
      caller.close();
      return new Vault(folder, path, child.pid ?? 0, String(RecoveryCode), stop);
    } catch (error) {
      stop();
      throw error;
    }
  }

  async caller(): Promise<Caller> {
    const caller = await Caller.connect(this.#path);
    this.#callers.push(caller);
    return caller;
  }

  callers(count: number): Promise<Caller[]> {
    return Promise.all(Array.from({ length: count }, () => this.caller()));
  }

  /** Processes that the vault started and that are alive. */
  children(): number[] {
    return childrenOf(this.pid);
  }

  /** Processor time of the vault process and of its children while `work` ran, in microseconds for each of `count()`. */
  async processorTimeOf(work: () => Promise<unknown>, count: () => number): Promise<{ main: number; children: number }> {
    const children = this.children();
    const used = (): readonly [number, number] => [processorTime(this.pid), children.reduce((sum, pid) => sum + processorTime(pid), 0)];
    const [mainBefore, childrenBefore] = used();
    await work();
    const [main, others] = used();
    return { main: (1000 * (main - mainBefore)) / count(), children: (1000 * (others - childrenBefore)) / count() };
  }

  async stop(): Promise<void> {
    for (const caller of this.#callers) caller.close();
    this.#stop();
    await pause(50);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Processes that it started and that are alive. */
export const childrenOf = (parent: number): number[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => (parentOf(name) === parent ? [Number(name)] : []));

/** A size in MB (10^6 bytes) from a file of /proc; throws where only root may read it. */
export function processMegabytes(pid: number, file: 'smaps_rollup' | 'status', field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${String(pid)}/${file}`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`no ${field} in /proc/PID/${file}`);
  return (Number(kibibytes) * 1024) / 1e6;
}

/** Processor time that a process has used, user and system, in milliseconds (Linux counts in ticks of 10). */
export function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${String(pid)}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Starts the peak (VmHWM) of a process anew. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');

/** Runs a program to its end; throws with its own words when it fails. */
export function program(name: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(error?.message ?? `${name}: ${stderr.trim()}`);
  return stdout;
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 100) throw error;
      await pause(50);
    }
  }
}
