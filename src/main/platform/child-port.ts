import { openChannel, type Channel } from './channel.ts';
import { libc } from './libc.ts';

/** prctl(2), `linux/prctl.h`. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
/** The descriptor that `createProcessHost` opens for its children. */
const CHANNEL_FD = 3;

/**
 * The child's side of a `ProcessHost` child: frames on descriptor 3. Call once, after `harden`.
 * When `closed` resolves the parent is gone or no longer to be understood: the entry wipes what it holds and exits. On
 * Linux the kernel kills this process with its parent anyway, also while it is deep in a computation.
 */
export function childPort(): Channel {
  libc()?.prctl?.(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  return openChannel(CHANNEL_FD);
}
