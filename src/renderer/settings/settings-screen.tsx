/** Settings: the ways into the vault, when it locks, how the window looks, and what this is. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Input } from '../../shared/api/index.ts';
import { STATUS } from '../status.ts';
import { client, outputOf } from '../client.ts';
import { day } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { FIELD, Segmented } from '../parts/field.tsx';
import { useToast } from '../parts/toast.tsx';
import { chooseTheme, THEMES, useTheme } from '../theme.ts';
import { useVault } from '../vault/context.ts';
import { setLetters, useLetters } from '../vault/letters.ts';
import { SlotsCard } from './slots-card.tsx';

const MINUTES = [1, 5, 10, 15, 30, 60, 240, 0] as const;
const minuteWords = (minutes: number): string => (minutes === 0 ? 'Never' : minutes < 60 ? `After ${minutes} minute${minutes === 1 ? '' : 's'}` : `After ${minutes / 60} hour${minutes === 60 ? '' : 's'}`);
const THEME_WORDS = { system: 'System', dark: 'Dark', light: 'Light' } as const;

export const Card = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title} className="mt-7 first:mt-0">
    <h2 className="mb-2 text-[12.5px]/[18px] font-semibold">{title}</h2>
    <div className="edge divide-y divide-line rounded-card bg-raised [[data-theme=light]_&]:bg-pane">{children}</div>
  </section>
);

export const Setting = ({ name, about, children }: { readonly name: string; readonly about?: string; readonly children: ReactNode }) => (
  <div className="flex min-h-[52px] flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
    <div className="min-w-[180px] flex-1"><p className="font-medium">{name}</p>{about !== undefined && <p className="text-[12px]/4 text-fg-2">{about}</p>}</div>
    {children}
  </div>
);

function Toggle({ label, on, onChange }: { readonly label: string; readonly on: boolean; readonly onChange: (on: boolean) => void }) {
  return (
    <button type="button" role="switch" aria-checked={on} aria-label={label} onClick={() => { onChange(!on); }} className="edge-field relative h-6 w-10 rounded-full bg-raised transition-colors duration-[120ms] aria-checked:bg-ink aria-checked:shadow-none">
      <i aria-hidden="true" className={`absolute top-[4px] size-4 rounded-full transition-transform duration-[120ms] ${on ? 'left-[20px] bg-on-ink' : 'left-[4px] bg-control'}`} />
    </button>
  );
}

export const SETTINGS = ['settings'] as const;

export function SettingsScreen() {
  const { status, readOnly } = useVault();
  const queries = useQueryClient();
  const say = useToast();
  const theme = useTheme();
  const letters = useLetters();
  const [failed, setFailed] = useState<CallError>();
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
                  <Setting name="Lock by itself" about="When nothing was asked of the vault for so long">
                    <span className="w-44"><select aria-label="Lock by itself" value={data.AutoLockMinutes} onChange={(event) => { void change({ AutoLockMinutes: Number(event.target.value) }); }} className={`${FIELD} select pr-7`}>
                      {[...new Set<number>([...MINUTES, data.AutoLockMinutes])].map((minutes) => <option key={minutes} value={minutes}>{minuteWords(minutes)}</option>)}
                    </select></span>
                  </Setting>
                  <Setting name="Lock when the computer sleeps"><Toggle label="Lock when the computer sleeps" on={data.LockOnSuspend} onChange={(on) => { void change({ LockOnSuspend: on }); }} /></Setting>
                  <Setting name="Lock with the screen"><Toggle label="Lock with the screen" on={data.LockOnScreenLock} onChange={(on) => { void change({ LockOnScreenLock: on }); }} /></Setting>
                </Card>
              )}
              <SlotsCard name={data.Name} />
              <Card title="Window">
                <Setting name="Theme"><Segmented label="Theme" value={theme} options={THEMES.map((one) => [one, THEME_WORDS[one]] as const)} onPick={chooseTheme} /></Setting>
                <Setting name="Single-letter shortcuts" about="N, S, E, D, V, J, K and others, in lists and details"><Toggle label="Single-letter shortcuts" on={letters} onChange={setLetters} /></Setting>
              </Card>
              <Card title="About">
                {([['Folder', status.Folder], ['Vault ID', data.VaultId], ['Account', data.Account], ['Region', data.Region]] as const).map(([name, value]) => (
                  <Setting key={name} name={name}><span className="flex min-w-0 items-center gap-1"><code className="min-w-0 font-mono text-[12px] break-all text-fg-2">{value}</code><CopyButton text={value} what={name.toLowerCase()} /></span></Setting>
                ))}
                <Setting name="Made"><span className="text-fg-2">{day(data.CreationDate * 1000)}</span></Setting>
                <Setting name="Keystead"><span className="text-fg-2">{status.Version}, process {status.ProcessId}</span></Setting>
              </Card>
            </>
          ) : !error && <SkeletonRows rows={5} height={52} />}
        </div>
      </div>
    </>
  );
}
