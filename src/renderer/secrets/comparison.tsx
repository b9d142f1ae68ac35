/** Which fields differ between a version and the current one. The values are compared and wiped: none is shown. */
import { Equal, Minus, Pencil, Plus, type LucideIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { MASK } from '../parts/reveal.ts';
import { readValue } from './data.ts';
import { compareFields, sameBytes, type Change } from './fields.ts';

const WORDS: Readonly<Record<Change, readonly [words: string, tone: string, icon: LucideIcon]>> = {
  same: ['the same', 'text-fg-3', Equal],
  changed: ['changed since', 'text-warn', Pencil],
  added: ['only in the current one', 'text-ok', Plus],
  removed: ['only in this one', 'text-danger', Minus],
};

type Found = { readonly fields: readonly (readonly [string, Change])[] } | { readonly same: boolean };

export function Comparison({ name, from, to }: { readonly name: string; readonly from: string; readonly to: string }) {
  const [found, setFound] = useState<Found>();
  const [failed, setFailed] = useState<CallError>();
  useEffect(() => {
    let over = false;
    const compare = async (): Promise<void> => {
      const [one, other] = [await readValue(name, from), await readValue(name, to)];
      using before = one.bytes;
      using after = other.bytes;
      const fields = one.kind === 'text' && other.kind === 'text' ? compareFields(before, after) : undefined;
      if (!over) setFound(fields ? { fields } : { same: one.kind === other.kind && sameBytes(before, after) });
    };
    compare().catch((error: unknown) => { if (!over) setFailed(errorOf(error)); });
    return () => { over = true; };
  }, [name, from, to]);
  if (failed) return <div className="mt-2"><InlineError error={failed} consequence="Nothing was compared." /></div>;
  if (!found) return <p role="status" className="late py-1.5 text-fg-2">Comparing…</p>;
  if (!('fields' in found)) return <p role="status" className="py-1.5 text-fg-2">{found.same ? 'Both hold the same value.' : 'They hold different values.'}</p>;
  return (
    <table className="edge mt-1 mb-1 w-full table-fixed rounded-card bg-raised text-left">
      <caption className="sr-only">Fields of this version and the current one</caption>
      <thead><tr className="h-8 text-[12px] text-fg-3 shadow-[inset_0_-1px_0_var(--line)] [&_th]:font-normal"><th className="px-3">Field</th><th>This version</th><th>Current</th><th className="pr-3">Difference</th></tr></thead>
      <tbody>
        {found.fields.map(([field, change]) => {
          const [words, tone, Icon] = WORDS[change];
          const mask = (there: boolean) => there && <><span aria-hidden="true">{MASK}</span><span className="sr-only">hidden</span></>;
          return (
            <tr key={field} className="h-9 not-last:shadow-[inset_0_-1px_0_var(--line)]">
              <td className="truncate px-3 font-mono text-[12.5px]" title={field}>{field}</td>
              <td className="font-secret text-[11px] text-fg-3">{mask(change !== 'added')}</td>
              <td className="font-secret text-[11px] text-fg-3">{mask(change !== 'removed')}</td>
              <td className={`pr-3 text-[12px] ${tone}`}><span className="flex items-center gap-1.5"><Icon size={13} strokeWidth={1.8} aria-hidden="true" />{words}</span></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
