/** A request as a door hands it to dispatch, and the result that goes back: values, never thrown errors. */
import type { DoorName } from '../../shared/api/operation.ts';
import type { ErrorBody } from '../../shared/model/errors.ts';
import type { RequestId } from '../../shared/model/ids.ts';
import type { Progress } from '../../shared/wire/messages.ts';
import type { Signed } from '../access/signatures.ts';
import type { Peer, PeerHints } from '../platform/ports.ts';

/** What a door saw of the caller. Nothing in it is trusted before `authenticate` has looked at it. */
export type Evidence =
  | { readonly door: 'cli'; readonly peer: Peer; readonly hints: PeerHints }
  | { readonly door: 'ipc'; readonly frame: FrameEvidence }
  | { readonly door: 'aws'; readonly signed: Signed }
  | { readonly door: 'schedule'; readonly job: string };

/** Exact origins of the page under the window hosts; a host has one, and a frame without one is nobody. */
export const WINDOW_ORIGINS = ['https://vault.invalid', 'keystead://app'] as const;
export type WindowOrigin = (typeof WINDOW_ORIGINS)[number];

/** What the window host says of the frame a message came from. */
export interface FrameEvidence {
  readonly isMainFrame: boolean;
  /** Exact origin, for example `https://vault.invalid`; empty when the frame is gone. */
  readonly origin: string;
  readonly windowId: number;
}

export interface Request {
  readonly id: RequestId;
  readonly door: DoorName;
  readonly evidence: Evidence;
  /** Name space inside the vault that the request is for; absent: the vault's own region. As the caller wrote it. */
  readonly region?: string;
  /** As the caller wrote it: not yet known to exist. */
  readonly operation: string;
  /** Raw UTF-8 JSON of the input object: hostile, not parsed before step 3. Wiped by dispatch after parsing. */
  readonly input: Uint8Array;
  /** Aborted when the caller cancels or goes away. */
  readonly signal: AbortSignal;
  /** Aborts `signal`, which is this request's alone; absent where others share it. */
  readonly abort?: () => void;
  readonly progress?: (progress: Progress) => void;
  /** Told the ARN of the resource once it is found, for who watches the door. */
  readonly resolved?: (arn: string) => void;
}

export type Result =
  | { readonly ok: true; readonly requestId: RequestId; readonly output: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly requestId: RequestId; readonly error: ErrorBody };

/** The one path. Never rejects. */
export type Dispatch = (request: Request) => Promise<Result>;
