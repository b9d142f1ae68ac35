/** A key store deleted: forgotten here, or, typed out, with what this vault made for it on its tokens, which is listed first. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { Check, TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { refreshHardware } from './data.ts';
import { connectedNote, disconnected, type StoreDialogProps } from './store-card.tsx';

type Objects = Output<'hardware:ListKeyStoreObjects'>['Objects'];
const KINDS: Readonly<Record<Objects[number]['Kind'], string>> = {
  key: 'key',
  wrappingKey: 'wrapping key',
  transportKey: 'transport key',
  copyOfWrappingKey: 'copy of a wrapping key',
  publicTransportKey: 'public transport key',
};

export function DeleteStore({ store, onClose }: StoreDialogProps) {
  const queries = useQueryClient();
  const [failed, setFailed] = useState<CallError>();
  const [erases, setErases] = useState(false);
  const [typed, setTyped] = useState('');
  const [left, setLeft] = useState<Output<'hardware:EraseKeyStore'>['Left']>();
  const { busy, error, send } = useRequest();
  const { CustomKeyStoreId: id, CustomKeyStoreName: name, ConnectionState: state } = store;
  const note = connectedNote(store);
  const found = useQuery({ enabled: state === 'CONNECTED' && !busy && left === undefined, queryKey: ['hardware', 'objects', id], queryFn: async () => outputOf(await client.hardware.listKeyStoreObjects({ CustomKeyStoreId: id })), gcTime: 0 });
  const { Objects: objects = [], Keys: keys = 0 } = found.data ?? {};
  const mayErase = objects.length > 0 && keys === 0;
  const isReady = keys === 0 && (!erases || typed === name);
  const erase = (): Promise<void> =>
    send(() => client.hardware.eraseKeyStore({ CustomKeyStoreId: id, Digest: found.data?.Digest ?? '', Confirm: typed }), async ({ Left }) => {
      await refreshHardware(queries);
      if (Left.length === 0) onClose();
      else setLeft(Left);
    });
  const remove = async (): Promise<void> => {
    if (erases) return erase();
    const off = await disconnected(store);
    setFailed(off);
    if (!off) await send(() => client.kms.deleteCustomKeyStore({ CustomKeyStoreId: id }), async () => { await refreshHardware(queries); onClose(); });
  };
  const shown = failed ?? error;
  if (left !== undefined) {
    return (
      <Dialog title={`${name} is deleted`} onClose={onClose} className="w-[480px]">
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <div role="alert" className="tint-warn rounded-card px-3 py-2.5"><p className="font-medium">{plural(left.length, 'object')} could not be deleted on the token.</p><p className="mt-1">They can be deleted with the tools of its vendor.</p></div>
          <ObjectList of={left} />
        </div>
        <DialogFoot><Button tall kind="primary" onClick={onClose}>Close</Button></DialogFoot>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Delete ${name}`} onClose={onClose} held={busy} className="w-[480px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && isReady) void remove(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <p className="text-fg-2">The vault forgets that this token was a key store. Nothing is deleted on the token{mayErase ? ' unless you say so' : ''}. {keys === 0 ? 'A key store that has keys cannot be deleted: schedule their deletion first.' : ''}{note === undefined || erases ? '' : ` ${note}`}</p>
          {keys > 0 && <p role="alert" className="tint-warn rounded-card px-3 py-2.5">It has {plural(keys, 'key')}, so it cannot be deleted yet. Schedule their deletion on their pages; once they are gone, it can.</p>}
          {found.error && <InlineError error={errorOf(found.error)} consequence="So what is on the token stays there." />}
          {mayErase && <Check words={`Also delete ${plural(objects.length, 'object')} that this vault made on ${new Set(objects.map(({ CloudHsmClusterId }) => CloudHsmClusterId)).size === 1 ? 'the token' : 'its tokens'}`} checked={erases} onCheck={setErases} />}
          {mayErase && erases && (
            <>
              <p role="alert" className="tint-danger rounded-card px-3 py-2.5">They are deleted for ever. What was encrypted with such a key can never be read afterwards.</p>
              <ObjectList of={objects} />
              <TextField label={`Type ${name} to delete it with these objects`} value={typed} disabled={busy} onChange={(event) => { setTyped(event.target.value); }} />
            </>
          )}
          {shown && <InlineError error={shown} consequence={erases ? 'The key store and what is on its tokens are still there.' : 'The key store is still there.'} />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Keep it</Button><Button tall kind="danger" type="submit" busy={busy} disabled={!isReady}>{erases ? 'Delete with the objects' : note === undefined ? 'Delete the key store' : 'Disconnect and delete'}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}

/** By token: keys by their labels, and in one line what is the cluster's own. */
const ObjectList = ({ of }: { readonly of: Objects }) => {
  const tokens = [...new Map(of.map(({ CloudHsmClusterId, Token }) => [CloudHsmClusterId, Token]))];
  return (
    <ul aria-label="What is deleted" className="flex flex-col gap-3">
      {tokens.map(([id, name]) => {
        const here = of.filter(({ CloudHsmClusterId }) => CloudHsmClusterId === id);
        const own = here.filter(({ Kind }) => Kind !== 'key');
        return (
          <li key={id}>
            <p className="font-medium">On <bdi>{name}</bdi></p>
            <ul className="mt-0.5 flex flex-col gap-0.5 text-[12px]/[18px] text-fg-2">
              {here.filter(({ Kind }) => Kind === 'key').map(({ Id, Label }) => <li key={Id}>key <code className="font-mono break-all text-fg">{Label}</code>, of which there is no record</li>)}
              {own.length > 0 && <li>The cluster’s own: {[...new Set(own.map(({ Kind }) => KINDS[Kind]))].join(', ')}</li>}
            </ul>
          </li>
        );
      })}
    </ul>
  );
};
