/**
 * The list of 100,000 keys in a real Chromium, over the fake bridge: what a key press and a scroll cost the page. Making as many keys in a
 * vault takes longer than all other figures together, and no part of what is measured here asks the vault for more than the rows in sight.
 */
import type { CDPSession, Locator, Page } from 'playwright-core';
import { openStage } from '../../test/renderer/stage.ts';
import { median, pause, percentile, type Bench, type Figure } from '../harness.ts';

const KEYS = 100_000;
const ROUNDS = 5;
/** One letter after the other; each is a prefix of the alias of some of the keys. */
const TYPED = 'large/4217';

export const windowList: Figure = {
  name: 'window-list',
  async run({ root, report }: Bench) {
    const stage = await openStage(root);
    try {
      const { page } = await stage.show({ query: `?keys=${String(KEYS)}` }, { colorScheme: 'dark' });
      await page.getByPlaceholder(/^Filter 100,\d{3} keys/).waitFor({ timeout: 120_000 });
      // The records of the trail are read once, beside the list.
      await pause(2000);
      const rows = `${KEYS.toLocaleString('en-US')} keys`;
      await reportPresses(page, { field: page.getByPlaceholder(/^Filter /), typed: TYPED, what: 'filter', rows }, report);
      const frames = await scroll(page);
      report({ figure: `window: scrolling, ${rows}`, value: 1000 / median(frames), unit: 'frames/s', target: { atLeast: 59 }, note: `p95 ${percentile(frames, 0.95).toFixed(1)} ms, the longest ${Math.max(...frames).toFixed(1)} ms, of ${String(frames.length)} frames` });
    } finally {
      await stage.close();
    }
  },
};

interface Press {
  /** Milliseconds from the key's event until the frame after it was made. */
  readonly painted: number;
  /** The same until the list is another one; undefined where the letter changes no row in sight. */
  readonly listed: number | undefined;
  /** Milliseconds of processor time that the page's thread took for it, then and afterwards. */
  readonly computed: number;
}

async function computed(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
}

interface Typing {
  readonly field: Locator;
  /** One letter after the other. */
  readonly typed: string;
  /** What the field is called in a figure, and what is looked through. */
  readonly what: string;
  readonly rows: string;
}

export async function reportPresses(page: Page, typing: Typing, report: Bench['report']): Promise<void> {
  const { what, rows } = typing;
  const presses = await pressesIn(page, typing);
  const idle = await idlePresses(page, typing);
  const painted = presses.map((press) => press.painted);
  const listed = presses.flatMap((press) => press.listed ?? []);
  report({ figure: `window: a key press in the ${what} to the next frame, ${rows}`, value: median(painted), unit: 'ms', target: { atMost: 16 }, rounds: painted, note: `p95 ${percentile(painted, 0.95).toFixed(1)} ms; in a field of the same page that nothing listens to ${median(idle).toFixed(1)} ms, p95 ${percentile(idle, 0.95).toFixed(1)} ms` });
  report({ figure: `window: a key press in the ${what} to the list that it leaves, ${rows}`, value: median(listed), unit: 'ms', rounds: listed, note: `p95 ${percentile(listed, 0.95).toFixed(1)} ms; the page’s thread computed ${median(presses.map(({ computed }) => computed)).toFixed(1)} ms for a press in all` });
}

/** Milliseconds to the next frame in a field that nothing listens to: what a press takes where the window does nothing for it. */
async function idlePresses(page: Page, typing: Typing): Promise<number[]> {
  await page.evaluate(() => {
    const field = document.createElement('input');
    field.id = 'bench-idle';
    field.style.cssText = 'position: fixed; top: 0; left: 50%; z-index: 1';
    document.body.append(field);
  });
  const field = page.locator('#bench-idle');
  const presses = await pressesIn(page, { ...typing, field });
  await field.evaluate((one) => { one.remove(); });
  return presses.map(({ painted }) => painted);
}

async function pressesIn(page: Page, { field, typed }: Typing): Promise<Press[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await page.evaluate(() => {
    if ('benchAt' in globalThis) return;
    const at = { pressed: 0, painted: 0, listed: 0 };
    Object.assign(globalThis, { benchAt: at });
    // A message after a frame's callback comes once that frame is painted.
    const afterFrame = (then: () => void): void => { requestAnimationFrame(() => { const { port1, port2 } = new MessageChannel(); port1.onmessage = then; port2.postMessage(0); }); };
    addEventListener('keydown', () => {
      Object.assign(at, { pressed: performance.now(), painted: 0, listed: 0 });
      afterFrame(() => { at.painted = performance.now(); });
    }, { capture: true });
    new MutationObserver(() => { if (at.listed === 0) { at.listed = -1; afterFrame(() => { at.listed = performance.now(); }); } }).observe(document.querySelector('[role=listbox] > div') ?? document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const presses: Press[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await field.fill('');
    await field.focus();
    await pause(500);
    for (const letter of typed) {
      const before = await computed(session);
      await page.keyboard.press(letter);
      await pause(250);
      const took = (await computed(session)) - before;
      const { pressed, painted, listed } = await page.evaluate(() => (globalThis as unknown as { benchAt: { pressed: number; painted: number; listed: number } }).benchAt);
      presses.push({ painted: painted - pressed, listed: listed > 0 ? listed - pressed : undefined, computed: took });
    }
  }
  await field.fill('');
  await session.detach();
  return presses;
}

/** Milliseconds between frames while the list moves a screen's height every few of them. */
const scroll = (page: Page): Promise<number[]> =>
  page.evaluate(
    () =>
      new Promise<number[]>((done) => {
        const list = document.querySelector('[role=listbox]');
        const frames: number[] = [];
        let last = performance.now();
        const step = (now: number): void => {
          frames.push(now - last);
          last = now;
          if (frames.length > 300) return done(frames.slice(1));
          list?.scrollBy(0, 120);
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
  );
