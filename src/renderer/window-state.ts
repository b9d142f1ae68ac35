/**
 * How the window is, and what the desktop under it can do: asked once, before the first screen. The vault's process keeps it: this page has
 * no storage, and goes at every lock.
 */
import { useSyncExternalStore } from 'react';
import type { Answer } from '../shared/api/client.ts';
import type { Input, Output } from '../shared/api/index.ts';
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

export async function loadWindow(): Promise<void> {
  const answer = await client.window.describeSettings();
  if (answer.ok) take(answer.output);
}

/** What is shown changes once it is kept. */
export async function changeWindow(change: Input<'window:UpdateSettings'>): Promise<Answer<unknown>> {
  const answer = await client.window.updateSettings(change);
  if (answer.ok) take({ ...state, ...answer.output });
  return answer;
}
