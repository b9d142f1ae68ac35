/** Rotation schedules: AWS's own examples, what the grammar refuses, and the next window against an oracle that steps hour by hour. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextWindow, nextWindows, parseSchedule } from '../../src/main/secrets/rotation-schedule.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant } from '../../src/shared/model/ids.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string) => instant(Date.parse(`${text}Z`));
const opening = (expression: string, after: string): string => new Date(nextWindow(parseSchedule(expression), { anchor: at(after), after: at(after) }).opens).toISOString().slice(0, 16);
const codeOf = (expression: string, duration?: string): string | undefined => {
  try {
    parseSchedule(expression, duration);
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : 'not a VaultError';
  }
};

describe('a rotation schedule', () => {
  it.each([
    ['rate(4 hours)', '2026-03-10T09:30', '2026-03-10T12:00'],
    ['rate(1 day)', '2026-03-10T09:30', '2026-03-11T00:00'],
    ['rate(10 days)', '2026-03-10T09:30', '2026-03-20T00:00'],
    ['cron(0 8/8 * * ? *)', '2026-03-10T09:30', '2026-03-10T16:00'],
    ['cron(0 4/12 * * ? *)', '2026-03-10T16:00', '2026-03-11T04:00'],
    ['cron(0 8 1/7 * ? *)', '2026-03-10T09:30', '2026-03-15T08:00'],
    ['cron(0 16 L * ? *)', '2028-02-10T09:30', '2028-02-29T16:00'],
    ['cron(0 16 1,15 * ? *)', '2026-03-01T16:00', '2026-03-15T16:00'],
    ['cron(0 0 ? * SUN#1 *)', '2026-03-10T09:30', '2026-04-05T00:00'],
    ['cron(0 0 ? * 6L *)', '2026-03-10T09:30', '2026-03-27T00:00'],
    ['cron(0 0 ? * L *)', '2026-03-10T09:30', '2026-03-14T00:00'],
    ['cron(0 18 ? * MON-FRI *)', '2026-03-13T18:00', '2026-03-16T18:00'],
    ['cron(0 0 1 FEB,aug ? *)', '2026-03-10T09:30', '2026-08-01T00:00'],
    ['cron(0 0 29 2 ? *)', '2097-01-01T00:00', '2104-02-29T00:00'],
  ])('%s after %s opens at %s', (expression, after, expected) => {
    expect(opening(expression, after)).toBe(expected);
  });

  it.each([
    ['rate(3 hours)'], ['rate(0 days)'], ['rate(1000 days)'], ['rate(2 weeks)'], ['rate(1.5 days)'], ['Rate(1 day)'], ['rate(1 day) '],
    ['cron(5 0 * * ? *)'], ['cron(0 0 * * ? 2027)'], ['cron(0 0 * * * *)'], ['cron(0 0 ? * ? *)'], ['cron(0 0 1W * ? *)'], ['cron(0 24 * * ? *)'],
    ['cron(0 0 0 * ? *)'], ['cron(0 0 32 * ? *)'], ['cron(0 0 30 2 ? *)'], ['cron(0 0 ? * 8 *)'], ['cron(0 0 ? * 2#6 *)'], ['cron(0 0 ? * 2#1,3#2 *)'], ['cron(0 9-8 * * ? *)'],
    ['cron(0 0,3 * * ? *)'], ['cron(0 1,22 * * ? *)'], ['cron(0 */0 * * ? *)'], ['cron(0 0 * *)'], ['cron()'], [''], [`cron(${'0 '.repeat(200)})`],
    ['rate(1 day)', '25h'], ['rate(4 hours)', '5h'], ['cron(0 20 * * ? *)', '5h'], ['cron(0 0,6 * * ? *)', '7h'], ['rate(1 day)', '0h'], ['rate(1 day)', '3'],
  ])('refuses %j with %j', (expression, duration?: string) => {
    expect(codeOf(expression, duration)).toBe('InvalidParameterException');
  });

  it.each([
    ['rate(4 hours)', undefined, 1], ['rate(2 days)', undefined, 24], ['rate(2 days)', '3h', 3],
    ['cron(0 20 * * ? *)', undefined, 4], ['cron(0 20 * * ? *)', '4h', 4], ['cron(0 0/6 * * ? *)', undefined, 1],
  ])('%s with %s stays open for %d hours', (expression, duration, hours) => {
    const window = nextWindow(parseSchedule(expression, duration), { anchor: at('2026-03-10T09:30'), after: at('2026-03-10T09:30') });
    expect((window.closes - window.opens) / HOUR).toBe(hours);
  });

  it('meets hostile text with one error', () => {
    const pieces = fc.array(fc.constantFrom('cron(', 'rate(', ')', ' ', '0', '*', '?', ',', '-', '/', '#', 'L', 'W', 'MON', '99', '\0', '\u0660'), { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), pieces, pieces.map((text) => `cron(0 ${text})`)), fc.option(fc.string({ maxLength: 5 }), { nil: undefined }), (expression, duration) => {
        expect([undefined, 'InvalidParameterException']).toContain(codeOf(expression, duration));
      }),
      { numRuns: 3000 },
    );
  });

  it('opens strictly later, on the first hour that the oracle finds', () => {
    const hour = fc.integer({ min: 0, max: 23 });
    const weekday = fc.integer({ min: 1, max: 7 });
    type Ask = { readonly fields: string; readonly day: (date: Date, length: number) => boolean };
    const days: fc.Arbitrary<Ask> = fc.oneof(
      fc.integer({ min: 1, max: 28 }).map((n) => ({ fields: `${String(n)} * ?`, day: (date: Date) => date.getUTCDate() === n })),
      fc.integer({ min: 1, max: 9 }).map((n) => ({ fields: `*/${String(n)} * ?`, day: (date: Date) => (date.getUTCDate() - 1) % n === 0 })),
      fc.constant({ fields: 'L * ?', day: (date: Date, length: number) => date.getUTCDate() === length }),
      weekday.map((n) => ({ fields: `? * ${String(n)}`, day: (date: Date) => date.getUTCDay() === n - 1 })),
      weekday.map((n) => ({ fields: `? * ${String(n)}L`, day: (date: Date, length: number) => date.getUTCDay() === n - 1 && date.getUTCDate() + 7 > length })),
      fc.tuple(weekday, fc.integer({ min: 1, max: 4 })).map(([n, nth]) => ({
        fields: `? * ${String(n)}#${String(nth)}`,
        day: (date: Date) => date.getUTCDay() === n - 1 && date.getUTCDate() > 7 * (nth - 1) && date.getUTCDate() <= 7 * nth,
      })),
    );
    fc.assert(
      fc.property(days, hour, fc.integer({ min: 0, max: 4_000_000_000_000 }), ({ fields, day }, wanted, after) => {
        const found = nextWindow(parseSchedule(`cron(0 ${String(wanted)} ${fields} *)`), { anchor: instant(0), after: instant(after) });
        let oracle = (Math.floor(after / HOUR) + 1) * HOUR;
        const isThen = (): boolean => {
          const date = new Date(oracle);
          return date.getUTCHours() === wanted && day(date, new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate());
        };
        while (!isThen()) oracle += HOUR;
        expect(found.opens).toBe(oracle);
        expect(found.closes).toBeLessThanOrEqual((Math.floor(oracle / DAY) + 1) * DAY);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a rate on its own grid from the anchor, whatever was slept through', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 999 * 24 }), fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.integer({ min: -DAY, max: 4000 * DAY }), (hours, anchor, slept) => {
        const from = { anchor: instant(anchor), after: instant(anchor + slept) };
        const windows = nextWindows(parseSchedule(`rate(${String(hours)} hours)`), from, 3);
        const start = Math.floor(anchor / DAY) * DAY;
        expect(windows.map(({ opens }) => (opens - start) % (hours * HOUR))).toEqual([0, 0, 0]);
        const [first = { opens: 0 }, second = { opens: 0 }] = windows;
        expect(first.opens).toBeGreaterThan(from.after);
        expect(first.opens).toBeGreaterThan(start);
        expect(second.opens - first.opens).toBe(hours * HOUR);
        expect(first.opens - hours * HOUR <= Math.max(from.after, start)).toBe(true);
      }),
    );
  });
});
