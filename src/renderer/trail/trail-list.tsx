/** The rows of the trail with their rail: virtual, one stop of the Tab key. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { bareOperation, clockTime, counted, day, exact } from '../format.ts';
import { HardwareIcon } from '../hardware/parts.tsx';
import type { TrailEvent } from '../keys/data.ts';
import { ChainRail } from '../pictures/chain-rail.tsx';
import { letterOf } from '../vault/letters.ts';
import { recordId, toneOf } from './data.ts';
import { doorWords, DoorIcon, outcomeOf, OutcomeWord } from './words.tsx';

const ROW = 36;
/** The list has the focus; the row in hand shows it. */
const ROW_FOCUS = '-outline-offset-2 outline-brass group-focus-visible/list:outline-2';
const rowId = (index: number): string => `record-${String(index)}`;

interface TrailListProps {
  readonly events: readonly TrailEvent[];
  readonly selected: number | undefined;
  readonly brokenAt: number | undefined;
  readonly nameOf: (arn: string | undefined) => string;
  /** ARNs of keys that are in tokens. */
  readonly inTokens: ReadonlySet<string>;
  readonly today: string;
  readonly onSelect: (index: number) => void;
  readonly onEnd: () => void;
}

export function TrailList({ events, selected, brokenAt, nameOf, inTokens, today, onSelect, onEnd }: TrailListProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: events.length, getScrollElement: () => scroll.current, estimateSize: () => ROW, overscan: 12, paddingStart: 6 });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const at = events.findIndex((event) => event.Index === selected);
  useEffect(() => { if (events.length > 0 && lastShown >= events.length - 20) onEnd(); }, [lastShown, events.length, onEnd]);
  useEffect(() => { if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' }); }, [at, virtual]);
  useEffect(() => { if (document.activeElement === document.body) scroll.current?.focus({ preventScroll: true }); }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const letter = letterOf(event);
    const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 15, PageUp: at - 15, Home: 0, End: events.length - 1 };
    const target = letter === 'j' ? at + 1 : letter === 'k' ? at - 1 : targets[event.key];
    const row = target === undefined ? undefined : events[Math.max(0, Math.min(events.length - 1, target))];
    if (!row) return;
    event.preventDefault();
    onSelect(row.Index);
  };
  return (
    <div ref={scroll} role="listbox" aria-label="Records, newest first" tabIndex={0} data-pane="list" aria-activedescendant={selected !== undefined && at >= 0 ? rowId(selected) : undefined} onKeyDown={onKeyDown} className={`group/list min-h-0 flex-1 overflow-x-hidden overflow-y-auto focus-visible:-outline-offset-2 ${at < 0 ? '' : 'focus-visible:outline-none'}`}>
      <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const event = events[index];
          if (!event) return null;
          const newer = events[index - 1];
          const outcome = outcomeOf(event, brokenAt);
          const tone = outcome === 'doubt' ? 'doubt' : outcome === 'changed' ? 'broken' : toneOf(event);
          const faint = outcome === 'doubt';
          return (
            <div
              key={event.Index}
              id={rowId(event.Index)}
              role="option"
              aria-selected={event.Index === selected}
              onClick={() => { onSelect(event.Index); }}
              style={{ transform: `translateY(${start}px)` }}
              className={`absolute inset-x-0 flex h-9 items-center gap-3 px-4 max-[980px]:gap-2 ${outcome === 'changed' ? `tint-danger ${event.Index === selected ? ROW_FOCUS : ''}` : event.Index === selected ? `picked ${ROW_FOCUS}` : 'hover-tint'}`}
            >
              <ChainRail own={recordId(event)} newer={newer && recordId(newer)} last={index === events.length - 1} tone={tone} />
              <span className="ml-1 w-[56px] shrink-0 truncate text-fg-2" title={exact(event.Time * 1000)}>{day(event.Time * 1000) === today ? clockTime(event.Time * 1000) : day(event.Time * 1000).replace(/ \d{4}$/, '')}</span>
              <span className={`w-[168px] shrink-0 truncate max-[1400px]:w-[126px] max-[980px]:w-[112px] font-mono text-[12.5px] font-medium ${faint ? 'text-fg-2' : ''}`}>{bareOperation(event.Operation ?? event.Kind)}</span>
              <span className="flex min-w-0 flex-1 items-center gap-1.5 font-medium"><span className="truncate">{nameOf(event.Resource)}</span>{event.Resource !== undefined && inTokens.has(event.Resource) && <HardwareIcon />}</span>
              <span className="flex w-[106px] shrink-0 items-center gap-1.5 text-fg-2 max-[980px]:w-[14px]"><DoorIcon door={event.Door} /><span className="truncate max-[980px]:sr-only">{doorWords(event.Door)}</span></span>
              <span className="w-[76px] shrink-0"><OutcomeWord event={event} brokenAt={brokenAt} /></span>
              <span className="w-12 shrink-0 text-right font-mono text-[12px] text-fg-3 max-[980px]:sr-only">{counted(event.Index)}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
