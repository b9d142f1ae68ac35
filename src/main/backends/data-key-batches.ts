/**
 * Data keys that are asked for in one turn of the event loop, of one key, made in one call of the sealer: each is as fresh and as bound to its context as if it were
 * asked for alone, and a frame goes each way in place of one for each. Where the call fails, each is asked for by itself: nobody fails for another's context.
 */
import { DATA_KEYS_MOST, type EncryptionContext } from '../seal/protocol.ts';

export interface DataKey {
  readonly plaintext: Uint8Array;
  readonly ciphertext: Uint8Array;
}

interface Waiting {
  readonly context: EncryptionContext;
  resolve(made: DataKey | Promise<DataKey>): void;
}

/** `make`: as many as there are contexts, in their order. Returns who asks for one; `group` names key, material and length, and `make` is its own. */
export function createDataKeyBatches(): (group: string, context: EncryptionContext, make: (contexts: readonly EncryptionContext[]) => Promise<readonly DataKey[]>) => Promise<DataKey> {
  const groups = new Map<string, Waiting[]>();

  return (group, context, make) => {
    const alone = async (one: EncryptionContext): Promise<DataKey> => {
      const [made] = await make([one]);
      if (!made) throw new Error('no data key was made');
      return made;
    };
    const together = async (some: readonly Waiting[]): Promise<void> => {
      const made = some.length > 1 ? await make(some.map((one) => one.context)).catch(() => undefined) : undefined;
      some.forEach((one, at) => { one.resolve(made?.[at] ?? alone(one.context)); });
    };
    return new Promise((resolve) => {
      const waiting = groups.get(group);
      if (waiting) {
        waiting.push({ context, resolve });
        return;
      }
      const first: Waiting[] = [{ context, resolve }];
      groups.set(group, first);
      // nextTick runs after the microtasks of this turn, and so gathers all that were asked for in it.
      process.nextTick(() => {
        groups.delete(group);
        for (let at = 0; at < first.length; at += DATA_KEYS_MOST) void together(first.slice(at, at + DATA_KEYS_MOST));
      });
    });
  };
}
