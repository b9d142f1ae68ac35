/** A `Child` that lives in this process, for tests: frames are copied both ways and arrive in a later turn, as from a process. */
import { VaultError } from '../../shared/model/errors.ts';
import { copy, wipe } from '../crypto/bytes.ts';
import type { Child, Exit } from '../platform/ports.ts';

/** What answers the frames. `receive` and `send` take ownership of theirs. */
export interface FrameHost {
  readonly receive: (frame: Uint8Array) => void;
  readonly wipe: () => void;
}

/** `start` is called once, with the way back. */
export function loopback(start: (send: (frame: Uint8Array) => void) => FrameHost): Child {
  let receiver: (frame: Uint8Array) => void = wipe;
  let alive = true;
  let exit: (how: Exit) => void = () => undefined;
  const exited = new Promise<Exit>((resolve) => {
    exit = resolve;
  });

  const deliver = (frame: Uint8Array, to: (frame: Uint8Array) => void): void => {
    const own = copy(frame);
    wipe(frame);
    queueMicrotask(() => {
      if (alive) to(own);
      else wipe(own);
    });
  };

  const host = start((frame) => {
    deliver(frame, (own) => {
      receiver(own);
    });
  });

  return {
    pid: process.pid,
    exited,
    send(frame) {
      if (!alive) {
        wipe(frame);
        throw new VaultError('SealerStoppedException', 'the sealer has stopped; unlock the vault again');
      }
      deliver(frame, host.receive);
    },
    onFrame(receive) {
      receiver = receive;
    },
    kill() {
      if (!alive) return;
      alive = false;
      host.wipe();
      exit({ code: null, signal: 'SIGKILL' });
    },
  };
}
