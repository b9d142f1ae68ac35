/** Data keys that are asked for at once share a call and nothing else. */
import { describe, expect, it } from 'vitest';
import { createDataKeyBatches, type DataKey } from '../../../src/main/backends/data-key-batches.ts';
import { DATA_KEYS_MOST } from '../../../src/main/seal/protocol.ts';
import type { EncryptionContext } from '../../../src/main/seal/protocol.ts';

const keyFor = ({ n }: EncryptionContext): DataKey => ({ plaintext: Buffer.from(`p${String(n)}`), ciphertext: Buffer.from(`c${String(n)}`) });
const text = ({ plaintext, ciphertext }: DataKey): string => Buffer.from(plaintext).toString() + Buffer.from(ciphertext).toString();

function sealer(refuses: (context: EncryptionContext) => boolean = () => false) {
  const calls: number[] = [];
  return {
    calls,
    make: async (contexts: readonly EncryptionContext[]): Promise<readonly DataKey[]> => {
      calls.push(contexts.length);
      await new Promise((resolve) => setImmediate(resolve));
      if (contexts.some(refuses)) throw new Error('no such context');
      return contexts.map(keyFor);
    },
  };
}

describe('data keys', () => {
  it('of one turn are one call, each in its own context', async () => {
    const { calls, make } = sealer();
    const ask = createDataKeyBatches();
    const made = await Promise.all(Array.from({ length: 5 }, async (_, n) => {
      // Those who wait for something first are in the same turn all the same.
      for (let before = 0; before < n; before++) await Promise.resolve();
      return text(await ask('a', { n: String(n) }, make));
    }));
    expect([made, calls]).toEqual([['p0c0', 'p1c1', 'p2c2', 'p3c3', 'p4c4'], [5]]);
    expect([text(await ask('a', { n: '9' }, make)), calls]).toEqual(['p9c9', [5, 1]]);
  });

  it('of different keys are calls of their own', async () => {
    const [one, other] = [sealer(), sealer()];
    const ask = createDataKeyBatches();
    await Promise.all([ask('a', { n: '1' }, one.make), ask('b', { n: '2' }, other.make), ask('a', { n: '3' }, one.make)]);
    expect([one.calls, other.calls]).toEqual([[2], [1]]);
  });

  it('are not too many at once', async () => {
    const { calls, make } = sealer();
    const ask = createDataKeyBatches();
    const made = await Promise.all(Array.from({ length: 2 * DATA_KEYS_MOST + 3 }, (_, n) => ask('a', { n: String(n) }, make)));
    expect(calls).toEqual([DATA_KEYS_MOST, DATA_KEYS_MOST, 3]);
    expect(made.map(text)).toEqual(made.map((_, n) => `p${String(n)}c${String(n)}`));
  });

  it('do not fail for another’s context', async () => {
    const { make } = sealer(({ n }) => n === '2');
    const ask = createDataKeyBatches();
    const made = await Promise.allSettled(Array.from({ length: 4 }, (_, n) => ask('a', { n: String(n) }, make)));
    expect(made.map((one) => (one.status === 'fulfilled' ? text(one.value) : 'failed'))).toEqual(['p0c0', 'p1c1', 'failed', 'p3c3']);
  });
});
