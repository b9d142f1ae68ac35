/** What the keyboard does. */
import { Dialog } from '../parts/dialog.tsx';
import { Kbd } from '../parts/kbd.tsx';

const ROWS: readonly (readonly [keys: readonly string[], words: string])[] = [
  [['Ctrl', 'K'], 'Search or run'],
  [['Ctrl', '1'], 'Keys'],
  [['Ctrl', '2'], 'Secrets'],
  [['Ctrl', '5'], 'Hardware'],
  [['Ctrl', '7'], 'AWS access'],
  [['Ctrl', '9'], 'Trail'],
  [['Ctrl', ','], 'Settings'],
  [['Ctrl', 'L'], 'Lock'],
  [['F6'], 'Next pane'],
  [['N'], 'New key or secret, set up a token'],
  [['I'], 'Import secrets'],
  [['/'], 'Filter'],
  [['J', 'K'], 'Down and up a list; arrows do too'],
  [['Enter'], 'Into the key or secret'],
  [['Esc'], 'Back'],
  [['C'], 'Copy the key ID, or the name of a secret'],
  [['R'], 'Show the fields of a secret, reveal or hide'],
  [['S'], 'Sign, or make a MAC'],
  [['V'], 'Verify, or verify the trail'],
  [['E'], 'Encrypt'],
  [['D'], 'Decrypt'],
  [['?'], 'This list'],
];

export function ShortcutSheet({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} className="w-[420px]">
      <div className="overflow-y-auto px-5 pt-2 pb-4"><dl>
        {ROWS.map(([keys, words]) => (
          <div key={words} className="flex h-[30px] items-center">
            <dt className="flex-1 text-fg-2">{words}</dt>
            <dd className="flex gap-1">{keys.map((key) => <span key={key}><Kbd>{key}</Kbd><span className="sr-only">{key}</span></span>)}</dd>
          </div>
        ))}
        </dl><p className="mt-2 text-[12px] text-fg-3">Single letters act in lists and details only. Settings turns them off.</p>
      </div>
    </Dialog>
  );
}
