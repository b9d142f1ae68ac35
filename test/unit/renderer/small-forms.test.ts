// @vitest-environment happy-dom
/** Small dialogs: what is sent twice is asked once, a refusal can be tried again, and an undo that is refused is said. */
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act, cleanup, fireEvent, render, type RenderResult } from '@testing-library/react';
import { createElement, type ComponentType } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AddAlias, EditDescription } from '../../../src/renderer/keys/edit-key.tsx';
import { AddTag, Replicate } from '../../../src/renderer/keys/key-places.tsx';
import { ToastHost } from '../../../src/renderer/parts/toast.tsx';
import { restoreSecret, useRestoring } from '../../../src/renderer/secrets/data.ts';
import { DeleteSecret, DescribeSecret } from '../../../src/renderer/secrets/edit-secret.tsx';

const asked: string[] = [];
const count = (operation: string): number => asked.filter((one) => one === operation).length;
const ok = (output: object) => ({ ok: true, requestId: 'r', output });
const refused = { ok: false, requestId: 'r', error: { code: 'ThrottlingException', message: 'too many at once; try again' } };
/** Of what is not answered at once. */
let settle: (answer: object) => void = () => undefined;
let answers: Readonly<Record<string, unknown>> = {};
const READS: Readonly<Record<string, object>> = { 'kms:ListKeys': { Keys: [] }, 'kms:ListAliases': { Aliases: [] }, 'kms:DescribeKey': { KeyMetadata: { Description: '' } }, 'secretsmanager:DescribeSecret': { Name: 's', Tags: [] } };
const turn = (): Promise<void> => act(async () => { await new Promise((done) => { setTimeout(done, 0); }); });

beforeEach(() => {
  asked.length = 0;
  answers = {};
  vi.stubGlobal('keystead', {
    invoke(operation: string) {
      asked.push(operation);
      if (operation in answers) return Promise.resolve(answers[operation]);
      return READS[operation] ? Promise.resolve(ok(READS[operation])) : new Promise((resolve) => { settle = resolve; });
    },
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const newQueries = (): QueryClient => new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });
async function shown(content: ComponentType, queries = newQueries()): Promise<RenderResult> {
  const root = createRootRoute();
  const routes = ['/', '/secrets'].map((path) => createRoute({ getParentRoute: () => root, path, component: () => createElement('p', {}, `at ${path}`) }));
  const router = createRouter({ routeTree: root.addChildren(routes), history: createMemoryHistory(), InnerWrap: ({ children }) => createElement(QueryClientProvider, { client: queries }, createElement(ToastHost, { children: [createElement(content, { key: 'content' }), children] })) });
  const view = render(createElement(RouterProvider, { router: router as never }));
  await turn();
  return view;
}

const onClose = vi.fn();
const key = { keyId: 'k', onClose };
const FORMS = [
  ['describes a key', () => createElement(EditDescription, key), 'kms:UpdateKeyDescription', undefined],
  ['gives an alias', () => createElement(AddAlias, key), 'kms:CreateAlias', 'Alias'],
  ['gives a tag', () => createElement(AddTag, key), 'kms:TagResource', 'Tag'],
  ['replicates', () => createElement(Replicate, key), 'kms:ReplicateKey', 'Region'],
  ['describes a secret', () => createElement(DescribeSecret, { name: 's', onClose }), 'secretsmanager:UpdateSecret', undefined],
  ['deletes a secret', () => createElement(DeleteSecret, { name: 's', onClose }), 'secretsmanager:DeleteSecret', undefined],
] as const;

describe('a form that is sent twice', () => {
  it.each(FORMS)('%s once, says a refusal, and can be sent again', async (_what, content, operation, field) => {
    onClose.mockClear();
    const view = await shown(content);
    if (field !== undefined) fireEvent.input(view.getByLabelText(field), { target: { value: 'name' } });
    const form = view.container.querySelector('form')!;
    const send = (): Promise<void> => { act(() => { fireEvent.submit(form); }); return turn(); };
    await send();
    await send();
    expect(count(operation)).toBe(1);
    expect(form.querySelector('button[type=submit]')!.matches('[aria-disabled=true], :disabled')).toBe(true);
    settle(refused);
    await turn();
    expect(view.getByRole('alert', { hidden: true }).textContent).toContain('ThrottlingException');
    await send();
    expect(count(operation)).toBe(2);
    expect(onClose).not.toHaveBeenCalled();
    settle(ok({}));
    await turn();
    await turn();
    expect(onClose).toHaveBeenCalledOnce();
  });
});

it('says on the secret’s page why the undo of its deletion was refused', async () => {
  answers = { 'secretsmanager:DeleteSecret': ok({}), 'secretsmanager:RestoreSecret': refused };
  function Both() {
    const { failed } = useRestoring('s');
    return createElement('div', {}, createElement(DeleteSecret, { name: 's', onClose }), createElement('output', {}, failed?.code));
  }
  const view = await shown(Both);
  act(() => { fireEvent.submit(view.container.querySelector('form')!); });
  await turn();
  fireEvent.click(view.getByText('Undo'));
  await turn();
  await turn();
  expect(view.container.querySelector('output')!.textContent).toBe('ThrottlingException');
  expect(view.getByText('at /secrets')).toBeTruthy();
});

it('restores once, and keeps nothing of it after a lock', async () => {
  const queries = newQueries();
  let of = queries;
  await shown(() => { of = useQueryClient(); return null; }, queries);
  const first = restoreSecret(of, 's');
  expect(await restoreSecret(of, 's')).toBeUndefined();
  queries.clear();
  settle(refused);
  expect(await first).toBe(false);
  expect(queries.getQueryCache().getAll()).toEqual([]);
});
