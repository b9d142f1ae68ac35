/** Hardware: tokens, the key stores in them, and the modules that speak to them. */
import { useQueryClient } from '@tanstack/react-query';
import { Plus, RefreshCw } from 'lucide-react';
import { useState, type KeyboardEvent } from 'react';
import { Button } from '../parts/button.tsx';
import { EmptyState, errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import { SettingsCard } from '../settings/parts.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { letterOf } from '../vault/letters.ts';
import { LevelCluster } from './cluster-dialogs.tsx';
import { LeaveCluster } from './cluster-leave.tsx';
import { SealCluster } from './cluster-seal.tsx';
import { isJoinable, SpanStore } from './cluster-span.tsx';
import type { Cluster, Member } from './cluster-words.ts';
import { ConnectStore } from './connect-gate.tsx';
import { refreshHardware, useClusters, useHardware, useKeyStores, type KeyStore, type Module, type Token } from './data.ts';
import { AddModule, ModuleDialog, ModuleRow, type ModuleAct } from './module-card.tsx';
import { DeleteStore } from './delete-store.tsx';
import { CreateStore, RenameStore, StoreCard, type StoreAct } from './store-card.tsx';
import { TokenCard, type TokenAct } from './token-card.tsx';
import { ResetPin } from './reset-pin.tsx';
import { ChangePin, Initialise, LogIn } from './token-dialogs.tsx';
import { slotKeyOf } from './token-names.ts';

type Doing = { readonly kind: 'add' } | { readonly kind: 'token'; readonly act: TokenAct; readonly of: Token } | { readonly kind: 'store'; readonly act: StoreAct; readonly of: KeyStore } | { readonly kind: 'leave'; readonly storeId: string; readonly member: Member } | { readonly kind: 'module'; readonly act: ModuleAct; readonly of: Module };

/** Key stores first, then whatever has something on it. */
const ordered = (tokens: readonly Token[], isStore: (token: Token) => boolean): readonly Token[] => [...tokens].sort((a, b) => Number(isStore(b)) - Number(isStore(a)) || Number(b.Initialized) - Number(a.Initialized) || a.Label.localeCompare(b.Label));

export function HardwareScreen() {
  const { readOnly, show } = useVault();
  const queries = useQueryClient();
  const [doing, setDoing] = useState<Doing>();
  const { data, error, isFetching } = useHardware();
  const stores = useKeyStores();
  useHeldFocus('list', `${String(data?.Tokens.length)} ${String(stores.data?.map(({ ConnectionState }) => ConnectionState).join(' '))}`);
  const close = (): void => { setDoing(undefined); };
  const setUp = (): void => { show({ kind: 'set-up-hardware' }); };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (letterOf(event) !== 'n' || readOnly) return;
    event.preventDefault();
    setUp();
  };
  const clusters = useClusters(stores.data ?? []);
  const storeOf = ({ CloudHsmClusterId: id }: Token): KeyStore | undefined => stores.data?.find(({ CloudHsmClusterId }, i) => CloudHsmClusterId === id || clusters[i]?.Members.some((one) => one.CloudHsmClusterId === id));
  const tokenOf = ({ CloudHsmClusterId: id }: KeyStore): Token | undefined => data?.Tokens.find(({ CloudHsmClusterId }) => CloudHsmClusterId === id);
  const failed = error ?? stores.error;
  const nothing = data?.Modules.length === 0;
  return (
    <div className="flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 pr-3 pl-4 shadow-[inset_0_-1px_0_var(--line)]">
        <h1 className="text-[14px] font-semibold">Hardware</h1><span className="text-[12px] text-fg-3">PKCS#11, CloudHSM</span>
        {data && !nothing && <Button kind="ghost" className="ml-auto" busy={isFetching} icon={<RefreshCw size={14} strokeWidth={1.6} />} onClick={() => { if (!isFetching) void refreshHardware(queries); }}>Look again</Button>}
        {data && !nothing && !readOnly && <Button kind="primary" icon={<Plus size={14} strokeWidth={1.8} />} shortcut="N" onClick={setUp}>Set up a token</Button>}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto bg-pane focus-visible:-outline-offset-2" data-pane="list" tabIndex={-1}>
        {nothing ? (
          <EmptyState title="No token yet. A key that is made in a hardware token never leaves it." command="keystead hardware add-module">{!readOnly && <Button kind="primary" tall onClick={setUp}>Set up the first token</Button>}</EmptyState>
        ) : (
          <div className="mx-auto max-w-[820px] p-6">
            {failed && <InlineError error={errorOf(failed)}><Button kind="ghost" onClick={() => { void refreshHardware(queries); }}>Try again</Button></InlineError>}
            {!data && !failed && <div className="late"><ProgressRow label="Looking for tokens" /></div>}
            {data && (
              <>
                <section aria-label="Tokens">
                  <h2 className="mb-2 text-[12.5px]/[18px] font-semibold">Tokens</h2>
                  {data.Tokens.length === 0 && <p className="edge rounded-card bg-raised px-4 py-4 text-fg-2 [[data-theme=light]_&]:bg-pane">No module shows a token now. Put one in, then look again.</p>}
                  {ordered(data.Tokens, (one) => storeOf(one) !== undefined).map((of) => <TokenCard key={`${of.Module} ${slotKeyOf(of)}`} token={of} store={storeOf(of)} act={readOnly ? undefined : (act) => { setDoing({ kind: 'token', act, of }); }} />)}
                </section>
                <SettingsCard title="Key stores">
                  {stores.data?.length === 0 && <p className="px-4 py-4 text-fg-2">No token is a key store yet. KMS makes keys in a token once it is one.</p>}
                  {stores.data?.map((of, i) => <StoreCard key={of.CustomKeyStoreId} store={of} token={tokenOf(of)} cluster={clusters[i]} tokens={data.Tokens} logIn={readOnly ? undefined : (one) => { setDoing({ kind: 'token', act: 'login', of: one }); }} act={readOnly ? undefined : (act) => { setDoing({ kind: 'store', act, of }); }} leave={readOnly ? undefined : (member) => { setDoing({ kind: 'leave', storeId: of.CustomKeyStoreId, member }); }} />)}
                </SettingsCard>
                <SettingsCard title="Modules">
                  {data.Modules.map((of) => <ModuleRow key={of.Path} of={of} canForget={!readOnly} failure={data.Failures.find(({ Module }) => Module === of.Path)?.Message} act={readOnly ? undefined : (act) => { setDoing({ kind: 'module', act, of }); }} />)}
                </SettingsCard>
                {!readOnly && <Button kind="ghost" className="mt-2 -ml-2" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'add' }); }}>Add a module…</Button>}
              </>
            )}
          </div>
        )}
      </div>
      {doing && <Doings doing={doing} stores={stores.data ?? []} clusters={clusters} tokens={data?.Tokens ?? []} modules={data?.Modules ?? []} registered={data?.Registered ?? []} onClose={close} />}
    </div>
  );
}

interface DoingsProps {
  readonly doing: Doing;
  readonly stores: readonly KeyStore[];
  readonly clusters: readonly (Cluster | undefined)[];
  readonly tokens: readonly Token[];
  readonly modules: readonly Module[];
  readonly registered: readonly string[];
  readonly onClose: () => void;
}

function Doings({ doing, stores, clusters, tokens, modules, registered, onClose }: DoingsProps) {
  if (doing.kind === 'add') return <AddModule modules={modules} registered={registered} onClose={onClose} />;
  if (doing.kind === 'module') {
    const own = new Set(tokens.filter(({ Module: path }) => path === doing.of.Path).map(({ CloudHsmClusterId }) => CloudHsmClusterId));
    return <ModuleDialog what={doing.act} of={doing.of} stores={stores.filter(({ CloudHsmClusterId }) => own.has(CloudHsmClusterId))} onClose={onClose} />;
  }
  if (doing.kind === 'leave') {
    const cluster = clusters.find((one) => one?.CustomKeyStoreId === doing.storeId);
    // As it is by now: it is looked at again and again.
    const member = cluster?.Members.find(({ CloudHsmClusterId: id }) => id === doing.member.CloudHsmClusterId);
    // One that has left is in the cluster no longer, and what stays on it is still to be said.
    return cluster ? <LeaveCluster cluster={cluster} member={member ?? doing.member} onClose={onClose} /> : null;
  }
  if (doing.kind === 'store') {
    if (doing.act === 'connect') return <ConnectStore storeId={doing.of.CustomKeyStoreId} onConnected={onClose} onClose={onClose} />;
    const cluster = clusters.find((one) => one?.CustomKeyStoreId === doing.of.CustomKeyStoreId);
    if (doing.act === 'span') return cluster ? <SpanStore cluster={cluster} tokens={tokens.filter(isJoinable).filter(({ CloudHsmClusterId: id }) => !clusters.some((one) => one?.Members.some((member) => member.CloudHsmClusterId === id)))} onClose={onClose} /> : null;
    if (doing.act === 'seal') return cluster ? <SealCluster cluster={cluster} onClose={onClose} /> : null;
    if (doing.act === 'level') return cluster ? <LevelCluster cluster={cluster} onClose={onClose} /> : null;
    return doing.act === 'rename' ? <RenameStore store={doing.of} onClose={onClose} /> : <DeleteStore store={doing.of} onClose={onClose} />;
  }
  const { Serial, Label, CloudHsmClusterId: id } = doing.of;
  // Of a token that is a key store, the key store names the module.
  const isTwice = tokens.filter((one) => one.Initialized && one.Serial === Serial && one.Label === Label).length > 1 && !stores.some(({ CloudHsmClusterId }) => CloudHsmClusterId === id);
  const module = isTwice ? doing.of.Module : undefined;
  if (doing.act === 'login') return <LogIn token={doing.of} module={module} onClose={onClose} />;
  if (doing.act === 'pin') return <ChangePin token={doing.of} module={module} onClose={onClose} />;
  if (doing.act === 'reset-pin') return <ResetPin token={doing.of} module={module} onClose={onClose} />;
  return doing.act === 'store' ? <CreateStore token={doing.of} onClose={onClose} /> : <Initialise token={doing.of} onClose={onClose} />;
}
