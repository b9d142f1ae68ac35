/** How the window is, for every vault of this person: kept outside of them, so that it is there before the first unlock. */
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { THEMES } from '../../shared/model/config.ts';
import { InlineError } from '../parts/feedback.tsx';
import { FIELD, Segmented } from '../parts/field.tsx';
import { changeWindow, useWindow } from '../window-state.ts';
import { Setting, SettingsCard, Toggle } from './parts.tsx';

const THEME_WORDS = { system: 'System', dark: 'Dark', light: 'Light' } as const;
const SECONDS = [10, 20, 30, 60, 120, 300, 0] as const;
const secondsWords = (seconds: number): string => (seconds === 0 ? 'When it locks' : seconds % 60 === 0 ? `After ${String(seconds / 60)} minute${seconds === 60 ? '' : 's'}` : `After ${String(seconds)} seconds`);

export function WindowCard() {
  const { Theme, ClipboardSeconds, Notifications, SingleLetterKeys, Copies, Notifies } = useWindow();
  const [failed, setFailed] = useState<CallError>();
  const change = (input: Parameters<typeof changeWindow>[0]): void => {
    void changeWindow(input).then((answer) => { setFailed(answer.ok ? undefined : answer.error); });
  };
  return (
    <SettingsCard title="Window">
      {failed && <div className="p-2"><InlineError error={failed} consequence="The setting is as it was." /></div>}
      <Setting name="Theme" about="For every vault, and before it is unlocked"><Segmented label="Theme" value={Theme} options={THEMES.map((one) => [one, THEME_WORDS[one]] as const)} onPick={(theme) => { change({ Theme: theme }); }} /></Setting>
      {Copies && (
        <Setting name="Clear the clipboard" about="Of a copied value, if it is still there; always when the vault locks">
          <span className="w-44"><select aria-label="Clear the clipboard" value={ClipboardSeconds} onChange={(event) => { change({ ClipboardSeconds: Number(event.target.value) }); }} className={`${FIELD} select pr-7`}>
            {[...new Set<number>([...SECONDS, ClipboardSeconds])].map((seconds) => <option key={seconds} value={seconds}>{secondsWords(seconds)}</option>)}
          </select></span>
        </Setting>
      )}
      {Notifies && <Setting name="Desktop notifications" about="Keys deleted or rotated, a broken trail, a lock, wrong passwords; they name no key and no value"><Toggle label="Desktop notifications" on={Notifications} onChange={(on) => { change({ Notifications: on }); }} /></Setting>}
      <Setting name="Single-letter shortcuts" about="N, S, E, D, V, J, K and others, in lists and details"><Toggle label="Single-letter shortcuts" on={SingleLetterKeys} onChange={(on) => { change({ SingleLetterKeys: on }); }} /></Setting>
    </SettingsCard>
  );
}
