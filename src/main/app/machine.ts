/** What of the machine a test may put its own in the place of. Types only. */
import type { Egress } from '../egress/port.ts';
import type { CipherFiles, Clock, Keychain } from '../platform/ports.ts';
import type { Sealer } from '../seal/protocol.ts';
import type { Remotes } from '../secrets/remote-port.ts';
import type { Rotator } from '../secrets/rotator-port.ts';

export interface Machine {
  readonly clock: Clock;
  readonly keychain: Keychain;
  readonly startSealer: () => Sealer;
  readonly cipherFiles: CipherFiles;
  readonly egress: Egress;
  readonly rotator: Rotator;
  readonly remotes: Remotes;
  /** The schedule's timer: calls `fire` once, unless cancelled by the function that it returns. */
  readonly after: (ms: number, fire: () => void) => () => void;
}
