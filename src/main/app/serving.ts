/**
 * Which vault this process serves: one at a time. To go to another, that one is opened first (its folder is claimed, still locked), so that
 * whatever keeps it from being served leaves everything as it is; then the doors are handed over and the one before is locked and let go.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Program } from './compose.ts';

export interface Served {
  /** Real path. */
  readonly folder: string;
  readonly program: Program;
  /** Takes nothing more at the command line's door, and lets what is under way end. */
  closeDoor(graceMs: number): Promise<void>;
}

export interface Serving {
  readonly now: Served;
  /** Resolves once `now` is the new one; the one before goes after that. Rejects as `serve` does, and has changed nothing then. */
  moveTo(folder: string): Promise<void>;
  /** Before the one before is let go: whoever has a door of it closes that door and opens one of `now`. Must not reject. */
  onMoved(receive: (graceMs: number) => Promise<void>): void;
  /** Idempotent. `others` are closed together with the door. */
  close(graceMs: number, others: readonly ((graceMs: number) => Promise<void>)[]): Promise<void>;
}

export async function startServing(first: string, serve: (folder: string) => Promise<Served>, graceMs: number): Promise<Serving> {
  const receivers: ((graceMs: number) => Promise<void>)[] = [];
  let now = await serve(first);
  let moving: Promise<void> | undefined;
  let handedOver: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const letGo = async (before: Served): Promise<void> => {
    // The answer of who asked for this is still to be sent.
    await new Promise((done) => setImmediate(done));
    await Promise.all([before.closeDoor(graceMs), ...receivers.map((receive) => receive(graceMs))]);
    await before.program.close();
  };
  const open = async (folder: string): Promise<void> => {
    const next = await serve(folder);
    const before = now;
    now = next;
    handedOver = letGo(before);
  };

  return {
    get now() {
      return now;
    },
    async moveTo(folder) {
      if (moving || closing) throw new VaultError('VaultInUseException', closing ? 'this process is ending' : 'this process is going to another vault already; wait for that one');
      moving = handedOver.then(() => open(folder));
      try {
        await moving;
      } finally {
        moving = undefined;
      }
    },
    onMoved: (receive) => void receivers.push(receive),
    close: (grace, others) =>
      (closing ??= (async () => {
        await moving?.catch(() => undefined);
        await handedOver;
        await Promise.all([now.closeDoor(grace), ...others.map((close) => close(grace))]);
        await now.program.close();
      })()),
  };
}
