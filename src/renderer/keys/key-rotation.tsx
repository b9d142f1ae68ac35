/** Rotation of a symmetric key: its plan, a rotation now, and every material that it has had. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client, outputOf } from '../client.ts';
import { day, exact, left } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { SelectField } from '../parts/field.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { refreshKey, type KeyRow } from './data.ts';

const rotationQuery = (id: string) => ['key', id, 'rotation'] as const;
type Entry = Output<'kms:ListKeyRotations'>['Rotations'][number];

async function rotationOf(id: string) {
  const status = outputOf(await client.kms.getKeyRotationStatus({ KeyId: id }));
  const { Rotations } = outputOf(await client.kms.listKeyRotations({ KeyId: id, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1000 }));
  return { status, materials: [...Rotations].reverse() };
}

const PERIODS: readonly (readonly [string, string])[] = [['90', 'Every 90 days'], ['180', 'Every 180 days'], ['365', 'Every year'], ['730', 'Every two years'], ['2560', 'Every 7 years']];

export function KeyRotation({ row, value, at }: { readonly row: KeyRow; readonly value: KeyMetadata; readonly at: number }) {
  const { readOnly, show } = useVault();
  const queries = useQueryClient();
  const { data, error } = useQuery({ queryKey: rotationQuery(row.id), queryFn: () => rotationOf(row.id) });
  const [picked, setPicked] = useState<string>();
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  // Of the buttons, those that fit the new plan take the place of the one that was pressed.
  useHeldFocus('detail', JSON.stringify([busy, data?.status.KeyRotationEnabled, data?.materials.length, data?.materials[0]?.KeyMaterialState]));
  if (error) return <div className="pt-5"><InlineError error={errorOf(error)} /></div>;
  if (!data) return <SkeletonRows rows={3} height={48} />;
  const { status, materials } = data;
  const imported = value.Origin === 'EXTERNAL';
  const replica = value.MultiRegionConfiguration?.MultiRegionKeyType === 'REPLICA';
  const own = value.KeyManager === 'AWS';
  const changeable = !readOnly && !own && !replica && value.KeyState === 'Enabled';
  const deletable = !readOnly && imported && (value.KeyState === 'Enabled' || value.KeyState === 'Disabled' || value.KeyState === 'PendingImport');
  const next = materials.some(({ KeyMaterialState }) => KeyMaterialState === 'PENDING_ROTATION');
  const planned = status.KeyRotationEnabled ? String(status.RotationPeriodInDays) : undefined;
  const period = picked ?? planned ?? '365';
  const periods = PERIODS.some(([days]) => days === period) ? PERIODS : [[period, `Every ${period} days`] as const, ...PERIODS];
  const act = async (call: () => Promise<Answer<object>>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    const answer = await call();
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.error);
    if (answer.ok) setPicked(undefined);
    await Promise.all([queries.invalidateQueries({ queryKey: rotationQuery(row.id) }), refreshKey(queries, row.id)]);
  };
  return (
    <div className="flex flex-col gap-4 pt-5">
      <p>{planWords(status, { imported, replica, own, at })} <span className="text-fg-2">What was encrypted before still decrypts.</span></p>
      {changeable && (
        <div className="flex flex-wrap items-end gap-2">
          {!imported && (
            <>
              <div className="w-44"><SelectField label="How often" value={period} options={periods} onPick={setPicked} /></div>
              {period !== planned && <Button busy={busy} className="h-[34px]" onClick={() => { void act(() => client.kms.enableKeyRotation({ KeyId: row.id, RotationPeriodInDays: Number(period) })); }}>{planned === undefined ? 'Turn on automatic rotation' : 'Change how often'}</Button>}
            </>
          )}
          {planned !== undefined && <Button busy={busy} className="h-[34px]" onClick={() => { void act(() => client.kms.disableKeyRotation({ KeyId: row.id })); }}>Turn off automatic rotation</Button>}
          {(!imported || next) && <Button busy={busy} icon={<RotateCw size={14} strokeWidth={1.6} />} className={imported ? '' : 'h-[34px]'} onClick={() => { void act(() => client.kms.rotateKeyOnDemand({ KeyId: row.id })); }}>{imported ? 'Rotate to the imported material' : 'Rotate now'}</Button>}
          {imported && !next && <Button onClick={() => { show({ kind: 'import', keyId: row.id }); }}>Import the next material…</Button>}
        </div>
      )}
      {failed && <InlineError error={failed} consequence="The key is as it was." />}
      <section aria-labelledby="materials">
        <h3 id="materials" className="mb-2 text-[12.5px]/[18px] font-semibold">Key materials</h3>
        {materials.length === 0 ? <p className="text-fg-2">None yet</p> : <ol>{materials.map((one) => <Material key={one.KeyMaterialId} entry={one} created={value.CreationDate} onDelete={deletable ? () => { show({ kind: 'delete-material', keyId: row.id, materialId: one.KeyMaterialId }); } : undefined} />)}</ol>}
      </section>
    </div>
  );
}

interface Plan {
  readonly imported: boolean;
  readonly replica: boolean;
  readonly own: boolean;
  readonly at: number;
}

function planWords(status: Output<'kms:GetKeyRotationStatus'>, { imported, replica, own, at }: Plan): string {
  if (replica) return 'This is a replica: its primary key is rotated, and this one with it.';
  if (imported) return 'Its material is imported, so it rotates only to one that you import for this.';
  if (!status.KeyRotationEnabled) return 'Automatic rotation is off.';
  const every = `It is given new material every ${String(status.RotationPeriodInDays)} days`;
  const when = status.NextRotationDate === undefined ? '' : `, next on ${day(status.NextRotationDate * 1000)} (in ${left(status.NextRotationDate * 1000, at)})`;
  return `${every}${when}.${own ? ' The vault sees to it.' : ''}`;
}

const STATES: Record<Entry['KeyMaterialState'], string> = {
  CURRENT: 'Encrypts and decrypts',
  NON_CURRENT: 'Decrypts only',
  PENDING_ROTATION: 'Waits for its rotation',
  PENDING_MULTI_REGION_IMPORT_AND_ROTATION: 'Waits for its import into every region',
};

function Material({ entry, created, onDelete }: { readonly entry: Entry; readonly created: number; readonly onDelete: (() => void) | undefined }) {
  const time = (entry.RotationDate ?? created) * 1000;
  const gone = entry.ImportState === 'PENDING_IMPORT';
  const current = entry.KeyMaterialState === 'CURRENT';
  return (
    <li className="relative flex gap-3 pb-3 pl-5 before:absolute before:top-4 before:bottom-0 before:left-[5px] before:w-px before:bg-line-2 last:before:hidden">
      <i aria-hidden="true" className={`absolute top-1.5 left-0 size-[11px] rounded-full ${gone ? 'text-danger shadow-[inset_0_0_0_2px_currentColor]' : current ? 'bg-glyph' : 'text-fg-3 shadow-[inset_0_0_0_2px_currentColor]'}`} />
      <div className="min-w-0 flex-1">
        <p><span className="font-medium">{gone ? 'Not here: import it again' : STATES[entry.KeyMaterialState]}</span> <span className="text-fg-2" title={exact(time)}>· {entry.RotationType === undefined ? 'first' : entry.RotationType === 'ON_DEMAND' ? 'rotated on demand' : 'rotated by itself'}{entry.KeyMaterialState.startsWith('PENDING') ? '' : `, ${day(time)}`}</span></p>
        <p className="font-mono text-[11.5px] break-all text-fg-3">{entry.KeyMaterialId.replace(/0{48}$/, '')}</p>
        {(entry.KeyMaterialDescription !== undefined || entry.ValidTo !== undefined) && (
          <p className="text-[12px] text-fg-2"><bdi>{entry.KeyMaterialDescription}</bdi>{entry.KeyMaterialDescription !== undefined && entry.ValidTo !== undefined && ' · '}{entry.ValidTo !== undefined && `expires on ${day(entry.ValidTo * 1000)}`}</p>
        )}
      </div>
      {onDelete && !gone && <Button kind="ghost" aria-label={`Delete key material ${entry.KeyMaterialId.slice(0, 8)}`} onClick={onDelete}>Delete…</Button>}
    </li>
  );
}
