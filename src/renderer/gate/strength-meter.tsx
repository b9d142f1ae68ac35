/** What the password typed so far withstands, in words and bars; it knows two numbers and never the password. */
import { counted, duration } from '../format.ts';
import { GUESSES_PER_SECOND, LEVEL_WORDS, type Strength } from '../strength.ts';

const TONES = ['bg-danger', 'bg-warn', 'bg-ok', 'bg-ok'] as const;

export function StrengthMeter({ strength }: { readonly strength: Strength | undefined }) {
  return (
    <div>
      <div aria-hidden="true" className="flex gap-1">
        {LEVEL_WORDS.map((word, i) => <i key={word} className={`h-1 flex-1 rounded-full ${strength && i <= strength.level ? TONES[strength.level] : 'bg-line-2'}`} />)}
      </div>
      <p className="mt-1.5" aria-live="polite">
        {strength ? `${LEVEL_WORDS[strength.level]}: ${duration(strength.seconds)} at ${counted(GUESSES_PER_SECOND)} guesses a second` : 'Four or five unrelated words are easy to remember and hard to guess'}
      </p>
    </div>
  );
}
