/** One secret: its value, its versions, what it is. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowLeft, Ellipsis, Pencil, PenLine, Trash2, Undo2 } from 'lucide-react';
import { DropdownMenu, Tabs } from 'radix-ui';
import { lazy, Suspense, type ReactNode } from 'react';
import { EXPIRES, EXPIRY_NEAR } from '../../shared/model/expiry.ts';
import { useNow } from '../clock.ts';
import { ago, counted, day, exact } from '../format.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { describedQuery, useKeys } from '../keys/data.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { MENU, MenuItem, MenuLine } from '../parts/menu.tsx';
import { useToast } from '../parts/toast.tsx';
import { useVault } from '../vault/context.ts';
import { pathOf, restoreSecret, useLastRead, useRestoring, useSecret, useVersions, type SecretKnown } from './data.ts';
import { SecretTile } from './secret-list.tsx';
import { ValueCard } from './value-card.tsx';
import { expiryOf, MarkLine, markOf } from './mark.tsx';
import { useRotation, useRotationMarks } from './rotation-data.ts';
import { SecretTags } from './secret-tags.tsx';
import { Versions } from './versions.tsx';

const RotationTab = lazy(async () => ({ default: (await import('./rotation-tab.tsx')).RotationTab }));
const RegionsTab = lazy(async () => ({ default: (await import('./regions-tab.tsx')).RegionsTab }));
const RotationRun = lazy(async () => ({ default: (await import('./rotation-run.tsx')).RotationRun }));

const ICON = { size: 14, strokeWidth: 1.6 } as const;
const TAB = '-mb-px border-b-2 border-transparent px-0.5 pt-1 pb-2 font-medium text-fg-2 hover:text-fg data-[state=active]:border-brass data-[state=active]:text-fg';

export function SecretDetail({ name, onBack }: { readonly name: string; readonly onBack: () => void }) {
  const { data, error, refetch } = useSecret(name);
  const time = useNow(60_000);
  return (
    <article className="p-6 pt-5 max-[1040px]:pt-3">
      <Button kind="ghost" className="mb-2 -ml-2.5 min-[1041px]:hidden" icon={<ArrowLeft {...ICON} />} onClick={onBack}>All secrets</Button>
      {data ? <Known value={data} at={time} /> : error ? <InlineError error={errorOf(error)}><Button kind="ghost" onClick={() => { void refetch(); }}>Try again</Button></InlineError> : <SkeletonRows rows={3} height={48} />}
    </article>
  );
}

function Known({ value, at }: { readonly value: SecretKnown; readonly at: number }) {
  const { show, readOnly } = useVault();
  const queries = useQueryClient();
  const say = useToast();
  const versions = useVersions(value.Name);
  const rotation = useRotation(value.Name, value.RotationEnabled !== undefined);
  const expires = expiryOf(value);
  const mark = markOf(value, useRotationMarks()?.get(value.Name), at);
  const { busy, failed } = useRestoring(value.Name);
  const { Name: name, DeletedDate: due } = value;
  const [path, last] = pathOf(name);
  const current = Object.entries(value.VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];

  const restore = async (): Promise<void> => {
    if ((await restoreSecret(queries, name)) === true) say(`${last} stays`);
  };

  return (
    <>
      <header className="flex items-center gap-3.5">
        <SecretTile large dying={due !== undefined} />
        <div className="min-w-0 flex-1">
          <h2 className="text-[20px]/[26px] font-semibold break-all"><span className="font-normal text-fg-2">{path}</span>{last}</h2>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2">
            {mark && <><MarkLine mark={mark} /><span aria-hidden="true">·</span></>}
            <span>Encrypted with {value.KmsKeyId === undefined ? 'the vault’s key for secrets' : <WrappingKey reference={value.KmsKeyId} />}</span>
            <span aria-hidden="true">·</span><span title={exact(value.LastChangedDate * 1000)}>Changed {ago(value.LastChangedDate * 1000, at)}</span>
          </p>
        </div>
        {!readOnly && due === undefined && (
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger asChild><IconButton label="More for this secret" className="self-start"><Ellipsis size={16} strokeWidth={1.8} /></IconButton></DropdownMenu.Trigger>
            <DropdownMenu.Content align="end" sideOffset={4} className={MENU} onCloseAutoFocus={(event) => { if (document.querySelector('dialog[open]')) event.preventDefault(); }}>
              <MenuItem icon={<Pencil {...ICON} />} onSelect={() => { show({ kind: 'describe-secret', name }); }}>Describe…</MenuItem>
              <MenuLine />
              <MenuItem danger icon={<Trash2 {...ICON} />} onSelect={() => { show({ kind: 'delete-secret', name }); }}>Delete…</MenuItem>
            </DropdownMenu.Content>
          </DropdownMenu.Root>
        )}
      </header>

      {!readOnly && (
        <div className="mt-4 flex flex-wrap items-center gap-2">
          {due === undefined
            ? <Button kind="primary" icon={<PenLine {...ICON} />} onClick={() => { show({ kind: 'change-secret', name }); }}>{current === undefined ? 'Give it a value' : 'New value'}</Button>
            : <Button kind="primary" busy={busy} icon={<Undo2 {...ICON} />} onClick={() => { void restore(); }}>Restore</Button>}
        </div>
      )}
      {due !== undefined && <p className="tint-danger mt-4 rounded-card px-3 py-2.5">It is destroyed with every version on {day(due * 1000)}, and nobody can read it until then. Restoring brings it back as it was.</p>}
      {expires !== undefined && expires - at <= EXPIRY_NEAR && due === undefined && <p className="tint-warn mt-4 rounded-card px-3 py-2.5">What it holds {expires <= at ? 'worked' : 'works'} until {day(expires - 1)}, as its tag <code className="font-mono text-[12px]">{EXPIRES}</code> says. Give it a new value, then say under Describe until when that one works.</p>}
      {failed && <div className="mt-4"><InlineError error={failed} consequence="The secret is as it was." /></div>}

      <Tabs.Root defaultValue="value" className="mt-5">
        <Tabs.List aria-label="About this secret" className="-mx-6 flex gap-4 px-6 shadow-[inset_0_-1px_0_var(--line)]">
          <Tabs.Trigger value="value" className={TAB}>Value</Tabs.Trigger>
          {due === undefined && <Tabs.Trigger value="rotation" className={TAB}>Rotation</Tabs.Trigger>}
          <Tabs.Trigger value="versions" className={TAB}>Versions{versions.data && <span className="ml-1.5 font-normal text-fg-3">{counted(versions.data.Versions.length)}{versions.data.NextToken === undefined ? '' : '+'}</span>}</Tabs.Trigger>
          {due === undefined && <Tabs.Trigger value="regions" className={TAB}>Regions{value.ReplicationStatus && <span className="ml-1.5 font-normal text-fg-3">{counted(value.ReplicationStatus.length)}</span>}</Tabs.Trigger>}
          <Tabs.Trigger value="about" className={TAB}>About</Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="value">
          {due !== undefined ? <p className="pt-5 text-fg-2">Its value can be seen again once it is restored.</p>
          : current === undefined ? <p className="pt-5 text-fg-2">It has no value yet.</p>
          : <ValueCard key={current} name={name} versionId={current} stage="AWSCURRENT" />}
          {due === undefined && rotation.data?.Run && <Suspense><RotationRun name={name} rotation={rotation.data} run={rotation.data.Run} /></Suspense>}
        </Tabs.Content>
        {due === undefined && <Tabs.Content value="rotation"><Suspense><RotationTab name={name} hasValue={current !== undefined} at={at} /></Suspense></Tabs.Content>}
        <Tabs.Content value="versions"><Versions name={name} versions={versions} current={current} dying={due !== undefined} at={at} rotates={value.RotationEnabled !== undefined} /></Tabs.Content>
        {due === undefined && <Tabs.Content value="regions"><Suspense><RegionsTab name={name} at={at} /></Suspense></Tabs.Content>}
        <Tabs.Content value="about"><About value={value} at={at} /></Tabs.Content>
      </Tabs.Root>
    </>
  );
}

const KeyValue = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div className="flex min-h-[29px] items-center max-[560px]:flex-wrap">
    <dt className="w-28 shrink-0 text-fg-2">{name}</dt>
    <dd className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">{children}</dd>
  </div>
);

function About({ value, at }: { readonly value: SecretKnown; readonly at: number }) {
  useLastRead(value.Name);
  return (
    <dl className="pt-4">
      <KeyValue name="Description">{value.Description === undefined ? <span className="text-fg-3">None</span> : <bdi className="min-w-0 break-words">{value.Description}</bdi>}</KeyValue>
      <KeyValue name="Name"><span className="min-w-0 font-mono text-[12.5px] break-all">{value.Name}</span><CopyButton text={value.Name} what="the name" /></KeyValue>
      <KeyValue name="ARN"><span className="flex min-w-0 items-center gap-1.5"><span className="min-w-0 font-mono text-[11.5px] break-all">{value.ARN}</span><CopyButton text={value.ARN} what="the ARN" /></span></KeyValue>
      <KeyValue name="Tags"><SecretTags value={value} /></KeyValue>
      <KeyValue name="Last read">{value.LastAccessedDate === undefined ? <span className="text-fg-3">Not recorded yet</span> : day(value.LastAccessedDate * 1000)}</KeyValue>
      <KeyValue name="Made"><span title={exact(value.CreatedDate * 1000)}>{ago(value.CreatedDate * 1000, at)}</span></KeyValue>
    </dl>
  );
}

/** The key that a secret is encrypted with, as it was named; and whether a token holds it. */
function WrappingKey({ reference }: { readonly reference: string }) {
  const row = useKeys().rows?.find(({ id, arn, aliases }) => id === reference || arn === reference || aliases.includes(reference));
  const { data } = useQuery({ ...describedQuery(row?.id ?? ''), enabled: row !== undefined });
  return <><code className="font-mono">{reference}</code>{data?.Origin === 'AWS_CLOUDHSM' && <> <HardwareBadge words={data.KeyState === 'Unavailable' ? 'hardware, not connected' : 'hardware'} /></>}</>;
}
