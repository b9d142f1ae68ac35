/** The palette: do something, find a key or a secret, go elsewhere. It searches names and words, never values. */
import { useNavigate } from '@tanstack/react-router';
import { useQueries } from '@tanstack/react-query';
import { Command } from 'cmdk';
import { Braces, Cloud, Cpu, CircleHelp, CornerDownLeft, FileInput, FolderKey, KeyRound, Link2, Lock, Plus, Search, Settings, Trash2, type LucideIcon } from 'lucide-react';
import { useDeferredValue, useMemo, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { specName, usageWords } from '../format.ts';
import { ActionIcon } from '../keys/action-icon.tsx';
import { actionRow, actionsOf } from '../keys/actions.ts';
import { describedQuery, useKeys, type KeyRow } from '../keys/data.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Kbd } from '../parts/kbd.tsx';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { searchWords, useSecrets } from '../secrets/data.ts';
import { SecretTile } from '../secrets/secret-list.tsx';
import { useVault } from '../vault/context.ts';

const ITEM = 'flex h-10 items-center gap-3 rounded-row px-3 data-[selected=true]:bg-line-2/60 group/item';
const GROUP = '[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2.5 [&_[cmdk-group-heading]]:pb-1.5 [&_[cmdk-group-heading]]:text-[11px]/4 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-fg-2';
const MOST = 6;
const MOST_NAMED = 40;
const NONE: readonly KeyRow[] = [];

const Tile = ({ children }: { readonly children: ReactNode }) => <span aria-hidden="true" className="grid size-7 shrink-0 place-items-center rounded-[7px] bg-line text-fg-2">{children}</span>;

/** Every word of the query begins a word of the text, or stands in it. */
const fits = (text: string, words: readonly string[]): boolean => words.every((word) => text.includes(word));

interface Entry {
  readonly id: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly about: string;
  readonly act: () => void;
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const { show, lock, readOnly } = useVault();
  const navigate = useNavigate();
  const { rows = NONE } = useKeys();
  const [query, setQuery] = useState('');
  const [only, setOnly] = useState<string>();
  const [value, setValue] = useState('');
  const words = useMemo(() => query.toLowerCase().split(/\s+/).filter((word) => word !== ''), [query]);
  const one = rows.find((row) => row.id === only);
  const found = useMemo(() => (one ? [] : rows.filter((row) => fits(row.text, words))).slice(0, MOST), [one, rows, words]);
  /** Of a verb and a name, "sign rel", the keys that the name may be of. */
  const named = useMemo(() => (one || words.length === 0 ? [] : rows.filter((row) => words.some((word) => row.text.includes(word))).slice(0, MOST_NAMED)), [one, rows, words]);
  // What can be done with a key is known once the vault has said what it is.
  const asked = [...new Set([...(one ? [one] : []), ...found, ...named].map(({ id }) => id))];
  const described = useQueries({ queries: asked.map(describedQuery) });
  const known = (row: KeyRow): KeyMetadata | undefined => described[asked.indexOf(row.id)]?.data;
  const reading = described.some(({ isPending }) => isPending);

  const actionsFor = (row: KeyRow): readonly Entry[] => {
    const metadata = known(row);
    const uses = metadata ? actionsOf(metadata).map((action): Entry => ({ id: `${action}:${row.id}`, icon: <ActionIcon action={action} />, title: `${actionRow(action).verb} ${row.name}`, about: actionRow(action).operation, act: () => { show({ kind: 'use', keyId: row.id, action }); } })) : [];
    const away = metadata?.KeyState === 'Unavailable' ? metadata.CustomKeyStoreId : undefined;
    if (away !== undefined) return [{ id: `connect:${row.id}`, icon: <Cpu size={14} strokeWidth={1.6} />, title: `Connect the token of ${row.name}`, about: 'kms:ConnectCustomKeyStore', act: () => { show({ kind: 'connect-store', storeId: away }); } }];
    const removable = metadata && metadata.KeyState !== 'PendingDeletion' && !readOnly;
    return removable ? [...uses, { id: `delete:${row.id}`, icon: <Trash2 size={14} strokeWidth={1.6} />, title: `Schedule deletion of ${row.name}`, about: 'kms:ScheduleKeyDeletion', act: () => { show({ kind: 'delete', keyId: row.id }); } }] : uses;
  };
  const icon = (Icon: LucideIcon): ReactNode => <Icon size={14} strokeWidth={1.6} />;
  const go = (act: () => void) => (): void => { onClose(); act(); };
  const general: readonly Entry[] = [
    ...(readOnly ? [] : [{ id: 'new', icon: icon(Plus), title: 'New key', about: 'kms:CreateKey', act: () => { show({ kind: 'create' }); } }, { id: 'new-secret', icon: icon(Plus), title: 'New secret', about: 'secretsmanager:CreateSecret', act: () => { show({ kind: 'create-secret' }); } }, { id: 'import-secrets', icon: icon(FileInput), title: 'Import secrets', about: '.env, JSON, YAML, 1Password, Bitwarden, KeePass', act: () => { show({ kind: 'import-secrets' }); } }, { id: 'set-up', icon: icon(Cpu), title: 'Set up a token', about: 'hardware:AddModule, PKCS#11, HSM', act: () => { show({ kind: 'set-up-hardware' }); } }]),
    { id: 'lock', icon: icon(Lock), title: 'Lock the vault', about: 'vault:Lock', act: go(lock) },
  ];
  const elsewhere: readonly Entry[] = [
    { id: 'keys', icon: icon(KeyRound), title: 'Keys', about: 'Section', act: go(() => { void navigate({ to: '/keys', search: {} }); }) },
    { id: 'secrets', icon: icon(Braces), title: 'Secrets', about: 'Section', act: go(() => { void navigate({ to: '/secrets', search: {} }); }) },
    { id: 'hardware', icon: icon(Cpu), title: 'Hardware', about: 'Tokens, key stores, modules', act: go(() => { void navigate({ to: '/hardware' }); }) },
    { id: 'access', icon: icon(Cloud), title: 'AWS access', about: 'The door for AWS clients, and their access keys', act: go(() => { void navigate({ to: '/access' }); }) },
    { id: 'trail', icon: icon(Link2), title: 'Trail', about: 'Section', act: go(() => { void navigate({ to: '/trail', search: {} }); }) },
    { id: 'vaults', icon: icon(FolderKey), title: 'Other vaults', about: 'Go to one, make one, forget one', act: () => { show({ kind: 'vaults' }); } },
    { id: 'settings', icon: icon(Settings), title: 'Settings', about: 'Password, ways in, auto-lock, theme', act: go(() => { void navigate({ to: '/settings' }); }) },
    { id: 'shortcuts', icon: icon(CircleHelp), title: 'Keyboard shortcuts', about: 'Everything the keyboard does', act: () => { show({ kind: 'shortcuts' }); } },
  ];
  const searched = useSecrets(useDeferredValue(searchWords(query)));
  const secrets = (one || words.length === 0 ? [] : (searched.secrets ?? [])).slice(0, MOST);
  const acts = one ? actionsFor(one).filter((entry) => fits(`${entry.title} ${entry.about}`.toLowerCase(), words))
    : [...general.filter((entry) => fits(`${entry.title} ${entry.about}`.toLowerCase(), words)), ...named.flatMap(actionsFor).filter((entry) => fits(`${entry.title} ${entry.about}`.toLowerCase(), words)).slice(0, MOST)];
  const places = one ? [] : elsewhere.filter((entry) => fits(`${entry.title} ${entry.about}`.toLowerCase(), words));

  const onKeyDown = (event: KeyboardEvent): void => {
    const row = found.find((candidate) => candidate.id === value);
    if (event.key === 'Tab' && !event.shiftKey && row) {
      event.preventDefault();
      setOnly(row.id);
      setQuery('');
    } else if (event.key === 'Backspace' && query === '' && one) setOnly(undefined);
  };
  const item = (entry: Entry): ReactNode => (
    <Command.Item key={entry.id} value={entry.id} onSelect={entry.act} className={ITEM}>
      <Tile>{entry.icon}</Tile>
      <span className="truncate font-medium">{entry.title}</span>
      <span className="min-w-0 flex-1 truncate text-fg-2">{entry.about}</span>
      <span aria-hidden="true" className="hidden items-center gap-2 text-[12px] text-fg-2 group-data-[selected=true]/item:flex">Open <CornerDownLeft size={12} /></span>
    </Command.Item>
  );

  return (
    <Dialog title="Search or run" head={null} onClose={onClose} className="palette w-[646px]">
      <Command shouldFilter={false} label="Search or run" loop value={value} onValueChange={setValue} onKeyDown={onKeyDown} className="flex min-h-0 flex-col">
        <div className="flex h-[54px] shrink-0 items-center gap-3 px-[18px] shadow-[inset_0_-1px_0_var(--line-2)]">
          <Search size={17} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
          {one && <span className="rounded-chip bg-line-2 px-2 py-0.5 font-medium">{one.name}</span>}
          <Command.Input value={query} onValueChange={setQuery} autoFocus placeholder={one ? 'What with it?' : 'Name of a key or a secret, or what to do'} className="min-w-0 flex-1 bg-transparent text-[15px] outline-none focus-visible:outline-none" />
          <Kbd>Esc</Kbd>
        </div>
        <Command.List className="max-h-[420px] min-h-0 overflow-y-auto px-2 pb-2">
          <Command.Empty className="px-3 py-6 text-center text-fg-2">{reading ? 'Reading…' : one && query === '' ? 'Nothing can be done with it now' : `Nothing matches “${query}”`}</Command.Empty>
          {acts.length > 0 && <Command.Group heading="Do" className={GROUP}>{acts.map(item)}</Command.Group>}
          {found.length > 0 && (
            <Command.Group heading="Keys" className={GROUP}>
              {found.map((row) => {
                const metadata = known(row);
                return (
                  <Command.Item key={row.id} value={row.id} onSelect={go(() => { void navigate({ to: '/keys', search: { key: row.id } }); })} className={ITEM}>
                    <KeyGlyph publicId={row.id} size="S" state={metadata?.KeyState ?? 'Enabled'} hardware={metadata?.Origin === 'AWS_CLOUDHSM'} />
                    <span className="truncate font-medium">{row.name}</span>
                    <span className="min-w-0 flex-1 truncate text-fg-2">{metadata ? `${specName(metadata.KeySpec)}, ${usageWords(metadata.KeyUsage)}` : row.id}</span>
                    {metadata?.Origin === 'AWS_CLOUDHSM' && <HardwareBadge words={metadata.KeyState === 'Unavailable' ? 'Hardware, not connected' : 'Hardware'} />}
                  </Command.Item>
                );
              })}
            </Command.Group>
          )}
          {secrets.length > 0 && (
            <Command.Group heading="Secrets" className={GROUP}>
              {secrets.map(({ Name, Description }) => (
                <Command.Item key={`secret:${Name}`} value={`secret:${Name}`} onSelect={go(() => { void navigate({ to: '/secrets', search: { secret: Name } }); })} className={ITEM}>
                  <SecretTile />
                  <span className="truncate font-medium">{Name}</span>
                  <span className="min-w-0 flex-1 truncate text-fg-2"><bdi>{Description}</bdi></span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {places.length > 0 && <Command.Group heading="Elsewhere" className={GROUP}>{places.map(item)}</Command.Group>}
        </Command.List>
        <footer className="flex h-10 shrink-0 items-center gap-2 px-[18px] text-[12px] text-fg-2 shadow-[inset_0_1px_0_var(--line-2)]">
          <Kbd>↑</Kbd><Kbd>↓</Kbd><span className="mr-3">move</span>
          {!one && <><Kbd>Tab</Kbd><span>actions for a key</span></>}
          <span className="ml-auto">Values are never searched</span>
        </footer>
      </Command>
    </Dialog>
  );
}
