/**
 * As much of Electron as the host uses, recording what it is asked and throwing on whatever it does not model: a call that only a real
 * Electron knows fails here at once. What it cannot show is in docs/verification.md.
 */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ElectronApi } from '../../src/main/hosts/electron/api.ts';

const PRELOAD = resolve(import.meta.dirname, '../../dist/main/preload.cjs');

/** An object that has these members and no others, whatever its declared type says. */
export function strict<T>(name: string, members: object): T {
  return new Proxy(members, {
    get(target, key): unknown {
      if (key in target || typeof key === 'symbol' || key === 'then') return Reflect.get(target, key);
      throw new Error(`this electron has no \`${name}.${key}\``);
    },
    set(_target, key): boolean {
      throw new Error(`nobody sets \`${name}.${String(key)}\``);
    },
  }) as T;
}

type Preventable = { defaultPrevented: boolean; preventDefault(): void };
export function preventable(): Preventable {
  const event: Preventable = { defaultPrevented: false, preventDefault: () => void (event.defaultPrevented = true) };
  return event;
}

export interface FakeBridge {
  invoke(operation: unknown, input?: unknown, region?: unknown): Promise<unknown>;
  on(listener: (event: unknown) => void): () => void;
}

interface FakeFrame {
  readonly origin: string;
  readonly parent: FakeFrame | null;
  send(channel: string, data: Uint8Array): void;
}

type Decide = (given: unknown) => void;

export class FakeElectron {
  readonly calls: [name: string, ...values: unknown[]][] = [];
  readonly ipcMain = new EventEmitter();
  readonly contents = new EventEmitter();
  readonly windowEvents = new EventEmitter();
  readonly appEvents = new EventEmitter();
  readonly power = new EventEmitter();
  readonly running = new Set<number>();
  readonly handlers = new Map<string, (...values: never[]) => unknown>();
  readonly downloads = new EventEmitter();
  windowOptions: Readonly<Record<string, unknown>> = {};
  menu: unknown[] = [];
  location = '';
  pid = 0;
  page: FakeBridge | undefined;
  /** By MIME type, as text. */
  clipboard = new Map<string, string>();
  takesFormats = true;
  takesText = true;
  focused = false;
  /** What was shown, and how to click it. */
  notifications: { readonly options: Readonly<Record<string, unknown>>; readonly events: EventEmitter }[] = [];
  /** What a person chooses in a dialog; undefined: cancels. */
  chosen: string | undefined;
  #pids = 4000;
  #frame: FakeFrame | undefined;

  get clipboardText(): string {
    return this.clipboard.get('text/plain') ?? '';
  }

  get mainFrame(): FakeFrame {
    if (!this.#frame) throw new Error('no page was loaded');
    return this.#frame;
  }

  #note(name: string): (...values: unknown[]) => void {
    return (...values) => void this.calls.push([name, ...values]);
  }

  #handler(name: string): (handle: (...values: never[]) => unknown) => void {
    return (handle) => {
      this.calls.push([name]);
      this.handlers.set(name, handle);
    };
  }

  async #load(url: string): Promise<void> {
    const response = await this.fetch(url);
    if (response.status !== 200) throw new Error(`ERR_FAILED (-2) loading '${url}'`);
    this.running.delete(this.pid);
    this.pid = ++this.#pids;
    this.running.add(this.pid);
    this.location = url;
    const [origin = ''] = /^[a-z]+:\/\/[^/]+/.exec(url) ?? [];
    let receive: ((data: Uint8Array) => void) | undefined;
    this.#frame = strict('frame', {
      origin,
      parent: null,
      send: (channel: string, data: Uint8Array) => {
        if (channel !== 'keystead') throw new Error(`channel ${channel}`);
        // Cloned at once, delivered later, in order.
        const copy = structuredClone(data);
        setImmediate(() => receive?.(copy));
      },
    });
    const frame = this.#frame;
    const from = (channel: string, data: unknown): void => {
      const copy: unknown = structuredClone(data);
      setImmediate(() => this.ipcMain.emit(channel, { sender: this.webContents, senderFrame: frame }, copy));
    };
    const preloadApi = strict<object>('electron in the preload', {
      contextBridge: strict('contextBridge', {
        exposeInMainWorld: (name: string, bridge: FakeBridge) => {
          this.calls.push(['exposeInMainWorld', name]);
          this.page = bridge;
        },
        executeInMainWorld: ({ args }: { readonly args: readonly unknown[] }) => this.#note('executeInMainWorld')(...args),
      }),
      ipcRenderer: strict('ipcRenderer', {
        send: from,
        on: (channel: string, listener: (event: object, data: unknown) => void) => {
          if (channel !== 'keystead') throw new Error(`channel ${channel}`);
          receive = (data) => listener({}, data);
        },
      }),
    });
    // The preload itself, as it is built: what Electron runs, with the one module that a sandboxed preload can have.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- the built preload is a classic script
    new Function('require', readFileSync(PRELOAD, 'utf8'))((name: string) => {
      if (name !== 'electron') throw new Error(`a sandboxed preload cannot require ${name}`);
      return preloadApi;
    });
    this.contents.emit('did-navigate', preventable(), url);
  }

  readonly webContents: object = strict('webContents', Object.defineProperty({
    on: (event: string, listener: (...values: unknown[]) => void) => this.contents.on(event, listener),
    setWindowOpenHandler: this.#handler('setWindowOpenHandler'),
    setWebRTCIPHandlingPolicy: this.#note('setWebRTCIPHandlingPolicy'),
    loadURL: (url: string) => this.#load(url),
    getOSProcessId: () => this.pid,
    navigationHistory: strict('navigationHistory', { clear: this.#note('navigationHistory.clear') }),
  }, 'mainFrame', { get: () => this.mainFrame }));

  fetch(url: string, method = 'GET'): Promise<Response> {
    const handle = this.handlers.get('protocol.handle:keystead') as ((request: object) => Promise<Response>) | undefined;
    if (!handle) throw new Error('no handler for the scheme');
    return handle(strict('request', { url, method }));
  }

  /** Whether a request of the page would go out. */
  goesOut(url: string): boolean {
    let cancelled: boolean | undefined;
    const decide = ({ cancel }: { cancel: boolean }): void => void (cancelled = cancel);
    (this.handlers.get('onBeforeRequest') as unknown as (details: object, decide: unknown) => void)({ url }, decide);
    return cancelled === false;
  }

  /** `granted` or `denied`, by both ways in which Electron asks. */
  permission(permission: string, requestingUrl = 'keystead://app/', isMainFrame = true): string {
    let given: unknown;
    const ask = this.handlers.get('setPermissionRequestHandler') as unknown as (contents: object, permission: string, decide: Decide, details: object) => void;
    ask(this.webContents, permission, (answer) => (given = answer), { isMainFrame, requestingUrl });
    const check = this.handlers.get('setPermissionCheckHandler') as unknown as (contents: object, permission: string, origin: string, details: object) => boolean;
    return given === true || check(this.webContents, permission, new URL(requestingUrl).href, { isMainFrame }) ? 'granted' : 'denied';
  }

  readonly api: ElectronApi;

  constructor() {
    const session = strict<object>('session', {
      protocol: strict('protocol', { handle: (scheme: string, handle: (...values: never[]) => unknown) => void this.handlers.set(`protocol.handle:${scheme}`, handle) }),
      setPermissionRequestHandler: this.#handler('setPermissionRequestHandler'),
      setPermissionCheckHandler: this.#handler('setPermissionCheckHandler'),
      setDevicePermissionHandler: this.#handler('setDevicePermissionHandler'),
      setDisplayMediaRequestHandler: this.#handler('setDisplayMediaRequestHandler'),
      webRequest: strict('webRequest', { onBeforeRequest: this.#handler('onBeforeRequest') }),
      on: (event: string, listener: (...values: unknown[]) => void) => this.downloads.on(event, listener),
      setSpellCheckerEnabled: this.#note('setSpellCheckerEnabled'),
      setProxy: (rules: unknown) => Promise.resolve(this.#note('setProxy')(rules)),
    });
    const windowOf = (options: Readonly<Record<string, unknown>>): object => {
      this.windowOptions = options;
      return strict('window', {
        webContents: this.webContents,
        on: (event: string, listener: (...values: unknown[]) => void) => this.windowEvents.on(event, listener),
        show: this.#note('show'),
        focus: this.#note('focus'),
        isMinimized: () => true,
        isFocused: () => this.focused,
        restore: this.#note('restore'),
        isDestroyed: () => false,
        destroy: () => void this.windowEvents.emit('closed'),
        setContentProtection: this.#note('setContentProtection'),
      });
    };
    const note = (name: string) => this.#note(name);
    const { appEvents, power } = this;
    // Functions and not methods, since they are called with `new`.
    const BrowserWindow = function (options: Readonly<Record<string, unknown>>): object {
      return windowOf(options);
    };
    const ClipboardItem = function (payloads: Readonly<Record<string, Blob>>): object {
      for (const [type, payload] of Object.entries(payloads)) if (!(payload instanceof Blob)) throw new TypeError(`no payload for ${type}`);
      return { payloads };
    };
    const { notifications } = this;
    const Notification = Object.assign(
      function (options: Readonly<Record<string, unknown>>): object {
        const events = new EventEmitter();
        return strict('notification', { on: (event: string, listener: () => void) => events.on(event, listener), show: () => void notifications.push({ options, events }) });
      },
      { isSupported: () => true },
    );
    const Tray = function (): object {
      return strict('tray', { setToolTip: note('setToolTip'), setContextMenu: note('setContextMenu'), on: note('tray.on') });
    };
    this.api = strict<ElectronApi>('electron', {
      ipcMain: strict('ipcMain', {
        on: (channel: string, listener: (...values: unknown[]) => void) => this.ipcMain.on(channel, listener),
        removeAllListeners: (channel: string) => this.ipcMain.removeAllListeners(channel),
      }),
      session: strict('session module', {
        fromPartition: (name: string, options: unknown) => {
          this.calls.push(['fromPartition', name, options]);
          return session;
        },
      }),
      BrowserWindow,
      clipboard: strict('clipboard', {
        write: async ([item, ...more]: { readonly payloads: Readonly<Record<string, Blob>> }[]) => {
          if (!item || more.length > 0) throw new Error('one item');
          const types = Object.keys(item.payloads);
          if (!this.takesText || (types.length > 1 && !this.takesFormats)) throw new Error('not taken');
          // At once, as Electron does it: what was there is gone.
          this.clipboard = new Map(await Promise.all(Object.entries(item.payloads).map(async ([type, blob]): Promise<[string, string]> => [type, await blob.text()])));
        },
        readText: () => Promise.resolve(this.clipboardText),
        clear: () => this.clipboard.clear(),
      }),
      ClipboardItem,
      Notification,
      dialog: strict('dialog', {
        showOpenDialog: () => Promise.resolve({ canceled: this.chosen === undefined, filePaths: this.chosen === undefined ? [] : [this.chosen] }),
        showSaveDialog: () => Promise.resolve({ canceled: this.chosen === undefined, filePath: this.chosen ?? '' }),
      }),
      Menu: strict('Menu', { buildFromTemplate: (template: unknown[]) => template, setApplicationMenu: (menu: unknown[]) => void (this.menu = menu) }),
      nativeImage: strict('nativeImage', { createFromDataURL: (url: string) => ({ url }) }),
      Tray,
      app: strict('app', { on: (event: string, listener: (...values: unknown[]) => void) => appEvents.on(event, listener) }),
      powerMonitor: strict('powerMonitor', { on: (event: string, listener: () => void) => power.on(event, listener) }),
    });
  }
}
