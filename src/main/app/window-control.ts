/**
 * What the window stands on: its settings, and the clipboard, dialogs and notifications of the desktop, as far as its host has them. What was
 * copied is taken out of the clipboard again after the time that the settings say, at lock, and when the program ends.
 */
import { lstat, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type RequestId } from '../../shared/model/ids.ts';
import { encodeJson } from '../../shared/wire/encode.ts';
import type { Notice, WindowHost } from '../hosts/port.ts';
import type { Dispatch } from '../kernel/request.ts';
import type { WindowControl } from '../operations/window.ts';
import { writeFileAtomic } from '../platform/files.ts';
import type { Clock } from '../platform/ports.ts';
import type { ConfigFile } from './config.ts';

export interface WindowDesk extends WindowControl {
  /** From here on the desktop of this host is asked. */
  attach(host: Desktop): void;
  /** Shows it where the settings want that, and the person does not have the window before them. Never rejects. */
  tell(notice: Notice): Promise<void>;
}

type Desktop = Pick<WindowHost, 'name' | 'origin' | 'clipboard' | 'dialogs' | 'notifications' | 'isFocused'>;

export interface WindowDeskPorts {
  readonly config: ConfigFile;
  readonly clock: Pick<Clock, 'now'>;
  /** Calls `fire` once, unless cancelled by the function that it returns. */
  readonly after: (ms: number, fire: () => void) => () => void;
  readonly isOpen: () => boolean;
  readonly dispatch: Dispatch;
  readonly newRequestId: () => RequestId;
}

export function createWindowDesk({ config, clock, after, isOpen, dispatch, newRequestId }: WindowDeskPorts): WindowDesk {
  let host: Desktop | undefined;
  let stopTimer: () => void = () => undefined;
  let choosing = false;
  let turn: Promise<unknown> = Promise.resolve();
  /** What was written before a lock must be there for the lock to take away. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = turn.then(act);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const clear = (): Promise<boolean> =>
    inTurn(async () => {
      stopTimer();
      return (await host?.clipboard?.clear()) ?? false;
    });
  /** A dialog at a time: a page that was taken over could bury the person in them. */
  const alone = async <T>(choose: () => Promise<T>): Promise<T> => {
    if (choosing) throw new VaultError('ThrottlingException', 'a file is being chosen already; finish that first');
    choosing = true;
    try {
      return await choose();
    } finally {
      choosing = false;
    }
  };
  const dialogs = () => {
    if (!host?.dialogs) throw new VaultError('UnsupportedOperationException', 'this desktop has no dialog to choose a file in; install `zenity` or `kdialog`, or use the command line');
    return host.dialogs;
  };

  return {
    get host() {
      return host?.name;
    },
    get copies() {
      return host?.clipboard !== undefined;
    },
    get picks() {
      return host?.dialogs !== undefined;
    },
    home: homedir(),
    notifies: async () => (await host?.notifications?.isThere()) ?? false,
    attach: (given) => void (host = given),
    async tell(notice) {
      if (!host?.notifications || host.isFocused?.() === true || !(await config.read()).window.notifications) return;
      await host.notifications.show(notice);
    },
    settings: async () => (await config.read()).window,
    change: async (change) => (await config.change(() => ({ window: change }))).window,
    async ask(operation, input, signal) {
      if (!host) throw new VaultError('UnsupportedOperationException', 'there is no window');
      const frame = { isMainFrame: true, origin: host.origin, windowId: 0 };
      return dispatch({ id: newRequestId(), door: 'ipc', evidence: { door: 'ipc', frame }, operation, input: encodeJson(input), signal });
    },
    copy: (text) =>
      inTurn(async () => {
        try {
          if (!host?.clipboard) throw new VaultError('UnsupportedOperationException', 'this desktop has no clipboard that the vault can reach; reveal the value and copy it by hand');
          const { clipboardSeconds } = (await config.read()).window;
          if (!isOpen()) throw new VaultError('VaultLockedException', 'the vault was locked meanwhile, and nothing was copied');
          // Where this fails, what was copied before still goes when its time is over.
          await host.clipboard.write(text);
          stopTimer();
          if (clipboardSeconds === 0) return undefined;
          stopTimer = after(clipboardSeconds * 1000, () => void clear());
          return instant(clock.now() + clipboardSeconds * 1000);
        } finally {
          text.fill(0);
        }
      }),
    clear,
    pick: (signal) =>
      alone(async () => {
        const path = await dialogs().pickFile(signal);
        if (path === undefined) return undefined;
        const found = await stat(path).catch(() => undefined);
        if (!found?.isFile()) throw new VaultError('FileNotReadableException', `\`${path}\` is not a file that can be read; choose another`);
        return { path, name: basename(path), size: found.size };
      }),
    save: ({ suggestedName, content, isPrivate }, signal) =>
      alone(async () => {
        const path = await dialogs().saveFile(suggestedName, signal);
        if (path === undefined) return undefined;
        // Whoever asked is gone, or the vault is locked by now.
        signal.throwIfAborted();
        const found = await lstat(path).catch(() => undefined);
        if (found && !found.isFile()) throw new VaultError('StorageException', `\`${path}\` is not a regular file; choose another name`);
        await content.borrow((bytes) => writeFileAtomic(path, bytes, { mode: isPrivate ? 0o600 : 0o644 }));
        return path;
      }),
  };
}
