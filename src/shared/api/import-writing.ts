/**
 * How whoever imports has the rows of a preview written: at most MOST_IMPORTED in a request, as many as its record can name, and several requests at once, so that the vault seals some while others are on their way
 * to the disk. Pure but for `send`. Does not: send anything again; what was answered is on the disk, and the same import again writes the rest.
 */
import { MOST_IMPORTED, MOST_RECORDED, MOST_SHOWN, recordedBytes, type IMPORT_ACTIONS } from './secret-import.ts';

/** Requests at once; more of them waited for the same disk. */
export const WRITERS = 8;

export interface ConfirmedRow {
  readonly Row: number;
  readonly Action: (typeof IMPORT_ACTIONS)[number];
}

/** With the name that the preview gave it. */
export interface NamedRow extends ConfirmedRow {
  readonly Name: string;
}

/** Where the pages of a preview begin that come after its first, of `shown` rows: they may be asked for at once. */
export const laterPages = (shown: number, total: number): readonly number[] => Array.from({ length: Math.ceil((total - shown) / MOST_SHOWN) }, (_, at) => shown + at * MOST_SHOWN);

function batches(rows: readonly NamedRow[]): readonly (readonly ConfirmedRow[])[] {
  const made: ConfirmedRow[][] = [];
  let bytes = Infinity;
  for (const { Row, Action, Name } of rows) {
    const own = recordedBytes(Name);
    const last = made.at(-1);
    if (last && last.length < MOST_IMPORTED && bytes + own <= MOST_RECORDED) {
      last.push({ Row, Action });
      bytes += own;
    } else {
      made.push([{ Row, Action }]);
      bytes = own;
    }
  }
  return made;
}

/**
 * Resolves when all were sent and answered. Once a `send` rejects no other begins; when those that are under way have ended, too, it rejects with the first
 * failure. Secrets that are only made have names of their own and go together, but for the first request: what it makes for all of them (the key) or fails
 * with (a full disk) is known before the others begin. What replaces or is kept beside something follows one by one, in the rows' order: there one row can be about another's secret.
 */
export async function writeConfirmed(rows: readonly NamedRow[], send: (rows: readonly ConfirmedRow[]) => Promise<void>): Promise<void> {
  const [first, ...rest] = batches(rows.filter(({ Action }) => Action === 'Create'));
  if (first) await send(first);
  const failures: unknown[] = [];
  const write = async (): Promise<void> => {
    while (failures.length === 0) {
      const batch = rest.shift();
      if (!batch) return;
      await send(batch).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  if (failures.length > 0) throw failures[0];
  for (const batch of batches(rows.filter(({ Action }) => Action !== 'Create'))) await send(batch);
}
