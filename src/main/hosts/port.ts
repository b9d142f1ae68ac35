/**
 * Window hosts: what shows the renderer's bundle and carries its messages. Electron is the product; an installed Chromium stands
 * in where Electron's binary cannot be had. Same bundle, same bridge, one conformance suite (`test/hosts/conformance.ts`).
 *
 * Do: run one page of one bundle in a sandboxed process, take JSON from its main frame only, bring answers and events to it in
 * order, end that process at lock, and say when the window went away.
 * Defend against: a page that was taken over. It cannot navigate, open windows, reach a network, keep anything on disk, be given a
 * permission, or speak as anybody but itself; what it asks for goes the one path like every other request.
 * Do not: decide what may be asked (dispatch does), or defend against another program of the same user.
 */
import type { IpcPort } from '../doors/ipc.ts';
import type { WindowOrigin } from '../kernel/request.ts';

/**
 * How a page ended without being asked to. `closed`: by the person. `crashed`: its process died. `navigated`: it left its document,
 * which only a page that was taken over tries; nothing is taken from what came after it.
 */
export type Ending = 'closed' | 'crashed' | 'navigated';

export interface WindowHost {
  readonly name: 'electron' | 'chromium';
  /** The origin that its pages have. */
  readonly origin: WindowOrigin;
  readonly ipc: IpcPort;
  /**
   * Shows the window with a first page; resolves once the bridge is in it and its scripts may run. Once. Rejects with an error
   * whose message is for people when the host cannot run.
   */
  open(): Promise<void>;
  /**
   * Ends the renderer's process, the page's memory with it, and starts a fresh page in a fresh process in the same window.
   * Resolves as `open` does; the old process is gone from the process table before the new one is started. Rejects when it does not go:
   * the caller then closes the host.
   */
  renew(): Promise<void>;
  /** One receiver. After `closed` the host is at its end; after the others `renew` gives a fresh page. */
  onEnded(receive: (how: Ending) => void): void;
  /** Keeps the window out of screenshots and recordings from now on, or no longer. Absent where the host has no such thing. */
  readonly protect?: (on: boolean) => void;
  /** Absent where nothing on this machine can be asked. */
  readonly clipboard?: Clipboard;
  readonly dialogs?: Dialogs;
  readonly notifications?: Notifications;
  /** Whether the person has the window before them; absent where the host cannot tell. */
  readonly isFocused?: () => boolean;
  /** What people should know of this host, one line each: for standard output and `doctor`. */
  readonly notes: readonly string[];
  /** Ends every process of the host and removes what it kept on disk. Idempotent. Never rejects. */
  close(): Promise<void>;
}

/** Values go out; none is ever read into the page. */
export interface Clipboard {
  /** Takes ownership of `text` (UTF-8) and wipes it. Resolves once others can paste it; rejects when the system refuses. */
  write(text: Uint8Array): Promise<void>;
  /** Empties the clipboard if it still holds what `write` put there last; false where it holds something else by now. Never rejects. */
  clear(): Promise<boolean>;
}

/** The system's own dialogs: an absolute path, or undefined when the person cancels. A dialog goes away when `signal` is aborted, where the system can do that. */
export interface Dialogs {
  pickFile(signal: AbortSignal): Promise<string | undefined>;
  /** Has asked whether an existing file is to be replaced. */
  saveFile(suggestedName: string, signal: AbortSignal): Promise<string | undefined>;
}

/** What the desktop tells the person, on lock screens too: never a name or a value. */
export interface Notice {
  readonly title: string;
  readonly body: string;
  readonly isUrgent: boolean;
}

export interface Notifications {
  /** Whether there is anything to show one. Never rejects. */
  isThere(): Promise<boolean>;
  /** Never rejects: nothing waits for a notification. */
  show(notice: Notice): Promise<void>;
}
