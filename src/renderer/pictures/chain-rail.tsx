/** One row's piece of the chain. The row says the same in words. */
import { RAIL_WIDTH, ROW, segmentPath, seamOf } from './seam.ts';

export type RailTone = 'record' | 'checkpoint' | 'denied' | 'broken' | 'doubt';

const TONES: Record<RailTone, string> = {
  record: 'fill-line-2',
  checkpoint: 'fill-glyph',
  denied: 'fill-danger/75',
  broken: 'fill-transparent stroke-danger',
  doubt: 'fill-transparent stroke-fg-3',
};
const WORDS: Record<RailTone, string> = { record: 'record', checkpoint: 'checkpoint', denied: 'denied', broken: 'does not fit', doubt: 'in doubt' };

/** `newer`: public id of the record above, absent for the newest. `own`: of this one. `last`: nothing older follows. */
export function ChainRail({ own, newer, last, tone }: { readonly own: string; readonly newer: string | undefined; readonly last: boolean; readonly tone: RailTone }) {
  const above = newer === undefined ? undefined : seamOf(newer);
  const below = last ? undefined : seamOf(own);
  return (
    <svg role="img" aria-label={WORDS[tone]} width={RAIL_WIDTH} height={ROW} viewBox={`0 0 ${RAIL_WIDTH} ${ROW}`} overflow="visible" className="shrink-0">
      <path d={segmentPath(above, below)} className={TONES[tone]} strokeWidth={tone === 'broken' ? 1.5 : 1} strokeDasharray={tone === 'doubt' ? '2 2' : undefined} />
    </svg>
  );
}
