/** A replica more, or one less: with what that means for whoever reads it. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { isRegion } from '../../shared/model/ids.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Check, Segmented, SelectField, TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { pathOf, refreshSecrets } from './data.ts';
import { useRemotes } from './replication-data.ts';

type Where = 'region' | 'remote';

export function AddReplica({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const remotes = useRemotes();
  const { busy, error, send } = useRequest();
  const [where, setWhere] = useState<Where>('region');
  const [region, setRegion] = useState('');
  const [picked, setPicked] = useState<string>();
  const [key, setKey] = useState('');
  const [overwrite, setOverwrite] = useState(false);
  const known = remotes.data ?? [];
  const remote = picked ?? known[0]?.Name ?? '';
  const target = where === 'region' ? region.trim() : remote;
  const wrong = where === 'region' && target !== '' && !isRegion(target);
  const add = (): Promise<void> =>
    send(() => client.secretsmanager.replicateSecretToRegions({ SecretId: name, AddReplicaRegions: [{ Region: target, ...(key.trim() === '' ? {} : { KmsKeyId: key.trim() }) }], ForceOverwriteReplicaSecret: overwrite }), async () => {
      await refreshSecrets(queries);
      onClose();
    });
  return (
    <Dialog title={`Replicate ${pathOf(name)[1]}`} onClose={onClose} held={busy} className="w-[500px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (target !== '' && !wrong) void add(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <Segmented label="Where to" value={where} options={[['region', 'A region of this vault'], ['remote', 'A remote']]} onPick={setWhere} />
          {where === 'region'
            ? <TextField label="Region" value={region} maxLength={32} placeholder="eu-west-1" onChange={(event) => { setRegion(event.target.value); }} error={wrong ? 'Like eu-west-1' : undefined} hint="A name space inside this vault: programs that ask in that region find the copy" />
            : known.length === 0
              ? <p className="text-fg-2">No remote is declared yet. Declare one under AWS access: AWS itself, or another Keystead’s door.</p>
              : <SelectField label="Remote" value={remote} options={known.map(({ Name, Endpoint }) => [Name, `${Name} (${Endpoint})`] as const)} onPick={setPicked} hint="Every version that has a label is sent there and encrypted under a key of the remote’s: whoever may read it there has the value" />}
          <TextField label="Key there" value={key} maxLength={2048} placeholder="alias/aws/secretsmanager" onChange={(event) => { setKey(event.target.value); }} className="font-mono" hint="Left empty: the region’s own key for secrets" />
          <Check words="Overwrite a secret of this name that is there already" checked={overwrite} onCheck={setOverwrite} />
          {overwrite && <p className="tint-warn rounded-card px-3 py-2 text-[12px]/[18px]">{where === 'region' ? 'The secret there is lost with every version that it has.' : 'Its current version gives way to yours. The remote keeps it for a time, by its version id only.'}</p>}
          {error && <InlineError error={error} consequence="Nothing was replicated." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={target === '' || wrong}>{target === '' ? 'Say where to first' : 'Replicate'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

type Way = 'keep' | 'delete';

export function RemoveReplica({ name, region, onClose }: { readonly name: string; readonly region: string; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const [way, setWay] = useState<Way>('keep');
  const inside = isRegion(region);
  const words: Readonly<Record<Way, string>> = inside
    ? { keep: 'The copy becomes a secret of its own in that region: it can be changed there and no longer follows this one.', delete: 'The copy and its versions are destroyed now. Programs that read it in that region find nothing.' }
    : { keep: 'The copy stays as it is at the remote, and this vault no longer looks at it. It does not have to be reachable.', delete: 'The copy is marked for deletion there and can be restored there for 30 days. What somebody else has changed is not deleted, but shown as a conflict.' };
  const submit = (): Promise<void> =>
    send<object>(() => (way === 'keep' ? client.secretsmanager.releaseReplica({ SecretId: name, Region: region }) : client.secretsmanager.removeRegionsFromReplication({ SecretId: name, RemoveReplicaRegions: [region] })), async () => {
      await refreshSecrets(queries);
      onClose();
    });
  return (
    <Dialog title={`Stop replicating to ${region}`} onClose={onClose} held={busy} className="w-[460px]">
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <Segmented label="What becomes of the copy" value={way} options={[['keep', 'Keep the copy'], ['delete', 'Delete the copy']]} onPick={setWay} />
          <p className="text-fg-2">{words[way]}</p>
          {error && <InlineError error={error} consequence="The replica is as it was." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind={way === 'delete' ? 'danger' : 'primary'} type="submit" busy={busy}>{way === 'keep' ? 'Stop and keep the copy' : 'Stop and delete the copy'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}
