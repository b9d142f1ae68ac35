/** Where a key is and what it is tagged with, for its overview; and the dialogs that add to both. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client, outputOf } from '../client.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { CHIP, TagChips, TagDialog, type TagBefore } from '../parts/tags.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { refreshKey, useKeyName, type KeyRow } from './data.ts';

interface EditProps {
  readonly keyId: string;
  readonly onClose: () => void;
}

export function Regions({ row, value, changeable }: { readonly row: KeyRow; readonly value: KeyMetadata; readonly changeable: boolean }) {
  const { show } = useVault();
  const { MultiRegionConfiguration: places } = value;
  if (!places) return null;
  return (
    <>
      <InRegion keyId={row.id} region={places.PrimaryKey.Region} part="primary" />
      {places.ReplicaKeys.map(({ Region }) => <InRegion key={Region} keyId={row.id} region={Region} part="replica" />)}
      {changeable && value.KeyState === 'Enabled' && places.MultiRegionKeyType === 'PRIMARY' && <IconButton label="Replicate to another region" onClick={() => { show({ kind: 'replicate', keyId: row.id }); }}><Plus size={14} strokeWidth={1.6} /></IconButton>}
    </>
  );
}

function InRegion({ keyId, region, part }: { readonly keyId: string; readonly region: string; readonly part: 'primary' | 'replica' }) {
  const { show } = useVault();
  return <button type="button" className={`${CHIP} min-h-6 cursor-pointer hover:shadow-[inset_0_0_0_1px_var(--control)]`} onClick={() => { show({ kind: 'region', keyId, region }); }}><code className="font-mono">{region}</code> <span className="text-fg-2">{part}</span></button>;
}

const tagsQuery = (id: string) => ['key', id, 'tags'] as const;
const useTags = (id: string) => useQuery({ queryKey: tagsQuery(id), queryFn: async () => outputOf(await client.kms.listResourceTags({ KeyId: id, Limit: 50 })).Tags });

export function Tags({ row, changeable }: { readonly row: KeyRow; readonly changeable: boolean }) {
  const { show } = useVault();
  const queries = useQueryClient();
  const { data } = useTags(row.id);
  useHeldFocus('detail', JSON.stringify(data?.map(({ TagKey }) => TagKey)));
  const [failed, setFailed] = useState<CallError>();
  const remove = async (name: string): Promise<void> => {
    const answer = await client.kms.untagResource({ KeyId: row.id, TagKeys: [name] });
    setFailed(answer.ok ? undefined : answer.error);
    await refreshKey(queries, row.id);
  };
  return <TagChips tags={data?.map(({ TagKey, TagValue }) => [TagKey, TagValue] as const)} changeable={changeable} failed={failed} onAdd={() => { show({ kind: 'tag', keyId: row.id }); }} onChange={(name, value) => { show({ kind: 'tag', keyId: row.id, before: { name, value } }); }} onRemove={remove} />;
}

export function AddTag({ keyId, before, onClose }: EditProps & { readonly before?: TagBefore | undefined }) {
  const queries = useQueryClient();
  return <TagDialog of={useKeyName(keyId)} before={before} add={(TagKey, TagValue) => client.kms.tagResource({ KeyId: keyId, Tags: [{ TagKey, TagValue }] })} onAdded={() => refreshKey(queries, keyId)} onClose={onClose} />;
}

export function Replicate({ keyId, onClose }: EditProps) {
  const queries = useQueryClient();
  const region = useRef<HTMLInputElement>(null);
  const { busy, error, send } = useRequest();
  const name = useKeyName(keyId);
  const replicate = (): Promise<void> =>
    send(() => client.kms.replicateKey({ KeyId: keyId, ReplicaRegion: region.current?.value.trim() ?? '' }), async () => {
      await refreshKey(queries, keyId);
      onClose();
    });
  return (
    <Dialog title={`Replicate ${name}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); void replicate(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">Regions are name spaces inside this vault. The replica has the same id and material, so that either decrypts what the other encrypted; its state, tags and names are its own.</p>
          <TextField ref={region} label="Region" required maxLength={32} placeholder="eu-west-1" autoFocus />
          {error && <InlineError error={error} consequence="No replica was made." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>Replicate</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
