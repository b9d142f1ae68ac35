/** Copies the trail as it is into a new folder, for somebody to look at elsewhere. */
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { now } from '../clock.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';

/** Beside the vault's folder, and not taken by an export of the same minute. */
const suggested = (folder: string, at: number): string => `${folder.replace(/[\\/]+$/, '')}-evidence-${new Date(at).toISOString().slice(0, 16).replace(':', '')}`;

export function ExportEvidence({ folder, onClose }: { readonly folder: string; readonly onClose: () => void }) {
  const [path, setPath] = useState(() => suggested(folder, now()));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const [done, setDone] = useState<Output<'trail:ExportEvidence'>>();
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    const answer = await client.trail.exportEvidence({ Folder: path });
    setBusy(false);
    if (answer.ok) setDone(answer.output);
    else setError(answer.error);
  };
  return (
    <Dialog title="Export evidence" onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (done) onClose(); else if (!busy) void run(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">The sealed records and, while the vault is unlocked, the readable ones, with a hash of each file. No key and no value is in it.</p>
          {done ? <p role="status">{plural(done.Files, 'file')} of the trail{done.Records === undefined ? '' : `, ${plural(done.Records, 'readable record')}`} in <code className="font-mono text-[12px] break-all">{done.Folder}</code></p>
          : <TextField label="New folder" value={path} disabled={busy} className="font-mono text-[12px]" onChange={(event) => { setPath(event.target.value); }} />}
          {busy && <ProgressRow label="Copying the trail" />}
          {error && <InlineError error={error} consequence="Nothing was written." />}
        </div>
        <DialogFoot>{done ? <Button tall kind="primary" type="submit">Close</Button> : <><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" disabled={path === ''} busy={busy}>Export evidence</Button></>}</DialogFoot>
      </form>
    </Dialog>
  );
}
