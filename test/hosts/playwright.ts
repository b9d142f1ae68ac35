/** The whole window for end-to-end tests: a real vault in this process, the built pages in the Chromium host, and Playwright looking at them. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { openConfigFile } from '../../src/main/app/config.ts';
import { knownVaults, rememberWhenOpen } from '../../src/main/app/known-vaults.ts';
import { startServing, type Served, type Serving } from '../../src/main/app/serving.ts';
import { attachWindow, type Windowed } from '../../src/main/app/windowed.ts';
import { configFile } from '../../src/shared/model/paths.ts';
import { createChromiumHost } from '../../src/main/hosts/chromium/host.ts';
import type { Pipe } from '../../src/main/hosts/chromium/pipe.ts';
import type { WindowHost } from '../../src/main/hosts/port.ts';
import { noLog } from '../../src/main/platform/log.ts';
import type { Machine } from '../../src/main/app/compose.ts';
import { startLocal, type LocalProgram } from '../system/support/program.ts';
import { browserOrThrow } from './chromium-subject.ts';
import { openTap } from './tap.ts';

const DIST = resolve(import.meta.dirname, '../../dist');

export interface OpenWindow {
  /** Of the vault that is shown now. */
  readonly local: LocalProgram;
  readonly host: WindowHost;
  /**
   * The window's page as it is now. A lock ends the page's process, which Playwright takes for a crash: after one, ask again, and wait for
   * the fresh page with `renewed`.
   */
  page(): Promise<Page>;
  /** Resolves once the page that follows the next lock is there; call it before what locks. */
  renewed(): Promise<void>;
  close(): Promise<void>;
}

export interface WindowOptions {
  /** Default: the built renderer. */
  readonly bundle?: string;
  readonly machine?: Partial<Machine>;
  /** Default: true. */
  readonly headless?: boolean;
}

/** Needs `node scripts/build.mjs` to have run. */
export async function openWindow(folder: string, { bundle = resolve(DIST, 'renderer'), machine, headless = true }: WindowOptions = {}): Promise<OpenWindow> {
  let pipe: Pipe | undefined;
  const tap = await openTap(() => pipe!);
  const inner = createChromiumHost({
    program: browserOrThrow(),
    bundle,
    firstScript: readFileSync(resolve(DIST, 'main/page.js'), 'utf8'),
    headless,
    onPipe: (opened) => (pipe = opened),
    onForeignEvent: (event) => tap.event(event),
  });
  let renewals: (() => void)[] = [];
  const host: WindowHost = {
    ...inner,
    async renew() {
      await inner.renew();
      for (const heard of renewals) heard();
      renewals = [];
    },
  };
  const locals = new Map<string, LocalProgram>();
  const home = dirname(folder);
  const surroundings = { platform: process.platform, env: {}, home, tmp: home, uid: process.geteuid?.() ?? 0 };
  const config = openConfigFile(configFile(surroundings));
  const serve = async (at: string): Promise<Served> => {
    const local = await startLocal(at, machine, knownVaults({ surroundings, config, folder: at, moveTo: (other) => serving.moveTo(other) }));
    rememberWhenOpen(local.program, config, at);
    locals.set(at, local);
    return { folder: at, program: local.program, closeDoor: () => Promise.resolve() };
  };
  const serving: Serving = await startServing(folder, serve, 3000);
  const closers: ((graceMs: number) => Promise<void>)[] = [];
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close().catch(() => undefined);
    await serving.close(0, closers);
    await tap.close();
  };
  const vault: Windowed = {
    get program() {
      return serving.now.program;
    },
    log: noLog,
    stop: close,
    beside: (each) => void closers.push(each),
    onMoved: serving.onMoved,
  };
  await attachWindow(vault, host);
  return {
    get local() {
      const local = locals.get(serving.now.folder);
      if (!local) throw new Error('no vault is served');
      return local;
    },
    host,
    async page() {
      await browser?.close().catch(() => undefined);
      browser = await chromium.connectOverCDP(tap.endpoint);
      const page = browser.contexts()[0]?.pages()[0];
      if (!page) throw new Error('the window has no page');
      return page;
    },
    renewed: () => new Promise((heard) => renewals.push(heard)),
    close,
  };
}
