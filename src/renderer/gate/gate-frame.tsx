/** The frame around what is shown while no vault is open. */
import type { ReactNode } from 'react';
import { Mark } from '../pictures/mark.tsx';

export function GateFrame({ children, foot }: { readonly children: ReactNode; readonly foot?: ReactNode }) {
  return (
    <div className="flex h-full flex-col overflow-y-auto">
      <header className="drag flex h-[52px] shrink-0 items-center gap-2 px-4">
        <Mark />
        <span className="text-[13px] font-semibold">Keystead</span>
      </header>
      <main className="flex flex-1 flex-col items-center px-6 pb-8">{children}</main>
      {foot !== undefined && <footer className="flex min-h-14 shrink-0 flex-wrap items-center justify-center gap-x-6 gap-y-1 px-6 pb-2 text-[12px] text-fg-3">{foot}</footer>}
    </div>
  );
}
