/** One key: what it is, what it can do, what happened with it. */
import { useQueryClient } from '@tanstack/react-query';
import { ArrowLeft, CircleSlash, Eraser, Ellipsis, Import, Pencil, Play, Plug, Tag, Trash2, Undo2 } from 'lucide-react';
import { DropdownMenu, Tabs } from 'radix-ui';
import { memo, useState } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client } from '../client.ts';
import { useNow } from '../clock.ts';
import { day, lossWords, specName, usageVerb } from '../format.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { Button, IconButton } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { MENU, MenuItem, MenuLine } from '../parts/menu.tsx';
import { useToast } from '../parts/toast.tsx';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { ActionIcon } from './action-icon.tsx';
import { actionRow, actionsOf } from './actions.ts';
import { refreshKey, useKey, type KeyRow } from './data.ts';
import { KeyCode } from './key-code.tsx';
import { KeyRotation } from './key-rotation.tsx';
import { KeyToken } from './key-token.tsx';
import { KeyOverview } from './key-overview.tsx';
import { KeyTrail } from './key-trail.tsx';
import { StateWord } from './state-word.tsx';

const ICON = { size: 14, strokeWidth: 1.6 } as const;
const TAB = '-mb-px border-b-2 border-transparent px-0.5 pt-1 pb-2 font-medium text-fg-2 hover:text-fg data-[state=active]:border-brass data-[state=active]:text-fg';

export const KeyDetail = memo(function KeyDetail({ row, onBack }: { readonly row: KeyRow; readonly onBack: () => void }) {
  const { data, error, refetch } = useKey(row.id);
  const time = useNow(60_000);
  return (
    <article className="p-6 pt-5 max-[1040px]:pt-3">
      <Button kind="ghost" className="mb-2 -ml-2.5 min-[1041px]:hidden" icon={<ArrowLeft {...ICON} />} onClick={onBack}>All keys</Button>
      {data ? <Known row={row} value={data} at={time} /> : error ? <InlineError error={errorOf(error)}><Button kind="ghost" onClick={() => { void refetch(); }}>Try again</Button></InlineError> : <SkeletonRows rows={3} height={48} />}
    </article>
  );
});

function Known({ row, value, at }: { readonly row: KeyRow; readonly value: KeyMetadata; readonly at: number }) {
  const { show, readOnly } = useVault();
  const queries = useQueryClient();
  const say = useToast();
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  useHeldFocus('detail', `${value.KeyState} ${String(busy)} ${row.aliases.join(' ')}`);

  const change = async (act: () => Promise<Answer<object>>, done: string, undo?: () => Promise<Answer<object>>): Promise<void> => {
    setBusy(true);
    setFailed(undefined);
    const answer = await act();
    setBusy(false);
    await refreshKey(queries, row.id);
    if (!answer.ok) setFailed(answer.error);
    else say(done, undo && (() => { void change(undo, 'Undone'); }));
  };
  const enable = () => client.kms.enableKey({ KeyId: row.id });
  const disable = () => client.kms.disableKey({ KeyId: row.id });
  const actions = actionsOf(value);
  const inToken = value.Origin === 'AWS_CLOUDHSM';
  const away = value.KeyState === 'Unavailable' ? value.CustomKeyStoreId : undefined;
  const [once] = away === undefined ? [] : actionsOf({ ...value, KeyState: 'Enabled' });
  const isPending = value.KeyState === 'PendingDeletion' || value.KeyState === 'PendingReplicaDeletion';

  return (
    <>
      <header className="flex items-center gap-3.5">
        <KeyGlyph publicId={row.id} size="L" state={value.KeyState} hardware={inToken} />
        <div className="min-w-0 flex-1">
          <h2 className={`truncate text-[20px]/[26px] font-semibold ${row.named ? '' : 'font-mono'}`}>{row.name}</h2>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2">
            <StateWord value={value} at={at} />
            <span aria-hidden="true">·</span>{inToken ? <HardwareBadge /> : <span>Software</span>}
            <span aria-hidden="true">·</span><span>{usageVerb(value.KeyUsage)} {specName(value.KeySpec)}</span>
          </p>
        </div>
        {!readOnly && value.KeyManager === 'CUSTOMER' && (
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger asChild><IconButton label="More for this key" className="self-start"><Ellipsis size={16} strokeWidth={1.8} /></IconButton></DropdownMenu.Trigger>
              <DropdownMenu.Content align="end" sideOffset={4} className={MENU} onCloseAutoFocus={(event) => { if (document.querySelector('dialog[open]')) event.preventDefault(); }}>
                {!isPending && <MenuItem icon={<Pencil {...ICON} />} onSelect={() => { show({ kind: 'description', keyId: row.id }); }}>{value.Description === '' ? 'Add a description' : 'Edit the description'}</MenuItem>}
                {!isPending && <MenuItem icon={<Tag {...ICON} />} onSelect={() => { show({ kind: 'alias', keyId: row.id }); }}>Add an alias</MenuItem>}
                {value.KeyState === 'Enabled' && <MenuItem icon={<CircleSlash {...ICON} />} onSelect={() => { void change(disable, `${row.name} is disabled`, enable); }}>Disable</MenuItem>}
                {value.KeyState === 'Disabled' && <MenuItem icon={<Play {...ICON} />} onSelect={() => { void change(enable, `${row.name} is enabled`, disable); }}>Enable</MenuItem>}
                {isPending
                  ? <MenuItem icon={<Undo2 {...ICON} />} onSelect={() => { void change(() => client.kms.cancelKeyDeletion({ KeyId: row.id }), `${row.name} stays, disabled`); }}>Cancel deletion</MenuItem>
                  : <><MenuLine />{value.Origin === 'EXTERNAL' && value.KeyState !== 'PendingImport' && <MenuItem danger icon={<Eraser {...ICON} />} onSelect={() => { show({ kind: 'delete-material', keyId: row.id }); }}>Delete its key material…</MenuItem>}<MenuItem danger icon={<Trash2 {...ICON} />} onSelect={() => { show({ kind: 'delete', keyId: row.id }); }}>Schedule deletion…</MenuItem></>}
              </DropdownMenu.Content>
          </DropdownMenu.Root>
        )}
      </header>

      <div className="mt-4 flex flex-wrap items-center gap-2">
        {actions.map((action, i) => {
          const { label, ...rest } = actionRow(action);
          return <Button key={action} kind={i === 0 ? 'primary' : 'plain'} icon={<ActionIcon action={action} />} {...(i === 0 && rest.shortcut !== undefined ? { shortcut: rest.shortcut } : {})} onClick={() => { show({ kind: 'use', keyId: row.id, action }); }}>{label}</Button>;
        })}
        {away !== undefined && once && <Button kind="primary" icon={<Plug {...ICON} />} {...(actionRow(once).shortcut === undefined ? {} : { shortcut: actionRow(once).shortcut })} onClick={() => { show({ kind: 'connect-store', storeId: away, then: { kind: 'use', keyId: row.id, action: once } }); }}>Connect, then {actionRow(once).label.toLowerCase()}…</Button>}
        {away !== undefined && <Button icon={<Plug {...ICON} />} onClick={() => { show({ kind: 'connect-store', storeId: away }); }}>Connect…</Button>}
        {!readOnly && value.KeyState === 'Disabled' && <Button kind="primary" busy={busy} icon={<Play {...ICON} />} onClick={() => { void change(enable, `${row.name} is enabled`, disable); }}>Enable this key</Button>}
        {!readOnly && value.KeyState === 'PendingImport' && <Button kind="primary" icon={<Import {...ICON} />} onClick={() => { show({ kind: 'import', keyId: row.id }); }}>Import key material…</Button>}
        {!readOnly && isPending && <Button kind="primary" disabled={busy} icon={<Undo2 {...ICON} />} onClick={() => { void change(() => client.kms.cancelKeyDeletion({ KeyId: row.id }), `${row.name} stays, disabled`); }}>Cancel deletion</Button>}
      </div>
      {value.KeyState === 'PendingDeletion' && value.DeletionDate !== undefined && (
        <p className="tint-danger mt-4 rounded-card px-3 py-2.5">It is destroyed on {day(value.DeletionDate * 1000)} and cannot be used until then. {lossWords(value.KeyUsage)} Cancelling keeps it, disabled.</p>
      )}
      {value.KeyState === 'PendingReplicaDeletion' && <p className="tint-danger mt-4 rounded-card px-3 py-2.5">It cannot be used, and is destroyed {String(value.PendingDeletionWindowInDays)} days after its last replica. {lossWords(value.KeyUsage)} Cancelling keeps it, disabled.</p>}
      {value.KeyState === 'PendingImport' && <p className="tint-brass mt-4 rounded-card px-3 py-2.5">{value.CurrentKeyMaterialId === undefined && value.KeySpec === 'SYMMETRIC_DEFAULT' ? 'It was made without key material. Import it, and the key can be used.' : value.KeySpec === 'SYMMETRIC_DEFAULT' ? 'Key material of it is not here. Only the same material brings it back.' : 'It has no key material here. Import it, and the key can be used; once it has had some, only the same brings it back.'}</p>}
      {value.KeyManager === 'AWS' && <p className="mt-4 text-fg-2">The vault made this key for its secrets. Nobody changes it, and it is rotated every year.</p>}
      {failed && <div className="mt-4"><InlineError error={failed} consequence="The key is as it was." /></div>}

      <Tabs.Root defaultValue="overview" className="mt-5">
        <Tabs.List aria-label="About this key" className="-mx-6 flex gap-4 px-6 shadow-[inset_0_-1px_0_var(--line)]">
          <Tabs.Trigger value="overview" className={TAB}>Overview</Tabs.Trigger>
          {value.KeySpec === 'SYMMETRIC_DEFAULT' && !inToken && <Tabs.Trigger value="rotation" className={TAB}>Rotation</Tabs.Trigger>}
          {inToken && <Tabs.Trigger value="token" className={TAB}>Token</Tabs.Trigger>}
          <Tabs.Trigger value="code" className={TAB}>Code</Tabs.Trigger>
          <Tabs.Trigger value="trail" className={TAB}>Trail</Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="overview"><KeyOverview row={row} value={value} at={at} /></Tabs.Content>
        {inToken && <Tabs.Content value="token"><KeyToken row={row} value={value} /></Tabs.Content>}
        {value.KeySpec === 'SYMMETRIC_DEFAULT' && !inToken && <Tabs.Content value="rotation"><KeyRotation row={row} value={value} at={at} /></Tabs.Content>}
        <Tabs.Content value="code"><KeyCode row={row} value={value} /></Tabs.Content>
        <Tabs.Content value="trail"><KeyTrail row={row} at={at} /></Tabs.Content>
      </Tabs.Root>
    </>
  );
}
