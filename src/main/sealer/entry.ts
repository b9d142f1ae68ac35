/**
 * The sealer's process. Frames on descriptor 3; it ends when that closes. Of an error that nobody caught, it
 * writes the class to stderr and nothing else: its message might quote a key.
 */
import { childPort } from '../platform/child-port.ts';
import { harden } from '../platform/harden.ts';
import { systemRandom } from '../platform/random.ts';
import { createSealerHost } from './sealer.ts';

harden();

const port = childPort();
const host = createSealerHost({
  random: systemRandom,
  send(frame) {
    try {
      port.send(frame);
    } catch {
      // Main is gone, and `closed` is about to end this process.
    }
  },
});

function end(code: number): never {
  host.wipe();
  process.exit(code);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.name : 'Error'}\n`);
    end(70);
  });
}

port.onFrame(host.receive);
void port.closed.then(() => end(0));
