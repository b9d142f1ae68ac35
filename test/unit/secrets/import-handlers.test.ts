/** The handlers of an import on a store that answers when it is told to: what is refused before anything is written. */
import { expect, it } from 'vitest';
import { secretImportHandlers } from '../../../src/main/operations/secret-import.ts';
import { ImportStaging } from '../../../src/main/secrets/import-staging.ts';
import { VaultError, type ErrorCode } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

type Handle = (input: object, call: object, rights: object) => Promise<Record<string, unknown>>;
type Handlers = ReturnType<typeof secretImportHandlers>;

/** One that has no name has no value, either. `get`: what the store answers for a name. */
function importing(names: readonly string[], get: (name: string) => Promise<undefined> = () => Promise.resolve(undefined)) {
  let drawn = 0;
  const random = { bytes: (length: number) => new Uint8Array(length).fill(++drawn) };
  const entries = names.map((name, start) => ({ path: [name], fields: [{ name, kind: 'text' as const, start, length: name === '' ? 0 : 1 }] }));
  const read = () => Promise.resolve({ file: { format: 'dotenv' as const, shape: 'fields' as const, notes: [], entries: [{ path: [], fields: entries.flatMap(({ fields }) => fields) }] }, values: SecretBytes.take(new Uint8Array(names.length).fill(65)) });
  const handlers = secretImportHandlers({ random, read, files: {} as never, staging: new ImportStaging(() => () => undefined) });
  const store = { of: () => ({ get }) };
  const rights = { realm: { region: 'us-east-1', account: '111122223333' }, reader: store, writer: store, keys: {}, afterwards: () => undefined };
  const run = (name: keyof Handlers, input: object, signal = new AbortController().signal, progress: () => void = () => undefined): Promise<Record<string, unknown>> => {
    const call = { signal, allows: () => true, progress, touched: () => undefined, fail: (code: ErrorCode, message: string) => { throw new VaultError(code, message); } };
    return Promise.resolve((handlers[name] as unknown as Handle)(input, call, rights));
  };
  const preview = (ImportId: unknown, more: object = {}): Promise<Record<string, unknown>> => run('secretsmanager:PreviewImport', { ImportId, Layout: 'each', Prefix: '', From: 0, MaxResults: 500, ...more });
  const open = async (): Promise<unknown> => (await run('secretsmanager:OpenImport', { Content: SecretBytes.take(new Uint8Array(1)) }))['ImportId'];
  return { run, preview, open };
}

it('writes no more rows at once than the record of the request can name', async () => {
  let asked = 0;
  const { run, preview, open } = importing(Array.from({ length: 100 }, (_, at) => `${'n'.repeat(97)}${String(at).padStart(3, '0')}`), () => {
    asked++;
    return Promise.resolve(undefined);
  });
  const ImportId = await open();
  const { Preview, Total } = await preview(ImportId);
  expect(Total).toBe(100);
  const before = asked;
  const rows = (count: number) => ({ ImportId, Preview, Rows: Array.from({ length: count }, (_, Row) => ({ Row, Action: 'Replace' })) });
  await expect(run('secretsmanager:ImportSecrets', rows(77))).rejects.toMatchObject({ code: 'ValidationException', message: expect.stringContaining('fewer rows') as string });
  expect(asked).toBe(before);
  // 76 of them fit, and get as far as the store.
  await run('secretsmanager:ImportSecrets', rows(76)).catch(() => undefined);
  expect(asked).toBeGreaterThan(before);
});

it('numbers previews when they begin, and imports the one that began last, whichever is done last', async () => {
  const waiting: { readonly name: string; answer(): void }[] = [];
  const { run, preview, open } = importing(['a'], (name) => new Promise((resolve) => waiting.push({ name, answer: () => { resolve(undefined); } })));
  const ImportId = await open();
  const [first, second] = [preview(ImportId, { Prefix: 'first/' }), preview(ImportId, { Prefix: 'second/' })];
  expect(waiting.map(({ name }) => name)).toEqual(['first/a', 'second/a']);
  waiting[1]?.answer();
  const { Preview: later } = await second;
  waiting[0]?.answer();
  const { Preview: earlier } = await first;
  expect(later).toBeGreaterThan(Number(earlier));
  await expect(run('secretsmanager:ImportSecrets', { ImportId, Preview: earlier, Rows: [{ Row: 0, Action: 'Create' }] })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  const asked = waiting.length;
  void run('secretsmanager:ImportSecrets', { ImportId, Preview: later, Rows: [{ Row: 0, Action: 'Create' }] }).catch(() => undefined);
  expect(waiting.slice(asked).map(({ name }) => name)).toEqual(['second/a']);
});

it('shows later pages of the preview that they name, or none', async () => {
  const { preview, open } = importing(['a', 'b', 'c']);
  const ImportId = await open();
  const { Preview } = await preview(ImportId, { MaxResults: 1 });
  const rest = await preview(ImportId, { From: 1, Preview });
  expect(rest).toMatchObject({ Preview, Total: 3, Rows: [{ Row: 1, Name: 'b' }, { Row: 2, Name: 'c' }] });
  await expect(preview(ImportId, { From: 1 })).rejects.toMatchObject({ code: 'ValidationException' });
  await expect(preview(ImportId, { Preview })).rejects.toMatchObject({ code: 'ValidationException' });
  const again = await preview(ImportId, { Prefix: 'other/', MaxResults: 1 });
  await expect(preview(ImportId, { From: 1, Preview })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  expect(await preview(ImportId, { From: 1, Preview: again['Preview'] })).toMatchObject({ Rows: [{ Name: 'other/b' }, { Name: 'other/c' }] });
});

it('fails whole when it is cancelled: before it looks at the next row, and after the last', async () => {
  const controller = new AbortController();
  const asked: string[] = [];
  const names = ['a', 'b', 'c'];
  const { run, preview, open } = importing(names, (name) => {
    asked.push(name);
    if (asked.length === names.length + 1) controller.abort();
    return Promise.resolve(undefined);
  });
  const ImportId = await open();
  const { Preview } = await preview(ImportId);
  const rows = (Action: string, count: number) => ({ ImportId, Preview, Rows: Array.from({ length: count }, (_, Row) => ({ Row, Action })) });
  await expect(run('secretsmanager:ImportSecrets', rows('Create', 3), controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
});

it('fails whole when it is cancelled after its last row', async () => {
  const { run, preview, open } = importing(['']);
  const ImportId = await open();
  const { Preview, Rows } = await preview(ImportId);
  expect(Rows).toMatchObject([{ Refusal: 'Empty' }]);
  const request = { ImportId, Preview, Rows: [{ Row: 0, Action: 'Create' }] };
  expect(await run('secretsmanager:ImportSecrets', request)).toMatchObject({ Results: [{ Outcome: 'Conflict' }] });
  const controller = new AbortController();
  await expect(run('secretsmanager:ImportSecrets', request, controller.signal, () => { controller.abort(); })).rejects.toMatchObject({ name: 'AbortError' });
});
