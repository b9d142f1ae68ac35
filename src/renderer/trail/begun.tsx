/** That a new chain has begun: said over whatever the vault shows once it is open, since the screen that asked for it is gone by then. */
import { useSyncExternalStore } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { counted } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';

type Done = Output<'trail:StartNewChain'>;

let begun: Done | undefined;
const listeners = new Set<() => void>();
export function sayBegun(done: Done | undefined): void {
  begun = done;
  for (const listener of listeners) listener();
}
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => { listeners.delete(listener); };
};

export function ChainBegun() {
  const done = useSyncExternalStore(subscribe, () => begun);
  if (!done) return null;
  const close = (): void => { sayBegun(undefined); };
  return (
    <Dialog title="A new chain has begun" onClose={close}>
      <div className="flex flex-col gap-3 px-5 pt-2 pb-3 text-fg-2">
        <p>Its first record is {counted(done.FirstIndex ?? 0)} and says what was broken.</p>
        <p>{done.SetAside === undefined ? 'Of the old trail nothing was left to keep.' : <>The old trail is kept in <code className="font-mono text-[12px] break-all text-fg">{done.SetAside}</code>.</>}</p>
      </div>
      <DialogFoot><Button tall kind="primary" onClick={close}>Go on</Button></DialogFoot>
    </Dialog>
  );
}
