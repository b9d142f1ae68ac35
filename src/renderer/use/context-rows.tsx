/** The encryption context as rows of name and value. It is recorded in the trail, so it is no secret. */
import { Plus, X } from 'lucide-react';
import { useEffect, useId, useRef } from 'react';
import { Button, IconButton } from '../parts/button.tsx';
import { FIELD } from '../parts/field.tsx';

export type ContextRow = readonly [name: string, value: string];
export const contextOf = (rows: readonly ContextRow[]): Readonly<Record<string, string>> => Object.fromEntries(rows.filter(([name]) => name !== ''));

/** Why these rows are no context: what was typed is bound to the ciphertext whole, or nothing is done. A row in which nothing was typed is none. */
export function contextProblem(rows: readonly ContextRow[]): string | undefined {
  if (rows.some(([name, value]) => name === '' && value !== '')) return 'A row has a value and no name. Name it, or remove the row.';
  const names = rows.map(([name]) => name).filter((name) => name !== '');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? undefined : `“${twice}” is there twice. A context has each name once.`;
}

interface ContextRowsProps {
  readonly rows: readonly ContextRow[];
  readonly onChange: (rows: readonly ContextRow[]) => void;
  readonly problem?: string | undefined;
  readonly disabled?: boolean;
}

export function ContextRows({ rows, onChange, problem, disabled = false }: ContextRowsProps) {
  const group = useRef<HTMLFieldSetElement>(null);
  const below = useId();
  const count = useRef(rows.length);
  // The keyboard goes on in the row that came, and where another can be added once one went.
  useEffect(() => {
    if (rows.length > count.current) group.current?.querySelector<HTMLElement>(`[data-row="${String(rows.length - 1)}"] input`)?.focus();
    else if (rows.length < count.current) group.current?.querySelector<HTMLElement>('[data-add] button')?.focus();
    count.current = rows.length;
  }, [rows.length]);
  const put = (at: number, row: ContextRow): void => { onChange(rows.map((old, i) => (i === at ? row : old))); };
  return (
    <fieldset ref={group} disabled={disabled} aria-describedby={problem === undefined ? undefined : below}>
      <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Encryption context</legend>
      <div className="flex flex-col gap-1.5">
        {rows.map(([name, value], i) => (
          <div key={i} data-row={i} className="flex items-center gap-1.5">
            <input aria-label={`Name ${i + 1}`} placeholder="name" value={name} spellCheck={false} autoComplete="off" onChange={(event) => { put(i, [event.target.value, value]); }} className={`${FIELD} font-mono text-[12.5px]`} />
            <input aria-label={`Value ${i + 1}`} placeholder="value" value={value} spellCheck={false} autoComplete="off" onChange={(event) => { put(i, [name, event.target.value]); }} className={`${FIELD} font-mono text-[12.5px]`} />
            <IconButton label={`Remove row ${i + 1}`} onClick={() => { onChange(rows.filter((_, at) => at !== i)); }}><X size={15} strokeWidth={1.6} /></IconButton>
          </div>
        ))}
        <div data-add="" className="flex items-center gap-2">
          <Button kind="ghost" className="-ml-2.5" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { onChange([...rows, ['', '']]); }}>{rows.length === 0 ? 'Add a context' : 'Add a row'}</Button>
          <span className="text-[12px] text-fg-3">The same is needed to decrypt. Recorded; never a secret</span>
        </div>
        {problem !== undefined && <p id={below} role="alert" className="text-[12px]/4 text-danger">{problem}</p>}
      </div>
    </fieldset>
  );
}
