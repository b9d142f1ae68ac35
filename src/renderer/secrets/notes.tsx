/** What is worth knowing about steps that went well. */
import { Info, TriangleAlert } from 'lucide-react';
import { notesOf, type StepRecord } from './rotation-data.ts';

const ICON = { size: 14, strokeWidth: 1.6, 'aria-hidden': true } as const;

export function Notes({ steps }: { readonly steps: readonly StepRecord[] }) {
  const notes = notesOf(steps);
  if (notes.length === 0) return null;
  return (
    <ul aria-label="Notes" className="flex flex-col gap-1 text-[12.5px]">
      {notes.map(({ words, isWarning }) => (
        <li key={words} className={`flex items-start gap-2 ${isWarning ? 'text-warn' : 'text-fg-2'}`}>
          {isWarning ? <TriangleAlert {...ICON} className="mt-[3px] shrink-0" /> : <Info {...ICON} className="mt-[3px] shrink-0" />}<span>{words}</span>
        </li>
      ))}
    </ul>
  );
}
