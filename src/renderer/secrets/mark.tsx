/** The one thing that a list says of a secret beside its name: what somebody may have to act on, first. Icon, word and colour. */
import { CalendarClock, CircleX, Hourglass, RotateCw, Trash2, type LucideIcon } from 'lucide-react';
import { EXPIRES, EXPIRY_NEAR, expiryIn } from '../../shared/model/expiry.ts';
import { exact, left } from '../format.ts';
import type { RotationMark } from './rotation-data.ts';

interface Shown {
  readonly Tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly DeletedDate?: number | undefined;
}

export interface Mark {
  readonly icon: LucideIcon;
  readonly words: string;
  readonly style: 'text-danger' | 'text-warn' | 'text-brass';
  /** What hovering shows. */
  readonly title: string;
}

const ROTATIONS: Readonly<Record<RotationMark['State'], Omit<Mark, 'title'>>> = {
  failed: { icon: CircleX, words: 'Rotation failed', style: 'text-danger' },
  retrying: { icon: RotateCw, words: 'Tried again soon', style: 'text-warn' },
  rotating: { icon: RotateCw, words: 'Rotating', style: 'text-brass' },
  overdue: { icon: CalendarClock, words: 'Rotation overdue', style: 'text-warn' },
};

/** Milliseconds since the epoch; undefined: it says nothing of that, or nothing that is understood. */
export function expiryOf({ Tags: tags }: Pick<Shown, 'Tags'>): number | undefined {
  const said = tags.find(({ Key }) => Key === EXPIRES)?.Value;
  return said === undefined ? undefined : expiryIn(said);
}

/** Undefined: nothing to say. `at`: milliseconds since the epoch. */
export function markOf(secret: Shown, rotation: RotationMark | undefined, at: number): Mark | undefined {
  const { DeletedDate: deleted } = secret;
  if (deleted !== undefined) return { icon: Trash2, words: `Deletes ${left(deleted * 1000, at)}`, style: 'text-danger', title: exact(deleted * 1000) };
  const moving = rotation && { ...ROTATIONS[rotation.State], title: `Since ${exact(rotation.Since * 1000)}` };
  if (rotation?.State === 'failed') return moving;
  const expires = expiryOf(secret);
  if (expires !== undefined && expires <= at) return { icon: Hourglass, words: 'Expired', style: 'text-danger', title: exact(expires) };
  if (moving) return moving;
  return expires !== undefined && expires - at <= EXPIRY_NEAR ? { icon: Hourglass, words: `Expires ${left(expires, at)}`, style: 'text-warn', title: exact(expires) } : undefined;
}

export const MarkLine = ({ mark: { icon: Icon, words, style, title } }: { readonly mark: Mark }) => (
  <span className={`flex items-center gap-1 text-[12px] whitespace-nowrap ${style}`} title={title}><Icon size={13} strokeWidth={1.8} aria-hidden="true" className="shrink-0" />{words}</span>
);
