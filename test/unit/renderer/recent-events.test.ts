// @vitest-environment happy-dom
/** The latest records of a key that is shown: read anew after a use, and each minute while somebody is there. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render } from '@testing-library/react';
import { createElement } from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startAttending } from '../../../src/renderer/attended.ts';
import { refreshKey, refreshUse, useLastUsage, useRecentEvents } from '../../../src/renderer/keys/data.ts';

const asked: string[] = [];
const count = (operation: string): number => asked.filter((one) => one === operation).length;
const OUTPUTS: Readonly<Record<string, object>> = {
  'trail:LookupEvents': { Events: [] },
  'kms:GetKeyLastUsage': { KeyId: 'arn', KeyLastUsage: {}, TrackingStartDate: 1, KeyCreationDate: 1 },
};
const pass = (ms: number): Promise<void> => act(async () => { await vi.advanceTimersByTimeAsync(ms); });

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.stubGlobal('keystead', { invoke: (operation: string) => { asked.push(operation); return Promise.resolve({ ok: true, requestId: 'r', output: OUTPUTS[operation] }); } });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function Shown(): null {
  useRecentEvents();
  useLastUsage('k');
  return null;
}
function shown(): QueryClient {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY, networkMode: 'always' } } });
  render(createElement(QueryClientProvider, { client: queries }, createElement(Shown)));
  return queries;
}

it('are read anew after the key was used here, with when it was last used', async () => {
  const queries = shown();
  await pass(1);
  expect([count('trail:LookupEvents'), count('kms:GetKeyLastUsage')]).toEqual([1, 1]);
  await act(() => refreshUse(queries, 'k'));
  expect([count('trail:LookupEvents'), count('kms:GetKeyLastUsage')]).toEqual([2, 2]);
});

it('are read anew after the key was changed here', async () => {
  const queries = shown();
  await pass(1);
  await act(() => refreshKey(queries, 'k'));
  expect(count('trail:LookupEvents')).toBe(2);
});

it('are read each minute while somebody is there, and never by a window that was left open: a request keeps the vault from locking', async () => {
  startAttending();
  shown();
  await pass(50_000);
  window.dispatchEvent(new Event('pointermove'));
  await pass(11_000);
  expect(count('trail:LookupEvents')).toBe(2);
  await pass(60 * 60_000);
  expect(count('trail:LookupEvents')).toBe(2);
  window.dispatchEvent(new Event('keydown'));
  await pass(60_000);
  expect(count('trail:LookupEvents')).toBe(3);
});
