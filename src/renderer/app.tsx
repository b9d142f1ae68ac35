/** The gate: which of the four worlds is shown. Nothing of an open vault survives the way back through it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Unplug } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { client, onEvent, onLost, outputOf } from './client.ts';
import { BrokenTrail } from './gate/broken-trail.tsx';
import { FirstRun } from './gate/first-run.tsx';
import { UnlockScreen } from './gate/unlock-screen.tsx';
import { Button } from './parts/button.tsx';
import { errorOf, InlineError, ProgressRow } from './parts/feedback.tsx';
import { STATUS } from './status.ts';
import { ChainBegun } from './trail/begun.tsx';

const openVault = () => import('./vault/vault-app.tsx');
type VaultPart = Awaited<ReturnType<typeof openVault>>;
/** Read while the person types the password. Not by `lazy`: React holds back what comes after its fallback for 300 ms, also where all is there. */
const EARLY_MS = 400;
function useVaultPart(isWanted: boolean): VaultPart | undefined {
  const [part, setPart] = useState<VaultPart>();
  useEffect(() => {
    const idle = setTimeout(() => { void openVault().then(setPart); }, isWanted ? 0 : EARLY_MS);
    return () => { clearTimeout(idle); };
  }, [isWanted]);
  return part;
}

/** Time for the joints of the lock to settle; no longer than it must be once there is something to show. */
const SETTLE_MS = 300;
const SETTLE_LEAST_MS = 120;
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export function App() {
  const queries = useQueryClient();
  const [lost, setLost] = useState(false);
  const [ceremony, setCeremony] = useState(false);
  const status = useQuery({ queryKey: STATUS, queryFn: async () => outputOf(await client.vault.status()), refetchInterval: 30_000, enabled: !lost });
  const refresh = useCallback(() => queries.invalidateQueries({ queryKey: STATUS }), [queries]);

  const part = useVaultPart(status.data?.State === 'unlocked' || status.data?.State === 'readOnly');
  useEffect(() => onLost(() => { setLost(true); queries.clear(); }), [queries]);
  useEffect(
    () =>
      onEvent(({ event }) => {
        if (event === 'vault.locked') {
          queries.removeQueries({ predicate: (query) => query.queryKey[0] !== STATUS[0] });
          setCeremony(false);
          void refresh();
        } else if (event === 'vault.unlocked') {
          const first = openVault().then(({ firstKeys }) => firstKeys(queries));
          void Promise.race([wait(SETTLE_MS), Promise.all([wait(SETTLE_LEAST_MS), first])]).then(refresh);
        }
      }),
    [queries, refresh],
  );
  const endCeremony = useCallback(() => { setCeremony(false); void refresh(); }, [refresh]);

  if (lost) return <Lost onRetry={() => { setLost(false); void refresh(); }} />;
  if (status.isPending) return <main className="late grid h-full place-items-center"><ProgressRow label="Opening Keystead" /></main>;
  if (status.isError) return <main className="grid h-full place-items-center p-8"><div className="w-[440px] max-w-full"><InlineError error={errorOf(status.error)} /></div></main>;
  const { data } = status;
  if (data.State === 'absent' || ceremony) return <FirstRun folder={data.Folder} onMade={() => { setCeremony(true); }} onDone={endCeremony} />;
  if (data.State === 'trailBroken') return <BrokenTrail status={data} />;
  if (data.State === 'locked') return <UnlockScreen status={data} onSettled={() => { void refresh(); }} />;
  if (!part) return <main className="late grid h-full place-items-center"><ProgressRow label="Opening the vault" /></main>;
  return (
    <>
      <part.VaultApp key={`${data.VaultId ?? ''}:${String(data.UnlockedAt ?? 0)}`} status={data} />
      <ChainBegun />
    </>
  );
}

function Lost({ onRetry }: { readonly onRetry: () => void }) {
  return (
    <main className="grid h-full place-items-center p-8">
      <div role="alert" className="flex max-w-[400px] flex-col items-center gap-4 text-center">
        <Unplug size={28} strokeWidth={1.4} className="text-danger" aria-hidden="true" />
        <h1 className="text-[20px]/[26px] font-semibold">The vault does not answer</h1>
        <p className="text-fg-2">Its process ended or cannot be reached. Everything on this screen was removed. The vault on disk is untouched, and it is locked when its process is gone.</p>
        <Button kind="primary" tall onClick={onRetry}>Ask again</Button>
        <code className="edge rounded-chip bg-raised px-2.5 py-1 font-mono text-[12px] text-fg-2">keystead doctor</code>
      </div>
    </main>
  );
}
