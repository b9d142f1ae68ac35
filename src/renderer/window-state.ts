/**
 * How the window is, and what the desktop under it can do: asked once, before the first screen. The vault's process keeps it: this page has
 * no storage, and goes at every lock.
 */
import { useSyncExternalStore } from 'react';
import type { Answer } from '../shared/api/client.ts';
import type { Output } from '../shared/api/index.ts';
import { client } from './client.ts';

type WindowState = Output<'window:DescribeSettings'>;

/** Nothing is offered that was not said to be there. */
let state: WindowState = { Host: 'chromium', Theme: 'system', ClipboardSeconds: 30, Notifications: true, SingleLetterKeys: true, Copies: false, Picks: false, Notifies: false };
const listeners = new Set<() => void>();

function take(next: WindowState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function onWindow(listener: () => void): () => void {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
}
export const windowState = (): WindowState => state;
export const useWindow = (): WindowState => useSyncExternalStore(onWindow, windowState);

/** A path as it is typed, with what `~` stands for at its beginning. */
export const wholePath = (typed: string): string => (state.Home === undefined ? typed : typed.replace(/^~(?=\/|$)/, () => state.Home ?? '~'));

export async function loadWindow(): Promise<void> {
  const answer = await client.window.describeSettings();
  if (answer.ok) take(answer.output);
}

type Settings = Pick<WindowState, 'Theme' | 'ClipboardSeconds' | 'Notifications' | 'SingleLetterKeys'>;

/** Shown at once, since the vault's process writes to a disk first; and as it was when it could not be kept. */
export async function changeWindow(change: Partial<Settings>): Promise<Answer<unknown>> {
  const before = state;
  take({ ...state, ...change });
  const answer = await client.window.updateSettings(change);
  if (!answer.ok) take({ ...before, ...(await settingsNow()) });
  return answer;
}

async function settingsNow(): Promise<Partial<WindowState>> {
  const answer = await client.window.describeSettings();
  return answer.ok ? answer.output : {};
}
