// @vitest-environment happy-dom
/** A check of the trail goes on and its result stands while the screen is not shown; a lock ends both. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render } from '@testing-library/react';
import { createElement } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useVerify } from '../../../src/renderer/trail/verify.ts';

const REPORT = { Records: 7, Segments: 1, Unfinished: [] };
const asked: string[] = [];
let settle: (answer: object) => void = () => undefined;
let shown: ReturnType<typeof useVerify>;

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('keystead', {
    invoke(operation: string) {
      asked.push(operation);
      return operation === 'trail:VerifyTrail' ? new Promise((resolve) => { settle = resolve; }) : Promise.resolve({ ok: true, requestId: 'r', output: {} });
    },
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function Screen(): null {
  shown = useVerify();
  return null;
}
function open(queries: QueryClient): () => void {
  return render(createElement(QueryClientProvider, { client: queries }, createElement(Screen))).unmount;
}
/** The cache tells its observers in the next turn. */
const turn = (): Promise<void> => new Promise((done) => { setTimeout(done, 0); });
const verify = (): Promise<void> => act(async () => { void shown.verify(); await turn(); });
const answer = (output: object): Promise<void> => act(async () => { settle({ ok: true, requestId: 'r', output }); await turn(); await turn(); });

it('goes on while the screen is not shown, once', async () => {
  const queries = new QueryClient();
  const leave = open(queries);
  await verify();
  expect(shown.running).toEqual({ done: 0, total: 0 });
  leave();
  open(queries);
  expect(shown.running).toEqual({ done: 0, total: 0 });
  await verify();
  expect(asked).toEqual(['trail:VerifyTrail']);
  await answer(REPORT);
  expect(shown).toMatchObject({ verified: { report: REPORT }, running: undefined, error: undefined });
  await act(async () => { shown.cancel(); await turn(); });
  expect(asked).toEqual(['trail:VerifyTrail']);
});

it('stands until lock, and what is answered afterwards is not kept', async () => {
  const queries = new QueryClient();
  let leave = open(queries);
  await verify();
  await answer(REPORT);
  leave();
  leave = open(queries);
  expect(shown.verified?.report).toEqual(REPORT);
  await verify();
  leave();
  queries.clear();
  await answer({ ...REPORT, Records: 8 });
  open(queries);
  expect(shown).toMatchObject({ verified: undefined, running: undefined });
});
