/** The clipboard by the desktop's own tools, over standard input: a value is in no argument and no environment. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { VaultError } from '../../../shared/model/errors.ts';
import type { Clipboard } from '../port.ts';

interface Tool {
  readonly write: readonly string[];
  readonly read: readonly string[];
}

const WAYLAND: Tool = { write: ['wl-copy'], read: ['wl-paste', '--no-newline'] };
const X11: Tool = { write: ['xclip', '-selection', 'clipboard', '-in'], read: ['xclip', '-selection', 'clipboard', '-out'] };
const WITHIN = 2000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined where there is no display, or no tool for it on the PATH. */
export function systemClipboard(env: Environment = process.env): Clipboard | undefined {
  if (process.platform !== 'linux') return undefined;
  const tools = [...(env['WAYLAND_DISPLAY'] ? [WAYLAND] : []), ...(env['DISPLAY'] ? [X11] : [])];
  const tool = tools.find(({ write: [name = ''] }) => isOnPath(name, env));
  return tool && clipboardOf(tool);
}

function isOnPath(name: string, env: Environment): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function clipboardOf({ write, read }: Tool): Clipboard {
  /** Of what was put there last; the value itself is not kept. */
  let ours: string | undefined;
  const put = (bytes: Uint8Array): Promise<unknown> => runTool(write, bytes, 'ignore');
  return {
    async write(text) {
      try {
        ours = digestOf(text);
        await put(text);
      } finally {
        text.fill(0);
      }
    },
    async clear() {
      const wanted = ours;
      ours = undefined;
      if (wanted === undefined) return;
      try {
        const there = await runTool(read, new Uint8Array(), 'pipe');
        const same = digestOf(there) === wanted;
        there.fill(0);
        if (same) await put(new Uint8Array());
      } catch {
        // Nothing to read: it holds something else, or nothing any more.
      }
    },
  };
}

/**
 * The tool's standard output, when it is wanted. A tool that writes goes on in the background to serve what it was given, and keeps its output
 * open; its first process ends at once.
 */
function runTool([program = '', ...args]: readonly string[], input: Uint8Array, output: 'ignore' | 'pipe'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', output, 'ignore'], timeout: WITHIN });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const refused = (): void => reject(new VaultError('InternalException', 'the clipboard does not take it; copy it from the window instead'));
    child.once('error', refused);
    child.once(output === 'pipe' ? 'close' : 'exit', (code) => (code === 0 ? resolve(Buffer.concat(chunks)) : refused()));
  });
}
