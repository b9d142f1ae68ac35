/** The list of secrets by path: virtual, one stop of the Tab key, moved through with arrows or J and K. More is asked for near its end. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { Braces } from 'lucide-react';
import { useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { useNow } from '../clock.ts';
import { ago } from '../format.ts';
import { letterOf } from '../vault/letters.ts';
import { pathOf, type SecretEntry } from './data.ts';
import { MarkLine, markOf } from './mark.tsx';
import { useRotationMarks, type RotationMark } from './rotation-data.ts';

const ROW = 52;
const HEADING = 32;
const rowId = (name: string): string => `secret-${name}`;

type Line = { readonly heading: string } | { readonly secret: SecretEntry; readonly index: number };

function linesOf(secrets: readonly SecretEntry[]): readonly Line[] {
  const lines: Line[] = [];
  let path: string | undefined;
  secrets.forEach((secret, index) => {
    const [own] = pathOf(secret.Name);
    if (own !== path && !(own === '' && path === undefined)) lines.push({ heading: own === '' ? 'Without a path' : own });
    path = own;
    lines.push({ secret, index });
  });
  return lines;
}

interface SecretListProps {
  readonly secrets: readonly SecretEntry[];
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
  readonly onOpen: () => void;
  readonly onEnd: (() => void) | undefined;
}

export function SecretList({ secrets, selected, onSelect, onOpen, onEnd }: SecretListProps) {
  const scroll = useRef<HTMLDivElement>(null);
  const time = useNow(60_000);
  const marks = useRotationMarks();
  const lines = useMemo(() => linesOf(secrets), [secrets]);
  const at = secrets.findIndex(({ Name }) => Name === selected);
  const line = lines.findIndex((one) => 'secret' in one && one.index === at);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroll.current, estimateSize: (i) => (lines[i] && 'heading' in lines[i] ? HEADING : ROW), overscan: 8 });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => { virtual.measure(); }, [lines, virtual]);
  useEffect(() => { if (line >= 0) virtual.scrollToIndex(line, { align: 'auto' }); }, [line, virtual]);
  useEffect(() => { if (last >= lines.length - 10) onEnd?.(); }, [last, lines.length, onEnd]);
  // Where nobody holds the focus, the keyboard begins in the list.
  useEffect(() => { if (document.activeElement === document.body) scroll.current?.focus({ preventScroll: true }); }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const letter = letterOf(event);
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? ROW) / ROW) - 1);
    const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: secrets.length - 1, PageDown: at + page, PageUp: at - page };
    const target = letter === 'j' ? at + 1 : letter === 'k' ? at - 1 : targets[event.key];
    const secret = target === undefined ? undefined : secrets[Math.max(0, Math.min(secrets.length - 1, target))];
    if (secret) {
      event.preventDefault();
      onSelect(secret.Name);
    } else if (event.key === 'Enter' && at >= 0) onOpen();
  };

  return (
    <div
      ref={scroll}
      role="listbox"
      aria-label="Secrets"
      tabIndex={0}
      data-pane="list"
      aria-activedescendant={selected !== undefined && at >= 0 ? rowId(selected) : undefined}
      onKeyDown={onKeyDown}
      className={`group/list min-h-0 flex-1 overflow-y-auto px-1.5 pb-2 focus-visible:-outline-offset-2 ${at < 0 ? '' : 'focus-visible:outline-none'}`}
    >
      <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
        {shown.map(({ index, start }) => {
          const one = lines[index];
          if (!one) return null;
          if ('heading' in one) return <div key={`heading ${String(index)}`} role="presentation" className="absolute inset-x-0 flex h-8 items-end truncate px-3 pb-1.5 text-[12px]/4 text-fg-3" style={{ transform: `translateY(${start}px)` }}>{one.heading}</div>;
          return <Row key={one.secret.Name} secret={one.secret} index={one.index} count={secrets.length} more={onEnd !== undefined} start={start} picked={one.index === at} at={time} rotation={marks?.get(one.secret.Name)} onSelect={onSelect} />;
        })}
      </div>
    </div>
  );
}

export const SecretTile = ({ large = false, dying = false }: { readonly large?: boolean; readonly dying?: boolean }) => (
  <span aria-hidden="true" className={`edge grid shrink-0 place-items-center ${dying ? 'text-danger' : 'text-fg-2'} ${large ? 'size-11 rounded-[11px] bg-raised' : 'size-[30px] rounded-[7px] bg-raised [[data-theme=light]_&]:bg-pane'}`}><Braces size={large ? 20 : 15} strokeWidth={1.6} /></span>
);

interface RowProps {
  readonly secret: SecretEntry;
  readonly index: number;
  readonly count: number;
  readonly more: boolean;
  readonly start: number;
  readonly picked: boolean;
  readonly at: number;
  readonly rotation: RotationMark | undefined;
  readonly onSelect: (name: string) => void;
}

function Row({ secret, index, count, more, start, picked, at, rotation, onSelect }: RowProps) {
  const { Name, Description, LastChangedDate, DeletedDate } = secret;
  const mark = markOf(secret, rotation, at);
  const changed = `Changed ${ago(LastChangedDate * 1000, at)}`;
  return (
    <div
      id={rowId(Name)}
      role="option"
      aria-selected={picked}
      aria-setsize={more ? -1 : count}
      aria-posinset={index + 1}
      onClick={() => { onSelect(Name); }}
      className={`absolute inset-x-0 flex h-[52px] items-center gap-[11px] rounded-row px-3 ${picked ? 'picked -outline-offset-2 outline-brass group-focus-visible/list:outline-2' : 'hover-tint'}`}
      style={{ transform: `translateY(${start}px)` }}
    >
      <SecretTile dying={DeletedDate !== undefined} />
      <span className="min-w-0 flex-1">
        <span className={`block truncate text-[13px]/[18px] font-medium ${DeletedDate === undefined ? '' : 'text-fg-2'}`} title={Name}>{pathOf(Name)[1]}</span>
        <span className="block truncate text-[12px]/4 text-fg-3"><bdi>{Description ?? changed}</bdi></span>
      </span>
      {mark && <MarkLine mark={mark} />}
    </div>
  );
}
