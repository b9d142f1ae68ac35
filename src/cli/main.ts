/** The process: real streams, signals and folders, and the exit code. */
import { randomInt } from 'node:crypto'; // eslint-disable-line no-restricted-imports -- chooses groups of a code to type back, and is injected from here
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../shared/model/errors.ts';
import { VERSION } from '../shared/version.ts';
import { runCommandLine } from './run.ts';
import type { Input, Output, World } from './world.ts';

/** Beside this file in `dist/cli/`. */
const SERVER = fileURLToPath(new URL('../main/serve.mjs', import.meta.url));
/** A second Ctrl+C, and a signal that ends the process, by the shell's convention. */
const INTERRUPTED = 130;

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    isTTY: stream.isTTY,
    columns: stream.isTTY && stream.columns > 0 ? stream.columns : 80,
    write: (chunk) => new Promise((resolve, reject) => stream.write(chunk, (error) => { if (error) reject(error); else resolve(); })),
  };
}

function inputOf(stream: NodeJS.ReadStream): Input {
  return {
    isTTY: stream.isTTY,
    async *chunks() {
      for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) yield chunk;
    },
    raw() {
      let raised = stream.isTTY;
      const lower = (): void => {
        if (raised) stream.setRawMode(false);
        raised = false;
        process.off('exit', lower);
      };
      if (raised) stream.setRawMode(true);
      process.on('exit', lower);
      return lower;
    },
    release() {
      // A file or a pipe may have no handle to let go of.
      stream.pause();
      if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
    },
  };
}

const world: World = {
  surroundings: { platform: process.platform, env: process.env, home: homedir(), tmp: tmpdir(), uid: process.geteuid?.() ?? 0 },
  cwd: process.cwd(),
  version: VERSION,
  monotonic: () => performance.now(), // eslint-disable-line no-restricted-properties -- the one clock of the command line, injected from here
  randomBelow: (limit) => randomInt(limit),
  stdin: inputOf(process.stdin),
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  onInterrupt(interrupted) {
    let first = true;
    const onSignal = (): void => {
      if (!first) process.exit(INTERRUPTED);
      first = false;
      interrupted();
    };
    process.on('SIGINT', onSignal);
    return () => process.off('SIGINT', onSignal);
  },
  server: existsSync(SERVER) ? { program: process.execPath, args: [SERVER] } : undefined,
};

// A reader that has had enough (`keystead … | head`) is no error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.internal));
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(INTERRUPTED));

// No `await` here: the bundle is a classic script, which has a code cache. What never ends must not end as a success.
process.exitCode = EXIT.internal;
void runCommandLine(process.argv.slice(2), world).then((exitCode) => {
  process.exitCode = exitCode;
  world.stdin.release();
});
