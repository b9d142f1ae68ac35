/** The browser's own modal dialog: it traps the focus, closes on Esc, and makes the rest inert. Never two at once. */
import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { IconButton } from './button.tsx';

/** What a form begins with: the chosen one of a group, or a field. */
const FIRST = 'input:checked, input:not([type="radio"], [type="file"], :disabled), select:not(:disabled)';

/** Where the keyboard goes on in a step of its own: what stands first below the title, of a group the chosen one. */
const STOPS = 'button:not(:disabled), input:checked, input:not([type="radio"], [type="file"], :disabled), select:not(:disabled), textarea:not(:disabled), a[href], [tabindex="0"]';

/** Of what is there to be seen, and not in the line of the title. */
const firstOf = (dialog: HTMLElement, stops: string): HTMLElement | undefined => [...dialog.querySelectorAll<HTMLElement>(stops)].find((one) => !one.closest('[hidden], header'));

/**
 * Begins in the first field, also where that comes later than the dialog, and gives the focus on where what had it is taken out, as the control that led
 * to the next step is. Until what it returns is called.
 */
function holdFocus(dialog: HTMLElement): () => void {
  let last: Element | undefined;
  const begin = (): boolean => {
    const first = firstOf(dialog, 'textarea') ?? firstOf(dialog, FIRST);
    first?.focus();
    return first !== undefined;
  };
  let begun = begin();
  const onFocus = ({ target }: FocusEvent): void => { last = target instanceof Element ? target : undefined; };
  const onKey = (): void => { begun = true; };
  const observer = new MutationObserver(() => {
    begun ||= begin();
    if (last === undefined || last.isConnected) return;
    last = undefined;
    // What the step itself does about it comes first.
    setTimeout(() => {
      if (document.activeElement !== document.body && document.activeElement !== dialog) return;
      firstOf(dialog, STOPS)?.focus();
    }, 0);
  });
  dialog.addEventListener('focusin', onFocus);
  dialog.addEventListener('keydown', onKey);
  observer.observe(dialog, { childList: true, subtree: true });
  return () => {
    observer.disconnect();
    dialog.removeEventListener('focusin', onFocus);
    dialog.removeEventListener('keydown', onKey);
  };
}

/** What opened a dialog: the button under which a menu was, where it was an item of one. */
function openerOf(focused: Element | null): HTMLElement | undefined {
  const menu = focused?.closest('[role="menu"]');
  const opener = menu ? document.getElementById(menu.getAttribute('aria-labelledby') ?? '') : focused;
  return opener instanceof HTMLElement && opener !== document.body ? opener : undefined;
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly sheet?: boolean;
  /** In place of the title's line. */
  readonly head?: ReactNode;
  /** Whether Esc and a click outside must not close it. */
  readonly held?: boolean;
  readonly className?: string;
}

export function Dialog({ title, onClose, children, sheet = false, head, held = false, className = 'w-[460px]' }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = openerOf(document.activeElement);
    const pane = opener?.closest<HTMLElement>('[data-pane]');
    const dialog = ref.current;
    dialog?.showModal();
    // The browser would begin with the close button.
    const release = dialog ? holdFocus(dialog) : undefined;
    return () => {
      release?.();
      if (opener?.isConnected === true) opener.focus();
      // What opened it is gone, as the button that made the first key is: its pane takes the focus, or the one that is in sight.
      else [pane, ...document.querySelectorAll<HTMLElement>('[data-pane="list"], [data-pane="detail"]')].find((one) => one?.isConnected === true && one.offsetParent !== null)?.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      className={`float flex-col overflow-hidden open:flex ${sheet ? 'sheet' : `modal ${className}`}`}
      onCancel={(event) => { event.preventDefault(); if (!held) onClose(); }}
      onMouseDown={(event) => { if (event.target === event.currentTarget && !held) onClose(); }}
    >
      <header className={head === undefined ? 'flex items-center gap-3 px-5 pt-4 pb-1' : 'sr-only'}>
        <h2 id={titleId} className="min-w-0 truncate text-[15px]/[22px] font-semibold">{title}</h2>
        {!held && head === undefined && <IconButton label="Close" className="-mr-2 ml-auto" onClick={onClose}><X size={16} strokeWidth={1.6} /></IconButton>}
      </header>
      {head}
      {children}
    </dialog>
  );
}

/** The row of buttons at a dialog's foot. */
export const DialogFoot = ({ children }: { readonly children: ReactNode }) => <footer className="mt-auto flex flex-wrap justify-end gap-2 px-5 pt-2 pb-5">{children}</footer>;
