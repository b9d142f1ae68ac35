/** The order in which rows of an import are sent: what may go together does, what may not does not, and nothing is sent twice or after a failure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AT_ONCE, allRows, writeConfirmed, type ConfirmedRow, type NamedRow } from '../../../src/shared/api/import-writing.ts';
import { IMPORT_ACTIONS, MOST_IMPORTED } from '../../../src/shared/api/secret-import.ts';
import { secretArn, type Realm, type SecretName } from '../../../src/shared/model/ids.ts';
import { besideName } from '../../../src/main/secrets/import-plan.ts';
import { decodeRecord, encodeRecord } from '../../../src/main/trail/record.ts';

const creates = (count: number): NamedRow[] => Array.from({ length: count }, (_, Row) => ({ Row, Name: 'app', Action: 'Create' }));
const pass = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('pages of a preview', () => {
  const page = (From: number, most: number, Total: number) => ({ Preview: 7, Total, Rows: Array.from({ length: Math.max(0, Math.min(most, Total - From)) }, (_, at) => From + at) });

  it.each([[500, 500, []], [500, 501, [500]], [500, 1600, [500, 1000, 1500]], [1, 1002, [1, 501, 1001]], [0, 0, []]])('after %i of %i rows', async (shown, total, expected) => {
    const asked: number[] = [];
    const rows = await allRows(page(0, shown, total), ({ From, Preview, MaxResults }) => {
      expect(Preview).toBe(7);
      asked.push(From);
      return Promise.resolve(page(From, MaxResults, total));
    });
    expect(asked).toEqual(expected);
    expect(rows).toEqual(Array.from({ length: total }, (_, at) => at));
  });

  it('are not asked for all at once, and come in order whichever is answered first', async () => {
    let [under, most] = [0, 0];
    const rows = await allRows(page(0, 500, 100_000), async ({ From, MaxResults }) => {
      most = Math.max(most, ++under);
      for (let turns = (From / 500) % 5; turns > 0; turns--) await pass();
      under--;
      return page(From, MaxResults, 100_000);
    });
    expect(most).toBe(AT_ONCE);
    expect(rows.length).toBe(100_000);
    expect(rows.every((row, at) => row === at)).toBe(true);
  });

  it('are not asked for any more when one is refused', async () => {
    let asked = 0;
    await expect(allRows(page(0, 500, 100_000), async () => {
      asked++;
      await pass();
      throw new Error('another preview was made');
    })).rejects.toThrow('another preview');
    expect(asked).toBe(AT_ONCE);
  });
});

describe('rows of an import', () => {
  it('go once each, in requests that are not too long, whatever is confirmed', async () => {
    const action = fc.constantFrom(...IMPORT_ACTIONS);
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 700 }), fc.infiniteStream(fc.nat({ max: 3 })), async (actions, delays) => {
        const rows = actions.map((Action, Row): NamedRow => ({ Row, Name: 'app', Action }));
        const sent: ConfirmedRow[] = [];
        const after: number[] = [];
        let under = 0;
        await writeConfirmed(rows, async (some) => {
          expect(some.length).toBeGreaterThan(0);
          expect(some.length).toBeLessThanOrEqual(MOST_IMPORTED);
          const apart = some.some(({ Action }) => Action !== 'Create');
          if (apart) expect(under).toBe(0);
          under++;
          sent.push(...some);
          if (apart) after.push(...some.map(({ Row }) => Row));
          for (let turns = delays.next().value; turns > 0; turns--) await pass();
          under--;
        });
        expect(new Set(sent.map(({ Row }) => Row)).size).toBe(sent.length);
        expect(sent.length).toBe(rows.length);
        expect(after).toEqual(rows.filter(({ Action }) => Action !== 'Create').map(({ Row }) => Row));
      }),
      { numRuns: 50 },
    );
  });

  it('are so many in a request that its record names every secret whole, and no fewer than can be', async () => {
    const realm = { account: '111122223333', region: 'aa-longest-that-is-thought-of-ab-1' } as Realm;
    const name = fc.oneof(fc.integer({ min: 1, max: 512 }), fc.constant(512), fc.constant(87)).map((length) => 'n'.repeat(length));
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 300, size: 'max' }), fc.constantFrom(...IMPORT_ACTIONS), async (names, Action) => {
        const sent: number[] = [];
        await writeConfirmed(names.map((Name, Row) => ({ Row, Name, Action })), async (rows) => {
          sent.push(rows.length);
          const reasons = rows.map(({ Row, Action: action }) => `touched:${secretArn(realm, (action === 'Keep' ? besideName(names[Row] ?? '', 999) : names[Row]) as SecretName, 'aB3dE6')}`);
          const body = encodeRecord({ time: 1_790_000_000_000, phase: 'outcome', operation: 'secretsmanager:ImportSecrets', requestId: '3f0c2a56-9d1f-4c0e-8a77-0c8d7be2a001', door: 'cli', principal: 'owner', result: 'ok', reasons: ['allowed:owner/everything', ...reasons], epoch: 9_999_999_999, intent: 9_999_999_999 });
          const { reasons: kept, cut } = decodeRecord(body);
          expect([kept?.length, cut]).toEqual([rows.length + 1, undefined]);
        });
        // Two neighbours that would fit one request are not in two.
        expect(sent.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.max(names.length / MOST_IMPORTED, names.reduce((sum, one) => sum + one.length + 100, 0) / 15_360)));
      }),
      { numRuns: 100, examples: [[Array.from({ length: 100 }, () => 'n'.repeat(100)), 'Create']] },
    );
  });

  it('go several requests at once, once the first is answered', async () => {
    const under: (() => void)[] = [];
    let most = 0;
    const done = writeConfirmed(creates(MOST_IMPORTED * 30), () => new Promise((resolve) => {
      under.push(resolve);
      most = Math.max(most, under.length);
    }));
    await pass();
    expect(under.length).toBe(1);
    for (let answered = 0; answered < 30; answered++) {
      under.shift()?.();
      await pass();
    }
    await done;
    expect(most).toBe(AT_ONCE);
  });

  it('stop at the first failure, and say it when nothing is under way any more', async () => {
    let sent = 0;
    let ended = 0;
    const writing = writeConfirmed([...creates(MOST_IMPORTED * 40), { Row: 9999, Name: 'app', Action: 'Keep' }], async () => {
      const own = ++sent;
      await pass();
      if (own === 4) throw new Error('the disk is full');
      await pass();
      ended++;
    });
    await expect(writing).rejects.toThrow('the disk is full');
    expect(sent).toBe(1 + AT_ONCE);
    expect(ended).toBe(sent - 1);
  });

  it('begin no other when the first fails', async () => {
    let sent = 0;
    await expect(writeConfirmed(creates(MOST_IMPORTED * 3), () => { sent++; return Promise.reject(new Error('locked')); })).rejects.toThrow('locked');
    expect(sent).toBe(1);
  });
});
