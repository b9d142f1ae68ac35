/** What a join that was cut off has left is looked for by its note, and what the note does not name stays. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stagingOf } from '../../../src/main/backends/pkcs11/protocol.ts';
import { KEY_STORES, type KeyStoreRecord, type TokenRecord, type UnfinishedJoin } from '../../../src/main/hardware/kinds.ts';
import { takeBack, withJoin, withoutJoin, withoutTaken } from '../../../src/main/hardware/unfinished.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { instant } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { fakeTokens, type FakeTokens } from '../../fakes/tokens.ts';

const one: TokenRecord = { module: '/one', serial: '0', label: 'one' };
const two: TokenRecord = { module: '/two', serial: '1', label: 'two' };
const join = (ids: readonly string[], guest = two): UnfinishedJoin => ({ ids, tokens: [one, guest], guest: { ...guest, theirs: ['c1'], held: ['a1'] } });
const STORE: KeyStoreRecord = { id: `cks-${'0'.repeat(17)}`, name: 'n', module: '/one', serial: '0', label: 'one', created: instant(0) };

describe('a row', () => {
  const read = (schema: number, record: object): KeyStoreRecord => KEY_STORES.decode(schema, Buffer.from(JSON.stringify(record)));

  it('of an older schema is read as it was, and one with joins as it was written', () => {
    const cluster = { members: [{ ...one, joined: instant(1), wrapper: 'aa', transport: { id: 'bb', modulus: 'cc', exponent: '03' }, opens: [], lay: false }], mechanism: 1, specs: [], gone: [] };
    for (const [schema, record] of [[1, STORE], [2, { ...STORE, cluster }], [3, { ...STORE, cluster, unfinished: [join(['d1'])] }]] as const) {
      expect(read(schema, record)).toEqual(record);
      expect(read(3, JSON.parse(Buffer.from(KEY_STORES.encode(record)).toString('utf8')) as object)).toEqual(record);
    }
  });

  it('with a join that is none is refused', () => {
    for (const bad of [[], [{ ...join([]) }], [{ ...join(['d1']), more: 1 }], [{ ids: ['zz'], tokens: [] }], {}]) expect(() => read(3, { ...STORE, unfinished: bad })).toThrow(VaultError);
  });
});

describe('a note', () => {
  it('goes when no token may hold anything of the join, and not before', () => {
    const noted = withJoin(STORE, join(['d1', 'd2']));
    const half = withoutTaken(noted, [{ join: 'd1', token: one, removed: [] }]);
    expect([half.unfinished?.[0]?.tokens, withoutTaken(half, [{ join: 'd9', token: two, removed: [] }])]).toEqual([[two], half]);
    expect(withoutTaken(half, [{ join: 'd1', token: two, removed: [] }])).toEqual(STORE);
  });

  it('of an earlier join says nothing more of what its token has as a member', () => {
    const noted = withJoin(withJoin(STORE, join(['d1'])), join(['e1']));
    expect(withoutJoin(noted, join(['e1'])).unfinished).toEqual([{ ids: ['d1'], tokens: [one, two] }]);
    const other = { module: '/three', serial: '2', label: 'three' };
    expect(withoutJoin(noted, join(['f1'], other)).unfinished).toEqual(noted.unfinished);
  });
});

describe('what is taken back', () => {
  let tokens: FakeTokens;
  const at = (label: string) => tokens.token(label).place;
  const nameOf = (label: string): TokenRecord => ({ module: at(label).module.path, ...at(label).token });
  beforeEach(async () => {
    tokens = fakeTokens(['one', 'two']);
    for (const label of ['one', 'two']) {
      await tokens.hardware.login(at(label), SecretBytes.copy(Buffer.from('1234567')));
      for (const id of ['a1', 'a2', stagingOf('a3'), 'a4', 'c1', 'd1', stagingOf('d2'), 'e1']) tokens.token(label).objects.set(id, { kind: 'key', extractable: true });
    }
  });
  afterEach(async () => {
    await tokens.hardware.end();
    tokens.remove();
  });
  const left = (label: string): string[] => [...tokens.token(label).objects.keys()].sort();
  const noted = (): UnfinishedJoin => ({ ids: ['d1', 'd2'], tokens: [nameOf('one'), nameOf('two')], guest: { ...nameOf('two'), theirs: ['c1'], held: ['a1'] } });
  const take = (join: UnfinishedJoin, away?: string, elsewhere = ['a2', 'a3']) => takeBack({ hardware: tokens.hardware, join, elsewhere: (ids) => Promise.resolve(new Set(ids.filter((id) => elsewhere.includes(id)))), keys: ['a1', 'a2', 'a3', 'a4'], others: new Set(['a4']), placeOf: async ({ label }) => (label === away ? undefined : at(label)) });

  it('is its own ids everywhere, and of the token that was to join what came there: no key that it held before, or holds for another key store', async () => {
    const taken = await take(noted());
    expect([left('one'), left('two')]).toEqual([['a1', 'a2', stagingOf('a3'), 'a4', 'c1', 'e1'], ['a1', 'a4', 'e1']]);
    expect(taken.map(({ token, removed }) => [token.label, removed.map(({ id }) => id)])).toEqual([['one', ['d1', 'd2']], ['two', ['d1', 'd2', 'c1', 'a2', 'a3']]]);
  });

  it('is no copy that no member holds any more, of which the note stays', async () => {
    const taken = await take(noted(), undefined, ['a3']);
    expect(left('two')).toEqual(['a1', 'a2', 'a4', 'e1']);
    expect(taken.map(({ token }) => token.label)).toEqual(['one']);
    expect((await take(noted())).map(({ token, removed }) => [token.label, removed.map(({ id }) => id)])).toEqual([['one', []], ['two', ['a2']]]);
  });

  it('is nothing but its own ids of a token that has joined since', async () => {
    const { guest: _, ...own } = noted();
    await take(own);
    expect(left('two')).toEqual(['a1', 'a2', stagingOf('a3'), 'a4', 'c1', 'e1']);
  });

  it('is nothing of a token that is away or does not delete, of which nothing is said', async () => {
    tokens.before(({ call, label }) => (call === 'discard' && label === 'one' ? Promise.reject(new VaultError('KMSInternalException', 'prohibited')) : undefined));
    expect(await take(noted(), 'two')).toEqual([]);
    tokens.before(() => undefined);
    expect((await take(noted())).length).toBe(2);
  });
});
