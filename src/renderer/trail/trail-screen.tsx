/** Trail: whether it is whole, its records, and what one of them says. */
import { useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { Link2, ListFilter, RotateCw, Stamp } from 'lucide-react';
import { useCallback, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { useNow } from '../clock.ts';
import { day } from '../format.ts';
import { useKeys } from '../keys/data.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { EmptyState, errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { letterOf } from '../vault/letters.ts';
import { RESULTS, SPANS, TRAIL, useAsked, useInTokens, useNames, useTrail, visible, type ResultFilter, type Span } from './data.ts';
import { useCheckpointKey } from './checkpoint-data.ts';
import { Checkpoints, Signers } from './checkpoints.tsx';
import { BrokenInspector, Inspector } from './inspector.tsx';
import { Summary } from './summary.tsx';
import { TrailList } from './trail-list.tsx';
import { useVerify } from './verify.ts';

const SELECT = 'edge-2 select h-[30px] rounded-row bg-raised pr-7 pl-3 font-medium [[data-theme=light]_&]:bg-pane';

export function TrailScreen() {
  const { find: given } = useSearch({ from: '/trail' });
  const queries = useQueryClient();
  const { rows } = useKeys();
  const nameOf = useNames(rows);
  const time = useNow(30_000);
  const [find, setFind] = useState(given ?? '');
  const [result, setResult] = useState<ResultFilter>('any');
  const [span, setSpan] = useState<Span>('all');
  const [selected, setSelected] = useState<number>();
  const [checkpoints, setCheckpoints] = useState(false);
  const signer = useCheckpointKey();
  const filter = useRef<HTMLInputElement>(null);
  const trail = useTrail(result);
  const { verified, running, error: verifyError, verify, cancel } = useVerify();
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = trail;
  const all = useMemo(() => data?.pages.flatMap((page) => page.Events), [data]);
  const events = useMemo(() => all && visible(all, find, span, time, nameOf), [all, find, span, time, nameOf]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const inTokens = useInTokens(rows, all);
  const broken = verified?.report.Broken;
  const current = events?.find((event) => event.Index === selected);
  const asked = useAsked(current, all);
  const filtered = find.trim() !== '' || result !== 'any' || span !== 'all';
  const clear = (): void => { setFind(''); setResult('any'); setSpan('all'); };

  const onKeyDown = (event: KeyboardEvent): void => {
    const letter = letterOf(event);
    if (event.key === 'Escape' && selected !== undefined) {
      setSelected(undefined);
      document.querySelector<HTMLElement>('[data-pane="list"]')?.focus();
    } else if (letter === '/') filter.current?.focus();
    else if (letter === 'v') void verify();
    else return;
    event.preventDefault();
  };

  return (
    <div className="flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 pr-3 pl-4 shadow-[inset_0_-1px_0_var(--line)]">
        <h1 className="text-[14px] font-semibold">Trail</h1>
        <span className="text-[12px] text-fg-2">CloudTrail</span>
        <IconButton label="Read again" className="ml-auto" onClick={() => { void queries.resetQueries({ queryKey: TRAIL }); }}><RotateCw size={15} strokeWidth={1.6} /></IconButton>
        <Button icon={<Stamp size={14} strokeWidth={1.6} />} onClick={() => { setCheckpoints(true); }}>Checkpoints…</Button>
        <Button icon={<Link2 size={14} strokeWidth={1.6} />} shortcut="V" disabled={running !== undefined} onClick={() => { void verify(); }}>Verify</Button>
      </header>
      {/* In a window too narrow for both, the record stands below the list. */}
      <div className="flex min-h-0 flex-1 max-[980px]:flex-col max-[980px]:overflow-y-auto">
        <section aria-label="Records" className="flex min-w-0 flex-1 flex-col max-[980px]:min-h-[300px] max-[980px]:flex-none max-[980px]:basis-full">
          <Summary verified={verified} running={running} error={verifyError} at={time} onCancel={cancel} signers={<Signers of={signer} />} />
          <div className="flex flex-wrap items-center gap-2 px-4 py-2 shadow-[inset_0_-1px_0_var(--line)]">
            <label className="edge flex h-[30px] min-w-[140px] flex-1 items-center gap-2 rounded-row bg-raised px-2.5 text-fg-2 has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-brass [[data-theme=light]_&]:bg-pane">
              <ListFilter size={15} strokeWidth={1.6} className="shrink-0" aria-hidden="true" />
              <span className="sr-only">Filter records</span>
              <input ref={filter} value={find} onChange={(event) => { setFind(event.target.value); }} placeholder="Operation, resource, door…" spellCheck={false} autoComplete="off" className="min-w-0 flex-1 bg-transparent text-fg outline-none focus-visible:outline-none" />
            </label>
            <select aria-label="Time" value={span} onChange={(event) => { setSpan(SPANS.find(([name]) => name === event.target.value)?.[0] ?? 'all'); }} className={SELECT}>{SPANS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}</select>
            <select aria-label="Outcome" value={result} onChange={(event) => { setResult(RESULTS.find(([name]) => name === event.target.value)?.[0] ?? 'any'); }} className={SELECT}>{RESULTS.map(([name, words]) => <option key={name} value={name}>{words}</option>)}</select>
          </div>
          {trail.isError && !events ? <div className="p-4"><InlineError error={errorOf(trail.error)} consequence={errorOf(trail.error).code === 'TrailBrokenException' ? 'Records are not shown while that is so; Verify says where.' : ''} /></div>
          : !events ? <SkeletonRows rows={10} height={36} />
          : events.length === 0 ? <EmptyState title={filtered ? (hasNextPage ? 'No loaded record matches' : 'No record matches') : 'Nothing is recorded yet'}><>{filtered && <Button onClick={clear}>Clear the filters</Button>}{hasNextPage && <Button disabled={isFetchingNextPage} onClick={more}>Search older records</Button>}</></EmptyState>
          : <TrailList events={events} selected={selected} brokenAt={broken?.Index} nameOf={nameOf} inTokens={inTokens} today={day(time)} onSelect={setSelected} onEnd={more} />}
        </section>
        {current && current.Index !== broken?.Index ? <Inspector event={current} asked={asked} name={nameOf(current.Resource)} inToken={current.Resource !== undefined && inTokens.has(current.Resource)} brokenAt={broken?.Index} onClose={() => { setSelected(undefined); }} />
        : broken ? <BrokenInspector broken={broken} records={verified.report.Records} /> : null}
      </div>
      {checkpoints && <Checkpoints onClose={() => { setCheckpoints(false); }} />}
    </div>
  );
}
