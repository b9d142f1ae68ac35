/** The whole window for end-to-end tests: a real vault in this process, the built pages in the Chromium host, and Playwright looking at them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { attachWindow } from '../../src/main/app/windowed.ts';
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
  const local = await startLocal(folder, machine);
  const closers: ((graceMs: number) => Promise<void>)[] = [];
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close().catch(() => undefined);
    await Promise.all(closers.map((each) => each(0)));
    await local.close();
    await tap.close();
  };
  await attachWindow({ program: local.program, log: noLog, stop: close, beside: (each) => void closers.push(each) }, host);
  return {
    local,
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
