/**
 * The Electron host: a sandboxed page with context isolation, whose files come from `keystead://app` and whose messages count only when
 * they come from the main frame of the one window.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserWindow, IpcMainEvent, WebFrameMain } from 'electron';
import { VaultError } from '../../../shared/model/errors.ts';
import type { IpcMessage } from '../../doors/ipc.ts';
import type { FrameEvidence } from '../../kernel/request.ts';
import { readBundle } from '../bundle.ts';
import type { Clipboard, Dialogs, Ending, Notifications, WindowHost } from '../port.ts';
import { clipboardOf } from './clipboard.ts';
import { CHANNEL, ORIGIN, START, type ElectronApi } from './api.ts';
import { notificationsOf } from './notifications.ts';
import { makeSession } from './session.ts';

/** Milliseconds that a killed renderer has to be gone. */
const GONE_WITHIN = 4000;

export interface ElectronOptions {
  readonly electron: ElectronApi;
  /** Folder of the renderer's bundle. */
  readonly bundle: string;
  /** The built preload. */
  readonly preload: string;
  /** Of the operating system; process ids are Electron's. */
  readonly processes?: Processes;
}

export interface Processes {
  kill(pid: number): void;
  isRunning(pid: number): boolean;
}

export interface ElectronHost extends WindowHost {
  readonly protect: (on: boolean) => void;
  readonly clipboard: Clipboard;
  readonly dialogs: Dialogs;
  readonly notifications: Notifications;
  readonly isFocused: () => boolean;
  /** Brings the window to the front. */
  show(): void;
}

export function createElectronHost({ electron, bundle: folder, preload, processes = systemProcesses }: ElectronOptions): ElectronHost {
  const bundle = readBundle(folder);
  let receive: (message: IpcMessage) => void = () => undefined;
  let gone: (windowId: number) => void = () => undefined;
  let ended: (how: Ending) => void = () => undefined;
  let window: BrowserWindow | undefined;
  let windowId = 0;
  /** Whether messages are taken from the page, and are for it. */
  let running = false;
  let loading = false;
  let alive = false;
  let crashed: () => void = () => undefined;
  let over = false;

  const opened = (): BrowserWindow => {
    if (!window) throw new VaultError('InternalException', 'the window is not open');
    return window;
  };
  const cutOff = (): boolean => {
    const was = running;
    running = false;
    if (was) gone(windowId);
    return was;
  };
  const end = (how: Ending): void => {
    if (over) return;
    over = how === 'closed';
    if (cutOff() || over) ended(how);
  };

  const evidenceOf = ({ sender, senderFrame }: IpcMainEvent): FrameEvidence | null => {
    // Null: the frame has navigated or is gone. Another window's page, or a window that is on its way out, is nobody either.
    if (senderFrame === null || !running || sender !== window?.webContents) return null;
    return { isMainFrame: isMain(senderFrame, window), origin: senderFrame.origin, windowId };
  };
  electron.ipcMain.on(CHANNEL, (event, data: unknown) => receive({ frame: evidenceOf(event), data }));

  const build = (): BrowserWindow => {
    const made = new electron.BrowserWindow({
      width: 1280,
      height: 800,
      minWidth: 880,
      minHeight: 600,
      show: false,
      title: 'Keystead',
      webPreferences: {
        session: makeSession(electron, bundle),
        preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        nodeIntegrationInWorker: false,
        webSecurity: true,
        allowRunningInsecureContent: false,
        webviewTag: false,
        devTools: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        disableDialogs: true,
        v8CacheOptions: 'none',
      },
    });
    const { webContents } = made;
    webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
    webContents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
    webContents.on('will-navigate', (event) => event.preventDefault());
    webContents.on('will-frame-navigate', (event) => event.preventDefault());
    webContents.on('will-redirect', (event) => event.preventDefault());
    webContents.on('will-attach-webview', (event) => event.preventDefault());
    // What is not asked about beforehand, such as `about:blank`, is noticed afterwards.
    webContents.on('did-navigate', () => {
      if (!loading) end('navigated');
    });
    webContents.on('render-process-gone', () => {
      alive = false;
      crashed();
      end('crashed');
    });
    made.on('closed', () => {
      window = undefined;
      end('closed');
    });
    return made;
  };

  const load = async (): Promise<void> => {
    const { webContents } = opened();
    windowId += 1;
    loading = true;
    // The preload's first message may come before `loadURL` resolves.
    running = true;
    alive = true;
    try {
      await webContents.loadURL(START);
    } catch (error) {
      cutOff();
      throw new VaultError('InternalException', 'the page cannot be loaded', { cause: error });
    } finally {
      loading = false;
    }
    // What an earlier page left in the states of its history.
    webContents.navigationHistory.clear();
  };

  const show = (): void => {
    if (window?.isMinimized()) window.restore();
    window?.show();
    window?.focus();
  };

  return {
    name: 'electron',
    origin: ORIGIN,
    notes: [],
    ipc: {
      onMessage: (take) => (receive = take),
      onGone: (take) => (gone = take),
      send(to, data) {
        try {
          if (to === windowId && running && window && !window.isDestroyed()) window.webContents.mainFrame.send(CHANNEL, data);
        } catch {
          // The frame went in this moment; that it did is said by its own event.
        } finally {
          // Cloned by `send` before it returned.
          data.fill(0);
        }
      },
    },
    async open() {
      window = build();
      await load();
      opened().show();
    },
    async renew() {
      const { webContents } = opened();
      cutOff();
      if (alive) {
        const pid = webContents.getOSProcessId();
        const crash = new Promise<void>((resolve) => (crashed = resolve));
        processes.kill(pid);
        await Promise.race([crash, sleep(GONE_WITHIN, undefined, { ref: false })]);
        for (let waited = 0; processes.isRunning(pid); waited += 2) {
          if (waited > GONE_WITHIN) throw new VaultError('InternalException', 'the page’s process does not end; close the window');
          await sleep(2);
        }
      }
      await load();
    },
    onEnded: (take) => (ended = take),
    protect: (on) => window?.setContentProtection(on),
    clipboard: clipboardOf(electron),
    dialogs: dialogsOf(electron, opened),
    notifications: notificationsOf(electron, show),
    isFocused: () => window?.isFocused() ?? false,
    show,
    close() {
      over = true;
      cutOff();
      electron.ipcMain.removeAllListeners(CHANNEL);
      window?.destroy();
      return Promise.resolve();
    },
  };
}

const isMain = (frame: WebFrameMain, { webContents }: BrowserWindow): boolean => frame === webContents.mainFrame && frame.parent === null;

const systemProcesses: Processes = {
  kill: (pid) => void process.kill(pid, 'SIGKILL'),
  isRunning(pid) {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  },
};

const isOver = (signal: AbortSignal): boolean => signal.aborted;

function dialogsOf({ dialog }: Pick<ElectronApi, 'dialog'>, window: () => BrowserWindow): Dialogs {
  return {
    // Electron cannot close a dialog: what is chosen in one that nobody waits for any more is nothing.
    async pickFile(signal) {
      if (isOver(signal)) return undefined;
      const { canceled, filePaths } = await dialog.showOpenDialog(window(), { properties: ['openFile'] });
      return canceled || isOver(signal) ? undefined : filePaths[0];
    },
    async saveFile(suggestedName, signal) {
      if (isOver(signal)) return undefined;
      const { canceled, filePath } = await dialog.showSaveDialog(window(), { defaultPath: suggestedName, properties: ['showOverwriteConfirmation', 'createDirectory'] });
      return canceled || isOver(signal) || filePath === '' ? undefined : filePath;
    },
  };
}
