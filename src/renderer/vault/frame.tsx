/** The frame of an open vault: sidebar, the inset panel, and the one modal over it. */
import { Outlet } from '@tanstack/react-router';
import { TriangleAlert } from 'lucide-react';
import { LOOK_ONLY } from '../../shared/model/recovery-used.ts';
import { sentence } from '../format.ts';
import { useVault } from './context.ts';
import { useGlobalKeys } from './global-keys.ts';
import { Modal } from './modal.tsx';
import { Sidebar } from './sidebar.tsx';

export function AppFrame() {
  const frame = useVault();
  useGlobalKeys(frame);
  const { shown, status } = frame;
  return (
    <div className="flex h-full min-h-0">
      <Sidebar />
      <main className="edge my-2 mr-2 flex min-w-0 flex-1 flex-col overflow-hidden rounded-panel bg-panel">
        {frame.readOnly && (
          <p role="status" className="tint-warn flex items-center gap-2.5 px-4 py-2.5">
            <TriangleAlert size={16} strokeWidth={1.6} className="shrink-0 text-warn" aria-hidden="true" />
            <span><b className="font-medium">This vault is open for reading only.</b> {sentence(status.Problem ?? 'something in it does not fit')} Nothing is written until that is resolved.</span>
          </p>
        )}
        {status.RecoveryCodeUsed === true && (
          <p role="status" className="tint-warn flex items-center gap-2.5 px-4 py-2.5">
            <TriangleAlert size={16} strokeWidth={1.6} className="shrink-0 text-warn" aria-hidden="true" />
            <span><b className="font-medium">The recovery code was used.</b> {sentence(LOOK_ONLY)} Make one in Settings; until then the old one still opens the vault.</span>
          </p>
        )}
        <Outlet />
      </main>
      {shown && <Modal key={JSON.stringify(shown)} shown={shown} />}
    </div>
  );
}
