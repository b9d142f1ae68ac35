/** The whole trail in time: how much was asked, and where a checkpoint was signed. A picture, and the same as a table. */
import type { Output } from '../../shared/api/index.ts';
import { counted, day, exact, plural } from '../format.ts';

export type TrailTimeline = NonNullable<Output<'trail:VerifyTrail'>['Timeline']>;

const WIDTH = 640;
const HEIGHT = 24;

interface TimelineProps {
  readonly timeline: TrailTimeline;
  /** The chain does not hold to its end. */
  readonly broken: boolean;
}

export function Timeline({ timeline: { Start, BinSeconds, Requests, Checkpoints }, broken }: TimelineProps) {
  const pitch = WIDTH / Requests.length;
  const most = Math.max(1, ...Requests);
  const signed = Checkpoints.reduce((sum, count) => sum + count, 0);
  const all = Requests.reduce((sum, count) => sum + count, 0);
  const from = Start * 1000;
  const at = (bin: number): number => from + bin * BinSeconds * 1000;
  const line = broken ? 'stroke-danger' : 'stroke-ok';
  return (
    <figure className="mt-2.5">
      <svg role="img" aria-label={`${plural(all, 'request')} and ${plural(signed, 'signed checkpoint')} since ${day(from)}`} viewBox={`0 0 ${WIDTH} 40`} preserveAspectRatio="none" className="block h-10 w-full text-glyph">
        {Requests.map((count, bin) => count > 0 && <rect key={at(bin)} x={bin * pitch} y={HEIGHT - Math.max(2, (count / most) * HEIGHT)} width={Math.max(1, Math.min(pitch - 1.5, 12))} height={Math.max(2, (count / most) * HEIGHT)} rx="1" fill="currentColor" fillOpacity="0.62" />)}
        <path d={`M0 34H${WIDTH}`} className={line} strokeWidth="1.5" strokeDasharray={broken ? '3 3' : undefined} vectorEffect="non-scaling-stroke" />
        {Checkpoints.map((count, bin) => count > 0 && <circle key={at(bin)} cx={Math.min(WIDTH - 4, bin * pitch + pitch / 2)} cy="34" r="3.5" className={`fill-panel ${line}`} strokeWidth="1.5" vectorEffect="non-scaling-stroke" />)}
      </svg>
      <figcaption aria-hidden="true" className="mt-0.5 flex justify-between gap-4 text-[11px]/4 text-fg-3">
        <span>{day(from)}</span>
        <span className="flex gap-4"><span className="flex items-center gap-1.5"><i className="size-2 rounded-[2px] bg-glyph opacity-60" />requests</span>{signed > 0 && <span className="flex items-center gap-1.5"><i className={`size-2 rounded-full border-[1.5px] ${broken ? 'border-danger' : 'border-ok'}`} />{plural(signed, 'signed checkpoint')}</span>}</span>
        <span>now</span>
      </figcaption>
      {/* A table itself keeps the width of its words. */}
      <div className="sr-only">
        <table>
          <caption>Requests and checkpoints over the life of this trail, where there were any</caption>
          <thead><tr><th scope="col">From</th><th scope="col">Requests</th><th scope="col">Checkpoints</th></tr></thead>
          <tbody>{Requests.map((count, bin) => count > 0 && <tr key={at(bin)}><td>{exact(at(bin))}</td><td>{counted(count)}</td><td>{counted(Checkpoints[bin] ?? 0)}</td></tr>)}</tbody>
        </table>
      </div>
    </figure>
  );
}
