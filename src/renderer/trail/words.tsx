/** What the trail records, in words. */
import { Ban, Check, CircleDashed, CircleHelp, Clock, Cloud, Info, Link2Off, SquareTerminal, AppWindow, X, type LucideIcon } from 'lucide-react';
import type { TrailEvent } from '../keys/data.ts';

const DOORS: Readonly<Record<string, string>> = { ipc: 'You', cli: 'Command line', schedule: 'Schedule', aws: 'AWS client' };
const DOOR_ICONS: Readonly<Record<string, LucideIcon>> = { ipc: AppWindow, cli: SquareTerminal, schedule: Clock, aws: Cloud };
export const doorWords = (door: string | undefined): string => (door === undefined ? 'The vault' : (DOORS[door] ?? door));
export function DoorIcon({ door }: { readonly door: string | undefined }) {
  const Icon = DOOR_ICONS[door ?? ''] ?? Info;
  return <Icon size={14} strokeWidth={1.6} className="shrink-0 text-fg-3" aria-hidden="true" />;
}

export type Outcome = 'allowed' | 'denied' | 'failed' | 'begun' | 'noted' | 'doubt' | 'changed';
export function outcomeOf(event: TrailEvent, brokenAt?: number): Outcome {
  if (brokenAt !== undefined && event.Index > brokenAt) return 'doubt';
  if (event.Index === brokenAt) return 'changed';
  if (event.Kind === 'intent') return 'begun';
  if (event.Result === undefined) return 'noted';
  return event.Result === 'ok' ? 'allowed' : event.Result;
}

const OUTCOMES: Record<Outcome, readonly [LucideIcon, string, string]> = {
  allowed: [Check, 'Allowed', 'text-fg-2'],
  denied: [Ban, 'Denied', 'text-danger'],
  failed: [X, 'Failed', 'text-warn'],
  begun: [CircleDashed, 'Begun', 'text-fg-2'],
  noted: [Info, 'Noted', 'text-fg-2'],
  doubt: [CircleHelp, 'In doubt', 'text-fg-2'],
  changed: [Link2Off, 'Broken', 'text-danger'],
};

export function OutcomeWord({ event, brokenAt }: { readonly event: TrailEvent; readonly brokenAt?: number | undefined }) {
  const [Icon, words, tone] = OUTCOMES[outcomeOf(event, brokenAt)];
  return <span className={`flex items-center gap-1.5 whitespace-nowrap ${tone}`}><Icon size={14} strokeWidth={1.6} className="shrink-0" aria-hidden="true" />{words}</span>;
}
