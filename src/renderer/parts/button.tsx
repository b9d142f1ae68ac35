/** Buttons. A label says the act; an icon alone carries its label and shows it on hover. */
import type { ComponentProps, ReactNode } from 'react';
import { Kbd } from './kbd.tsx';

export type ButtonKind = 'primary' | 'plain' | 'ghost' | 'danger';

const KINDS: Record<ButtonKind, string> = {
  primary: 'bg-ink text-on-ink hover:opacity-90',
  plain: 'edge-2 bg-raised text-fg hover:bg-line',
  ghost: 'text-fg-2 hover-tint hover:text-fg',
  danger: 'bg-danger-fill text-on-danger hover:opacity-90',
};

interface ButtonProps extends ComponentProps<'button'> {
  readonly kind?: ButtonKind;
  readonly icon?: ReactNode;
  /** Shown only: whoever listens to the key is elsewhere. */
  readonly shortcut?: string;
  readonly tall?: boolean;
  /** What it does is under way. It keeps the focus, which a disabled button would lose, and nothing comes of pressing it meanwhile. */
  readonly busy?: boolean;
}

export function Button({ kind = 'plain', icon, shortcut, tall = false, busy = false, className = '', children, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-disabled={busy || undefined}
      {...rest}
      onClick={busy ? (event) => { event.preventDefault(); } : onClick}
      className={`inline-flex shrink-0 items-center justify-center gap-2 rounded-control font-medium whitespace-nowrap transition-[background-color,opacity] duration-[120ms] disabled:opacity-50 aria-disabled:opacity-50 ${tall ? 'h-9 px-4' : 'h-7 px-2.5'} ${KINDS[kind]} ${className}`}
    >
      {icon}
      {children}
      {shortcut !== undefined && <Kbd on={kind === 'primary' ? 'ink' : 'plain'}>{shortcut}</Kbd>}
    </button>
  );
}

export function IconButton({ label, busy = false, className = '', children, onClick, ...rest }: ComponentProps<'button'> & Pick<ButtonProps, 'busy'> & { readonly label: string }) {
  return (
    <button type="button" aria-label={label} title={label} aria-disabled={busy || undefined} {...rest} onClick={busy ? undefined : onClick} className={`hover-tint grid size-7 shrink-0 place-items-center rounded-control text-fg-2 hover:text-fg disabled:opacity-50 aria-disabled:opacity-50 ${className}`}>
      {children}
    </button>
  );
}
