/** A file of secrets as a password manager has them, and its import as the command line does it. */
import { writeFileSync } from 'node:fs';
import { laterPages, writeConfirmed, WRITERS } from '../src/shared/api/import-writing.ts';
import { MOST_SHOWN } from '../src/shared/api/secret-import.ts';
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
  if (!caller || callers.length < WRITERS) throw new Error('too few callers');
  const begun = performance.now();
  const { ImportId } = await caller.call('secretsmanager:OpenImport', { Path });
  const opened = performance.now();
  const input = { ImportId, Layout: 'each', Prefix: 'bench/' };
  const { Preview, Total, Counts, Rows } = (await caller.call('secretsmanager:PreviewImport', input)) as { Preview: number; Total: number; Counts: { New: number }; Rows: readonly { readonly Row: number; readonly Name: string }[] };
  if (Counts.New !== Total) throw new Error('not all of them are new');
  const rows = [...Rows];
  const pages = [...laterPages(Rows.length, Total)];
  await Promise.all(callers.map(async (each) => {
    for (let From = pages.shift(); From !== undefined; From = pages.shift()) rows.push(...((await each.call('secretsmanager:PreviewImport', { ...input, From, MaxResults: MOST_SHOWN })) as { Rows: typeof Rows }).Rows);
  }));
  const previewed = performance.now();
  const free = [...callers];
  await writeConfirmed(rows.map(({ Row, Name }) => ({ Row, Name, Action: 'Create' })), async (some) => {
    const own = free.pop();
    if (!own) throw new Error('more requests at once than callers');
    await own.call('secretsmanager:ImportSecrets', { ImportId, Preview, Rows: some });
    free.push(own);
  });
  const written = performance.now();
  await caller.call('secretsmanager:CloseImport', { ImportId });
  return { open: opened - begun, preview: previewed - opened, write: written - previewed };
}
