/** Requests of the last day: a picture, and the same as a table for whoever does not see it. */
import { clockTime, counted, plural } from '../format.ts';
import { CELLS, cellsOf, type StripEvent } from './strip.ts';

const OPACITY = [0.08, 0.24, 0.42, 0.66, 1] as const;
const WIDTH = 668;
const PITCH = (WIDTH + 1.5) / CELLS;

const quarter = (time: number): string => clockTime(time).slice(0, 5);

export function RequestStrip({ events, at }: { readonly events: readonly StripEvent[]; readonly at: number }) {
  const cells = cellsOf(events, at);
  const allowed = cells.reduce((sum, cell) => sum + cell.allowed, 0);
  const denied = cells.reduce((sum, cell) => sum + cell.denied, 0);
  const busy = cells.filter((cell) => cell.allowed + cell.denied > 0);
  const marks = [0, 24, 48, 72].map((cell) => quarter(cells[cell]?.from ?? at));
  return (
    <section aria-label="Requests, last 24 hours">
      <div className="flex items-baseline gap-2">
        <h3 className="text-[12.5px]/[18px] font-semibold">Requests</h3>
        <span className="text-[12px] text-fg-3">last 24 hours</span>
        <span className="ml-auto flex gap-4 text-[12px] text-fg-2">
          <span className="flex items-center gap-1.5"><i className="size-2 rounded-[2px] bg-glyph" />{counted(allowed)} {allowed === 1 ? 'request' : 'requests'}</span>
          {denied > 0 && <span className="flex items-center gap-1.5"><i className="h-[5px] w-2 rounded-[2px] bg-danger" />{counted(denied)} denied</span>}
        </span>
      </div>
      <svg role="img" aria-label={`${plural(allowed, 'request')} and ${plural(denied, 'denial')} in the last 24 hours`} viewBox={`0 0 ${WIDTH} 32`} preserveAspectRatio="none" className="mt-2 block h-8 w-full text-glyph">
        {cells.map((cell, i) => (
          <g key={cell.from}>
            <rect x={i * PITCH} y="0" width={PITCH - 1.5} height="24" rx="1" fill="currentColor" fillOpacity={OPACITY[cell.level]} />
            {cell.denied > 0 && <rect x={i * PITCH} y="27" width={PITCH - 1.5} height="4" rx="1" className="fill-danger" />}
          </g>
        ))}
      </svg>
      <div aria-hidden="true" className="mt-1 flex justify-between text-[11px]/4 text-fg-3">{marks.map((mark) => <span key={mark}>{mark}</span>)}<span>now</span></div>
      {/* A table itself keeps the width of its words. */}
      <div className="sr-only">
        <table>
          <caption>Requests by quarter of an hour, where there were any</caption>
          <thead><tr><th scope="col">From</th><th scope="col">Requests</th><th scope="col">Denied</th></tr></thead>
          <tbody>{busy.map((cell) => <tr key={cell.from}><td>{quarter(cell.from)}</td><td>{cell.allowed}</td><td>{cell.denied}</td></tr>)}</tbody>
        </table>
      </div>
    </section>
  );
}
