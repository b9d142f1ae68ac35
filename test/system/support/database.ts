/** What the real servers of the rotators' tests have in common: a folder of their own, a user without rights, a free port, an end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { descendantsOf, until } from './processes.ts';
import { NOBODY } from './served-vault.ts';

/** Milliseconds until a server must answer, also on a busy machine. */
export const START_MS = 60_000;

/** One that nobody listened at a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((found, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => { found(port); });
    });
  });

export function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chownSync(path, NOBODY, NOBODY);
  return path;
}

/** As root the tests drop to a user without rights: PostgreSQL and MariaDB refuse to run as root. */
export const unprivileged = (program: string, args: readonly string[]): readonly [string, ...string[]] =>
  process.getuid?.() === 0 ? ['setpriv', `--reuid=${String(NOBODY)}`, `--regid=${String(NOBODY)}`, '--clear-groups', '--', program, ...args] : [program, ...args];

export interface Running {
  readonly pid: number;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  readonly log: () => string;
}

/** Starts a server in the foreground; resolves once `answers`. What it prints goes to `log`. */
export async function startServer(folder: string, program: string, args: readonly string[], answers: () => Promise<boolean>): Promise<Running> {
  const [command, ...rest] = unprivileged(program, args);
  const child: ChildProcess = spawn(command, rest, { cwd: folder, env: { PATH: '/usr/sbin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let over = false;
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece: Buffer) => (printed += piece.toString('latin1')));
  const ended = new Promise<void>((end) => {
    child.once('error', () => { over = true; end(); });
    child.once('close', () => { over = true; end(); });
  });
  await until(async () => {
    if (over) throw new Error(`${program} has ended: ${printed.slice(-2000)}`);
    return answers().catch(() => false);
  }, `${program} answers`, START_MS);
  return {
    pid: child.pid ?? 0,
    async kill() {
      if (!over && child.pid !== undefined) {
        // As a power cut would: none of its processes gets to go on when another has gone.
        child.kill('SIGSTOP');
        for (const pid of descendantsOf(child.pid)) process.kill(pid, 'SIGKILL');
        child.kill('SIGKILL');
      }
      await ended;
    },
    log: () => printed + ['server.log', 'general.log'].map((name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'latin1') : '')).join(''),
  };
}
