/**
 * The process that encrypts or decrypts one file, and is killed. It gets one data key, from its parent, for the one file that it was
 * started for.
 *
 * Defends against: hostile bytes of a file in the process that decides (main) or in the one that holds keys (the sealer); a data key
 * that outlives its file, or the vault's lock, which kills this process. Does not: know which key may be used, or for what.
 */
import { childPort } from '../platform/child-port.ts';
import { harden } from '../platform/harden.ts';
import { StreamFailure } from './failure.ts';
import { streamFile } from './file-stream.ts';
import { VaultKeyring } from './keyring.ts';
import { type Order, type ToParent, decodeToChild, encode } from './messages.ts';

harden();
const port = childPort();
const say = (message: ToParent, bytes?: Uint8Array): void => {
  port.send(encode(message, bytes));
};

let answer: ((key: Uint8Array, wrapped: Uint8Array) => void) | undefined;
/** The parent answers with a key, or kills this process. */
const ask = (message: ToParent, bytes?: Uint8Array): Promise<{ readonly key: Uint8Array; readonly wrapped: Uint8Array }> =>
  new Promise((resolve) => {
    answer = (key, wrapped) => {
      resolve({ key, wrapped });
    };
    say(message, bytes);
  });

async function work(order: Order): Promise<void> {
  const keyring = new VaultKeyring({
    keyArn: order.keyArn,
    context: order.context,
    make: (context) => ask({ kind: 'make', context: { ...context } }),
    unwrap: async (wrapped, context) => (await ask({ kind: 'unwrap', context: { ...context } }, wrapped)).key,
  });
  const progress = (done: number, total: number): void => {
    say({ kind: 'progress', done, total });
  };
  try {
    const { size, written, context } = await streamFile(order, keyring, progress);
    say({ kind: 'done', size, written, context: { ...context } });
  } catch (error) {
    const { where, code } = error instanceof StreamFailure ? error : new StreamFailure('message', 'INVALID');
    say({ kind: 'failed', where, code });
  }
}

port.onFrame((frame) => {
  const given = decodeToChild(frame);
  if (!given) process.exit(1);
  const { message, bytes } = given;
  if (message.kind === 'order') void work(message);
  // Copied: the frame is wiped now.
  else answer?.(new Uint8Array(bytes), Buffer.from(message.wrapped ?? '', 'base64'));
  frame.fill(0);
});
void port.closed.then(() => process.exit(0));
