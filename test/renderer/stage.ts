/** A plain Chromium with the built window over the fake bridge, served as the hosts serve it, headers and all. */
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { HEADERS, readBundle } from '../../src/main/hosts/bundle.ts';
import { findBrowser } from '../../src/main/hosts/chromium/find.ts';
import type { Screen } from './screens.ts';

const ORIGIN = 'https://vault.invalid';
/** A person's whole window. */
export const WINDOW = { width: 1280, height: 800 } as const;
/** What the browser says of policies that it does not know; nothing of the page. */
const NOISE = /Permissions-Policy|'webrtc'|sandbox attribute/;

export interface Staged {
  readonly page: Page;
  /** Errors and warnings so far. */
  readonly said: readonly string[];
  leave(): Promise<void>;
}

export interface Stage {
  /** Shows a screen, and waits until it stands still. */
  show(screen: Screen, options: Pick<BrowserContextOptions, 'colorScheme' | 'forcedColors'>): Promise<Staged>;
  close(): Promise<void>;
}

/** Needs the build of the checkout at `root`. */
export async function openStage(root: string): Promise<Stage> {
  const program = findBrowser();
  if (program === undefined) throw new Error('this needs an installed chromium');
  const bundle = readBundle(join(root, 'dist/renderer'));
  const build = await rolldown({ input: join(root, 'test/renderer/fake-bridge.ts') });
  const { output } = await build.generate({ format: 'iife' });
  await build.close();
  const browser: Browser = await chromium.launch({ executablePath: program, args: ['--disable-gpu', '--no-first-run', '--disable-background-networking'] });
  return {
    async show({ query = '', act, over, size = WINDOW }, options) {
      const context = await browser.newContext({ viewport: size, reducedMotion: 'reduce', ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const said: string[] = [];
      page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !NOISE.test(message.text())) said.push(message.text()); });
      page.on('pageerror', (error) => said.push(error.message));
      await page.addInitScript(output[0].code);
      await page.route('**/*', (route) => {
        const file = bundle.file(new URL(route.request().url()).pathname);
        return file ? route.fulfill({ headers: { ...HEADERS, 'content-type': file.type }, body: Buffer.from(file.body) }) : route.fulfill({ status: 404, body: '' });
      });
      await page.goto(`${ORIGIN}/${query}`);
      await page.locator('h1').or(page.getByRole('status')).first().waitFor();
      await settle(page);
      // A screen may still be loading its part of the program.
      await page.locator('h1').first().waitFor({ state: 'attached' });
      await act?.(page);
      await page.locator('h1').first().waitFor({ state: 'attached' });
      if (over) await page.getByRole(over).first().waitFor();
      await settle(page);
      return { page, said, leave: () => context.close() };
    },
    close: () => browser.close(),
  };
}

/** Until fonts are there, the calls that a screen begins with are answered, and nothing moves that will come to an end. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const frames = async (count: number): Promise<void> => { for (let left = count; left > 0; left--) await new Promise(requestAnimationFrame); };
    await document.fonts.ready;
    await new Promise((later) => setTimeout(later, 120));
    await frames(2);
    await Promise.allSettled(document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY).map(({ finished }) => finished));
    await frames(2);
  });
}
