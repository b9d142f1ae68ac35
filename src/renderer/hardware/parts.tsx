/** What the hardware section is made of, and the badge that a key in a token has wherever it shows. */
import { Cpu, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Said, Tone } from './words.ts';

const TONES: Readonly<Record<Tone, readonly [text: string, dot: string]>> = {
  ok: ['text-ok', 'bg-ok'],
  warn: ['text-warn', 'bg-warn'],
  danger: ['text-danger', 'bg-danger'],
  plain: ['text-fg-2', 'shadow-[inset_0_0_0_2px_currentColor]'],
};
export function StateSaid({ said: [words, tone] }: { readonly said: Said }) {
  const [text, dot] = TONES[tone];
  return <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${text}`}><i aria-hidden="true" className={`size-[7px] rounded-full ${dot}`} />{words}</span>;
}

/** Said beside the glyph, which tells it by its colour. */
export const HardwareBadge = ({ words = 'Hardware' }: { readonly words?: string }) => (
  <span className="inline-flex items-center gap-1 whitespace-nowrap text-steel"><Cpu size={13} strokeWidth={1.6} aria-hidden="true" />{words}</span>
);

/** The badge where there is no room for its word, which is there for a reader. */
export const HardwareIcon = () => (
  <span className="shrink-0 text-steel" title="Hardware"><Cpu size={13} strokeWidth={1.6} aria-hidden="true" /><span className="sr-only">hardware</span></span>
);

export const ChipTile = ({ off = false }: { readonly off?: boolean }) => (
  <span aria-hidden="true" className={`grid size-9 shrink-0 place-items-center rounded-card ${off ? 'text-fg-3 shadow-[inset_0_0_0_1px_var(--control)]' : 'tint-steel text-steel'}`}><Cpu size={19} strokeWidth={1.5} /></span>
);

export const Warned = ({ children }: { readonly children: ReactNode }) => (
  <p className="tint-warn flex gap-2.5 rounded-card px-3 py-2.5"><TriangleAlert size={16} strokeWidth={1.6} className="mt-0.5 shrink-0 text-warn" aria-hidden="true" /><span className="min-w-0 flex-1">{children}</span></p>
);

/** 64 hexadecimal digits in groups that two people can compare. */
export const Hash = ({ value, label }: { readonly value: string; readonly label: string }) => (
  <div>
    <p className="mb-1 text-[12px]/4 font-medium text-fg-2">{label}</p>
    <code className="edge block rounded-control bg-raised px-2.5 py-1.5 font-mono text-[12px]/[18px] break-words [[data-theme=light]_&]:bg-panel">{(value.match(/.{1,8}/g) ?? []).join(' ')}</code>
  </div>
);

export const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div className="min-w-0"><dt className="text-[12px]/4 text-fg-3">{name}</dt><dd className="min-w-0 break-words">{children}</dd></div>
);
