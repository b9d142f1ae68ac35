/**
 * When a secret is to be rotated: `rate(…)`, `cron(…)` and the window's length, read and reckoned. Pure; all of it in UTC.
 * Source: AWS Secrets Manager User Guide, "Rotation schedules"; API Reference, RotationRulesType.
 *
 * `W`, and minutes or years other than `0` and `*`, are EventBridge's and not in this grammar. Days and hours are steps of 24 and 1
 * hours: UTC has no summer time.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant } from '../../shared/model/ids.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** "You can rotate a secret as often as every four hours." */
const MIN_HOURS = 4;
const MAX_DAYS = 999;
/** `ScheduleExpression`: 1 to 256 characters. */
const MAX_LENGTH = 256;
/** The calendar with its days of the week repeats after 28 years, and after 40 when a year that divides by 100 is between. */
const HORIZON_DAYS = 40 * 366;
const WEEK = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const;

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}
const HOURS: Field = { name: 'hours', min: 0, max: 23, names: [] };
const MONTH_DAYS: Field = { name: 'day-of-month', min: 1, max: 31, names: [] };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS };
const WEEK_DAYS: Field = { name: 'day-of-week', min: 1, max: 7, names: WEEK };

/** Which days of a month. `month`: 1–31 and the last one; `week`: 1–7 from Sunday, the last such day (`6L`), or the nth (`2#1`). */
type Days =
  | { readonly by: 'month'; readonly days: readonly number[]; readonly last: boolean }
  | { readonly by: 'week'; readonly days: readonly number[] }
  | { readonly by: 'lastOf'; readonly day: number }
  | { readonly by: 'nthOf'; readonly day: number; readonly nth: number };

export type Schedule =
  | { readonly kind: 'hours'; readonly every: number; readonly window: number }
  | { readonly kind: 'days'; readonly every: number; readonly window: number }
  | { readonly kind: 'cron'; readonly hours: readonly number[]; readonly months: readonly number[]; readonly days: Days; readonly window: number | undefined };

/** When the rotation may begin: from `opens` on, before `closes`. */
export interface Window {
  readonly opens: Instant;
  readonly closes: Instant;
}

const refuse = (why: string): VaultError => new VaultError('InvalidParameterException', `${why}; give something like \`rate(10 days)\` or \`cron(0 16 1,15 * ? *)\``);

function numberIn(text: string, { name, min, max, names }: Field): number {
  const named = names.indexOf(text.toUpperCase());
  const value = named >= 0 ? named + min : /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw refuse(`\`${text}\` is not within ${String(min)} to ${String(max)} of the ${name}`);
  return value;
}

/** `*`, a value, `a-b`, each with `/step`; a value with a step runs to the end of the field. */
function valuesOf(text: string, field: Field): readonly number[] {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step, ...more] = part.split('/');
    const [low = '', high, ...rest] = range.split('-');
    if (more.length > 0 || rest.length > 0) throw refuse(`\`${part}\` is not a value, a range or an increment of the ${field.name}`);
    if (step !== undefined && !/^[1-9]\d?$/.test(step)) throw refuse(`the increment of \`${part}\` is not a number from 1 to 99`);
    const from = range === '*' ? field.min : numberIn(low, field);
    const to = high !== undefined ? numberIn(high, field) : range === '*' || step !== undefined ? field.max : from;
    if (to < from) throw refuse(`the range \`${range}\` of the ${field.name} runs backwards`);
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function daysOf(ofMonth: string, ofWeek: string): Days {
  if ((ofMonth === '?') === (ofWeek === '?')) throw refuse('exactly one of day-of-month and day-of-week must be `?`');
  if (ofWeek === '?') {
    const parts = ofMonth.split(',');
    const days = parts.filter((part) => part.toUpperCase() !== 'L');
    return { by: 'month', days: days.length === 0 ? [] : valuesOf(days.join(','), MONTH_DAYS), last: days.length < parts.length };
  }
  const nth = /^([^#]+)#([1-5])$/.exec(ofWeek);
  if (nth) return { by: 'nthOf', day: numberIn(nth[1] ?? '', WEEK_DAYS), nth: Number(nth[2]) };
  // `L` alone: the week's last day.
  if (ofWeek.toUpperCase() === 'L') return { by: 'week', days: [7] };
  const last = /^(\d|[A-Z]{3})L$/i.exec(ofWeek);
  if (last) return { by: 'lastOf', day: numberIn(last[1] ?? '', WEEK_DAYS) };
  return { by: 'week', days: valuesOf(ofWeek, WEEK_DAYS) };
}

/** `midnight`: of the UTC day in question, in milliseconds. */
function isOn(schedule: Schedule & { kind: 'cron' }, midnight: number): boolean {
  const date = new Date(midnight);
  if (!schedule.months.includes(date.getUTCMonth() + 1)) return false;
  const day = date.getUTCDate();
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  const weekday = date.getUTCDay() + 1;
  const { days } = schedule;
  if (days.by === 'month') return days.days.includes(day) || (days.last && day === length);
  if (days.by === 'week') return days.days.includes(weekday);
  if (days.by === 'lastOf') return weekday === days.day && day > length - 7;
  return weekday === days.day && Math.ceil(day / 7) === days.nth;
}

function nextOf(schedule: Schedule & { kind: 'cron' }, after: number): number | undefined {
  const today = Math.floor(after / DAY) * DAY;
  for (let midnight = today; midnight <= today + HORIZON_DAYS * DAY; midnight += DAY) {
    if (!isOn(schedule, midnight)) continue;
    const hour = schedule.hours.find((one) => midnight + one * HOUR > after);
    if (hour !== undefined) return midnight + hour * HOUR;
  }
  return undefined;
}

function hoursOf(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const hours = /^(\d{1,2})h$/.exec(duration)?.[1];
  if (hours === undefined || Number(hours) < 1 || Number(hours) > 24) throw refuse('`Duration` is hours from `1h` to `24h`');
  return Number(hours);
}

function rate(value: number, unit: string, duration: number | undefined): Schedule {
  const kind = unit.startsWith('hour') ? 'hours' : 'days';
  const hours = kind === 'hours' ? value : value * 24;
  if (hours < MIN_HOURS || hours > MAX_DAYS * 24) throw refuse('a secret is rotated every 4 hours at the most and every 999 days at the least');
  const window = duration ?? (kind === 'hours' ? 1 : 24);
  if (window > hours) throw refuse(`a window of ${String(window)} hours runs into the next one`);
  return { kind, every: value, window };
}

function cron(text: string, window: number | undefined): Schedule {
  const [minutes, hours, ofMonth, month, ofWeek, year, ...more] = text.trim().split(/ +/);
  if (hours === undefined || ofMonth === undefined || month === undefined || ofWeek === undefined || year === undefined || more.length > 0) throw refuse('a cron expression has six fields');
  if (minutes !== '0' || year !== '*') throw refuse('the minutes must be `0` and the year `*`');
  const schedule: Schedule = { kind: 'cron', hours: valuesOf(hours, HOURS), months: valuesOf(month, MONTH), days: daysOf(ofMonth, ofWeek), window };
  const gaps = schedule.hours.slice(1).map((hour, at) => hour - (schedule.hours[at] ?? 0));
  const first = schedule.hours[0] ?? 0;
  const last = schedule.hours.at(-1) ?? 0;
  // From one day's last window to the next day's first. Said of every expression, also of one that is never on two days in a row.
  if (Math.min(24, ...gaps, first + 24 - last) < MIN_HOURS) throw refuse('a secret is rotated every 4 hours at the most');
  if (window !== undefined && last + window > 24) throw refuse(`a window of ${String(window)} hours from ${String(last)}:00 on runs into the next UTC day`);
  if (window !== undefined && Math.min(24, ...gaps) < window) throw refuse(`a window of ${String(window)} hours runs into the next one`);
  if (nextOf(schedule, 0) === undefined) throw refuse('this is never the day');
  return schedule;
}

/**
 * `ScheduleExpression` and `Duration` (`3h`). InvalidParameterException when either is not in the grammar, when there is no such day,
 * when it would be more often than every 4 hours, or when the window runs into the next one or, of days, into the next UTC day.
 */
export function parseSchedule(expression: string, duration?: string): Schedule {
  if (expression.length > MAX_LENGTH) throw refuse(`the expression has more than ${String(MAX_LENGTH)} characters`);
  const hours = hoursOf(duration);
  const rated = /^rate\( *([1-9]\d{0,4}) +(hours?|days?) *\)$/.exec(expression);
  if (rated) return rate(Number(rated[1]), rated[2] ?? '', hours);
  const crons = /^cron\(([0-9A-Za-z*?,/#\- ]+)\)$/.exec(expression);
  if (crons) return cron(crons[1] ?? '', hours);
  throw refuse('the schedule is neither `rate(…)` nor `cron(…)`');
}

/**
 * The first window that opens after `after`. `anchor`: the last rotation, or when rotation was turned on; a rate counts from the
 * midnight before it, and windows that went by meanwhile are passed over.
 */
export function nextWindow(schedule: Schedule, { anchor, after }: { readonly anchor: Instant; readonly after: Instant }): Window {
  if (schedule.kind !== 'cron') {
    const step = schedule.every * (schedule.kind === 'hours' ? HOUR : DAY);
    const start = Math.floor(anchor / DAY) * DAY;
    const opens = start + Math.max(1, Math.floor((after - start) / step) + 1) * step;
    return { opens: instant(opens), closes: instant(opens + schedule.window * HOUR) };
  }
  const opens = nextOf(schedule, after);
  if (opens === undefined) throw refuse('this is never the day');
  // By default one hour where it is several times a day, else until the UTC day's end.
  const closes = schedule.window !== undefined ? opens + schedule.window * HOUR : schedule.hours.length > 1 ? opens + HOUR : (Math.floor(opens / DAY) + 1) * DAY;
  return { opens: instant(opens), closes: instant(closes) };
}

/** The next `count` windows, for whoever wants to see them; instants, to be shown in local time. */
export function nextWindows(schedule: Schedule, from: { readonly anchor: Instant; readonly after: Instant }, count: number): readonly Window[] {
  const windows: Window[] = [];
  for (let after = from.after; windows.length < count; ) {
    const window = nextWindow(schedule, { anchor: from.anchor, after });
    windows.push(window);
    after = window.opens;
  }
  return windows;
}
