/** The four steps of a rotation: a node for each with its words, AWS's name and its time. State is shape, word and colour. */
import { Check, X } from 'lucide-react';
import { stepWords, took, type ShownStep, type Standing } from '../secrets/rotation-data.ts';

const NODE: Readonly<Record<Standing, string>> = {
  done: 'tint-ok text-ok',
  now: 'text-brass shadow-[inset_0_0_0_2px_currentColor]',
  next: 'text-fg-3 shadow-[inset_0_0_0_1.5px_var(--control)]',
  failed: 'tint-danger text-danger',
};

function timeWords({ standing, took: took_, since, usual }: ShownStep, at: number): string {
  const usually = usual === undefined || usual < 0.5 ? '' : `, usually ${took(usual)}`;
  if (standing === 'now') return `${took(Math.max(0, at / 1000 - (since ?? at / 1000)))}${usually}`;
  return took_ === undefined ? '' : took(took_);
}

const SPOKEN: Readonly<Record<Standing, string>> = { done: 'done', now: 'under way', next: 'not yet', failed: 'failed' };

/** `at`: milliseconds since the epoch. */
export function RotationSteps({ steps, at }: { readonly steps: readonly ShownStep[]; readonly at: number }) {
  return (
    <ol aria-label="Steps" className="grid grid-cols-4 max-[760px]:grid-cols-1 max-[760px]:gap-3">
      {steps.map((one, i) => (
        <li key={one.step} className="relative min-w-0 pr-3 max-[760px]:pl-7">
          {i < steps.length - 1 && <i aria-hidden="true" className={`absolute top-[9px] right-1 left-6 h-0.5 max-[760px]:hidden ${one.standing === 'done' ? 'bg-ok opacity-50' : 'bg-line-2'}`} />}
          <span aria-hidden="true" className={`grid size-[18px] place-items-center rounded-full max-[760px]:absolute max-[760px]:left-0 ${NODE[one.standing]}`}>
            {one.standing === 'done' && <Check size={12} strokeWidth={2.2} />}
            {one.standing === 'failed' && <X size={12} strokeWidth={2.2} />}
          </span>
          <p className={`mt-2 font-medium max-[760px]:mt-0 ${one.standing === 'next' ? 'text-fg-2' : ''}`}>{stepWords(one.step, one.standing)}<span className="sr-only">, {SPOKEN[one.standing]}</span></p>
          <p className="font-mono text-[11.5px]/4 text-fg-3">{one.step}</p>
          <p className={`min-h-4 text-[12px]/4 tabular-nums ${one.standing === 'now' ? 'text-brass' : one.standing === 'failed' ? 'text-danger' : 'text-fg-3'}`}>
            {one.standing === 'failed' ? `Failed after ${timeWords(one, at)}`.replace('after at once', 'at once') : one.standing === 'next' && one.step === 'finishSecret' ? 'Programs switch here' : timeWords(one, at)}
          </p>
        </li>
      ))}
    </ol>
  );
}
