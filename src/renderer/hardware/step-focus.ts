/** Where the keyboard goes on when a dialog shows its next step: the control that had the focus is gone. */
import { useEffect, useRef } from 'react';

const FIRST = 'form input:checked, form input:not([type="radio"], [type="file"], :disabled)';

/** Looks when `step` changes; leaves a focus alone that is still in the dialog. */
export function useStepFocus(step: string): void {
  const before = useRef(step);
  useEffect(() => {
    if (before.current === step) return;
    before.current = step;
    const dialog = document.querySelector<HTMLElement>('dialog[open]');
    if (!dialog || (document.activeElement !== document.body && document.activeElement !== dialog)) return;
    (dialog.querySelector<HTMLElement>(FIRST) ?? dialog.querySelector<HTMLElement>('footer button:last-of-type'))?.focus();
  }, [step]);
}
