/** `kms:` handlers about when keys were last used. */
import { seconds } from '../../shared/api/operation.ts';
import { instant, keyArn } from '../../shared/model/ids.ts';
import { KEY_USAGE, TRACKING, type KeyUse } from '../keyring/kinds.ts';
import { trackedSince, type UsageTracker } from '../keyring/usage.ts';
import { assertNotAlias } from './kms-keys.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'GetKeyLastUsage' | 'RecordKeyUsage';

/** In one unit of work at most; the rest waits for the next. */
const AT_ONCE = 512;

const lastUse = ({ operation, at, requestId, event }: KeyUse) => ({
  Operation: operation,
  Timestamp: seconds(at),
  KmsRequestId: requestId,
  ...(event === undefined ? {} : { CloudTrailEventId: String(event) }),
});

/** `unlockedAt`: of the vault that is open, in milliseconds. */
export const kmsLastUsageHandlers = (usage: UsageTracker, unlockedAt: () => number): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:GetKeyLastUsage': async (input, call, { reader, realm }) => {
    assertNotAlias(input.KeyId);
    const { keyId, created } = keyOf(call.resource);
    const arn = keyArn(realm, keyId);
    const kept = reader.of(KEY_USAGE);
    const use = usage.last(arn) ?? (await kept.get(arn));
    const began = (await kept.get(TRACKING))?.at ?? instant(unlockedAt());
    return {
      KeyId: arn,
      KeyLastUsage: use && 'operation' in use ? lastUse(use) : {},
      TrackingStartDate: seconds(trackedSince(created, began)),
      KeyCreationDate: seconds(created),
    };
  },

  'kms:RecordKeyUsage': async (_input, _call, { writer, afterwards }) => {
    const waiting = usage.waiting(AT_ONCE);
    const kept = writer.of(KEY_USAGE);
    if (!(await kept.get(TRACKING))) kept.insert({ arn: TRACKING, at: instant(unlockedAt()) });
    for (const use of waiting) {
      if (await kept.get(use.arn)) kept.update(use);
      else kept.insert(use);
    }
    afterwards(() => { usage.written(waiting); });
    return { Keys: waiting.length };
  },
});
