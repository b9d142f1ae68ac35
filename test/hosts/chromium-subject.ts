/** The Chromium host in a real, headless browser; looked into by a DevTools session of the test's own over the same pipe. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findBrowser } from '../../src/main/hosts/chromium/find.ts';
import { createChromiumHost, type ChromiumOptions } from '../../src/main/hosts/chromium/host.ts';
import type { DevToolsEvent, Params, Pipe } from '../../src/main/hosts/chromium/pipe.ts';
import type { Dispatch } from '../../src/main/kernel/request.ts';
import { HEADERS } from '../../src/main/hosts/bundle.ts';
import { isAlive } from '../system/support/served-vault.ts';
import { argumentsOf, descendantsOf } from '../system/support/processes.ts';
import { watch, type Stranger, type Subject } from './subject.ts';

/** A bundle of the tests' own, in a folder of its own. Scripts are kept as text: they run in a page, and belong to no project here. */
export function bundleOf(name: 'page' | 'hostile', change: (script: string) => string = (script) => script): string {
  const bundle = mkdtempSync(join(tmpdir(), 'keystead-bundle-'));
  cpSync(resolve(import.meta.dirname, name), bundle, { recursive: true });
  writeFileSync(join(bundle, 'page.js'), change(readFileSync(join(bundle, 'page.js.txt'), 'utf8')));
  made.push(bundle);
  return bundle;
}

const made: string[] = [];
process.once('exit', () => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const FIRST_SCRIPT = resolve(import.meta.dirname, '../../dist/main/page.js');

export interface ChromiumSubject extends Subject {
  /** The value of an expression in the page's own world, as JSON has it. Rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
  /** Of the browser. */
  readonly pid: number;
  command(method: string, params?: Params): Promise<Params>;
}

export function browserOrThrow(): string {
  const program = findBrowser();
  if (program === undefined) throw new Error('these tests need an installed chromium');
  return program;
}

export type Desktop = Pick<ChromiumOptions, 'clipboard' | 'dialogs' | 'notifications'>;

export async function openChromium(bundle = bundleOf('page'), dispatch?: Dispatch, desktop: Desktop = {}): Promise<ChromiumSubject> {
  let pipe: Pipe | undefined;
  const events: DevToolsEvent[] = [];
  const before = new Set(descendantsOf(process.pid));
  const host = createChromiumHost({
    program: browserOrThrow(),
    bundle,
    firstScript: readFileSync(FIRST_SCRIPT, 'utf8'),
    headless: true,
    ...desktop,
    onPipe: (opened) => (pipe = opened),
    onForeignEvent: (event) => events.push(event),
  });
  const watched = watch(host, dispatch);
  await host.open();
  const wire = pipe!;
  const pid = descendantsOf(process.pid).find((child) => !before.has(child) && argumentsOf(child).includes('--remote-debugging-pipe'))!;

  let session: string | undefined;
  const attach = async (): Promise<string> => {
    const { targetInfos } = (await wire.send('Target.getTargets')) as { targetInfos: { type: string; targetId: string; url: string }[] };
    const { targetId } = targetInfos.find(({ type }) => type === 'page')!;
    const { sessionId } = await wire.send('Target.attachToTarget', { targetId, flatten: true });
    await wire.send('Page.enable', {}, sessionId as string);
    return (session = sessionId as string);
  };
  const command = async (method: string, params: Params = {}): Promise<Params> => wire.send(method, params, session ?? (await attach()));
  const evaluate = async (expression: string, more: Params = {}): Promise<unknown> => {
    const given = { expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: false, ...more };
    const { result, exceptionDetails } = (await command('Runtime.evaluate', given)) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string }; text: string } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const renderers = async (): Promise<readonly number[]> => {
    const { processInfo } = (await wire.send('SystemInfo.getProcessInfo')) as { processInfo: { type: string; id: number }[] };
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  };
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 150));

  /** A raw function like the one that the first script took away, put back by the browser for whoever asks it. */
  const contextOf = async (stranger: Stranger): Promise<number> => {
    await command('Runtime.enable');
    const putBack = (): Promise<Params> => command('Runtime.addBinding', { name: '__keystead' });
    if (stranger === 'frame without url') {
      const { frameTree } = (await command('Page.getFrameTree')) as { frameTree: { frame: { id: string } } };
      const { executionContextId } = await command('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'elsewhere' });
      await putBack();
      return executionContextId as number;
    }
    const from = events.length;
    // Without a source the frame has the page's origin; sandboxed, it has an opaque one.
    const sandbox = stranger === 'other origin' ? "frame.sandbox = 'allow-scripts';" : '';
    await evaluate(`(() => { const frame = document.createElement('iframe'); ${sandbox} document.body.append(frame); })()`);
    await settle();
    const created = events.slice(from).filter(({ method }) => method === 'Runtime.executionContextCreated');
    const context = created.at(-1)?.params['context'] as { id: number } | undefined;
    if (!context) throw new Error('no context for the frame');
    // After the frame's first script, which took it away there too.
    await putBack();
    return context.id;
  };

  return {
    ...watched,
    desktop: desktop.clipboard !== undefined,
    pid,
    command,
    evaluate,
    invoke: (operation, input, region) => evaluate(`keystead.invoke(${JSON.stringify(operation)}, JSON.parse(${JSON.stringify(JSON.stringify(input ?? {}))})${region === undefined ? '' : `, ${JSON.stringify(region)}`})`),
    bridgeNames: async () => (await evaluate('Object.getOwnPropertyNames(keystead)')) as string[],
    async listen() {
      await evaluate('void (globalThis.noted = [], keystead.on((event) => noted.push(event)))');
      return async () => (await evaluate('noted')) as unknown[];
    },
    async speakAs(stranger, text) {
      const contextId = await contextOf(stranger);
      await evaluate(`__keystead(${JSON.stringify(text)})`, { contextId });
      return true;
    },
    async navigate(url) {
      const address = url === 'blob' ? "URL.createObjectURL(new Blob(['<p>elsewhere'], { type: 'text/html' }))" : JSON.stringify(url);
      await evaluate(`void (location.href = ${address})`).catch(() => undefined);
      await settle();
      return (await evaluate('location.href')) as string;
    },
    async popup(url) {
      const opened = await evaluate(`window.open(${JSON.stringify(url)}) !== null`);
      await settle();
      const { targetInfos } = (await wire.send('Target.getTargets')) as { targetInfos: { type: string }[] };
      return opened === true || targetInfos.filter(({ type }) => type === 'page').length !== 1;
    },
    permission: async (name) => (await evaluate(`navigator.permissions.query({ name: ${JSON.stringify(name)} }).then(({ state }) => state)`)) as string,
    header: (name) => Promise.resolve(HEADERS[name]),
    rendererId: async () => (await renderers())[0] ?? 0,
    isRunning: isAlive,
    async crash() {
      void command('Page.crash').catch(() => undefined);
      await settle();
    },
    async closeByPerson() {
      const { targetInfos } = (await wire.send('Target.getTargets')) as { targetInfos: { type: string; targetId: string }[] };
      await wire.send('Target.closeTarget', { targetId: targetInfos.find(({ type }) => type === 'page')!.targetId });
    },
    async end() {
      await watched.door.close(0);
      await host.close();
    },
  };
}

