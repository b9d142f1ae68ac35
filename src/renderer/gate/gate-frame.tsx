/** The frame around what is shown while no vault is open. */
import { FolderKey } from 'lucide-react';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Button } from '../parts/button.tsx';
import { Mark } from '../pictures/mark.tsx';

const VaultsDialog = lazy(async () => ({ default: (await import('../vaults/vaults-dialog.tsx')).VaultsDialog }));

export function GateFrame({ children, foot }: { readonly children: ReactNode; readonly foot?: ReactNode }) {
  const [vaults, setVaults] = useState(false);
  return (
    <div className="flex h-full flex-col overflow-y-auto">
      <header className="drag flex h-[52px] shrink-0 items-center gap-2 px-4">
        <Mark />
        <span className="text-[13px] font-semibold">Keystead</span>
        <Button kind="ghost" icon={<FolderKey size={14} strokeWidth={1.6} />} className="ml-auto" onClick={() => { setVaults(true); }}>Other vaults</Button>
      </header>
      <main className="flex flex-1 flex-col items-center px-6 pb-8">{children}</main>
      {vaults && <Suspense><VaultsDialog onClose={() => { setVaults(false); }} /></Suspense>}
      {foot !== undefined && <footer className="flex min-h-14 shrink-0 flex-wrap items-center justify-center gap-x-6 gap-y-1 px-6 pb-2 text-[12px] text-fg-3">{foot}</footer>}
    </div>
  );
}
