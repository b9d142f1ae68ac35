/**
 * The process that alone opens outward connections. It gets the values of one secret, from its parent, for one rotation, and is killed.
 *
 * Defends against: hostile bytes of a server in the process that decides, a password that outlives its rotation or the vault's lock,
 * connections to anything but the hosts that the secret names or the owner allowed. Does not: know what else is in the vault, or
 * which secret this is.
 */
import { childPort } from '../platform/child-port.ts';
import { adoptOrphans, killDescendants } from '../platform/descendants.ts';
import { systemClock } from '../platform/clock.ts';
import { harden } from '../platform/harden.ts';
import { systemRandom } from '../platform/random.ts';
import { RotatorError } from '../rotators/rotator-error.ts';
import { createDialler } from './dial.ts';
import type { EgressOrder, FailureCode } from './port.ts';
import { type Given, type ToParent, decodeToChild, encode } from './protocol.ts';
import { runCommand } from './run-command.ts';
import { type Progress, runDatabase } from './run-database.ts';
import { runLambda } from './run-lambda.ts';
import { runRemote, type RemoteDone } from './run-remote.ts';

harden();
// A program of the owner's that makes itself a daemon stays below this process, and ends with it.
adoptOrphans();
// Drivers look for settings there (`PGSSLMODE`, `NODE_EXTRA_CA_CERTS`, proxies); none is to be found.
for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
const port = childPort();

let stop: ((code: FailureCode) => void) | undefined;
/** A driver that stumbles over a server's bytes outside of any promise. */
process.on('uncaughtException', () => stop?.('answer-malformed'));
process.on('unhandledRejection', () => stop?.('answer-malformed'));

async function work(order: EgressOrder, given: Given): Promise<{ readonly answer: ToParent; readonly value?: Uint8Array }> {
  const dialler = createDialler(order.kind === 'command' ? [] : order.allow, { now: systemClock.monotonic });
  const progress: Progress = { notes: new Set(), uncertain: false };
  const cut = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    stop = (code) => {
      reject(new RotatorError(code, 'run'));
      cut.abort();
    };
  });
  const timer = setTimeout(() => stop?.('timed-out'), order.timeMs);
  try {
    const nothing = (): RemoteDone => ({});
    const running =
      order.kind === 'database' ? runDatabase(order, given, dialler, systemRandom, progress).then(nothing)
      : order.kind === 'command' ? runCommand(order, progress, cut.signal).then(nothing)
      : order.kind === 'remote' ? runRemote(order, given, dialler, systemRandom, cut.signal)
      : runLambda(order, dialler, progress, cut.signal).then(nothing);
    running.catch(() => undefined);
    const { theirs, value } = await Promise.race([running, stopped]);
    const answer: ToParent = { kind: 'done', notes: [...progress.notes], connections: [...dialler.connections], ...(theirs ? { theirs } : {}), ...(value ? { value: { kind: value.kind, length: value.bytes.byteLength } } : {}) };
    return { answer, ...(value ? { value: value.bytes } : {}) };
  } catch (error) {
    const { code, place, detail, role } = error instanceof RotatorError ? error : new RotatorError('answer-malformed', 'run');
    return { answer: { kind: 'failed', code, place, ...(detail === undefined ? {} : { detail }), ...(role ? { role } : {}), uncertain: progress.uncertain, connections: [...dialler.connections] } };
  } finally {
    clearTimeout(timer);
    stop = undefined;
    dialler.destroy();
  }
}

port.onFrame((frame) => {
  const decoded = decodeToChild(frame);
  if (!decoded) process.exit(1);
  const { message, values } = decoded;
  if (message.kind === 'cancel') stop?.('cancelled');
  else void work(message.order, values).then(({ answer, value }) => { port.send(encode(answer, value)); frame.fill(0); });
});
void port.closed.then(() => {
  killDescendants(process.pid);
  process.exit(0);
});
