/**
 * Whether a person is at the window. What refreshes itself asks first: each request counts as a sign of life, and a screen that was left open
 * must not keep the vault from locking by itself.
 */
import { now } from './clock.ts';

let last = now();
const note = (): void => { last = now(); };

/** Once, before the first screen. */
export function startAttending(): void {
  for (const type of ['pointermove', 'pointerdown', 'wheel', 'keydown']) window.addEventListener(type, note, { capture: true, passive: true });
}

export const isAttended = (withinMs: number): boolean => now() - last < withinMs;
