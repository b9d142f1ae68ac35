/** What the conformance suite needs of a host under test, however the host does it. */
import type { Dispatch, FrameEvidence } from '../../src/main/kernel/request.ts';
import type { Ending, WindowHost } from '../../src/main/hosts/port.ts';
import type { FakePort } from '../unit/doors/kit.ts';
import { fakePort } from '../unit/doors/kit.ts';
import { openIpcDoor, type IpcDoor, type IpcPort } from '../../src/main/doors/ipc.ts';

export interface Watched {
  readonly host: WindowHost;
  readonly door: IpcDoor;
  readonly port: FakePort;
  /** Every frame that the host named, in order. */
  readonly frames: (FrameEvidence | null)[];
  readonly gone: number[];
  readonly endings: Ending[];
}

/** A host with the real door over a vault that echoes unless `dispatch` says otherwise, and notes of everything that passes. */
export function watch(host: WindowHost, dispatch?: Dispatch): Watched {
  const port = fakePort(dispatch);
  const frames: (FrameEvidence | null)[] = [];
  const gone: number[] = [];
  const endings: Ending[] = [];
  const ipc: IpcPort = {
    onMessage: (receive) =>
      host.ipc.onMessage((message) => {
        frames.push(message.frame);
        receive(message);
      }),
    onGone: (receive) =>
      host.ipc.onGone((windowId) => {
        gone.push(windowId);
        receive(windowId);
      }),
    send: (windowId, data) => host.ipc.send(windowId, data),
  };
  host.onEnded((how) => endings.push(how));
  return { host, port, frames, gone, endings, door: openIpcDoor({ ipc, port, origin: host.origin }) };
}

/** Who else might speak over the host's channel. */
export type Stranger = 'child frame' | 'other origin' | 'frame without url';

export interface Subject extends Watched {
  /** Whether this host was opened with a desktop: clipboard, dialogs, notifications. */
  readonly desktop: boolean;
  /** As the page's own script would. */
  invoke(operation: unknown, input?: unknown, region?: string): Promise<unknown>;
  /** `Object.getOwnPropertyNames` of the bridge. */
  bridgeNames(): Promise<readonly string[]>;
  /** Listens from now on; the function gives what was heard so far. */
  listen(): Promise<() => Promise<readonly unknown[]>>;
  /** Sends JSON text as somebody who is not the window's own page; false where this host cannot be made to. */
  speakAs(stranger: Stranger, text: string): Promise<boolean>;
  /** Tries to leave the document; the page's address afterwards. */
  navigate(url: string): Promise<string>;
  /** Tries `window.open`; whether a window came of it. */
  popup(url: string): Promise<boolean>;
  /** What the host answers to a request for a permission. */
  permission(name: string): Promise<string>;
  /** A header of the document. */
  header(name: string): Promise<string | undefined>;
  /** Process id of the page's renderer, or any number that is another one for another process. */
  rendererId(): Promise<number>;
  isRunning(renderer: number): boolean;
  crash(): Promise<void>;
  closeByPerson(): Promise<void>;
  /** Ends everything. */
  end(): Promise<void>;
}
