/** `keystead secret import` against made-up answers: which pages it asks for, and what it says when it was cancelled. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFake, error, type Fake, type Handlers, type Input } from './fake-vault.ts';

const ROWS = 700;
let fake: Fake;
beforeEach(() => {
  fake = createFake();
  writeFileSync(join(fake.home, 'many.env'), 'A=1');
});
afterEach(() => fake.close());

const handlers = (importSecrets: Handlers['secretsmanager:ImportSecrets']): Handlers => ({
  'secretsmanager:OpenImport': () => ({ ImportId: '6a3c1f0e-8f2b-4c55-9d3e-2f1a0b9c8d7e', Format: 'dotenv', Layouts: ['each'], Entries: 1, Fields: ROWS, SuggestedName: 'many', Notes: [] }),
  'secretsmanager:PreviewImport': ({ From: from, MaxResults: most }) => ({
    Preview: 4,
    Total: ROWS,
    Counts: { New: ROWS, Same: 0, Different: 0, Duplicate: 0, Deleting: 0, Refused: 0 },
    Rows: Array.from({ length: Math.min(Number(most), ROWS - Number(from)) }, (_, at) => ({ Row: Number(from) + at, Name: `app/${String(Number(from) + at)}`, Source: '', State: 'New', Fields: [], FieldCount: 1, Repeated: [] })),
  }),
  'secretsmanager:CloseImport': () => ({}),
  ...(importSecrets ? { 'secretsmanager:ImportSecrets': importSecrets } : {}),
});
const answer = ({ Rows: rows }: Input) => ({ Results: (rows as readonly { readonly Row: number }[]).map(({ Row }) => ({ Row, ARN: 'arn', Name: 'name', Outcome: 'Created' })) });
const requests = (): readonly Input[] => fake.seen.filter(({ name }) => name === 'secretsmanager:ImportSecrets').map(({ input }) => input);

it('asks for later pages of the preview that it has seen', async () => {
  await fake.listen(handlers(answer));
  const { out, err } = await fake.run(['secret', 'import', 'many.env', '--yes', '--output', 'json']);
  expect([err.includes('rror'), JSON.parse(out)]).toMatchObject([false, { Created: ROWS, NotImported: 0 }]);
  expect(fake.seen.filter(({ name }) => name === 'secretsmanager:PreviewImport').map(({ input }) => [input['From'], input['Preview']])).toEqual([[undefined, undefined], [500, 4]]);
  expect(requests()).toHaveLength(7);
});

/** Ctrl+C once all requests are under way, of which the first is answered. */
async function cancelled(late: NonNullable<Handlers['secretsmanager:ImportSecrets']>): Promise<string> {
  await fake.listen(handlers((input, call) => (requests().length === 1 ? answer(input) : late(input, call))));
  const { code, err } = await fake.run(['secret', 'import', 'many.env', '--yes'], {
    interrupt(interrupt) {
      const timer = setInterval(() => {
        if (requests().length < 7) return;
        clearInterval(timer);
        interrupt();
      }, 5);
    },
  });
  expect(code).not.toBe(0);
  return err;
}

it('says how many were imported when the vault has answered everything', async () => {
  const err = await cancelled(async (_input, call) => {
    await call.cancelled;
    throw error('CancelledException', 'the request was cancelled');
  });
  expect(err).toContain('cancelled; 100 secrets of 700 were imported, the same command imports the rest');
  expect(err).not.toContain('trail events');
});

it('says at least how many were, and where to look, when an answer is missing', async () => {
  const err = await cancelled(async ({ Rows: rows }, call) => {
    await call.cancelled;
    // One is never answered.
    if (JSON.stringify(rows).includes('"Row":650,')) await new Promise(() => undefined);
    throw error('CancelledException', 'the request was cancelled');
  });
  expect(err).toContain('at least 100 secrets of 700 were imported');
  expect(err).toContain('keystead trail events');
});
