/** Settings: the ways into the vault, when it locks, how the window looks, and what this is. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Input } from '../../shared/api/index.ts';
import { STATUS } from '../status.ts';
import { client, outputOf } from '../client.ts';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { FIELD } from '../parts/field.tsx';
import { useToast } from '../parts/toast.tsx';
import { useVault } from '../vault/context.ts';
import { Setting, SettingsCard as Card, Toggle } from './parts.tsx';
import { CommandsCard } from './commands-card.tsx';
import { SlotsCard, useProofKinds } from './slots-card.tsx';
import { WindowCard } from './window-card.tsx';
import { AboutCard } from './about-card.tsx';

const MINUTES = [1, 5, 10, 15, 30, 60, 240, 0] as const;
const minuteWords = (minutes: number): string => (minutes === 0 ? 'Never' : minutes < 60 ? `After ${minutes} minute${minutes === 1 ? '' : 's'}` : `After ${minutes / 60} hour${minutes === 60 ? '' : 's'}`);

export const SETTINGS = ['settings'] as const;

export function SettingsScreen() {
  const { readOnly } = useVault();
  const queries = useQueryClient();
  const say = useToast();
  const [failed, setFailed] = useState<CallError>();
  const kinds = useProofKinds();
  const { data, error } = useQuery({ queryKey: SETTINGS, queryFn: async () => outputOf(await client.vault.describeSettings()) });
  const change = async (input: Input<'vault:UpdateSettings'>): Promise<void> => {
    const answer = await client.vault.updateSettings(input);
    setFailed(answer.ok ? undefined : answer.error);
    await Promise.all([queries.invalidateQueries({ queryKey: SETTINGS }), queries.invalidateQueries({ queryKey: STATUS })]);
    if (answer.ok) say('Saved');
  };
  return (
    <>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 px-4 shadow-[inset_0_-1px_0_var(--line)]"><h1 className="text-[14px] font-semibold">Settings</h1></header>
      <div className="min-h-0 flex-1 overflow-y-auto" data-pane="list" tabIndex={-1}>
        <div className="mx-auto max-w-[680px] p-6">
          {error && <InlineError error={errorOf(error)} />}
          {failed && <div className="mb-5"><InlineError error={failed} consequence="The setting is as it was." /></div>}
          {data ? (
            <>
              {!readOnly && (
                <Card title="Vault">
                  <Setting name="Name" about="Shown at the top of the window; Enter saves">
                    <form className="w-56" onSubmit={(event) => { event.preventDefault(); void change({ Name: (new FormData(event.currentTarget).get('name') as string).trim() }); }}>
                      <input name="name" aria-label="Name of the vault" key={data.Name} defaultValue={data.Name} maxLength={64} spellCheck={false} autoComplete="off" className={FIELD} />
                    </form>
                  </Setting>
                  <Setting name="Auto-lock" about="When nothing was asked of the vault for so long">
                    <span className="w-44"><select aria-label="Auto-lock" value={data.AutoLockMinutes} onChange={(event) => { void change({ AutoLockMinutes: Number(event.target.value) }); }} className={`${FIELD} select pr-7`}>
                      {[...new Set<number>([...MINUTES, data.AutoLockMinutes])].map((minutes) => <option key={minutes} value={minutes}>{minuteWords(minutes)}</option>)}
                    </select></span>
                  </Setting>
                  <Setting name="Lock when the computer sleeps"><Toggle label="Lock when the computer sleeps" on={data.LockOnSuspend} onChange={(on) => { void change({ LockOnSuspend: on }); }} /></Setting>
                  <Setting name="Lock with the screen"><Toggle label="Lock with the screen" on={data.LockOnScreenLock} onChange={(on) => { void change({ LockOnScreenLock: on }); }} /></Setting>
                </Card>
              )}
              <SlotsCard name={data.Name} />
              <CommandsCard kinds={kinds} />
              <WindowCard />
              <AboutCard vault={data} />
            </>
          ) : !error && <SkeletonRows rows={5} height={52} />}
        </div>
      </div>
    </>
  );
}
