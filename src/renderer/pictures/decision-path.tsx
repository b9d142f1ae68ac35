/** Gates, one under the other, up to the one that stopped a request. Each has its word: the mark alone says nothing. */
import { Check, X } from 'lucide-react';
import type { Gate, GateState } from '../trail/path.ts';

const MARKS: Record<GateState, readonly [className: string, words: string]> = {
  ok: ['tint-ok text-ok', 'passed'],
  stopped: ['tint-danger text-danger', 'stopped'],
  notReached: ['shadow-[inset_0_0_0_1.5px_var(--line-2)]', 'not reached'],
  notAsked: ['shadow-[inset_0_0_0_1.5px_var(--line-2)]', 'not asked'],
};

export function DecisionPath({ gates }: { readonly gates: readonly Gate[] }) {
  return (
    <ol aria-label="The way of the request">
      {gates.map(({ name, state, about }, at) => {
        const [mark, words] = MARKS[state];
        const reached = state === 'ok' || state === 'stopped';
        const on = gates[at + 1]?.state === 'ok' || gates[at + 1]?.state === 'stopped';
        return (
          <li key={name} className="relative flex gap-3 pb-3 last:pb-0">
            {at < gates.length - 1 && <i aria-hidden="true" className={`absolute top-[22px] bottom-[2px] left-[9px] border-l-2 ${on ? 'border-ok/60' : 'border-dotted border-line-2'}`} />}
            <span aria-hidden="true" className={`mt-0.5 grid size-5 shrink-0 place-items-center rounded-full ${mark}`}>
              {state === 'ok' && <Check size={12} strokeWidth={2} />}
              {state === 'stopped' && <X size={12} strokeWidth={2} />}
            </span>
            <span className="min-w-0 flex-1">
              <span className={`block font-medium break-words ${reached ? '' : 'text-fg-2'}`}>{name}<span className="sr-only">, {words}</span></span>
              <bdi className={`block text-[12px]/4 break-words ${state === 'stopped' ? 'text-danger' : 'text-fg-2'}`}>{about}</bdi>
            </span>
          </li>
        );
      })}
    </ol>
  );
}
