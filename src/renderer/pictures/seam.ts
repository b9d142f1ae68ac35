/** Seams of the chain rail: where two records meet, cut from what is public about the newer one. Pure. */
import { cutsOf } from './cuts.ts';

export const RAIL_WIDTH = 26;
export const ROW = 36;
const GAP = 2.5;

/** Vertical offsets of the seam's three steps, in pixels. */
export const seamOf = (publicId: string): readonly number[] => cutsOf(publicId, 3).map((value) => (value - 3.5) * 1.55);

/** The stepped line of a seam from left to right, as path commands after the first point. `reverse`: from right to left. */
function line(seam: readonly number[], y: number, reverse = false): string {
  const third = RAIL_WIDTH / 3;
  const points = seam.flatMap((offset, i) => [[i * third + (i === 0 ? 0 : 2), y + offset], [(i + 1) * third - (i === 2 ? 0 : 2), y + offset]]);
  return (reverse ? points.reverse() : points).map(([px = 0, py = 0]) => `L${px.toFixed(1)} ${py.toFixed(1)}`).join('');
}

/** One record of the rail between the seam above and the seam below; a missing seam is a straight end. In its own row's pixels. */
export function segmentPath(above: readonly number[] | undefined, below: readonly number[] | undefined): string {
  const flat = [0, 0, 0];
  const top = line(above ?? flat, above ? GAP / 2 : 1).replace(/^L/, 'M');
  return `${top}${line(below ?? flat, below ? ROW - GAP / 2 : ROW - 1, true)}z`;
}
