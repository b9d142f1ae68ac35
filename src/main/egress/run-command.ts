/**
 * The owner's program as a rotator: AWS's event on its standard input, no shell, an environment of fixed words, exit code 0 for success.
 * It gets no value: it reads and puts them at the vault's door like any other client, with an access key of its own.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, isAbsolute } from 'node:path';
import { killDescendants } from '../platform/descendants.ts';
import { RotatorError } from '../rotators/rotator-error.ts';
import { codeOf } from '../rotators/transport-errors.ts';
import type { CommandOrder } from './port.ts';
import type { Progress } from './run-database.ts';

const OTHERS_MAY_WRITE = 0o022;
/** In such a folder, as /tmp is one, others make files and take nobody's away. */
const STICKY = 0o1000;
const SOMEBODY_MAY_RUN = 0o111;
/** What the kernel starts: a script with its interpreter, ELF, Mach-O, PE. The C library would give anything else to a shell. */
const BEGINNINGS = ['2321', '7f454c46', 'cffaedfe', 'cafebabe', '4d5a'];
const LARGEST = 256 * 1024 * 1024;

const refused = (detail?: string): RotatorError => new RotatorError('command-refused', 'prepare', { detail });

const isTrusted = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

/** Every folder above a path, and above what it leads to: nobody else may put another file in its place. */
async function checkFolders(path: string): Promise<void> {
  const real = await realpath(path).catch((error: unknown) => { throw refused(codeOf(error)); });
  for (const start of new Set([path, real])) {
    for (let folder = dirname(start); ; folder = dirname(folder)) {
      const { mode, uid } = await stat(folder).catch((error: unknown) => { throw refused(codeOf(error)); });
      if (!isTrusted(uid) || ((mode & OTHERS_MAY_WRITE) !== 0 && (mode & STICKY) === 0)) throw refused('FOLDER');
      if (folder === dirname(folder)) break;
    }
  }
}

/** Who could change the file between this look and its start is its owner or root: they are who allowed it. */
async function checkProgram({ path, sha256 }: CommandOrder): Promise<void> {
  if (!isAbsolute(path) || path.includes('\0')) throw refused();
  await checkFolders(path);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => { throw refused(codeOf(error)); });
  try {
    const { mode, uid, size, isFile } = await file.stat().then((stats) => ({ mode: stats.mode, uid: stats.uid, size: stats.size, isFile: stats.isFile() }));
    if (!isFile || !isTrusted(uid) || (mode & OTHERS_MAY_WRITE) !== 0 || (mode & SOMEBODY_MAY_RUN) === 0) throw refused('EACCES');
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (!BEGINNINGS.some((begin) => buffer.toString('hex').startsWith(begin))) throw refused('ENOEXEC');
    if (sha256 === undefined) return;
    if (size > LARGEST) throw refused('EFBIG');
    const hash = createHash('sha256');
    for await (const piece of file.createReadStream({ autoClose: false, start: 0 })) hash.update(piece as Buffer);
    if (hash.digest('hex') !== sha256) throw refused('DIGEST');
  } finally {
    await file.close();
  }
}

/** Rejects with RotatorError `command-refused` or `command-failed`. What the program started ends with it, daemons too. */
export async function runCommand(order: CommandOrder, progress: Progress, signal: AbortSignal): Promise<void> {
  await checkProgram(order);
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: userInfo().homedir, ...(order.endpoint === undefined ? {} : { SECRETS_MANAGER_ENDPOINT: order.endpoint }) };
  await new Promise<void>((done, fail) => {
    const program = spawn(order.path, order.args, { cwd: '/', env, shell: false, detached: true, stdio: ['pipe', 'ignore', 'ignore'], windowsHide: true });
    const kill = (): void => {
      try {
        // The whole group: `detached` made the program its leader.
        if (program.pid !== undefined) process.kill(-program.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
      killDescendants(process.pid);
    };
    signal.addEventListener('abort', kill, { once: true });
    program.once('error', (error) => { fail(refused(codeOf(error))); });
    program.once('spawn', () => { progress.uncertain = true; });
    program.once('close', (code, name) => {
      signal.removeEventListener('abort', kill);
      kill();
      progress.uncertain = code !== 0;
      if (code === 0) done();
      else fail(new RotatorError('command-failed', 'run', { detail: name ?? `EXIT_${String(code)}` }));
    });
    // A program that does not read its input is not wrong for that.
    program.stdin.on('error', () => undefined);
    program.stdin.end(`${JSON.stringify(order.event)}\n`);
  });
}
