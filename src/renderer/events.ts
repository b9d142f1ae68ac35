/** What the vault pushes: ids and progress, nothing else. */
import type { Progress } from '../shared/wire/messages.ts';

export interface PushedEvent {
  readonly event: string;
  /** ARN of the key that changed. */
  readonly id?: string;
  /** Number of the call that a progress event belongs to. */
  readonly call?: number;
  readonly progress?: Progress;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Undefined for whatever is no event. */
export function readEvent(raw: unknown): PushedEvent | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { event, id, call, progress } = raw as Readonly<Record<'event' | 'id' | 'call' | 'progress', unknown>>;
  if (typeof event !== 'string') return undefined;
  const known = typeof progress === 'object' && progress !== null ? (progress as Partial<Progress>) : {};
  const { done, total, unit } = known;
  return {
    event,
    ...(typeof id === 'string' ? { id } : {}),
    ...(isNumber(call) ? { call } : {}),
    ...(isNumber(done) && isNumber(total) && unit !== undefined ? { progress: { done, total, unit } } : {}),
  };
}
