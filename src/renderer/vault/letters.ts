/** Single-letter shortcuts: can be turned off, and act only where nobody types and no dialog stands over the screen. */
import { windowState } from '../window-state.ts';

/** The letter of a key press that is a shortcut, in lower case; undefined while someone types, in a dialog, or while letters are off. */
export function letterOf(event: { readonly key: string; readonly ctrlKey: boolean; readonly metaKey: boolean; readonly altKey: boolean; readonly target: unknown }): string | undefined {
  if (!windowState().SingleLetterKeys || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return undefined;
  if (event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable], dialog')) return undefined;
  return event.key.toLowerCase();
}
