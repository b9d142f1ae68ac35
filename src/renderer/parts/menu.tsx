/** A menu under a button. Not modal: a menu that locks the page's scrolling would inject a style. */
import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';
import { Kbd } from './kbd.tsx';

export const MENU = 'float z-40 min-w-[200px] rounded-panel bg-overlay p-1';

interface MenuItemProps {
  readonly icon?: ReactNode;
  readonly shortcut?: string;
  readonly danger?: boolean;
  readonly onSelect: (event: Event) => void;
  readonly children: ReactNode;
}

export function MenuItem({ icon, shortcut, danger = false, onSelect, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item onSelect={onSelect} className={`flex h-8 items-center gap-2.5 rounded-[7px] px-2 outline-none data-[highlighted]:bg-line-2/60 ${danger ? 'text-danger' : ''}`}>
      <span aria-hidden="true" className={danger ? '' : 'text-fg-2'}>{icon}</span>
      <span className="flex-1">{children}</span>
      {shortcut !== undefined && <Kbd>{shortcut}</Kbd>}
    </DropdownMenu.Item>
  );
}
export const MenuLine = () => <DropdownMenu.Separator className="mx-2 my-1 h-px bg-line-2" />;
