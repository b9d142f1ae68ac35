// @vitest-environment happy-dom
/** The encryption context as it is typed: the keyboard goes where the row is, and what does not read as a context is not left out in silence. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, type RenderResult } from '@testing-library/react';
import { createElement, useState, type ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { contextProblem, ContextRows, type ContextRow } from '../../../src/renderer/use/context-rows.tsx';
import { FileForm } from '../../../src/renderer/use/file-form.tsx';
import { UsePanel } from '../../../src/renderer/use/use-panel.tsx';

const ID = '00000000-0000-4000-8000-000000000001';
const KEY = { KeyId: ID, Arn: `arn:aws:kms:us-east-1:111122223333:key/${ID}`, KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled', KeyManager: 'CUSTOMER', Origin: 'AWS_KMS', Description: '', CreationDate: 0 };
const READS: Readonly<Record<string, object>> = { 'kms:ListKeys': { Keys: [{ KeyId: ID, KeyArn: KEY.Arn }] }, 'kms:ListAliases': { Aliases: [] }, 'kms:DescribeKey': { KeyMetadata: KEY } };
const asked: string[] = [];
let settle: (answer: object) => void = () => undefined;
const turn = (): Promise<void> => act(async () => { await new Promise((done) => { setTimeout(done, 0); }); });

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('keystead', {
    invoke(operation: string) {
      const read = READS[operation];
      if (read) return Promise.resolve({ ok: true, requestId: 'r', output: read });
      asked.push(operation);
      return new Promise((resolve) => { settle = resolve; });
    },
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function shown(content: ReactNode): Promise<RenderResult> {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });
  const view = render(createElement(QueryClientProvider, { client: queries }, content));
  await turn();
  await turn();
  return view;
}
const named = (): string | null | undefined => document.activeElement?.getAttribute('aria-label');

describe('what is a context', () => {
  it.each<[readonly ContextRow[], string | undefined]>([
    [[], undefined],
    [[['', '']], undefined],
    [[['order', '17'], ['', '']], undefined],
    [[['order', '']], undefined],
    [[['', '17']], 'a value and no name'],
    [[['order', '17'], ['shop', 'x'], ['order', '18']], '“order” is there twice'],
  ])('%j', (rows, said) => {
    if (said === undefined) expect(contextProblem(rows)).toBeUndefined();
    else expect(contextProblem(rows)).toContain(said);
  });
});

it('takes the keyboard into the row that came, and back to the button once it went', async () => {
  function Rows() {
    const [rows, setRows] = useState<readonly ContextRow[]>([]);
    return createElement(ContextRows, { rows, onChange: setRows });
  }
  const view = await shown(createElement(Rows));
  act(() => { fireEvent.click(view.getByText('Add a context')); });
  expect(named()).toBe('Name 1');
  act(() => { fireEvent.click(view.getByText('Add a row')); });
  expect(named()).toBe('Name 2');
  act(() => { fireEvent.click(view.getByLabelText('Remove row 1')); });
  expect(document.activeElement?.textContent).toBe('Add a row');
});

const FORMS = [
  ['encrypts nothing', createElement(UsePanel, { keyId: ID, first: 'encrypt', onClose: () => undefined }), 'Plaintext', 'kms:Encrypt'],
  ['encrypts no file', createElement(FileForm, { keyId: ID, reference: ID, onBusy: () => undefined }), 'File', 'file:Encrypt'],
] as const;
it.each(FORMS)('%s under less than the context that was typed', async (_what, content, field, operation) => {
  const view = await shown(content);
  const type = (label: string, text: string): void => { act(() => { fireEvent.input(view.getByLabelText(label, { exact: true }), { target: { value: text } }); }); };
  const send = (): Promise<void> => { act(() => { fireEvent.submit(view.container.querySelector('form')!); }); return turn(); };
  type(field, '/home/you/note');
  act(() => { fireEvent.click(view.getByText('Add a context')); });
  type('Value 1', '17');
  await send();
  expect(asked).toEqual([]);
  expect(view.getByRole('alert', { hidden: true }).textContent).toContain('a value and no name');
  type('Name 1', 'order');
  expect(view.queryByRole('alert', { hidden: true })).toBeNull();
  await send();
  expect(asked).toEqual([operation]);
});

it('gives the keyboard back once a file’s work was cancelled', async () => {
  const view = await shown(createElement(FileForm, { keyId: ID, reference: ID, onBusy: () => undefined }));
  act(() => { fireEvent.input(view.getByLabelText('File', { exact: true }), { target: { value: '/home/you/note' } }); });
  view.getByText('Encrypt the file').focus();
  act(() => { fireEvent.submit(view.container.querySelector('form')!); });
  await turn();
  expect(document.activeElement?.textContent).toBe('Cancel');
  settle({ ok: false, requestId: 'r', error: { code: 'CancelledException', message: 'cancelled' } });
  await turn();
  expect(document.activeElement?.textContent).toBe('Encrypt the file');
});
