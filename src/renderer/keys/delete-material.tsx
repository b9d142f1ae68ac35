/** Destroying imported key material: says which, what can no longer be done, and that only the same brings it back. */
import { useQueryClient } from '@tanstack/react-query';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { useRequest } from '../parts/request.ts';
import { refreshKey, useKeyName } from './data.ts';

/** `materialId`: none for the current one. */
export function DeleteMaterial({ keyId, materialId, onClose }: { readonly keyId: string; readonly materialId?: string | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const name = useKeyName(keyId);
  const { busy, error, send } = useRequest();
  const remove = (): Promise<void> =>
    send(() => client.kms.deleteImportedKeyMaterial({ KeyId: keyId, ...(materialId === undefined ? {} : { KeyMaterialId: materialId }) }), async () => {
      await refreshKey(queries, keyId);
      onClose();
    });
  return (
    <Dialog title={`Delete key material of ${name}`} held={busy} onClose={onClose}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        {materialId !== undefined && <p className="font-mono text-[11.5px] break-all text-fg-2">{materialId}</p>}
        <p className="text-fg-2">It is destroyed in this vault now. Nothing can be done with what it is needed for until the same material is imported again: the vault keeps no other copy, so make sure that you have yours.</p>
        <p className="text-fg-2">The key keeps its id, names, tags and trail.</p>
        {error && <InlineError error={error} consequence="The key material is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Keep it</Button>
        <Button tall kind="danger" busy={busy} onClick={() => { void remove(); }}>Delete the key material</Button>
      </DialogFoot>
    </Dialog>
  );
}
