/** A key, drawn from its public id. Its state is always said in words beside it, so the drawing itself is no image to a reader. */
import { memo } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { cutsOf } from './cuts.ts';

interface Measure {
  readonly n: number;
  readonly ring: number;
  readonly hole: number;
  readonly tooth: number;
  readonly gap: number;
  readonly shaft: number;
  readonly base: number;
  readonly step: number;
}

export const SIZES = {
  S: { n: 4, ring: 5, hole: 2, tooth: 2, gap: 1, shaft: 2.5, base: 1, step: 0.8 },
  M: { n: 6, ring: 8, hole: 3, tooth: 3, gap: 2, shaft: 4, base: 2, step: 1.3 },
  L: { n: 8, ring: 11, hole: 4.2, tooth: 4, gap: 2, shaft: 5, base: 2, step: 1.7 },
} as const satisfies Record<string, Measure>;
export type GlyphSize = keyof typeof SIZES;

interface Outline {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

/** The outline as one path (ring, hole, blade and teeth), on whole pixels. */
export function glyphPath(publicId: string, size: GlyphSize): Outline {
  const { n, ring, hole, tooth, gap, shaft, base, step }: Measure = SIZES[size];
  const start = 2 * ring + 1;
  const top = Math.round(ring - shaft / 2);
  const bottom = top + Math.round(shaft);
  const width = start + n * (tooth + gap) + gap;
  const depths = cutsOf(publicId, n).map((depth) => Math.round(base + step * depth));
  const circle = (radius: number): string => `M${ring - radius} ${ring}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
  const teeth = depths.map((depth, i) => {
    const x = start + gap + (n - 1 - i) * (tooth + gap);
    return `H${x + tooth}V${bottom + depth}H${x}V${bottom}`;
  });
  return { path: `${circle(ring)}${circle(hole)}M${2 * ring - 1} ${top}H${width}V${bottom}${teeth.join('')}H${2 * ring - 1}z`, width, height: Math.max(2 * ring, bottom + Math.max(...depths)) };
}

/** A list that is scrolled or filtered shows the same keys again and again. */
const MOST_KNOWN = 500;
const known = new Map<string, Outline>();
function outlineOf(publicId: string, size: GlyphSize): Outline {
  const name = `${size} ${publicId}`;
  let outline = known.get(name);
  if (!outline) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, (outline = glyphPath(publicId, size)));
  }
  return outline;
}

type State = KeyMetadata['KeyState'];
const TONES: Record<State, { readonly tile: string; readonly ink: string }> = {
  Enabled: { tile: 'tint-glyph', ink: 'text-glyph' },
  Disabled: { tile: 'tint-fg', ink: 'text-fg-3' },
  PendingDeletion: { tile: 'tint-danger', ink: 'text-danger' },
  PendingReplicaDeletion: { tile: 'tint-danger', ink: 'text-danger' },
  PendingImport: { tile: 'tint-glyph', ink: 'text-glyph' },
  Unavailable: { tile: 'tint-fg', ink: 'text-fg-3' },
};
/** Steel says that a token holds it; what is disabled or goes is told by that first. */
const STEEL = { tile: 'tint-steel', ink: 'text-steel' } as const;
const ARE_STEEL: ReadonlySet<State> = new Set(['Enabled', 'PendingImport', 'Unavailable']);
const TILES: Record<GlyphSize, string> = { S: 'size-[30px] rounded-[7px]', M: 'h-9 w-16 rounded-card', L: 'h-[46px] w-[98px] rounded-panel' };

export const KeyGlyph = memo(function KeyGlyph({ publicId, size, state, hardware = false }: { readonly publicId: string; readonly size: GlyphSize; readonly state: State; readonly hardware?: boolean }) {
  const { path, width, height } = outlineOf(publicId, size);
  const { tile, ink } = hardware && ARE_STEEL.has(state) ? STEEL : TONES[state];
  const outline = state !== 'Enabled';
  return (
    <span aria-hidden="true" className={`grid shrink-0 place-items-center ${TILES[size]} ${tile} ${ink}`}>
      <svg width={width + 2} height={height + 2} viewBox={`-1 -1 ${width + 2} ${height + 2}`} shapeRendering={outline ? undefined : 'geometricPrecision'}>
        <path d={path} fillRule={outline ? 'nonzero' : 'evenodd'} fill={outline ? 'none' : 'currentColor'} stroke={outline ? 'currentColor' : 'none'} strokeWidth={1} />
        {(state === 'PendingDeletion' || state === 'PendingReplicaDeletion') && <path d={`M0 ${height}L${width} 0`} stroke="currentColor" strokeWidth={size === 'L' ? 2 : 1.5} />}
      </svg>
    </span>
  );
});
