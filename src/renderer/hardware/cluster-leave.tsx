/** A token that leaves a key store: what stays on it and what it can still open is said first, and its label typed out. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { leaveWords, leftWords, unleavable, type Cluster, type Member } from './cluster-words.ts';
import { refreshHardware } from './data.ts';
import { nameOf } from './token-names.ts';

export function LeaveCluster({ cluster, member, onClose }: { readonly cluster: Cluster; readonly member: Member; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const [left, setLeft] = useState<readonly string[]>();
  const { busy, error, send } = useRequest();
  const { CustomKeyStoreId, CustomKeyStoreName: store } = cluster;
  const name = nameOf(member);
  const why = busy ? undefined : unleavable(cluster, member);
  const isTyped = typed === name;
  // A token without a label is confirmed by its serial number here; what is sent is what the token has.
  const leave = (): Promise<void> => send(() => client.hardware.removeTokenFromKeyStore({ CustomKeyStoreId, CloudHsmClusterId: member.CloudHsmClusterId, Confirm: member.Label }), async ({ Left }) => {
    const words = leftWords(Left, member);
    if (words.length > 0) setLeft(words);
    await refreshHardware(queries);
    if (words.length === 0) onClose();
  });
  if (left !== undefined) {
    return (
      <Dialog title={`${name} has left ${store}`} onClose={onClose} className="w-[500px]">
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <div role="alert" className="tint-warn flex flex-col gap-1.5 rounded-card px-3 py-2.5"><p className="font-medium">Not everything was removed.</p>{left.map((text) => <p key={text}>{text}</p>)}</div>
        </div>
        <DialogFoot><Button tall kind="primary" autoFocus onClick={onClose}>Close</Button></DialogFoot>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Let ${name} leave ${store}`} onClose={onClose} held={busy} className="w-[500px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && isTyped && why === undefined) void leave(); }}>
        <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          {why === undefined ? (
            <>
              <p className="text-fg-2">Requests go to the other tokens from now on, and it is logged out. No key on it is deleted:</p>
              <ul className="tint-warn flex list-disc flex-col gap-1.5 rounded-card py-2.5 pr-3 pl-7">{leaveWords(cluster, member).map((text) => <li key={text}>{text}</li>)}</ul>
              <p className="text-fg-2">Where it goes out of your hands, erase it: “Erase and initialise…” once it has left. Where it has gone already, make a new key store and new keys.</p>
              <TextField label={`Type ${name} to let it leave`} value={typed} disabled={busy} autoFocus onChange={(event) => { setTyped(event.target.value); }} />
            </>
          ) : <p role="alert" className="tint-warn rounded-card px-3 py-2.5">{why}</p>}
          {error && <InlineError error={error} consequence="The token is still in the key store." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>{why === undefined ? 'Keep it' : 'Close'}</Button>
          {why === undefined && <Button tall kind="danger" type="submit" busy={busy} disabled={!isTyped}>{busy ? 'Leaving…' : 'Let it leave'}</Button>}
        </DialogFoot>
      </form>
    </Dialog>
  );
}
