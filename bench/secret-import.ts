/** A file of secrets as a password manager has them, and its import as the command line does it. */
import { writeFileSync } from 'node:fs';
import { allRows, AT_ONCE, writeConfirmed, type Page } from '../src/shared/api/import-writing.ts';
import type { Caller } from './vault.ts';

export function exported(path: string, first: number, count: number): void {
  const entries = Array.from({ length: count }, (_, at) => [`team-${String((first + at) % 97)}/service-${String(first + at)}`, { username: `user${String(first + at)}`, password: `p${String((first + at) * 7919)}-Zk3hQv1xW7b`, url: 'https://service.example' }]);
  writeFileSync(path, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
}

export interface Took {
  readonly open: number;
  readonly preview: number;
  readonly write: number;
}

/** From the file to the last secret on the disk, every row shown before. Milliseconds. `callers`: as many as write at once, one call at a time each. */
export async function imported(callers: readonly Caller[], Path: string): Promise<Took> {
  const [caller] = callers;
  if (!caller || callers.length < AT_ONCE) throw new Error('too few callers');
  const begun = performance.now();
  const { ImportId } = await caller.call('secretsmanager:OpenImport', { Path });
  const opened = performance.now();
  const input = { ImportId, Layout: 'each', Prefix: 'bench/' };
  const free = [...callers];
  const call = async (name: string, of: Readonly<Record<string, unknown>>): Promise<unknown> => {
    const own = free.pop();
    if (!own) throw new Error('more requests at once than callers');
    const answer = await own.call(name, of);
    free.push(own);
    return answer;
  };
  type Shown = Page<{ readonly Row: number; readonly Name: string }>;
  const first = (await call('secretsmanager:PreviewImport', input)) as Shown & { readonly Counts: { readonly New: number } };
  if (first.Counts.New !== first.Total) throw new Error('not all of them are new');
  const rows = await allRows(first, async (page) => (await call('secretsmanager:PreviewImport', { ...input, ...page })) as Shown);
  const previewed = performance.now();
  await writeConfirmed(rows.map(({ Row, Name }) => ({ Row, Name, Action: 'Create' })), async (some) => void (await call('secretsmanager:ImportSecrets', { ImportId, Preview: first.Preview, Rows: some })));
  const written = performance.now();
  await caller.call('secretsmanager:CloseImport', { ImportId });
  return { open: opened - begun, preview: previewed - opened, write: written - previewed };
}
