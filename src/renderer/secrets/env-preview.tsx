/** What becomes of a file: a row for each secret with its fields by name, masked, and for those that clash what is to be done. Virtual. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { Check, CircleAlert, Copy, Plus, X } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import { FIELD } from '../parts/field.tsx';
import { DECISION_WORDS, DECISIONS, isConflict, type Decision, type ImportRow } from './import-data.ts';

const ROW = 52;
const MASK = '••••••••••••';
const REFUSALS: Readonly<Record<NonNullable<ImportRow['Refusal']>, string>> = { Empty: 'Not taken: it is empty', TooLarge: 'Not taken: larger than 65,536 bytes', NameTooLong: 'Not taken: its name is too long' };

interface Word {
  readonly words: string;
  readonly icon: ReactNode;
  readonly tone: string;
}
const STATES: Readonly<Record<ImportRow['State'], Word>> = {
  New: { words: 'New', icon: <Plus size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-ok' },
  Same: { words: 'There already', icon: <Check size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-fg-3' },
  Different: { words: 'Has another value', icon: <CircleAlert size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-warn' },
  Duplicate: { words: 'Twice in the file', icon: <Copy size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-warn' },
  Deleting: { words: 'Is being deleted', icon: <X size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-danger' },
  Refused: { words: 'Not taken', icon: <X size={13} strokeWidth={1.8} aria-hidden="true" />, tone: 'text-danger' },
};

const fieldWords = ({ Fields, FieldCount, Source, Line }: ImportRow): string => {
  const listed = Fields.slice(0, 6).join(', ');
  const more = FieldCount > 6 ? `, ${String(FieldCount - Math.min(6, Fields.length))} more` : '';
  const line = Line === undefined ? '' : `, line ${String(Line)}`;
  return Fields.length > 0 ? `${listed}${more}${line}` : `${Source}${line}`;
};

interface EnvPreviewProps {
  readonly rows: readonly ImportRow[];
  readonly decisionOf: (row: ImportRow) => Decision;
  readonly onDecide: (row: ImportRow, decision: Decision) => void;
}

export function EnvPreview({ rows, decisionOf, onDecide }: EnvPreviewProps) {
  const [only] = rows;
  if (rows.length === 1 && only && only.Fields.length > 0) return <OneSecret row={only} decisionOf={decisionOf} onDecide={onDecide} />;
  return <ManySecrets rows={rows} decisionOf={decisionOf} onDecide={onDecide} />;
}

function StateWord({ row }: { readonly row: ImportRow }) {
  const { words, icon, tone } = STATES[row.State];
  return <span className={`inline-flex items-center gap-1.5 text-[12px] ${tone}`}>{icon}{row.Refusal === undefined ? words : REFUSALS[row.Refusal]}</span>;
}

function Decide({ row, decisionOf, onDecide }: { readonly row: ImportRow } & Pick<EnvPreviewProps, 'decisionOf' | 'onDecide'>) {
  if (!isConflict(row)) return <StateWord row={row} />;
  return (
    <span className="flex items-center gap-3">
      <StateWord row={row} />
      <select aria-label={`What to do with ${row.Name}`} value={decisionOf(row)} onChange={(event) => { onDecide(row, event.target.value as Decision); }} className={`${FIELD} h-7! w-28! text-[12px]`}>
        {DECISIONS.map((one) => <option key={one} value={one}>{DECISION_WORDS[one]}</option>)}
      </select>
    </span>
  );
}

/** One secret: its fields. */
function OneSecret({ row, ...rest }: { readonly row: ImportRow } & Pick<EnvPreviewProps, 'decisionOf' | 'onDecide'>) {
  const hidden = row.FieldCount - row.Fields.length;
  return (
    <div className="edge-2 flex max-h-[320px] flex-col rounded-card">
      <div className="flex items-center gap-3 px-3 py-2 shadow-[inset_0_-1px_0_var(--line)]"><bdi className="min-w-0 flex-1 font-mono text-[12.5px] break-all">{row.Name}</bdi><Decide row={row} {...rest} /></div>
      <ul aria-label={`Fields of ${row.Name}`} tabIndex={0} className="min-h-0 overflow-y-auto py-1 focus-visible:-outline-offset-2">
        {row.Fields.map((name) => (
          <li key={name} className="flex h-8 items-center gap-3 px-3">
            <bdi className="min-w-0 flex-1 truncate font-mono text-[12.5px]">{name}</bdi>
            {row.Repeated.includes(name) && <span className="text-[12px] text-warn">Twice, the last one counts</span>}
            <span className="font-secret text-fg-3" aria-hidden="true">{MASK}</span><span className="sr-only">hidden</span>
          </li>
        ))}
        {hidden > 0 && <li className="flex h-8 items-center px-3 text-fg-3">and {String(hidden)} more</li>}
      </ul>
    </div>
  );
}

function ManySecrets({ rows, decisionOf, onDecide }: EnvPreviewProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 8 });
  return (
    <div ref={scroll} role="group" aria-label="Secrets that would be made" tabIndex={0} className="edge-2 h-[320px] overflow-y-auto rounded-card focus-visible:-outline-offset-2">
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row && (
            <li key={row.Row} aria-setsize={rows.length} aria-posinset={index + 1} className="absolute inset-x-0 flex items-center gap-3 px-3 shadow-[inset_0_-1px_0_var(--line)]" style={{ height: ROW, transform: `translateY(${String(start)}px)` }}>
              <span className="min-w-0 flex-1"><bdi className="block truncate font-mono text-[12.5px]">{row.Name}</bdi><span className="block truncate text-[12px]/4 text-fg-3"><bdi>{fieldWords(row)}</bdi></span></span>
              <span className="font-secret text-fg-3" aria-hidden="true">{MASK}</span><span className="sr-only">value hidden</span>
              <span className="flex w-[248px] shrink-0 justify-end"><Decide row={row} decisionOf={decisionOf} onDecide={onDecide} /></span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
