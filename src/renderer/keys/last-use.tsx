/** When a key was last used and for what, or since when it was not. */
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import type { Output } from '../../shared/api/index.ts';
import { ago, day, exact } from '../format.ts';

export function LastUse({ value, usage, at }: { readonly value: Pick<KeyMetadata, 'CreationDate'>; readonly usage: Output<'kms:GetKeyLastUsage'>; readonly at: number }) {
  const { Timestamp, Operation } = usage.KeyLastUsage;
  if (Timestamp !== undefined) return <span title={exact(Timestamp * 1000)}>{ago(Timestamp * 1000, at)}, {Operation}</span>;
  return <span className="text-fg-2">{usage.TrackingStartDate > value.CreationDate ? `Not since ${day(usage.TrackingStartDate * 1000)}` : 'Never'}</span>;
}
