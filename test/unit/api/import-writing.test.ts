/** The order in which rows of an import are sent: what may go together does, what may not does not, and nothing is sent twice or after a failure. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WRITERS, laterPages, writeConfirmed, type ConfirmedRow } from '../../../src/shared/api/import-writing.ts';
import { IMPORT_ACTIONS, MOST_IMPORTED } from '../../../src/shared/api/secret-import.ts';

const creates = (count: number): ConfirmedRow[] => Array.from({ length: count }, (_, Row) => ({ Row, Action: 'Create' }));
const pass = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('pages of a preview', () => {
  it.each([[500, 500, []], [500, 501, [500]], [500, 1600, [500, 1000, 1500]], [1, 1002, [1, 501, 1001]], [0, 0, []]])('after %i of %i rows', (shown, total, expected) => {
    expect(laterPages(shown, total)).toEqual(expected);
  });
});

describe('rows of an import', () => {
  it('go once each, in requests that are not too long, whatever is confirmed', async () => {
    const action = fc.constantFrom(...IMPORT_ACTIONS);
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 700 }), fc.infiniteStream(fc.nat({ max: 3 })), async (actions, delays) => {
        const rows = actions.map((Action, Row): ConfirmedRow => ({ Row, Action }));
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
    expect(most).toBe(WRITERS);
  });

  it('stop at the first failure, and say it when nothing is under way any more', async () => {
    let sent = 0;
    let ended = 0;
    const writing = writeConfirmed([...creates(MOST_IMPORTED * 40), { Row: 9999, Action: 'Keep' }], async () => {
      const own = ++sent;
      await pass();
      if (own === 4) throw new Error('the disk is full');
      await pass();
      ended++;
    });
    await expect(writing).rejects.toThrow('the disk is full');
    expect(sent).toBe(1 + WRITERS);
    expect(ended).toBe(sent - 1);
  });

  it('begin no other when the first fails', async () => {
    let sent = 0;
    await expect(writeConfirmed(creates(MOST_IMPORTED * 3), () => { sent++; return Promise.reject(new Error('locked')); })).rejects.toThrow('locked');
    expect(sent).toBe(1);
  });
});
