/** Key stores: which token each is in, whether it is connected, the keys in it; and what is done with it. */
import { useQueryClient } from '@tanstack/react-query';
import { Ellipsis, LockKeyhole, Network, Pencil, Plug, Trash2, Unplug } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { day, plural } from '../format.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { MENU, MenuItem, MenuLine } from '../parts/menu.tsx';
import { useRequest } from '../parts/request.ts';
import { ClusterPicture } from './cluster-picture.tsx';
import type { Cluster, Member } from './cluster-words.ts';
import { ConnectGate } from './connect-gate.tsx';
import { refreshHardware, type KeyStore, type Token } from './data.ts';
import { StateSaid } from './parts.tsx';
import { StoreKeys } from './store-keys.tsx';
import { storeNext, storeState } from './words.ts';

const ICON = { size: 14, strokeWidth: 1.6 } as const;
export type StoreAct = 'connect' | 'span' | 'level' | 'seal' | 'rename' | 'delete';

interface StoreCardProps {
  readonly store: KeyStore;
  readonly token: Token | undefined;
  /** Undefined while it is not known. */
  readonly cluster: Cluster | undefined;
  /** All that there are. */
  readonly tokens: readonly Token[];
  readonly logIn: ((token: Token) => void) | undefined;
  readonly act: ((what: StoreAct) => void) | undefined;
  readonly leave: ((member: Member) => void) | undefined;
}

export function StoreCard({ store, token, cluster, tokens, logIn, act, leave }: StoreCardProps) {
  const queries = useQueryClient();
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const { CustomKeyStoreId: id, CustomKeyStoreName: name, ConnectionState: state } = store;
  const next = storeNext(store);
  const spans = cluster !== undefined && cluster.State !== 'single';
  const disconnect = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.kms.disconnectCustomKeyStore({ CustomKeyStoreId: id });
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.error);
    await refreshHardware(queries);
  };
  return (
    <section aria-label={`Key store ${name}`} className="px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-[180px] flex-1">
          <h3 className="truncate font-medium" title={`Made ${day(store.CreationDate * 1000)}`}><bdi>{name}</bdi></h3>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2"><StateSaid said={storeState(store)} />{store.ConnectionErrorCode !== undefined && <code className="font-mono text-fg-3">{store.ConnectionErrorCode}</code>}<span aria-hidden="true">·</span>{spans ? <span>in {plural(cluster.Members.length, 'token')}</span> : token ? <span>in token <bdi>{token.Label === '' ? token.Serial : token.Label}</bdi></span> : <span>in a token that is not there, <code className="font-mono">{store.CloudHsmClusterId}</code></span>}</p>
        </div>
        <span className="flex items-center gap-1 text-[12px] text-fg-2"><code className="font-mono">{id}</code><CopyButton text={id} what="the key store’s id" /></span>
        {act && (state === 'CONNECTED'
          ? <Button busy={busy} icon={<Unplug {...ICON} />} onClick={() => { if (!busy) void disconnect(); }}>Disconnect</Button>
          : <Button kind="primary" icon={<Plug {...ICON} />} onClick={() => { act('connect'); }}>Connect…</Button>)}
        {act && (
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger asChild><IconButton label={`More for key store ${name}`}><Ellipsis size={16} strokeWidth={1.8} /></IconButton></DropdownMenu.Trigger>
            <DropdownMenu.Content align="end" sideOffset={4} className={MENU} onCloseAutoFocus={(event) => { if (document.querySelector('dialog[open]')) event.preventDefault(); }}>
              <MenuItem icon={<Pencil {...ICON} />} onSelect={() => { act('rename'); }}>Rename…</MenuItem>
              {state === 'CONNECTED' && cluster && cluster.State !== 'sealed' && <MenuItem icon={<Network {...ICON} />} onSelect={() => { act('span'); }}>Span another token…</MenuItem>}
              <MenuLine />
              {state === 'CONNECTED' && cluster?.State === 'open' && <MenuItem danger icon={<LockKeyhole {...ICON} />} onSelect={() => { act('seal'); }}>Seal the cluster…</MenuItem>}
              <MenuItem danger icon={<Trash2 {...ICON} />} onSelect={() => { act('delete'); }}>Delete…</MenuItem>
            </DropdownMenu.Content>
          </DropdownMenu.Root>
        )}
      </div>
      {next !== undefined && <p className={`mt-2 rounded-control px-3 py-2 ${storeState(store)[1] === 'warn' ? 'tint-warn' : 'tint-danger'}`}>{next}</p>}
      {failed && <div className="mt-2"><InlineError error={failed} consequence="The key store is as it was." /></div>}
      {spans && <ClusterPicture cluster={cluster} tokens={tokens} logIn={logIn} level={act && (() => { act('level'); })} leave={state === 'CONNECTED' && cluster.Members.length > 1 ? leave : undefined} />}
      <StoreKeys storeId={id} />
    </section>
  );
}

export interface StoreDialogProps {
  readonly store: KeyStore;
  readonly onClose: () => void;
}

/** Changes are made to a key store that is not connected, as KMS has it: said, and done as the first step. */
export const connectedNote = ({ ConnectionState }: KeyStore): string | undefined => (ConnectionState === 'DISCONNECTED' ? undefined : 'It is disconnected first. Its keys cannot be used until it is connected again.');
export async function disconnected({ CustomKeyStoreId, ConnectionState }: KeyStore): Promise<CallError | undefined> {
  if (ConnectionState === 'DISCONNECTED') return undefined;
  const answer = await client.kms.disconnectCustomKeyStore({ CustomKeyStoreId });
  return answer.ok || answer.error.code === 'CustomKeyStoreInvalidStateException' ? undefined : answer.error;
}

export function RenameStore({ store, onClose }: StoreDialogProps) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [failed, setFailed] = useState<CallError>();
  const { busy, error, send } = useRequest();
  const note = connectedNote(store);
  const rename = async (): Promise<void> => {
    const name = input.current?.value.trim() ?? '';
    if (name === '') return;
    const off = await disconnected(store);
    setFailed(off);
    if (off) return;
    await send(() => client.kms.updateCustomKeyStore({ CustomKeyStoreId: store.CustomKeyStoreId, NewCustomKeyStoreName: name }), async () => { await refreshHardware(queries); onClose(); });
  };
  const shown = failed ?? error;
  return (
    <Dialog title={`Rename ${store.CustomKeyStoreName}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (!busy) void rename(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <TextField ref={input} label="Name" defaultValue={store.CustomKeyStoreName} required maxLength={256} autoFocus hint={note} />
          {shown && <InlineError error={shown} consequence="The name is as it was." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{note === undefined ? 'Rename' : 'Disconnect and rename'}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}

export function CreateStore({ token, onClose }: { readonly token: Token; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [made, setMade] = useState<string>();
  const [held, setHeld] = useState(false);
  const { busy, error, send } = useRequest();
  const create = (): Promise<void> =>
    send(() => client.kms.createCustomKeyStore({ CustomKeyStoreName: input.current?.value.trim() ?? '', CloudHsmClusterId: token.CloudHsmClusterId }), async ({ CustomKeyStoreId }) => {
      await refreshHardware(queries);
      setMade(CustomKeyStoreId);
    });
  return (
    <Dialog title={made === undefined ? 'New key store' : 'Connect the key store'} onClose={onClose} held={busy || held}>
      {made === undefined ? (
        <form onSubmit={(event) => { event.preventDefault(); if (!busy) void create(); }}>
          <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
            <p className="text-fg-2">Keys that are made in it are made in token <b className="font-medium text-fg"><bdi>{token.Label}</bdi></b> and never leave it. A key that is lost with the token is lost.</p>
            <TextField ref={input} label="Name" required maxLength={256} defaultValue={token.Label} autoFocus hint="For people; unique in this vault" />
            {error && <InlineError error={error} consequence="No key store was made." />}
          </div>
          <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>Make it, then connect</Button></DialogFoot>
        </form>
      ) : <ConnectGate inDialog storeId={made} onConnected={onClose} onCancel={onClose} onBusy={setHeld} />}
    </Dialog>
  );
}
