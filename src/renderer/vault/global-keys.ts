/** Ctrl or Cmd with a key, wherever no dialog is open (lock: there, too); the sections keep their final numbers. Single letters belong to the screens. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { letterOf } from './letters.ts';
import type { Shown, VaultFrame } from './context.ts';

/** Pixels of a window in which a list and what is picked of it stand beside each other; the styles have the same. */
export const SIDE_BY_SIDE = 1040;

/** With nothing in it a list has no rows that would begin with the keyboard. */
export const holdFocus = (pane: HTMLElement | null): void => { if (document.activeElement === document.body) pane?.focus({ preventScroll: true }); };
export const focusList = (): void => { document.querySelector<HTMLElement>('[data-pane="list"]')?.focus(); };

/** F6 goes round these, in the order of the page. */
const PANES = '[data-pane]';

function nextPane(back: boolean): void {
  const panes = [...document.querySelectorAll<HTMLElement>(PANES)].filter((pane) => pane.offsetParent !== null);
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const next = panes[(at + (back ? -1 : 1) + panes.length) % panes.length];
  next?.focus();
}

/** A control that had the focus and is gone, or is disabled for good, leaves it to its pane: the keyboard goes on from there. Looks when `when` changes. */
export function useHeldFocus(pane: 'list' | 'detail', when: string): void {
  const before = useRef(when);
  useEffect(() => {
    if (before.current === when) return;
    before.current = when;
    if (document.activeElement === document.body) document.querySelector<HTMLElement>(`[data-pane="${pane}"]`)?.focus({ preventScroll: true });
  }, [pane, when]);
}

/**
 * Whether a dialog is open that a key may not take away: it may show what is shown once, and what is typed into it is lost with it. The palette
 * holds nothing.
 */
const isHeld = (shown: Shown | undefined): boolean => shown?.kind !== 'palette' && document.querySelector('dialog[open]') !== null;

export function useGlobalKeys({ show, shown, lock }: VaultFrame): void {
  const navigate = useNavigate();
  useEffect(() => {
    const acts: Readonly<Record<string, () => void>> = {
      k: () => { show({ kind: 'palette' }); },
      l: lock,
      ',': () => { show(undefined); void navigate({ to: '/settings' }); },
      1: () => { show(undefined); void navigate({ to: '/keys', search: {} }); },
      2: () => { show(undefined); void navigate({ to: '/secrets', search: {} }); },
      5: () => { show(undefined); void navigate({ to: '/hardware' }); },
      7: () => { show(undefined); void navigate({ to: '/access' }); },
      9: () => { show(undefined); void navigate({ to: '/trail', search: {} }); },
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'F6' && !shown && !isHeld(shown)) {
        event.preventDefault();
        nextPane(event.shiftKey);
      } else if (event.key === '?' && !shown && !isHeld(shown) && letterOf(event) !== undefined) show({ kind: 'shortcuts' });
      else if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && Object.hasOwn(acts, event.key)) {
        event.preventDefault();
        if (event.key === 'l' || !isHeld(shown)) acts[event.key]?.();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => { window.removeEventListener('keydown', onKey); };
  }, [show, shown, lock, navigate]);
}
