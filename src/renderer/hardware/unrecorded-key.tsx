/** A key that this vault made on a token and has no record of: what that means, and its deletion, typed out. Adopting is its row’s. */
import { useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { refreshHardware, type TokenKey } from './data.ts';

interface UnrecordedKeyProps {
  readonly of: TokenKey;
  /** Absent: nothing is changed now. */
  readonly storeId: string | undefined;
}

export function UnrecordedKey({ of, storeId }: UnrecordedKeyProps) {
  const [deletes, setDeletes] = useState(false);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 pt-1">
      <p className="min-w-[220px] flex-1 text-[12px]/[18px] text-fg-2">This vault made it and has no record of it: it was ended in between, or put back to an older state. Adopt it if you may need it.</p>
      {storeId !== undefined && <Button kind="ghost" aria-label={`Delete ${of.Label}`} icon={<Trash2 size={14} strokeWidth={1.6} />} onClick={() => { setDeletes(true); }}>Delete…</Button>}
      {deletes && storeId !== undefined && <DeleteKey of={of} storeId={storeId} onClose={() => { setDeletes(false); }} />}
    </div>
  );
}

function DeleteKey({ of, storeId, onClose }: { readonly of: TokenKey; readonly storeId: string; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const [typed, setTyped] = useState('');
  const submit = (): void => { void send(() => client.hardware.deleteTokenKey({ CustomKeyStoreId: storeId, Id: of.Id, Confirm: typed }), async () => { await refreshHardware(queries); onClose(); }); };
  return (
    <Dialog title="Delete a key on the token" onClose={onClose} held={busy} className="w-[480px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && typed === of.Label) submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p role="alert" className="tint-danger rounded-card px-3 py-2.5">The key is deleted on the token for ever. If anything was encrypted with it, it can never be read afterwards.</p>
          <p>Its label is <code className="font-mono text-[12px] break-all">{of.Label}</code>.</p>
          <TextField label="Type its label to delete it" value={typed} disabled={busy} onChange={(event) => { setTyped(event.target.value); }} />
          {error && <InlineError error={error} consequence="The key is still on the token." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Keep it</Button><Button tall kind="danger" type="submit" busy={busy} disabled={typed !== of.Label}>Delete the key</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
