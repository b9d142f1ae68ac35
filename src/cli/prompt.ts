/** Questions on a terminal. What is typed is never echoed, and the terminal is put back on every way out. */
import { SecretBytes } from '../shared/model/secret-bytes.ts';
import { readStdin } from './files.ts';
import { cancelled, usage, type World } from './world.ts';

const ENTER = new Set([0x0d, 0x0a]);
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const ESCAPE = 0x1b;
const ERASE = new Set([0x7f, 0x08]);
const MOST = 1024;

export const onTerminal = (world: World): boolean => world.stdin.isTTY && world.stderr.isTTY;

/**
 * Asks for a secret. `mask`: shows a dot per character, for long codes copied from paper. The caller disposes of it.
 * Ctrl+C, Ctrl+D on an empty line and the end of input are a cancel.
 */
export async function askSecret(world: World, question: string, options: { readonly mask?: boolean } = {}): Promise<SecretBytes> {
  using line = SecretBytes.allocate(MOST);
  await world.stderr.write(question);
  const restore = world.stdin.raw();
  try {
    const length = await readLine(world, line, options.mask ?? false);
    return line.borrow((bytes) => SecretBytes.copy(bytes.subarray(0, length)));
  } finally {
    restore();
    await world.stderr.write('\n');
  }
}

async function readLine(world: World, line: SecretBytes, mask: boolean): Promise<number> {
  let length = 0;
  let skipping: 'none' | 'escape' | 'sequence' = 'none';
  for await (const chunk of world.stdin.chunks()) {
    try {
      for (const byte of chunk) {
        if (skipping !== 'none') {
          // ESC [ parameters letter: an arrow key or a paste bracket is not part of a password.
          skipping = skipping === 'escape' ? (byte === 0x5b || byte === 0x4f ? 'sequence' : 'none') : byte >= 0x40 ? 'none' : 'sequence';
        } else if (ENTER.has(byte)) return length;
        else if (byte === CTRL_C || (byte === CTRL_D && length === 0)) throw cancelled();
        else if (byte === ESCAPE) skipping = 'escape';
        else if (ERASE.has(byte)) {
          const before = length;
          length = line.borrow((bytes) => eraseLast(bytes, length));
          if (mask && before > length) await world.stderr.write('\b \b');
        } else if (byte === CTRL_U) {
          if (mask) await world.stderr.write('\b \b'.repeat(line.borrow((bytes) => characters(bytes, length))));
          length = 0;
        } else if (byte >= 0x20 && length < MOST) {
          line.borrow((bytes) => (bytes[length] = byte));
          length++;
          if (mask && (byte & 0xc0) !== 0x80) await world.stderr.write('•');
        }
      }
    } finally {
      chunk.fill(0);
    }
  }
  throw cancelled();
}

/** Length without the last UTF-8 character. */
function eraseLast(bytes: Uint8Array, length: number): number {
  let at = length;
  while (at > 0) {
    const byte = bytes[--at] ?? 0;
    bytes[at] = 0;
    if ((byte & 0xc0) !== 0x80) break;
  }
  return at;
}
const characters = (bytes: Uint8Array, length: number): number => bytes.subarray(0, length).reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);

/** A line that is no secret, echoed as it is typed. */
export async function ask(world: World, question: string): Promise<string> {
  await world.stderr.write(question);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of world.stdin.chunks()) {
    text += decoder.decode(chunk, { stream: true });
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end).trim();
  }
  throw cancelled();
}

/**
 * Lines of standard input for `--password-stdin`, one secret per line in the order asked; the last may lack its newline.
 * Throws a usage error when there are fewer or more lines than `count`.
 */
export async function secretLines(world: World, count: number, what: string): Promise<readonly SecretBytes[]> {
  if (world.stdin.isTTY) throw usage('--password-stdin reads from a pipe or a file, and standard input is a terminal; leave it out to be asked');
  using whole = await readStdin(world, 'password-stdin');
  return whole.borrow((bytes) => {
    const lines: SecretBytes[] = [];
    let start = 0;
    for (let at = 0; at <= bytes.length; at++) {
      if (at < bytes.length && bytes[at] !== 0x0a) continue;
      if (at === bytes.length && start === at) break;
      const end = at > start && bytes[at - 1] === 0x0d ? at - 1 : at;
      lines.push(SecretBytes.copy(bytes.subarray(start, end)));
      start = at + 1;
    }
    if (lines.length === count && lines.every((line) => line.length > 0)) return lines;
    for (const line of lines) line[Symbol.dispose]();
    throw usage(`--password-stdin: standard input must hold ${what}, a line each and nothing else`);
  });
}

export const sameBytes = (a: SecretBytes, b: SecretBytes): boolean => a.length === b.length && a.borrow((left) => b.borrow((right) => left.every((byte, at) => byte === right[at])));
