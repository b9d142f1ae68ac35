/** The list of keys: its order, and how often it is read while keys keep changing. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coalesced } from '../../../src/renderer/coalesce.ts';
import { finderOf, firstRowsOf, rowsOf } from '../../../src/renderer/keys/rows.ts';

describe('what comes in a burst', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  it('costs one round at once and one for the rest, and nothing is forgotten', async () => {
    const rounds: string[][] = [];
    const note = coalesced<string>(async (items) => {
      rounds.push([...items]);
      await new Promise((done) => setTimeout(done, 50));
    }, 400);
    for (const item of ['a', 'b', 'c', 'b']) note(item);
    expect(rounds).toEqual([['a']]);
    await vi.advanceTimersByTimeAsync(449);
    expect(rounds).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(rounds).toEqual([['a'], ['b', 'c']]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rounds).toHaveLength(2);
    note('d');
    expect(rounds).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('goes on after a round that failed', async () => {
    let rounds = 0;
    const note = coalesced<number>(() => { rounds += 1; return Promise.reject(new Error('no')); }, 10);
    note(1);
    await vi.advanceTimersByTimeAsync(20);
    note(2);
    await vi.advanceTimersByTimeAsync(20);
    expect(rounds).toBe(2);
  });
});

it('names a key by its first alias, and lists named keys by name before the others', () => {
  const key = (KeyId: string) => ({ KeyId, KeyArn: `arn:${KeyId}` });
  const alias = (AliasName: string, TargetKeyId: string) => ({ AliasName, AliasArn: '', TargetKeyId, CreationDate: 0, LastUpdatedDate: 0 });
  const rows = rowsOf([key('0000aaaa-1'), key('k10'), key('k2')], [alias('alias/b10', 'k10'), alias('alias/b2', 'k2'), alias('alias/a', 'k10'), alias('alias/gone', 'k9')]);
  expect(rows.map(({ name, named }) => [name, named])).toEqual([['a', true], ['b2', true], ['0000aaaa', false]]);
  expect(rows[0]).toMatchObject({ id: 'k10', aliases: ['alias/a', 'alias/b10'], text: 'alias/a alias/b10 k10' });
  fc.assert(
    fc.property(fc.uniqueArray(fc.uuid(), { maxLength: 60 }), fc.array(fc.tuple(fc.nat(59), fc.stringMatching(/^[a-z0-9]{1,6}$/)), { maxLength: 90 }), (ids, names) => {
      const found = rowsOf(ids.map(key), names.map(([at, name]) => alias(`alias/${name}`, ids[at] ?? 'gone')));
      expect(found.map(({ id }) => id).sort()).toEqual([...ids].sort());
    }),
  );
});

it('shows first what stands first: named keys by their aliases, the others only once every name is known', () => {
  const keys = ['k1', 'k2', 'k3'].map((id) => ({ KeyId: id, KeyArn: `arn:aws:kms:eu-west-1:318204775610:key/${id}` }));
  const aliases = [{ AliasName: 'alias/b', AliasArn: 'arn:aws:kms:eu-west-1:318204775610:alias/b', TargetKeyId: 'k9', CreationDate: 0, LastUpdatedDate: 0 }, { AliasName: 'alias/a', AliasArn: 'arn:aws:kms:eu-west-1:318204775610:alias/a', TargetKeyId: 'k2', CreationDate: 0, LastUpdatedDate: 0 }];
  expect(firstRowsOf(keys, aliases, false).map(({ id, arn }) => [id, arn])).toEqual([['k2', 'arn:aws:kms:eu-west-1:318204775610:key/k2'], ['k9', 'arn:aws:kms:eu-west-1:318204775610:key/k9']]);
  expect(firstRowsOf(keys, aliases, true).map(({ id }) => id)).toEqual(['k2', 'k9', 'k1', 'k3']);
});

it('finds what a search from the start would find, whatever was typed before', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[abc]{1,5}$/), { maxLength: 40 }), fc.array(fc.stringMatching(/^[abc]{0,4}$/), { maxLength: 12 }), (names, typed) => {
      const rows = rowsOf(names.map((name, i) => ({ KeyId: `${name}-${String(i)}`, KeyArn: '' })), []);
      const find = finderOf(rows, ({ text }) => text);
      for (const wanted of typed) expect(find(wanted)).toEqual(rows.filter(({ text }) => text.includes(wanted)));
    }),
  );
});
