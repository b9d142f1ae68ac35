/** Makes a password or a passphrase by the rules that the person sets; the value goes to whoever asked and is not shown here. */
import { useState } from 'react';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Check, Segmented, TextField } from '../parts/field.tsx';

interface Rules {
  readonly kind: 'password' | 'phrase';
  readonly length: string;
  readonly lower: boolean;
  readonly digits: boolean;
  readonly capitals: boolean;
  readonly symbols: boolean;
  readonly space: boolean;
  /** At least one of each kind. */
  readonly each: boolean;
  readonly without: string;
  readonly words: string;
  readonly separator: string;
  readonly wordCapitals: boolean;
  readonly wordNumber: boolean;
}
/** As they were set last in this window; nothing secret. */
let last: Rules = { kind: 'password', length: '32', lower: true, digits: true, capitals: true, symbols: false, space: false, each: true, without: '', words: '6', separator: '-', wordCapitals: false, wordNumber: false };

const BITS_PER_WORD = 11;
const KINDS = { lower: 26, capitals: 26, digits: 10, symbols: 32, space: 1 } as const;
const whole = (text: string, least: number, most: number): number | undefined => (/^\d{1,4}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined);

/** Bits, as many as are sure: excluded characters are taken off as if each were in the alphabet. */
export function bitsOf({ kind, length, without, words, wordNumber, ...kinds }: Rules): number | undefined {
  if (kind === 'phrase') {
    const count = whole(words, 3, 20);
    return count === undefined ? undefined : Math.floor(count * BITS_PER_WORD + (wordNumber ? Math.log2(10 * count) : 0));
  }
  const count = whole(length, 8, 4096);
  const size = (Object.keys(KINDS) as (keyof typeof KINDS)[]).reduce((sum, name) => sum + (kinds[name] ? KINDS[name] : 0), 0) - new Set(without).size;
  return count === undefined || size < 2 ? undefined : Math.floor(count * Math.log2(size));
}

export function Generator({ label, onMade, onClose }: { readonly label: string; readonly onMade: (value: SecretBytes) => void; readonly onClose: () => void }) {
  const [rules, setRules] = useState(last);
  const [error, setError] = useState<CallError>();
  const set = (change: Partial<Rules>): void => { last = { ...rules, ...change }; setRules(last); };
  const bits = bitsOf(rules);
  const make = async (): Promise<void> => {
    const { kind, length, lower, digits, capitals, symbols, space, each, without, words, separator, wordCapitals, wordNumber } = rules;
    if (bits === undefined) return;
    setError(undefined);
    const answer = kind === 'phrase'
      ? await client.secretsmanager.getRandomPassphrase({ Words: Number(words), Separator: separator, Capitalize: wordCapitals, IncludeNumber: wordNumber })
      : await client.secretsmanager.getRandomPassword({ PasswordLength: Number(length), ExcludeNumbers: !digits, ExcludeUppercase: !capitals, ExcludePunctuation: !symbols, ExcludeLowercase: !lower, IncludeSpace: space, RequireEachIncludedType: each, ExcludeCharacters: without });
    if (!answer.ok) {
      setError(answer.error);
      return;
    }
    using value = 'RandomPassphrase' in answer.output ? answer.output.RandomPassphrase : answer.output.RandomPassword;
    onMade(value);
    onClose();
  };
  return (
    <div role="group" aria-label={label} className="edge-2 flex flex-col gap-3 rounded-card p-3" onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); event.preventDefault(); onClose(); } else if (event.key === 'Enter' && event.target instanceof HTMLInputElement) { event.preventDefault(); void make(); } }}>
      <Segmented small label="What is made" value={rules.kind} options={[['password', 'Password'], ['phrase', 'Passphrase']]} onPick={(kind) => { set({ kind }); }} />
      {rules.kind === 'password' ? (
        <>
          <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
            <TextField label="Length" type="number" inputMode="numeric" min={8} max={4096} value={rules.length} autoFocus onChange={(event) => { set({ length: event.target.value }); }} error={whole(rules.length, 8, 4096) === undefined ? 'From 8 to 4,096' : undefined} className="w-24!" />
            <TextField label="Without these characters" value={rules.without} maxLength={100} spellCheck={false} onChange={(event) => { set({ without: event.target.value }); }} className="w-44! font-mono text-[12.5px]" />
          </div>
          <div className="flex flex-wrap gap-x-5 gap-y-1"><Check words="Small letters" checked={rules.lower} onCheck={(lower) => { set({ lower }); }} /><Check words="Capitals" checked={rules.capitals} onCheck={(capitals) => { set({ capitals }); }} /><Check words="Digits" checked={rules.digits} onCheck={(digits) => { set({ digits }); }} /><Check words="Symbols" checked={rules.symbols} onCheck={(symbols) => { set({ symbols }); }} /><Check words="Space" checked={rules.space} onCheck={(space) => { set({ space }); }} /><Check words="One of each" checked={rules.each} onCheck={(each) => { set({ each }); }} /></div>
        </>
      ) : (
        <>
          <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
            <TextField label="Words" type="number" inputMode="numeric" min={3} max={20} value={rules.words} autoFocus onChange={(event) => { set({ words: event.target.value }); }} error={whole(rules.words, 3, 20) === undefined ? 'From 3 to 20' : undefined} className="w-24!" />
            <TextField label="Between them" value={rules.separator} maxLength={4} spellCheck={false} onChange={(event) => { set({ separator: event.target.value }); }} className="w-24! font-mono text-[12.5px]" />
          </div>
          <div className="flex flex-wrap gap-x-5 gap-y-1"><Check words="Capitals" checked={rules.wordCapitals} onCheck={(wordCapitals) => { set({ wordCapitals }); }} /><Check words="A digit" checked={rules.wordNumber} onCheck={(wordNumber) => { set({ wordNumber }); }} /></div>
        </>
      )}
      {error && <InlineError error={error} consequence="Nothing was made." />}
      <div className="flex flex-wrap items-center gap-2">
        <Button kind="primary" disabled={bits === undefined} onClick={() => { void make(); }}>Put it into the field</Button>
        <Button onClick={onClose}>Cancel</Button>
        <span role="status" className="text-[12px] text-fg-2">{bits === undefined ? '' : `${String(bits)} bits: ${bits < 60 ? 'weak' : bits < 80 ? 'enough for an online login' : 'strong'}`}</span>
      </div>
    </div>
  );
}
