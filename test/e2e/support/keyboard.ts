/** A person without a mouse: everything is done by keys, and each stop of the Tab key must show where the focus is. */
import type { Page } from 'playwright-core';

/** More stops than any screen has. */
const MOST_STOPS = 90;

export interface Stop {
  /** As a reader says it, near enough: its label, or its text. */
  readonly name: string;
  readonly role: string;
  /** Whether something about it, around it, or in it shows the focus. */
  readonly shown: boolean;
}

export interface Keyboard {
  readonly page: Page;
  press(key: string, times?: number): Promise<void>;
  type(text: string): Promise<void>;
  /** What has the focus. */
  at(): Promise<Stop>;
  /** Presses Tab, or Shift+Tab, until the focus is on what is so called; throws with the stops that there are. */
  tabTo(name: string | RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** `tabTo`, then Enter. */
  enter(name: string | RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** Stops that did not show that they have the focus. */
  readonly unseen: readonly string[];
  /** How many presses of a mouse, a pen or a finger the page has seen. */
  pointed(): Promise<number>;
}

function stopOf(): Stop {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return { name: '', role: 'nothing', shown: true };
  const labels = element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement ? [...(element.labels ?? [])].map((label) => label.textContent) : [];
  const name = (element.getAttribute('aria-label') ?? (labels.join(' ') || element.textContent)).replace(/\s+/g, ' ').trim();
  const ringed = (one: Element): boolean => {
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 && !/,\s*0\)$|\/ 0\)$/.test(outlineColor);
  };
  const around = [element, element.parentElement, element.parentElement?.parentElement].filter((one) => one instanceof Element);
  const active = element.getAttribute('aria-activedescendant');
  const inside = active === null ? [] : [document.getElementById(active)].filter((one) => one !== null);
  // A menu's item is marked by its background, a text area and a field by their caret beside the ring.
  const marked = element.hasAttribute('data-highlighted') || element.closest('[cmdk-root]') !== null;
  return { name, role: element.getAttribute('role') ?? element.tagName.toLowerCase(), shown: marked || [...around, ...inside].some(ringed) };
}

export async function takeKeyboard(page: Page): Promise<Keyboard> {
  await page.evaluate(() => {
    Object.assign(globalThis, { pointed: 0 });
    for (const name of ['pointerdown', 'mousedown', 'touchstart']) addEventListener(name, () => { (globalThis as unknown as { pointed: number }).pointed += 1; }, true);
  });
  const unseen: string[] = [];
  const at = async (): Promise<Stop> => page.evaluate(stopOf);
  const look = async (): Promise<Stop> => {
    const stop = await at();
    if (!stop.shown && !unseen.includes(`${stop.role} ${stop.name}`)) unseen.push(`${stop.role} ${stop.name}`);
    return stop;
  };
  const tabTo: Keyboard['tabTo'] = async (name, key = 'Tab') => {
    const stops: string[] = [];
    for (let left = MOST_STOPS; left > 0; left--) {
      const stop = await look();
      if (typeof name === 'string' ? stop.name === name : name.test(stop.name)) return;
      stops.push(`${stop.role} “${stop.name.slice(0, 40)}”`);
      await page.keyboard.press(key);
    }
    throw new Error(`no stop of the Tab key is called ${String(name)}; there are: ${[...new Set(stops)].join(', ')}`);
  };
  return {
    page,
    async press(key, times = 1) {
      for (let done = 0; done < times; done++) await page.keyboard.press(key);
    },
    type: (text) => page.keyboard.type(text),
    at: look,
    tabTo,
    async enter(name, key) {
      await tabTo(name, key);
      await page.keyboard.press('Enter');
    },
    unseen,
    pointed: () => page.evaluate(() => (globalThis as unknown as { pointed: number }).pointed),
  };
}
