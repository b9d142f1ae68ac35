/** The list of keys: virtual, one stop of the Tab key, moved through with arrows or J and K. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { useNow } from '../clock.ts';
import { specName, usageWords } from '../format.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { letterOf } from '../vault/letters.ts';
import { useKey, type KeyRow } from './data.ts';
import { StateWord } from './state-word.tsx';

const ROW = 52;
const rowId = (id: string): string => `key-${id}`;

interface KeyListProps {
  readonly rows: readonly KeyRow[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly onOpen: () => void;
}

export const KeyList = memo(function KeyList({ rows, selected, onSelect, onOpen }: KeyListProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const time = useNow(60_000);
  const at = useMemo(() => rows.findIndex((row) => row.id === selected), [rows, selected]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 8 });
  useEffect(() => { if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' }); }, [at, virtual]);
  // Where nobody holds the focus, the keyboard begins in the list.
  useEffect(() => { if (document.activeElement === document.body) scroll.current?.focus({ preventScroll: true }); }, []);

  const items = virtual.getVirtualItems();

  const move = (to: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (row) onSelect(row.id);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const letter = letterOf(event);
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? ROW) / ROW) - 1);
    const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + page, PageUp: at - page };
    const target = letter === 'j' ? at + 1 : letter === 'k' ? at - 1 : targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      move(target);
    } else if (event.key === 'Enter' && at >= 0) onOpen();
  };

  return (
    <div
      ref={scroll}
      role="listbox"
      aria-label="Keys"
      tabIndex={0}
      data-pane="list"
      aria-activedescendant={selected !== undefined && at >= 0 ? rowId(selected) : undefined}
      onKeyDown={onKeyDown}
      className={`group/list min-h-0 flex-1 overflow-y-auto px-1.5 pb-2 focus-visible:-outline-offset-2 ${at < 0 ? '' : 'focus-visible:outline-none'}`}
    >
      <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          // A place in the list is drawn over for another key: taking rows out and putting new ones in costs twice as much.
          return row && <Row key={index % items.length} row={row} index={index} count={rows.length} start={start} picked={index === at} at={time} onSelect={onSelect} />;
        })}
      </div>
    </div>
  );
});

interface RowProps {
  readonly row: KeyRow;
  readonly index: number;
  readonly count: number;
  readonly start: number;
  readonly picked: boolean;
  readonly at: number;
  readonly onSelect: (id: string) => void;
}

const Row = memo(function Row({ row, index, count, start, picked, at, onSelect }: RowProps) {
  const { data } = useKey(row.id);
  return (
    <div
      id={rowId(row.id)}
      role="option"
      aria-selected={picked}
      aria-setsize={count}
      aria-posinset={index + 1}
      onClick={() => { onSelect(row.id); }}
      className={`absolute inset-x-0 flex h-[52px] items-center gap-[11px] rounded-row px-3 ${picked ? 'picked -outline-offset-2 outline-brass group-focus-visible/list:outline-2' : 'hover-tint'}`}
      style={{ transform: `translateY(${start}px)` }}
    >
      <KeyGlyph publicId={row.id} size="S" state={data?.KeyState ?? 'Enabled'} hardware={data?.Origin === 'AWS_CLOUDHSM'} />
      <span className="min-w-0 flex-1">
        <span className={`block truncate text-[13px]/[18px] font-medium ${row.named ? '' : 'font-mono'} ${data && data.KeyState !== 'Enabled' ? 'text-fg-2' : ''}`}>{row.name}</span>
        <span className="flex gap-1.5 text-[12px]/4 text-fg-3"><span className="min-w-0 truncate">{data ? `${specName(data.KeySpec)} · ${usageWords(data.KeyUsage)}` : ' '}</span>{data?.Origin === 'AWS_CLOUDHSM' && <HardwareBadge words="hardware" />}</span>
      </span>
      {data && data.KeyState !== 'Enabled' && <span className="text-[12px]"><StateWord value={data} at={at} /></span>}
    </div>
  );
});
