/**
 * Every screen of the window: in both themes axe finds nothing, its contrast as it is rendered is that of WCAG AA, nothing moves, the page says no
 * error; at 200 % zoom nothing is cut off; under forced colours every control, every choice and the focus can be seen. Over the fake bridge, since some screens are
 * hard to come to: the pages, their policy and the browser are real.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCREENS, type Screen } from '../renderer/screens.ts';
import { openStage, settle, WINDOW, type Stage, type Staged } from '../renderer/stage.ts';
import { measureContrast } from './support/contrast.ts';
import { CONTROLS, measureForced, measureReach, namesOf } from './support/reach.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeNode {
  readonly html: string;
  readonly failureSummary: string;
}

/** What axe finds, and what it could not decide about contrast is left to the measurement. */
async function axe({ page }: Staged): Promise<readonly string[]> {
  // Over the DevTools protocol, which the page's policy does not bind.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: AxeNode[] }[] }> } }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
  });
}

async function rules(staged: Staged, theme: string): Promise<void> {
  const { page } = staged;
  expect({ theme, axe: await axe(staged) }).toEqual({ theme, axe: [] });
  const { measured, faint } = await page.evaluate(measureContrast);
  expect({ theme, faint }).toEqual({ theme, faint: [] });
  expect(measured).toBeGreaterThan(0);
}

async function forced({ page }: Staged): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' });
  await settle(page);
  expect(await page.evaluate(measureForced, CONTROLS)).toEqual([]);
  expect((await page.evaluate(measureContrast)).faint).toEqual([]);
  // A menu is gone through with the arrows.
  await page.keyboard.press((await page.getByRole('menu').count()) > 0 ? 'ArrowDown' : 'Tab');
  const ring = await page.evaluate(() => {
    const at = document.activeElement;
    return at === document.body || [at, at?.parentElement, at?.parentElement?.parentElement].some((one) => one && (getComputedStyle(one).outlineStyle !== 'none' || one.matches('[cmdk-input]')));
  });
  expect(ring).toBe(true);
}

async function zoomed({ page }: Staged, { size }: Screen): Promise<void> {
  // Some screens are there to be looked at in a small window as it is.
  const before = size ? [] : await page.evaluate(namesOf, CONTROLS);
  // A window of 1280 by 800 at twice the size is one of 640 by 400.
  await page.setViewportSize({ width: 640, height: 400 });
  await settle(page);
  const { tooWide, lost, cut } = await page.evaluate(measureReach, CONTROLS);
  expect({ tooWide, lost, cut }).toEqual({ tooWide: [], lost: [], cut: [] });
  // In a narrow window the key stands in the list's place, with the way back to it.
  const after = new Set(await page.evaluate(namesOf, CONTROLS));
  if (![...after].some((name) => /^All \w+$/.test(name))) expect(before.filter((name) => !after.has(name))).toEqual([]);
}

describe('every screen', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(resolve(import.meta.dirname, '../..'));
  });
  afterAll(() => stage.close());

  it.each(Object.entries(SCREENS))('%s', async (_name, screen) => {
    const staged = await stage.show(screen, { colorScheme: 'dark' });
    const { page } = staged;
    // Before axe, whose own probing the page's policy refuses.
    expect(staged.said).toEqual([]);
    // What fades in may still do so; nothing goes on.
    await expect.poll(() => page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').map((one) => (one as CSSAnimation).animationName)), { timeout: 5000 }).toEqual([]);
    await rules(staged, 'dark');
    // The page follows the system's theme while it is there.
    await page.emulateMedia({ colorScheme: 'light' });
    await settle(page);
    await rules(staged, 'light');
    const { size = WINDOW } = screen;
    await zoomed(staged, screen);
    await page.setViewportSize(size);
    await settle(page);
    await forced(staged);
    await staged.leave();
  });
});
