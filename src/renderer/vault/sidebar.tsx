/** Sections, the vault's menu, and the foot. A section that is not built is not here. */
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Braces, ChevronsUpDown, ClipboardCopy, Cloud, Cpu, DoorOpen, FolderKey, Folders, KeyRound, Link2, Lock, Search, Settings, type LucideIcon } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import { useDoor } from '../access/data.ts';
import { client } from '../client.ts';
import { copyText } from '../clipboard.ts';
import { useNow } from '../clock.ts';
import { counted, lastPart, left, sentence, shortPath } from '../format.ts';
import { useKeys } from '../keys/data.ts';
import { Kbd } from '../parts/kbd.tsx';
import { MENU, MenuItem, MenuLine } from '../parts/menu.tsx';
import { useToast } from '../parts/toast.tsx';
import { MarkTile } from '../pictures/mark.tsx';
import { VAULTS, useVaults } from '../vaults/data.ts';
import { useVault } from './context.ts';

const ICON = { size: 16, strokeWidth: 1.6, 'aria-hidden': true } as const;
const ITEM = 'hover-tint flex h-[29px] items-center gap-2.5 rounded-row px-2 font-medium text-fg-2 hover:text-fg aria-[current=page]:bg-raised aria-[current=page]:text-fg aria-[current=page]:shadow-[inset_0_0_0_1px_var(--line)] [[data-theme=light]_&]:aria-[current=page]:bg-pane';

function NavItem({ to, icon: Icon, badge, children }: { readonly to: '/keys' | '/secrets' | '/hardware' | '/access' | '/trail'; readonly icon: LucideIcon; readonly badge?: ReactNode; readonly children: string }) {
  return (
    <Link to={to} search={{}} activeProps={{ 'aria-current': 'page' }} activeOptions={{ includeSearch: false }} className={`${ITEM} group`}>
      <Icon {...ICON} className="group-aria-[current=page]:text-brass" />
      <span className="flex-1">{children}</span>
      {badge !== undefined && <span className="text-[12px] font-normal text-fg-3">{badge}</span>}
    </Link>
  );
}

export function Sidebar() {
  const { show, lock } = useVault();
  const { rows, whole } = useKeys();
  const aws = useDoor().data?.State === 'open';
  return (
    <nav aria-label="Sections" data-pane="sections" tabIndex={-1} className="drag flex w-[216px] shrink-0 flex-col p-2 focus-visible:-outline-offset-2">
      <VaultSwitcher />
      <button type="button" onClick={() => { show({ kind: 'palette' }); }} className="edge mt-2 flex h-[30px] items-center gap-2.5 rounded-row bg-raised px-2 text-fg-2 hover:text-fg [[data-theme=light]_&]:bg-pane">
        <Search size={15} strokeWidth={1.6} aria-hidden="true" />
        <span className="flex-1 text-left">Search or run…</span>
        <Kbd>Ctrl K</Kbd>
      </button>
      <h2 className="mt-4 mb-1.5 px-2 text-[11px]/4 font-medium text-fg-3">Vault</h2>
      <NavItem to="/keys" icon={KeyRound} badge={rows && whole ? counted(rows.length) : undefined}>Keys</NavItem>
      <NavItem to="/secrets" icon={Braces}>Secrets</NavItem>
      <NavItem to="/hardware" icon={Cpu}>Hardware</NavItem>
      <h2 className="mt-4 mb-1.5 px-2 text-[11px]/4 font-medium text-fg-3">Control</h2>
      <NavItem to="/access" icon={Cloud}>AWS access</NavItem>
      <NavItem to="/trail" icon={Link2}>Trail</NavItem>
      <div className="mt-auto flex h-9 items-center gap-2.5 px-2 text-fg-2" title={aws ? 'Programs of yours reach this vault through the command line, and AWS clients with an access key, while it is unlocked' : 'Programs of yours reach this vault through the command line while it is unlocked'}>
        <DoorOpen {...ICON} />
        <span className="flex-1">{aws ? '2 doors open' : '1 door open'}</span>
        <span className="text-[11px] text-fg-3">{aws ? 'CLI, AWS' : 'CLI'}</span>
      </div>
      <div className="mt-1 flex items-center gap-1 pt-2 shadow-[inset_0_1px_0_var(--line)]">
        <Link to="/settings" activeProps={{ 'aria-current': 'page' }} className={`${ITEM} flex-1`}><Settings {...ICON} />Settings</Link>
        <button type="button" onClick={lock} title="Lock (Ctrl L)" className={ITEM}><Lock {...ICON} />Lock</button>
      </div>
    </nav>
  );
}

/** The rest is behind "Other vaults…". */
const MOST_OTHERS = 5;

function VaultSwitcher() {
  const { status, lock, show } = useVault();
  const queries = useQueryClient();
  const others = useVaults().data?.Vaults.filter(({ Current, Found }) => Found && !Current) ?? [];
  const [copied, setCopied] = useState(false);
  const say = useToast();
  // A page of the other vault takes this one's place; only a refusal comes back here.
  const goTo = async (Folder: string): Promise<void> => {
    const answer = await client.vault.switchVault({ Folder });
    if (!answer.ok) say(sentence(answer.error.message));
  };
  const time = useNow(15_000);
  const name = status.Name ?? lastPart(status.Folder);
  const locks = status.LocksAt === undefined ? 'Unlocked' : `Locks in ${left(status.LocksAt * 1000, time)}`;
  return (
    <DropdownMenu.Root modal={false} onOpenChange={(open) => { setCopied(false); if (open) void queries.invalidateQueries({ queryKey: VAULTS }); }}>
      <DropdownMenu.Trigger className="hover-tint flex h-10 items-center gap-2.5 rounded-row px-2 text-left">
        <MarkTile />
        <span className="min-w-0 flex-1">
          <span className="block truncate text-[13px]/[18px] font-semibold">{name}</span>
          <span className="block truncate text-[11px]/4 text-fg-2">{status.Throwaway ? <><b className="font-semibold text-brass">Demo</b>, not kept</> : locks}</span>
        </span>
        <ChevronsUpDown size={14} strokeWidth={1.6} className="text-fg-3" aria-hidden="true" />
      </DropdownMenu.Trigger>
        <DropdownMenu.Content align="start" sideOffset={4} className={MENU}>
          <DropdownMenu.Label className="max-w-[280px] px-2 py-1.5 text-[12px] text-fg-3"><span className="font-mono break-all">{shortPath(status.Folder)}</span></DropdownMenu.Label>
          <MenuItem icon={<ClipboardCopy size={14} strokeWidth={1.6} />} onSelect={(event) => { event.preventDefault(); void copyText(status.Folder).then(setCopied); }}>{copied ? 'Copied' : 'Copy its path'}</MenuItem>
          {others.length > 0 && <MenuLine />}
          {others.slice(0, MOST_OTHERS).map(({ Folder }) => <MenuItem key={Folder} icon={<FolderKey size={14} strokeWidth={1.6} />} onSelect={() => { void goTo(Folder); }}><span className="block max-w-[240px] truncate" title={Folder}>{lastPart(Folder)}</span></MenuItem>)}
          <MenuItem icon={<Folders size={14} strokeWidth={1.6} />} onSelect={() => { show({ kind: 'vaults' }); }}>Other vaults…</MenuItem>
          <MenuLine />
          <MenuItem icon={<Lock size={14} strokeWidth={1.6} />} shortcut="Ctrl L" onSelect={lock}>Lock now</MenuItem>
        </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
