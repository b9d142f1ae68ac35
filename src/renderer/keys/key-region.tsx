/** A multi-Region key as it stands in one region: its state there, and what is done to it there alone. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Answer } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client, outputOf } from '../client.ts';
import { useNow } from '../clock.ts';
import { day } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { useRequest } from '../parts/request.ts';
import { useVault } from '../vault/context.ts';
import { refreshKey, useKeyName } from './data.ts';
import { StateWord } from './state-word.tsx';

/** Days to wait before a replica is destroyed here: the longest, since its primary is asked for nothing. */
const WINDOW_DAYS = 30;

type Asked = 'primary' | 'delete';

export function KeyInRegion({ keyId, region, onClose }: { readonly keyId: string; readonly region: string; readonly onClose: () => void }) {
  const { readOnly } = useVault();
  const queries = useQueryClient();
  const name = useKeyName(keyId);
  const at = useNow(60_000);
  const [asked, setAsked] = useState<Asked>();
  const { busy, error, send } = useRequest();
  const there = { region };
  const query = useQuery({ queryKey: ['key', keyId, 'in', region], queryFn: async () => outputOf(await client.kms.describeKey({ KeyId: keyId }, there)).KeyMetadata });
  const value = query.data;

  const change = (act: () => Promise<Answer<object>>): Promise<void> =>
    send(act, async () => {
      setAsked(undefined);
      await Promise.all([query.refetch(), refreshKey(queries, keyId)]);
    });
  const acts = value && actsOf(value);
  return (
    <Dialog title={`${name} in ${region}`} onClose={onClose} held={busy}>
      <div className="flex flex-col gap-3 px-5 pt-2 pb-3">
        {query.error && <InlineError error={errorOf(query.error)}><Button kind="ghost" onClick={() => { void query.refetch(); }}>Try again</Button></InlineError>}
        {!value && !query.error && <SkeletonRows rows={3} height={20} />}
        {value && (
          <>
            <p className="flex flex-wrap items-center gap-x-2 text-fg-2"><StateWord value={value} at={at} /><span aria-hidden="true">·</span><span>{value.MultiRegionConfiguration?.MultiRegionKeyType === 'PRIMARY' ? 'Primary key' : 'Replica key'}</span><span aria-hidden="true">·</span><span>made {day(value.CreationDate * 1000)}</span></p>
            {value.Description !== '' && <p><bdi className="break-words">{value.Description}</bdi></p>}
            <p className="flex items-center gap-1.5"><span className="min-w-0 font-mono text-[11.5px] break-all">{value.Arn}</span><CopyButton text={value.Arn} what="the ARN" /></p>
          </>
        )}
        {asked === 'primary' && <p className="tint-brass rounded-card px-3 py-2.5">Rotation and new replicas are then asked for in {region}, and the key that is primary now becomes a replica. What was encrypted stays readable everywhere, and it can be moved back.</p>}
        {asked === 'delete' && <p className="tint-danger rounded-card px-3 py-2.5">This replica cannot be used from now on and is destroyed in {String(WINDOW_DAYS)} days. Until then you can cancel. The key in the other regions stays, and decrypts what this one encrypted.</p>}
        {error && <InlineError error={error} consequence="The key is as it was." />}
      </div>
      <DialogFoot>
        {asked === undefined
          ? <Button tall onClick={onClose} disabled={busy}>Close</Button>
          : <Button tall onClick={() => { setAsked(undefined); }} disabled={busy}>Leave it</Button>}
        {!readOnly && value && asked === undefined && (
          <>
            {acts?.cancel && <Button tall kind="primary" busy={busy} onClick={() => { void change(() => client.kms.cancelKeyDeletion({ KeyId: keyId }, there)); }}>Cancel deletion</Button>}
            {acts?.remove && <Button tall onClick={() => { setAsked('delete'); }}>Delete…</Button>}
            {acts?.disable && <Button tall busy={busy} onClick={() => { void change(() => client.kms.disableKey({ KeyId: keyId }, there)); }}>Disable</Button>}
            {acts?.enable && <Button tall busy={busy} onClick={() => { void change(() => client.kms.enableKey({ KeyId: keyId }, there)); }}>Enable</Button>}
            {acts?.promote && <Button tall kind="primary" onClick={() => { setAsked('primary'); }}>Make it primary…</Button>}
          </>
        )}
        {value && asked === 'primary' && <Button tall kind="primary" busy={busy} onClick={() => { void change(() => client.kms.updatePrimaryRegion({ KeyId: keyId, PrimaryRegion: region }, { region: value.MultiRegionConfiguration?.PrimaryKey.Region ?? region })); }}>Make {region} primary</Button>}
        {asked === 'delete' && <Button tall kind="danger" busy={busy} onClick={() => { void change(() => client.kms.scheduleKeyDeletion({ KeyId: keyId, PendingWindowInDays: WINDOW_DAYS }, there)); }}>Schedule deletion</Button>}
      </DialogFoot>
    </Dialog>
  );
}

/** What AWS allows in this state (Developer Guide, multi-Region keys): the primary is deleted on its own page, and moves while it is enabled. */
function actsOf({ KeyState, MultiRegionConfiguration }: KeyMetadata): Readonly<Record<'cancel' | 'remove' | 'disable' | 'enable' | 'promote', boolean>> {
  const isReplica = MultiRegionConfiguration?.MultiRegionKeyType === 'REPLICA';
  const isPending = KeyState === 'PendingDeletion' || KeyState === 'PendingReplicaDeletion';
  return { cancel: isPending, remove: isReplica && !isPending, disable: KeyState === 'Enabled', enable: KeyState === 'Disabled', promote: isReplica && KeyState === 'Enabled' };
}
