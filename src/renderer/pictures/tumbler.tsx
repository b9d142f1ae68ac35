/** A pin tumbler lock, cut open. Locked: the joints miss the shear line. Open: they settle on it. Decoration; the heading says the state. */
import { cutsOf } from './cuts.ts';

const FIRST = 121;
const PITCH = 42;
const SHEAR = 100;
const TOP = 14;
const FLAT = 116;
/** How far each joint is from the shear line while locked. */
const OFF = [9, -13, 15, -8, -15, 11, -10, 13];

const zigzag = (x: number, from: number, to: number): string => {
  const step = (to - from) / 11;
  return Array.from({ length: 12 }, (_, i) => `${i === 0 ? 'M' : 'L'}${x + (i === 0 || i === 11 ? 0 : i % 2 === 0 ? -5 : 5)} ${(from + i * step).toFixed(1)}`).join('');
};

export function Tumbler({ publicId, open }: { readonly publicId: string; readonly open: boolean }) {
  const tips = cutsOf(publicId, 8).map((depth) => FLAT + 7 + depth * 3.2);
  const blade = tips.map((tip, i) => {
    const x = FIRST + i * PITCH;
    const slope = tip - FLAT;
    return `H${x - 7 - slope * 0.55}L${x - 6} ${tip}H${x + 6}L${x + 7 + slope * 0.55} ${FLAT}`;
  });
  return (
    <svg aria-hidden="true" width="560" height="170" viewBox="-12 0 560 170" className={`max-w-full text-glyph ${open ? 'settled' : ''}`}>
      <defs>
        <linearGradient id="bow" x1="0" x2="1"><stop offset="0" stopColor="#fff" stopOpacity="0" /><stop offset="1" stopColor="#fff" /></linearGradient>
        <linearGradient id="line" className="text-fg-3"><stop offset="0" stopColor="currentColor" stopOpacity="0" /><stop offset=".2" stopColor="currentColor" /><stop offset=".8" stopColor="currentColor" /><stop offset="1" stopColor="currentColor" stopOpacity="0" /></linearGradient>
        <mask id="fade"><rect width="120" height="170" fill="url(#bow)" /><rect x="120" width="440" height="170" fill="#fff" /></mask>
      </defs>
      <path d={`M0 108H86L92 ${FLAT}H98${blade.join('')}H${FIRST + 7 * PITCH + 23}L463 137V146L452 160H0z`} fill="currentColor" mask="url(#fade)" />
      <path d="M40 147H446" stroke="var(--bg)" strokeOpacity=".35" strokeWidth="2" />
      <rect x="30" y={SHEAR - 0.75} width="505" height="1.5" className="text-fg-3" fill="url(#line)" />
      {tips.map((tip, i) => {
        const x = FIRST + i * PITCH;
        const joint = SHEAR + (OFF[i] ?? 0);
        return (
          <g key={x}>
            <rect x={x - 8} y={TOP} width="16" height={SHEAR - TOP + 6} rx="3" fill="none" stroke="var(--line-2)" />
            <path d={zigzag(x, TOP + 5, joint - 27)} fill="none" stroke="var(--control)" strokeOpacity=".75" />
            <g className="pin" transform={`translate(0 ${open ? SHEAR - joint : 0})`}>
              <rect x={x - 6.5} y={joint - 26} width="13" height="25" rx="1.5" fill="var(--control)" fillOpacity=".8" stroke="var(--bg)" />
            </g>
            <path d={`M${x - 6.5} ${open ? SHEAR : joint}H${x + 6.5}V${tip - 5}L${x + 3} ${tip}H${x - 3}L${x - 6.5} ${tip - 5}z`} fill="color-mix(in oklab, var(--glyph) 82%, var(--bg))" stroke="var(--bg)" strokeWidth="1.5" strokeLinejoin="round" />
          </g>
        );
      })}
    </svg>
  );
}
