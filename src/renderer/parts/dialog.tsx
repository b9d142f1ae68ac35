/** The browser's own modal dialog: it traps the focus, closes on Esc, and makes the rest inert. Never two at once. */
import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { IconButton } from './button.tsx';

/** What a form begins with: the chosen one of a group, or a field. */
const FIRST = 'input:checked, input:not([type="radio"], [type="file"], :disabled)';

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
    const before = document.activeElement;
    const dialog = ref.current;
    dialog?.showModal();
    // The browser would begin with the close button.
    (dialog?.querySelector<HTMLElement>('textarea') ?? dialog?.querySelector<HTMLElement>(FIRST))?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
      // What opened it is gone, as the button that made the first key is: the pane that is in sight takes the focus.
      else [...document.querySelectorAll<HTMLElement>('[data-pane="list"], [data-pane="detail"]')].find((pane) => pane.offsetParent !== null)?.focus();
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
