/**
 * When what a secret holds stops working by itself: a certificate, a licence, a token of somebody else's. AWS has no field for it, and the
 * value is sealed, so its owner says it in a tag: `expires`, a date (`2027-01-31`: until its end, in UTC) or an instant (RFC 3339). Pure.
 */

/** Key of the tag. */
export const EXPIRES = 'expires';

const DAY = 24 * 60 * 60 * 1000;
/** How long before it is warned of. Milliseconds. */
export const EXPIRY_NEAR = 7 * DAY;

/** Milliseconds since the epoch; undefined for what is neither a date nor an instant that there is. */
export function expiryIn(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  const [, date = '', time] = match ?? [];
  if (!match) return undefined;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // 31 February is taken by some parsers, and is another day.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return undefined;
  if (time === undefined) return midnight + DAY;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
