/**
 * Doors: where a caller's bytes become a `Request`, and a `Result` becomes bytes again.
 *
 * Do: frame and bound what comes in, collect evidence of who sent it, hand it to dispatch, send the answer to that caller only,
 * carry cancel, progress and events, and wipe the bytes of both directions.
 * Defend against: callers that are not who they must be (other users, other frames), malformed, oversized, slow and endless
 * input, callers that never read their answers, callers that vanish, and answers that outlive them.
 * Do not: decide anything. Who the evidence stands for, what is allowed and what the input means is dispatch's; a door never
 * parses `input`, and there is no way round dispatch. `session.ts` is the part that the doors share; no door imports another.
 */
import type { VaultEvent } from '../../shared/api/events.ts';
import type { DoorName } from '../../shared/api/operation.ts';
import type { RequestId } from '../../shared/model/ids.ts';
import type { ServerHello } from '../../shared/wire/messages.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { Clock } from '../platform/ports.ts';

/** Why something was turned away before it could become a request. */
export type Refusal =
  /** The peer is another user, or the system did not say who it is. */
  | 'peer'
  /** More connections or windows than allowed. */
  | 'connections'
  /** Not the window's own page, or not its main frame. */
  | 'frame'
  /** A page in a browser, or an address that is not the door's. */
  | 'browser'
  | 'host'
  /** Not signed, or not everything of it. */
  | 'unsigned'
  /** Not a message. */
  | 'malformed'
  /** A frame of more than 1 MiB. */
  | 'too-large'
  /** A frame not finished in time. */
  | 'slow'
  /** Answers not read in time. */
  | 'stalled'
  /** More calls a second than allowed. */
  | 'rate'
  /** More calls in flight than allowed. */
  | 'in-flight';

/** What every door needs of the vault. */
export interface DoorPort {
  readonly dispatch: Dispatch;
  newRequestId(): RequestId;
  /** Calls `listener` for each event until the function that it returns is called. */
  subscribe(listener: (event: VaultEvent) => void): () => void;
  /** Counts; nothing is recorded one by one before authentication. `peer` is a user id or a window id. */
  refused(door: DoorName, reason: Refusal, peer?: number): void;
  /** What is said of the vault to one who has only connected. Never throws. */
  hello(): ServerHello;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface CallLimits {
  /** Calls of one connection or window that are not answered yet. */
  readonly inFlight: number;
  /** Calls that one process or window may make in one second, on average. */
  readonly callsPerSecond: number;
  /** Calls that it may make at once after a pause. */
  readonly burst: number;
}

export const DEFAULT_CALL_LIMITS: CallLimits = { inFlight: 64, callsPerSecond: 200, burst: 400 };
