/** A cluster sealed: what it means is said first and typed out, since nothing takes it back. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Progress } from '../../shared/wire/messages.ts';
import { client } from '../client.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { stepOf } from './cluster-dialogs.tsx';
import { unsealable, type Cluster } from './cluster-words.ts';
import { refreshHardware } from './data.ts';

export function SealCluster({ cluster, onClose }: { readonly cluster: Cluster; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const [progress, setProgress] = useState<Progress>();
  const { busy, error, send } = useRequest();
  const { CustomKeyStoreId, CustomKeyStoreName: name, Members: members, Keys: keys } = cluster;
  const why = busy ? undefined : unsealable(members);
  const isTyped = typed === name;
  const seal = (): Promise<void> => send(() => client.hardware.sealCluster({ CustomKeyStoreId, Confirm: typed }, { progress: setProgress }), async () => { await refreshHardware(queries); onClose(); });
  return (
    <Dialog title={`Seal ${name}`} onClose={onClose} held={busy} className="w-[480px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && isTyped && why === undefined) void seal(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          {why === undefined ? (
            <>
              <div role="alert" className="tint-danger rounded-card px-3 py-2.5">
                <p className="font-medium">This cannot be taken back.</p>
                <ul className="mt-1 flex list-disc flex-col gap-1 pl-4">
                  <li>{plural(keys, 'key')} and the wrapping keys on {plural(members.length, 'token')} become not extractable, and stay so.</li>
                  <li>No token can ever join. One that breaks cannot be replaced, and when the last one is lost, so are the keys.</li>
                  <li>A key that is lost on one token cannot be copied there again.</li>
                </ul>
              </div>
              <p className="text-fg-2">In return, whoever has a security officer’s PIN can no longer make a wrapping key that takes the keys out. New keys can be made only while every token answers; each is sealed before it is given out.</p>
              <TextField label={`Type ${name} to seal it`} value={typed} disabled={busy} autoFocus onChange={(event) => { setTyped(event.target.value); }} />
              {busy && <ProgressRow label="Sealing" done={progress?.done} total={progress?.total} detail={progress && stepOf(progress, 'key')} />}
            </>
          ) : <p role="alert" className="tint-warn rounded-card px-3 py-2.5">{why}</p>}
          {error && <InlineError error={error} consequence="The cluster does not count as sealed. Keys that were reached before may be not extractable already." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>{why === undefined ? 'Leave it open' : 'Close'}</Button>
          {why === undefined && <Button tall kind="danger" type="submit" busy={busy} disabled={!isTyped}>{busy ? 'Sealing…' : 'Seal for good'}</Button>}
        </DialogFoot>
      </form>
    </Dialog>
  );
}
