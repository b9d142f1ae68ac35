/** The handlers of an import on a store that answers when it is told to: what is refused before anything is written. */
import { expect, it } from 'vitest';
import { secretImportHandlers } from '../../../src/main/operations/secret-import.ts';
import { ImportStaging } from '../../../src/main/secrets/import-staging.ts';
import { VaultError, type ErrorCode } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

type Handle = (input: object, call: object, rights: object) => Promise<Record<string, unknown>>;
type Handlers = ReturnType<typeof secretImportHandlers>;

/** `get`: what the store answers for a name. */
function importing(names: readonly string[], get: (name: string) => Promise<undefined> = () => Promise.resolve(undefined)) {
  let drawn = 0;
  const random = { bytes: (length: number) => new Uint8Array(length).fill(++drawn) };
  const entries = names.map((name, start) => ({ path: [name], fields: [{ name, kind: 'text' as const, start, length: 1 }] }));
  const read = () => Promise.resolve({ file: { format: 'dotenv' as const, shape: 'fields' as const, notes: [], entries: [{ path: [], fields: entries.flatMap(({ fields }) => fields) }] }, values: SecretBytes.take(new Uint8Array(names.length).fill(65)) });
  const handlers = secretImportHandlers({ random, read, files: {} as never, staging: new ImportStaging(() => () => undefined) });
  const store = { of: () => ({ get }) };
  const rights = { realm: { region: 'us-east-1', account: '111122223333' }, reader: store, writer: store, keys: {}, afterwards: () => undefined };
  const run = (name: keyof Handlers, input: object, signal = new AbortController().signal): Promise<Record<string, unknown>> => {
    const call = { signal, allows: () => true, progress: () => undefined, touched: () => undefined, fail: (code: ErrorCode, message: string) => { throw new VaultError(code, message); } };
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
