/** The keyring's kinds of record beside keys and aliases. */
import { KEY_USES, type KeyUseName } from '../../shared/model/key-uses.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';
import { vouchedKind } from '../store/collection.ts';
import { encodeJson, malformed, readFields } from '../store/strict.ts';

/** A key's last use. */
export interface KeyUse {
  readonly arn: string;
  readonly operation: KeyUseName;
  readonly at: Instant;
  readonly requestId: string;
  /** Index of the use's own record in the trail. */
  readonly event?: number;
}

/** Since when uses are kept at all; one record of this name. */
export const TRACKING = 'tracking';

export type UsageRecord = KeyUse | { readonly arn: typeof TRACKING; readonly at: Instant };

const isUse = (text: unknown): text is KeyUseName => KEY_USES.some((name) => name === text);

export const KEY_USAGE = vouchedKind<UsageRecord>({
  table: 'key_usage',
  schema: 1,
  what: "a key's last use",
  key: ({ arn }) => arn,
  encode: encodeJson,
  decode(_schema, plain) {
    const { arn, at, operation, requestId, event } = readFields('key_usage', plain, ['arn', 'at'], ['operation', 'requestId', 'event']);
    if (typeof arn !== 'string' || !Number.isFinite(at)) throw malformed('key_usage');
    const date = instant(at as number);
    if (arn === TRACKING) return { arn, at: date };
    if (!isUse(operation) || typeof requestId !== 'string' || !(event === undefined || Number.isSafeInteger(event))) throw malformed('key_usage');
    return { arn, at: date, operation, requestId, ...(event === undefined ? {} : { event: event as number }) };
  },
});
