/** Reading what a flag points to, and writing what must be new. */
import { constants } from 'node:fs';
import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { isAbsolute, normalize, resolve } from 'node:path';
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { errnoOf } from '../shared/model/errno.ts';
import { EXIT } from '../shared/model/errors.ts';
import { CliError, usage, type World } from './world.ts';

/** More than any field takes: an operation's whole input is at most 1 MiB. */
const MOST = 1024 * 1024;

export function absolute(world: World, path: string): string {
  const home = path === '~' || path.startsWith('~/') ? `${world.surroundings.home}${path.slice(1)}` : path;
  return normalize(isAbsolute(home) ? home : resolve(world.cwd, home));
}

/** Off-heap bytes of a file, which the caller wipes. */
export async function readBytes(world: World, flag: string, path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(absolute(world, path), constants.O_RDONLY);
    const bytes = new Uint8Array(new ArrayBuffer(MOST + 1));
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    if (length > MOST) throw usage(`--${flag}: the file is larger than 1 MiB`);
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw unreadable(`--${flag}`, path, error);
  } finally {
    await file?.close();
  }
}

/** Everything on standard input, off-heap, which the caller wipes. */
export async function readStdin(world: World, flag: string): Promise<SecretBytes> {
  const parts: SecretBytes[] = [];
  let length = 0;
  for await (const chunk of world.stdin.chunks()) {
    parts.push(SecretBytes.take(chunk));
    length += chunk.length;
    if (length > MOST) throw usage(`--${flag}: standard input is longer than 1 MiB`);
  }
  const whole = SecretBytes.allocate(length);
  whole.borrow((target) => {
    let at = 0;
    for (const part of parts) {
      part.borrow((bytes) => target.set(bytes, at));
      at += part.length;
      part[Symbol.dispose]();
    }
  });
  return whole;
}

function unreadable(what: string, path: string, error: unknown): CliError {
  const code = errnoOf(error) ?? 'unknown';
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read' : code === 'EISDIR' ? 'it is a folder' : code;
  return new CliError('FileNotReadableException', EXIT.notFound, `${what}: \`${path}\` cannot be read: ${reason}`);
}

/** A file that did not exist before. Nothing is overwritten, and no link is followed. */
export interface NewFile {
  readonly path: string;
  write(bytes: Uint8Array): Promise<void>;
  /** Removes it, when what it was for has failed; not what was written whole: a code is shown only once. */
  abandon(): Promise<void>;
}

/** Opens it before the work is done, so that a result is never without a place. `secret`: 0600. */
export async function createNew(world: World, path: string, secret: boolean): Promise<NewFile> {
  const full = absolute(world, path);
  let file: FileHandle;
  try {
    file = await open(full, 'wx', secret ? 0o600 : 0o666);
  } catch (error) {
    const code = errnoOf(error) ?? 'unknown';
    if (code === 'EEXIST') throw new CliError('FileExistsException', EXIT.conflict, `\`${path}\` exists already and is not overwritten; name another file`);
    throw new CliError('FileNotReadableException', EXIT.notFound, `\`${path}\` cannot be made: ${code === 'ENOENT' ? 'there is no such folder' : code}`);
  }
  let written = false;
  return {
    path: full,
    async write(bytes) {
      await file.writeFile(bytes);
      await file.sync();
      written = true;
      await file.close();
    },
    async abandon() {
      if (written) return;
      await file.close().catch(() => undefined);
      await rm(full, { force: true });
    },
  };
}

export const readText = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
