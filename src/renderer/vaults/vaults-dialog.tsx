/** Go to another vault, make one, or take one off the list. The open one is locked by that, and nothing is deleted. */
import { useQueryClient } from '@tanstack/react-query';
import { Check, X } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import { folderName } from '../../shared/api/vaults.ts';
import { client } from '../client.ts';
import { lastPart, shortPath } from '../format.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { errorOf, InlineError, ProgressRow, SkeletonRows } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { under, useVaults, VAULTS, type KnownVault } from './data.ts';

const isAbsolute = (path: string): boolean => /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path);

export function VaultsDialog({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { data, error: unread } = useVaults();
  const [error, setError] = useState<CallError>();
  const [going, setGoing] = useState<string>();
  /** A page of the other vault takes this one's place: there is nothing to do here after an answer. */
  const go = async (name: string, asked: Promise<Answer<unknown>>): Promise<void> => {
    setGoing(name);
    setError(undefined);
    const answer = await asked;
    if (answer.ok) return;
    setGoing(undefined);
    setError(answer.error);
  };
  const forget = async ({ Folder }: KnownVault): Promise<void> => {
    const answer = await client.vault.forgetVault({ Folder });
    setError(answer.ok ? undefined : answer.error);
    await queries.invalidateQueries({ queryKey: VAULTS });
  };
  return (
    <Dialog title="Vaults" held={going !== undefined} onClose={onClose} className="w-[560px]">
      <div className="flex min-h-0 flex-col gap-5 overflow-y-auto px-5 pt-2 pb-5">
        <p className="text-fg-2">One is shown at a time. To go to another locks this one.</p>
        {unread && <InlineError error={errorOf(unread)} />}
        {data ? (
          <ul aria-label="Known vaults" className="edge divide-y divide-line rounded-card bg-raised [[data-theme=light]_&]:bg-pane">
            {data.Vaults.map((vault) => <Row key={vault.Folder} vault={vault} busy={going !== undefined} onOpen={() => { void go(lastPart(vault.Folder), client.vault.switchVault({ Folder: vault.Folder })); }} onForget={() => { void forget(vault); }} />)}
          </ul>
        ) : !unread && <SkeletonRows rows={2} height={52} />}
        <OpenFolder busy={going !== undefined} onOpen={(Folder) => { void go(lastPart(Folder), client.vault.switchVault({ Folder })); }} />
        {data && <NewVault within={data.NewIn} busy={going !== undefined} onMake={(FolderName) => { void go(FolderName, client.vault.newVault({ FolderName })); }} />}
        {going !== undefined && <ProgressRow label={`Going to ${going}`} />}
        {error && <InlineError error={error} consequence="Nothing was changed." />}
      </div>
    </Dialog>
  );
}

interface RowProps {
  readonly vault: KnownVault;
  readonly busy: boolean;
  readonly onOpen: () => void;
  readonly onForget: () => void;
}

function Row({ vault: { Folder, Current, Found }, busy, onOpen, onForget }: RowProps) {
  const name = lastPart(Folder);
  return (
    <li className="flex min-h-[52px] items-center gap-3 px-4 py-2">
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{name}</span>
        <span className="block truncate font-mono text-[11px]/4 text-fg-3" title={Folder}>{shortPath(Folder)}</span>
      </span>
      {Current ? (
        <span className="flex items-center gap-1.5 text-[12px] text-fg-2"><Check size={14} strokeWidth={1.6} aria-hidden="true" />Shown now</span>
      ) : (
        <>
          {Found ? <Button disabled={busy} onClick={onOpen} aria-label={`Open ${name}`}>Open</Button> : <span className="text-[12px] text-fg-3">No vault there now</span>}
          <IconButton label={`Take ${name} off the list; its folder stays`} disabled={busy} onClick={onForget}><X size={14} strokeWidth={1.6} /></IconButton>
        </>
      )}
    </li>
  );
}

function OpenFolder({ busy, onOpen }: { readonly busy: boolean; readonly onOpen: (folder: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  const submit = (): void => {
    const folder = input.current?.value.trim() ?? '';
    if (isAbsolute(folder)) onOpen(folder);
    else setProblem('Type the whole path, from the root.');
  };
  return (
    <form className="flex items-start gap-2" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <div className="min-w-0 flex-1"><TextField ref={input} label="Open a vault that is elsewhere" placeholder="/path/of/its/folder" className="font-mono text-[12px]" maxLength={4096} disabled={busy} error={problem} onChange={() => { setProblem(undefined); }} /></div>
      <Button type="submit" disabled={busy} className="mt-[22px] h-[34px]">Open</Button>
    </form>
  );
}

function NewVault({ within, busy, onMake }: { readonly within: string; readonly busy: boolean; readonly onMake: (name: string) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (): void => {
    if (folderName.safeParse(name).success) onMake(name);
    else setProblem('Letters, digits, dots, hyphens and underscores; a letter or a digit first.');
  };
  return (
    <form className="flex items-start gap-2" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <div className="min-w-0 flex-1">
        <TextField label="Make another vault" placeholder="its folder’s name" value={name} maxLength={64} disabled={busy} error={problem} hint={<span className="font-mono text-[11px] break-all">{shortPath(under(within, name === '' ? '…' : name))}</span>} onChange={(event) => { setName(event.target.value); setProblem(undefined); }} />
      </div>
      <Button type="submit" disabled={busy} className="mt-[22px] h-[34px]">Go on</Button>
    </form>
  );
}
