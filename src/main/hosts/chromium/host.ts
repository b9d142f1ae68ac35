/**
 * The Chromium host: an installed browser as an application window, driven over the DevTools pipe. There is no listening socket.
 *
 * The browser is told to pause whatever it starts. The one page gets its binding, its first script and its files from here; other pages,
 * frames, workers and extensions stay paused or are closed. Messages count only when they come through the binding in the one context that was
 * recorded when the page was loaded; another document in the same frame ends the page.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { VaultError } from '../../../shared/model/errors.ts';
import type { IpcMessage } from '../../doors/ipc.ts';
import type { FrameEvidence } from '../../kernel/request.ts';
import { readBundle } from '../bundle.ts';
import type { Clipboard, Dialogs, Ending, Notifications, WindowHost } from '../port.ts';
import { startBrowser, type Browser } from './browser.ts';
import { majorOf, OLDEST_MAJOR } from './find.ts';
import { ORIGIN, START } from './flags.ts';
import { callOf, createBindingReader, receiverCall, type BindingCall } from './message-bytes.ts';
import { policyNotes } from './policies.ts';
import type { DevToolsEvent, Params, Pipe } from './pipe.ts';
import { serveRequests } from './requests.ts';

/** The same in `page.ts`. */
const RAW = '__keystead';
/** Milliseconds until a page must be there. */
const WITHIN = 20_000;
/** Milliseconds in which a browser whose pipe broke is known to have ended. */
const ENDED_WITHIN = 200;
/** The browser begins to load the page by itself when it starts, and may take its own attempt for the one that it is then asked for. */
const TRIES = 3;

export interface ChromiumOptions {
  /** The browser's binary; `findBrowser` knows where it is. */
  readonly program: string;
  /** Folder of the renderer's bundle. */
  readonly bundle: string;
  /** Text of the built `page.ts`. */
  readonly firstScript: string;
  readonly headless?: boolean;
  /** Of the desktop that the browser is shown on. */
  readonly clipboard?: Clipboard;
  readonly dialogs?: Dialogs;
  readonly notifications?: Notifications;
  /** For tests that look into the page by a session of their own. */
  readonly onPipe?: (pipe: Pipe) => void;
  /** For the same tests: what belongs to sessions that are not the page's. */
  readonly onForeignEvent?: (event: DevToolsEvent) => void;
}

interface Target {
  readonly sessionId: string;
  /** Also the id of its main frame. */
  readonly id: string;
}

/** What is known of an execution context. */
interface Context {
  readonly frameId: string;
  readonly origin: string;
  readonly isDefault: boolean;
}

/**
 * `none`: nothing is taken from the page. `asked`: a document was asked for; what still happens is of an earlier one. `loading`: the browser
 * has begun with it. `committed`: it is in the frame. `running`: its context is recorded.
 */
type Phase = 'none' | 'asked' | 'loading' | 'committed' | 'running';

export function createChromiumHost(options: ChromiumOptions): WindowHost {
  const bundle = readBundle(options.bundle);
  const notes = [...policyNotes(options.program)];
  const contexts = new Map<number, Context>();
  const requests = serveRequests({ bundle, pipe: () => started().pipe });
  const readCall = createBindingReader(RAW);
  let receive: (message: IpcMessage) => void = ({ data }) => wipe(data);
  let gone: (windowId: number) => void = () => undefined;
  let ended: (how: Ending) => void = () => undefined;
  let browser: Browser | undefined;
  let target: Target | undefined;
  let found: (target: Target) => void = () => undefined;
  let phase: Phase = 'none';
  let windowId = 0;
  let loader: unknown;
  let recorded: number | undefined;
  let receiver: string | undefined;
  let loaded: { resolve(): void; reject(error: Error): void } | undefined;
  let alive = false;
  let crashed: () => void = () => undefined;
  let over = false;

  const started = (): Browser => {
    if (!browser) throw new VaultError('InternalException', 'the window is not open yet');
    return browser;
  };
  const page = (): Target => {
    if (!target) throw new VaultError('InternalException', 'the browser has no page');
    return target;
  };
  const command = (method: string, params: Params = {}): Promise<Params> => started().pipe.send(method, params, page().sessionId);

  /** From here on nothing is taken from the page and nothing more is for it. */
  const cutOff = (): void => {
    const was = phase;
    phase = 'none';
    recorded = undefined;
    receiver = undefined;
    contexts.clear();
    if (was !== 'none') gone(windowId);
    loaded?.reject(new VaultError('InternalException', 'the page ended while it was loading; open the window again'));
    loaded = undefined;
  };
  const end = (how: Ending): void => {
    if (over) return;
    over = how === 'closed';
    const told = phase !== 'none' || over;
    cutOff();
    if (told) ended(how);
  };

  const evidenceOf = ({ contextId, sessionId }: BindingCall): FrameEvidence | null => {
    const context = contexts.get(contextId);
    // Another world of the same frame, or another session, is nobody.
    if (!context?.isDefault || sessionId !== target?.sessionId) return null;
    const isMainFrame = context.frameId === target.id;
    if (isMainFrame && (phase !== 'running' || contextId !== recorded)) return null;
    return { isMainFrame, origin: context.origin, windowId };
  };
  const fromPage = (call: BindingCall): void => receive({ frame: evidenceOf(call), data: call.payload });

  const record = async (contextId: number, uniqueContextId: unknown): Promise<void> => {
    const expression = `(() => { const receiver = globalThis.${RAW}; delete globalThis.${RAW}; return receiver; })()`;
    const { result } = (await command('Runtime.evaluate', { expression, uniqueContextId, silent: true })) as { readonly result?: { readonly type?: unknown; readonly objectId?: unknown } };
    if (recorded !== contextId || result?.type !== 'function' || typeof result.objectId !== 'string') throw new VaultError('InternalException', 'the bridge is not in the page');
    receiver = result.objectId;
    requests.release();
    loaded?.resolve();
    loaded = undefined;
  };

  const onContext = (context: Params): void => {
    const { id, origin, uniqueId, auxData } = context as { readonly id?: unknown; readonly origin?: unknown; readonly uniqueId?: unknown; readonly auxData?: { readonly frameId?: unknown; readonly isDefault?: unknown } };
    if (typeof id !== 'number') return;
    const known: Context = { frameId: String(auxData?.frameId), origin: String(origin), isDefault: auxData?.isDefault === true };
    contexts.set(id, known);
    if (!known.isDefault || known.frameId !== target?.id) return;
    if (phase === 'running') return end('navigated');
    if (phase !== 'committed' || known.origin !== ORIGIN) return;
    phase = 'running';
    recorded = id;
    record(id, uniqueId).catch(() => end('crashed'));
  };

  const EVENTS: Readonly<Record<string, (params: Params) => void>> = {
    'Runtime.executionContextCreated': ({ context }) => onContext(context as Params),
    'Runtime.executionContextDestroyed': ({ executionContextId }) => void contexts.delete(executionContextId as number),
    'Runtime.executionContextsCleared': () => {
      contexts.clear();
      if (phase === 'running') end('navigated');
    },
    'Page.frameNavigated': ({ frame }) => {
      const { id, loaderId } = frame as { readonly id?: unknown; readonly loaderId?: unknown };
      if (id !== target?.id || phase === 'none' || phase === 'asked') return;
      if (phase === 'loading' && loaderId === loader) phase = 'committed';
      else end('navigated');
    },
    'Fetch.requestPaused': (params) => requests.paused(params, page().sessionId),
    'Inspector.targetCrashed': () => {
      alive = false;
      crashed();
      end('crashed');
    },
    'Inspector.targetReloadedAfterCrash': () => void (alive = true),
  };

  const onAttached = ({ sessionId, targetInfo }: Params): void => {
    const { targetId, type } = targetInfo as { readonly targetId?: unknown; readonly type?: unknown };
    if (type === 'page' && !target) {
      target = { sessionId: String(sessionId), id: String(targetId) };
      found(target);
    } else if (targetId === target?.id) {
      // A second session of the same page, asked for through this pipe.
    } else if (type === 'page' || type === 'background_page' || type === 'service_worker') {
      started().pipe.send('Target.closeTarget', { targetId }).catch(() => undefined);
    }
    // Anything else was started paused, and stays so.
  };

  const onEvent = (event: DevToolsEvent): void => {
    const { method, params, sessionId } = event;
    if (sessionId !== undefined && sessionId !== target?.sessionId) return options.onForeignEvent?.(event);
    if (method === 'Target.attachedToTarget') onAttached(params);
    else if (method === 'Target.detachedFromTarget' && params['sessionId'] === target?.sessionId) end('closed');
    else if (method === 'Runtime.bindingCalled') fromPage(callOf(params, sessionId));
    else if (sessionId !== undefined) EVENTS[method]?.(params);
  };

  const load = async (): Promise<void> => {
    windowId += 1;
    contexts.clear();
    const ready = new Promise<void>((resolve, reject) => (loaded = { resolve, reject }));
    ready.catch(() => undefined);
    requests.expectDocument();
    phase = 'asked';
    let failure: string | undefined;
    for (let left = TRIES; left > 0; left--) {
      const { errorText } = await started().pipe.send('Page.navigate', { url: START }, page().sessionId, (result) => {
        if (phase !== 'asked' || result['errorText'] !== undefined) return;
        loader = result['loaderId'];
        phase = 'loading';
      });
      failure = typeof errorText === 'string' ? errorText : undefined;
      if (failure === undefined) break;
    }
    if (failure !== undefined) throw new VaultError('InternalException', `the page cannot be loaded: ${failure}`);
    alive = true;
    await ready;
    // What an earlier page left in the states of its history.
    await command('Page.resetNavigationHistory');
  };

  const prepare = async (): Promise<void> => {
    const { pipe } = started();
    const { product } = await pipe.send('Browser.getVersion');
    if (majorOf(product) < OLDEST_MAJOR) throw new VaultError('InternalException', `\`${options.program}\` is too old: version ${String(OLDEST_MAJOR)} or later is needed`);
    const attached = new Promise<Target>((resolve) => (found = resolve));
    await pipe.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
    await attached;
    const commands = [
      ['Fetch.enable', { patterns: [{ urlPattern: '*' }] }],
      ['Page.enable', {}],
      ['Inspector.enable', {}],
      ['Runtime.enable', {}],
      ['Runtime.addBinding', { name: RAW }],
      ['Page.addScriptToEvaluateOnNewDocument', { source: options.firstScript }],
      ['Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }],
      ['Runtime.runIfWaitingForDebugger', {}],
    ] as const;
    // The browser takes them in this order; waiting for each answer would cost a round trip for each.
    await Promise.all([pipe.send('Browser.setDownloadBehavior', { behavior: 'deny' }), ...commands.map(([method, params]) => command(method, params))]);
  };

  const within = async <T>(work: Promise<T>): Promise<T> => {
    const late = sleep(WITHIN, undefined, { ref: false }).then(() => Promise.reject(new VaultError('InternalException', 'the browser does not answer; a policy may forbid its remote control (RemoteDebuggingAllowed)')));
    late.catch(() => undefined);
    const died = started().exited.then(() => Promise.reject(new VaultError('InternalException', `\`${options.program}\`: ${started().complaint()}`)));
    died.catch(() => undefined);
    return Promise.race([work, late, died]);
  };

  const raw = (message: Uint8Array): boolean => {
    const call = readCall(message);
    if (call) fromPage(call);
    return call !== undefined;
  };

  return {
    name: 'chromium',
    origin: ORIGIN,
    notes,
    ...(options.clipboard ? { clipboard: options.clipboard } : {}),
    ...(options.dialogs ? { dialogs: options.dialogs } : {}),
    ...(options.notifications ? { notifications: options.notifications } : {}),
    ipc: {
      onMessage: (take) => (receive = take),
      onGone: (take) => (gone = take),
      send(to, data) {
        if (to !== windowId || receiver === undefined || !browser || !target) return void data.fill(0);
        const { sessionId } = target;
        const end = receiver;
        browser.pipe.sendBytes((id) => receiverCall(id, sessionId, end, data));
      },
    },
    async open() {
      browser = startBrowser({ program: options.program, headless: options.headless ?? false, raw, event: onEvent });
      options.onPipe?.(browser.pipe);
      if (!browser.inMemory && process.platform === 'linux') notes.push('there is no folder in memory here: the browser’s profile, which holds no value, is on a disk');
      void browser.exited.then((clean) => end(clean ? 'closed' : 'crashed')).then(() => (over = true));
      try {
        await within(prepare());
        await within(load());
      } catch (error) {
        over = true;
        const ended = await Promise.race([browser.exited.then(() => true), sleep(ENDED_WITHIN, false, { ref: false })]);
        await browser.close();
        // Its pipe breaks a moment before its end is known; why it ended says more than that it did.
        throw ended ? new VaultError('InternalException', `\`${options.program}\`: ${browser.complaint()}`) : error;
      }
    },
    async renew() {
      const { endRenderers } = started();
      cutOff();
      const crash = new Promise<void>((resolve) => (crashed = resolve));
      const wasAlive = alive;
      await within(endRenderers());
      if (wasAlive) await within(crash);
      await within(load());
    },
    onEnded: (take) => (ended = take),
    async close() {
      over = true;
      cutOff();
      await browser?.close();
    },
  };
}

function wipe(data: unknown): void {
  if (data instanceof Uint8Array) data.fill(0);
}
