import { openChannel, type Channel } from './channel.ts';
import { libc } from './libc.ts';

/** prctl(2), `linux/prctl.h`. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
/** The descriptor that `createProcessHost` opens for its children. */
const CHANNEL_FD = 3;

/** What a utility process of Electron has in the place of a descriptor; nothing of Electron needs to be imported for it. */
interface ParentPort {
  on(event: 'message', listener: (message: { readonly data: unknown }) => void): unknown;
  postMessage(message: unknown): void;
}

function overMessages(port: ParentPort): Channel {
  let receiver: ((frame: Uint8Array) => void) | undefined;
  let early: Uint8Array[] = [];
  port.on('message', ({ data }) => {
    if (!(data instanceof Uint8Array)) return;
    if (receiver) receiver(data);
    else early.push(data);
  });
  return {
    send(frame) {
      try {
        port.postMessage(frame);
      } finally {
        // Cloned by `postMessage` before it returned.
        frame.fill(0);
      }
    },
    onFrame(receive) {
      receiver = receive;
      for (const frame of early) receive(frame);
      early = [];
    },
    closed: new Promise(() => undefined),
    destroy: () => undefined,
  };
}

/**
 * The child's side of a `ProcessHost` child: frames on descriptor 3, or messages where Electron started it. Call once, after `harden`.
 * When `closed` resolves the parent is gone or no longer to be understood: the entry wipes what it holds and exits. On
 * Linux the kernel kills this process with its parent anyway, also while it is deep in a computation.
 */
export function childPort(): Channel {
  const { parentPort } = process as { readonly parentPort?: ParentPort };
  // Electron ends its utility processes with its main process; their parent is a thread that may end earlier.
  if (parentPort) return overMessages(parentPort);
  libc()?.prctl?.(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  return openChannel(CHANNEL_FD);
}
