/**
 * How whoever imports has the rows of a preview written: at most MOST_IMPORTED in a request, as many as its record can name, and several requests at once, so that the vault seals some while others are on their way
 * to the disk. Pure but for `send`. Does not: send anything again; what was answered is on the disk, and the same import again writes the rest.
 */
import { atMostAtOnce } from './at-once.ts';
import { MOST_IMPORTED, MOST_RECORDED, MOST_SHOWN, recordedBytes, type IMPORT_ACTIONS } from './secret-import.ts';

/** Requests at once, pages and writes; more of them waited for the same disk. */
export const AT_ONCE = 8;

export interface ConfirmedRow {
  readonly Row: number;
  readonly Action: (typeof IMPORT_ACTIONS)[number];
}

/** With the name that the preview gave it. */
export interface NamedRow extends ConfirmedRow {
  readonly Name: string;
}

/** What a page of a preview says that the others need. */
export interface Page<Row> {
  readonly Preview: number;
  readonly Total: number;
  readonly Rows: readonly Row[];
}
interface LaterPage {
  readonly From: number;
  readonly Preview: number;
  readonly MaxResults: number;
}

/** Every row of a preview whose first page is there, in order. `ask` is called for the others, several at once; where one rejects, so does this. */
export async function allRows<Row>({ Preview, Total, Rows }: Page<Row>, ask: (page: LaterPage) => Promise<Page<Row>>): Promise<readonly Row[]> {
  const later = Array.from({ length: Math.ceil((Total - Rows.length) / MOST_SHOWN) }, (_, at) => ({ From: Rows.length + at * MOST_SHOWN, Preview, MaxResults: MOST_SHOWN }));
  const pages = await atMostAtOnce(AT_ONCE, later, ask);
  return [...Rows, ...pages.flatMap((page) => page.Rows)];
}

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
  await atMostAtOnce(AT_ONCE, rest, send);
  for (const batch of batches(rows.filter(({ Action }) => Action !== 'Create'))) await send(batch);
}
