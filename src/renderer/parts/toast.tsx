/** Toasts, for reversible success only, four seconds each. */
import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from 'react';

type Say = (text: string, undo?: () => void) => void;
const Toasts = createContext<Say>(() => undefined);
export const useToast = (): Say => useContext(Toasts);

export function ToastHost({ children }: { readonly children: ReactNode }) {
  const [toast, setToast] = useState<{ readonly text: string; readonly undo: (() => void) | undefined }>();
  const say = useCallback<Say>((text, undo) => { setToast({ text, undo }); }, []);
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => { setToast(undefined); }, 4000);
    return () => { clearTimeout(timer); };
  }, [toast]);
  return (
    <Toasts value={say}>
      {children}
      <div role="status" className="pointer-events-none fixed inset-x-0 bottom-6 z-50 grid place-items-center">
        {toast && (
          <div className="float pointer-events-auto flex h-10 items-center gap-3 rounded-panel bg-overlay px-4">
            {toast.text}
            {toast.undo && <button type="button" className="h-6 rounded-[5px] font-medium text-brass" onClick={() => { toast.undo?.(); setToast(undefined); }}>Undo</button>}
          </div>
        )}
      </div>
    </Toasts>
  );
}
