/** Overview: the day's requests, and what names the key. */
import { useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { offered } from '../../shared/model/algorithms.ts';
import { client } from '../client.ts';
import { day, exact } from '../format.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { useToast } from '../parts/toast.tsx';
import { RequestStrip } from '../pictures/request-strip.tsx';
import { useVault } from '../vault/context.ts';
import { Regions, Tags } from './key-places.tsx';
import { LastUse } from './last-use.tsx';
import { eventsOf, isUse, refreshKey, useLastUsage, useRecentEvents, type KeyRow } from './data.ts';

const KeyValue = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div className="flex min-h-[29px] items-center max-[560px]:flex-wrap">
    <dt className="w-28 shrink-0 text-fg-2">{name}</dt>
    <dd className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">{children}</dd>
  </div>
);
const MONO = 'min-w-0 font-mono text-[12.5px] break-all';

export function KeyOverview({ row, value, at }: { readonly row: KeyRow; readonly value: KeyMetadata; readonly at: number }) {
  const { show, readOnly } = useVault();
  const recent = useRecentEvents();
  const changeable = !readOnly && value.KeyManager === 'CUSTOMER' && value.KeyState !== 'PendingDeletion' && value.KeyState !== 'PendingReplicaDeletion';
  const uses = recent.data ? eventsOf(recent.data.events, row.arn).filter(isUse) : undefined;
  const usage = useLastUsage(row.id);
  const algorithms = offered(value.KeySpec, value.KeyUsage, value.Origin === 'AWS_CLOUDHSM');
  return (
    <div className="pt-5">
      {/* What came after the clock's last tick is in the picture, too. */}
      {uses && <RequestStrip at={Math.max(at, (uses[0]?.Time ?? 0) * 1000)} events={uses.map((event) => ({ time: event.Time * 1000, result: event.Result ?? 'failed' }))} />}
      <h3 className={`mb-2 text-[12.5px]/[18px] font-semibold ${uses ? 'mt-6' : ''}`}>Identity</h3>
      <dl>
        {(value.Description !== '' || changeable) && (
          <KeyValue name="Description">
            {value.Description === '' ? <span className="text-fg-3">None</span> : <bdi className="min-w-0 break-words">{value.Description}</bdi>}
            {changeable && <IconButton label={value.Description === '' ? 'Add a description' : 'Edit the description'} onClick={() => { show({ kind: 'description', keyId: row.id }); }}><Pencil size={13} strokeWidth={1.6} /></IconButton>}
          </KeyValue>
        )}
        <KeyValue name={row.aliases.length > 1 ? 'Aliases' : 'Alias'}>
          <Aliases row={row} changeable={changeable} />
          {changeable && <IconButton label="Add an alias" onClick={() => { show({ kind: 'alias', keyId: row.id }); }}><Plus size={14} strokeWidth={1.6} /></IconButton>}
        </KeyValue>
        <KeyValue name="Key ID"><span className={MONO}>{row.id}</span><CopyButton text={row.id} what="the key ID" /></KeyValue>
        <KeyValue name="ARN"><span className="flex min-w-0 items-center gap-1.5"><span className="min-w-0 font-mono text-[11.5px] break-all">{row.arn}</span><CopyButton text={row.arn} what="the ARN" /></span></KeyValue>
        <KeyValue name="Algorithms">{algorithms.map((name) => <code key={name} className="rounded-chip bg-raised px-1.5 font-mono text-[12px] text-fg-2 [[data-theme=dark]_&]:bg-line">{name}</code>)}</KeyValue>
        <KeyValue name="Tags"><Tags row={row} changeable={changeable} /></KeyValue>
        {value.MultiRegion && <KeyValue name="Regions"><Regions row={row} value={value} changeable={changeable} /></KeyValue>}
        {value.Origin === 'EXTERNAL' && <KeyValue name="Origin"><span title={exact(value.CreationDate * 1000)}>{value.KeyState === 'PendingImport' ? 'Its material is imported, and none is here now' : 'Imported; its owner has it elsewhere too'}{value.ValidTo === undefined ? '' : `. It expires on ${day(value.ValidTo * 1000)}`}</span>{changeable && value.KeyState !== 'PendingImport' && <Button onClick={() => { show({ kind: 'import', keyId: row.id }); }}>Import again…</Button>}</KeyValue>}
        {value.Origin === 'AWS_CLOUDHSM' && <KeyValue name="Origin"><span title={exact(value.CreationDate * 1000)}>In a hardware token, key store <code className={MONO}>{value.CustomKeyStoreId}</code>. It cannot be exported or backed up</span></KeyValue>}
        {value.Origin === 'AWS_KMS' && <KeyValue name="Origin"><span title={exact(value.CreationDate * 1000)}>Made in this vault {day(value.CreationDate * 1000)}. {value.KeySpec === 'SYMMETRIC_DEFAULT' || value.KeyUsage === 'GENERATE_VERIFY_MAC' ? 'It' : 'The private part'} cannot leave it</span></KeyValue>}
        {usage.data && <KeyValue name="Last use"><LastUse value={value} usage={usage.data} at={at} /></KeyValue>}
      </dl>
    </div>
  );
}

function Aliases({ row, changeable }: { readonly row: KeyRow; readonly changeable: boolean }) {
  const queries = useQueryClient();
  const say = useToast();
  const [failed, setFailed] = useState<CallError>();
  const remove = async (alias: string): Promise<void> => {
    const answer = await client.kms.deleteAlias({ AliasName: alias });
    setFailed(answer.ok ? undefined : answer.error);
    await refreshKey(queries, row.id);
    if (!answer.ok) return;
    say(`${alias} no longer names this key`, () => {
      void client.kms.createAlias({ AliasName: alias, TargetKeyId: row.id }).then((again) => {
        if (!again.ok) setFailed(again.error);
        return refreshKey(queries, row.id);
      });
    });
  };
  if (row.aliases.length === 0) return <span className="text-fg-3">None</span>;
  return (
    <>
      {row.aliases.map((alias) => (
        <span key={alias} className="flex items-center gap-0.5">
          <code className={MONO}>{alias}</code>
          {changeable && <IconButton label={`Remove ${alias}`} className="size-6" onClick={() => { void remove(alias); }}><X size={13} strokeWidth={1.6} /></IconButton>}
        </span>
      ))}
      {failed && <div className="basis-full"><InlineError error={failed} consequence="The aliases are as they were." /></div>}
    </>
  );
}
