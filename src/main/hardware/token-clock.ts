/** A token's own clock, which nothing here goes by: it is shown, and that it is wrong is said. */

/** YYYYMMDDhhmmss and two reserved characters; PKCS #11 v3.0 section 3.2, CK_TOKEN_INFO. */
const UTC = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:00)?$/;
/** Milliseconds. A token's seconds drift, and the answer takes its time. */
const TOLERANCE = 5 * 60_000;

export interface TokenClock {
  readonly state: 'right' | 'off' | 'unreadable';
  /** Milliseconds since the epoch; undefined: it says no time. */
  readonly at?: number;
}

/** `said`: as the token has it. `now`: of this computer, milliseconds since the epoch. */
export function judgeClock(said: string, now: number): TokenClock {
  const [, ...fields] = UTC.exec(said) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map(Number);
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const back = new Date(at);
  // The 31st of February is the 3rd of March to Date.
  const isTime = fields.length > 0 && year >= 100 && back.getUTCMonth() === month - 1 && back.getUTCDate() === day && back.getUTCHours() === hour && back.getUTCMinutes() === minute && back.getUTCSeconds() === second;
  if (!isTime) return { state: 'unreadable' };
  return { state: Math.abs(at - now) <= TOLERANCE ? 'right' : 'off', at };
}
