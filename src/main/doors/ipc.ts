/** The window's door: messages of a window host, taken only from the window's own page. */
import { encodeJson } from '../../shared/wire/encode.ts';
import { MAX_FRAME_BYTES } from '../../shared/wire/frame.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Evidence, FrameEvidence, WindowOrigin } from '../kernel/request.ts';
import { DEFAULT_CALL_LIMITS } from './port.ts';
import type { CallLimits, DoorPort } from './port.ts';
import { Session } from './session.ts';
import { settledWithin } from './settled-within.ts';
import { TokenBucket } from '../../shared/model/token-bucket.ts';

export interface IpcMessage {
  /** Null when the frame is gone, or the host does not know it. */
  readonly frame: FrameEvidence | null;
  /** UTF-8 JSON in a `Uint8Array` over an `ArrayBuffer`, the door's own to wipe; whatever else a host delivers is refused. */
  readonly data: unknown;
}

/** One channel with a window host. JSON bytes are all that crosses it, in both directions. */
export interface IpcPort {
  /** One receiver. */
  onMessage(receive: (message: IpcMessage) => void): void;
  /** The window was closed, crashed or navigated: nothing more comes from this page and nothing more is for it. One receiver. */
  onGone(receive: (windowId: number) => void): void;
  /** Takes ownership of `data`, delivers it to the main frame of this window or to nobody, and wipes it. Never throws. */
  send(windowId: number, data: Uint8Array): void;
}

export interface IpcLimits extends CallLimits {
  readonly windows: number;
}
const DEFAULT_IPC_LIMITS: IpcLimits = { ...DEFAULT_CALL_LIMITS, windows: 16 };

export interface IpcOptions {
  readonly ipc: IpcPort;
  readonly port: DoorPort;
  readonly origin: WindowOrigin;
  readonly limits?: Partial<IpcLimits>;
}

export interface IpcDoor {
  /** Takes nothing more, waits for the calls in flight and sends their answers; after `graceMs` (default 10,000) aborts them and waits no longer. */
  close(graceMs?: number): Promise<void>;
}

/** The exact origin and the main frame. A frame that is not there, or says nothing of itself, is not ours. */
export function isOwnFrame(frame: FrameEvidence | null, origin: WindowOrigin): frame is FrameEvidence {
  return frame !== null && frame.isMainFrame && frame.origin === origin && Number.isSafeInteger(frame.windowId);
}

/**
 * A message of a frame that is not the window's own page is counted and not answered. Any other is: with an error where it is
 * malformed, oversized or too much.
 */
export function openIpcDoor({ ipc, port, origin, limits }: IpcOptions): IpcDoor {
  const bounds = { ...DEFAULT_IPC_LIMITS, ...limits };
  const sessions = new Map<number, Session>();
  let closing = false;

  const sessionOf = (windowId: number): Session | undefined => {
    const known = sessions.get(windowId);
    if (known) return known;
    if (sessions.size >= bounds.windows) return undefined;
    const session = new Session({
      port,
      door: 'ipc',
      inFlight: bounds.inFlight,
      bucket: new TokenBucket(bounds.callsPerSecond, bounds.burst, port.clock.monotonic()),
      peer: windowId,
      encode: (message) => encodeJson(message, { limit: MAX_FRAME_BYTES }),
      send: (bytes) => ipc.send(windowId, bytes),
      congested: () => false,
      // A window is not closed for its noise: it is the person's, and each of its messages costs one short answer.
      giveUp: () => undefined,
    });
    sessions.set(windowId, session);
    return session;
  };

  ipc.onMessage(({ frame, data }) => {
    const bytes = data instanceof Uint8Array && data.buffer instanceof ArrayBuffer ? data : undefined;
    if (closing || !isOwnFrame(frame, origin)) {
      if (!closing) port.refused('ipc', 'frame', frame?.windowId);
      bytes?.fill(0);
      return;
    }
    const session = sessionOf(frame.windowId);
    if (!session) {
      port.refused('ipc', 'connections', frame.windowId);
      bytes?.fill(0);
      return;
    }
    if (!bytes) {
      session.refuse('malformed', new VaultError('SerializationException', 'a message is json in bytes'));
      return;
    }
    if (bytes.length > MAX_FRAME_BYTES) {
      bytes.fill(0);
      session.refuse('too-large', new VaultError('RequestTooLargeException', `a message of more than ${String(MAX_FRAME_BYTES)} bytes; send less at a time`));
      return;
    }
    const evidence: Evidence = { door: 'ipc', frame: { isMainFrame: frame.isMainFrame, origin: frame.origin, windowId: frame.windowId } };
    session.receive(bytes, evidence);
  });

  ipc.onGone((windowId) => {
    sessions.get(windowId)?.end();
    sessions.delete(windowId);
  });

  return {
    close: async (graceMs = 10_000) => {
      closing = true;
      const endAll = (): void => {
        for (const session of sessions.values()) session.end();
      };
      await settledWithin(Promise.all(Array.from(sessions.values(), (session) => session.settled())), graceMs, endAll);
      endAll();
      sessions.clear();
    },
  };
}
