/** Single-letter shortcuts: can be turned off, and act only where nobody types. */
import { useSyncExternalStore } from 'react';

const KEY = 'single-letters';
const listeners = new Set<() => void>();

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    // A host without storage: on.
    return true;
  }
}
let on = stored();

export function setLetters(value: boolean): void {
  on = value;
  try {
    localStorage.setItem(KEY, value ? 'on' : 'off');
  } catch {
    // It still holds until the window closes.
  }
  for (const listener of listeners) listener();
}

export const useLetters = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
    () => on,
  );

/** The letter of a key press that is a shortcut, in lower case; undefined while someone types or letters are off. */
export function letterOf(event: { readonly key: string; readonly ctrlKey: boolean; readonly metaKey: boolean; readonly altKey: boolean; readonly target: unknown }): string | undefined {
  if (!on || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return undefined;
  if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]')) return undefined;
  return event.key.toLowerCase();
}
