// @vitest-environment happy-dom
/** Values and passwords in the page: where they are, and that they are gone afterwards. */
import { act, cleanup, fireEvent, render } from '@testing-library/react';
import { createElement, createRef } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecoverySheet } from '../../../src/renderer/gate/recovery-sheet.tsx';
import { PasswordField, type PasswordHandle } from '../../../src/renderer/parts/password-field.tsx';
import { SecretField } from '../../../src/renderer/parts/secret-field.tsx';
import { loadWindow } from '../../../src/renderer/window-state.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
const secretOf = (text: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(text));
const VALUE = 'correct-horse-battery';

describe('a password field', () => {
  it('gives its bytes once and is empty afterwards', () => {
    const ref = createRef<PasswordHandle>();
    const { getByLabelText } = render(createElement(PasswordField, { label: 'Password', ref }));
    const input = getByLabelText('Password') as HTMLInputElement;
    fireEvent.input(input, { target: { value: 'pässword' } });
    const taken = ref.current!.take()!;
    expect(taken.borrow((bytes) => new TextDecoder().decode(bytes))).toBe('pässword');
    expect(input.value).toBe('');
    expect(ref.current!.take()).toBeUndefined();
  });

  it('says Caps Lock, shows on request, and hides again once taken', () => {
    const ref = createRef<PasswordHandle>();
    const { getByLabelText, getByRole, queryByText } = render(createElement(PasswordField, { label: 'Password', ref }));
    const input = getByLabelText('Password') as HTMLInputElement;
    fireEvent.keyDown(input, { key: 'A', modifierCapsLock: true, getModifierState: () => true });
    fireEvent.click(getByRole('button', { name: 'Show password' }));
    expect(input.type).toBe('text');
    fireEvent.input(input, { target: { value: 'x' } });
    act(() => { ref.current!.take(); });
    expect(input.type).toBe('password');
    fireEvent.blur(input);
    expect(queryByText('Caps Lock is on')).toBeNull();
  });
});

describe('a revealed value', () => {
  const shown = () => {
    const secret = secretOf(VALUE);
    return render(createElement(SecretField, { label: 'Plaintext', secret: () => secret }));
  };

  it('is twelve dots and no more until it is revealed', () => {
    const { container } = shown();
    expect(container.innerHTML).not.toContain(VALUE);
    expect(container.textContent).toContain('••••••••••••');
    expect(container.textContent).toContain('Plaintext, hidden');
  });

  it('goes after thirty seconds, or sixty when more time is asked for once', () => {
    const { container, getByRole, queryByRole } = shown();
    fireEvent.click(getByRole('button', { name: 'Reveal' }));
    expect(container.textContent).toContain(VALUE);
    act(() => { vi.advanceTimersByTime(29_000); });
    expect(container.textContent).toContain(VALUE);
    fireEvent.click(getByRole('button', { name: 'More time' }));
    expect(queryByRole('button', { name: 'More time' })).toBeNull();
    act(() => { vi.advanceTimersByTime(29_000); });
    expect(container.textContent).toContain(VALUE);
    act(() => { vi.advanceTimersByTime(2100); });
    expect(container.innerHTML).not.toContain(VALUE);
  });

  it('goes when the window loses the focus, on Hide, and on leaving', () => {
    const { container, getByRole, unmount } = shown();
    const reveal = (): void => { fireEvent.click(getByRole('button', { name: 'Reveal' })); };
    reveal();
    act(() => { window.dispatchEvent(new Event('blur')); });
    expect(container.innerHTML).not.toContain(VALUE);
    reveal();
    fireEvent.click(getByRole('button', { name: 'Hide' }));
    expect(container.innerHTML).not.toContain(VALUE);
    reveal();
    const element = container.querySelector('pre')!;
    unmount();
    expect(element.textContent).toBe('');
  });
});

describe('a copied value', () => {
  it('is handed to the vault\u2019s process, and is nowhere in the page; the button is there with a clipboard alone', async () => {
    vi.useRealTimers();
    const asked: [string, unknown][] = [];
    const output = (operation: string): unknown =>
      operation === 'window:DescribeSettings' ? { Host: 'chromium', Theme: 'dark', ClipboardSeconds: 30, Notifications: true, SingleLetterKeys: true, Copies: true, Picks: false, Notifies: false } : operation === 'window:ClearClipboard' ? { Cleared: true } : { Encoding: 'text', Size: 21, ClearsAt: Date.now() / 1000 + 30 };
    vi.stubGlobal('keystead', {
      invoke(operation: string, input: unknown) {
        asked.push([operation, input]);
        return Promise.resolve({ ok: true, requestId: 'r', output: output(operation) });
      },
    });
    const secret = secretOf(VALUE);
    const { container, queryByRole, findByRole, findByText, queryByText } = render(createElement(SecretField, { label: 'Plaintext', secret: () => secret }));
    expect(queryByRole('button', { name: 'Copy' })).toBeNull();
    await act(loadWindow);
    fireEvent.click(await findByRole('button', { name: 'Copy' }));
    await findByText('Copied, clears in 30 s');
    expect(asked.at(-1)).toEqual(['window:CopyValue', { Value: btoa(VALUE) }]);
    expect(container.innerHTML).not.toContain(VALUE);
    expect(secret.disposed).toBe(false);
    fireEvent.click(await findByRole('button', { name: 'Clear now' }));
    await vi.waitFor(() => { expect(queryByText(/clears in/)).toBeNull(); });
    expect(asked.at(-1)?.[0]).toBe('window:ClearClipboard');
    vi.unstubAllGlobals();
  });
});

describe('a recovery code', () => {
  const CODE = '7KQ2-M4XR-09TB-HZ5C-V8NE-3WJP-D6YA';
  it('is written into the page, taken out for retyping, and counts when two groups are right', () => {
    const onDone = vi.fn();
    const code = secretOf(CODE);
    const { container, getByRole, getAllByRole, queryByRole } = render(createElement(RecoverySheet, { code, vault: 'acme', onDone }));
    expect(Array.from(container.querySelectorAll('b'), (cell) => cell.textContent).join('-')).toBe(CODE);
    fireEvent.click(getByRole('button', { name: /type two groups back/ }));
    expect(container.innerHTML).not.toContain('M4XR');
    const fields = getAllByRole('textbox') as HTMLInputElement[];
    const submit = (): void => { fireEvent.submit(container.querySelector('form')!); };
    fields.forEach((field) => { field.value = 'AAAA'; });
    submit();
    expect(onDone).not.toHaveBeenCalled();
    expect(queryByRole('alert')).not.toBeNull();
    expect(fields.map((field) => field.value)).toEqual(['', '']);
    fields.forEach((field) => { field.value = CODE.split('-')[Number(field.closest('label')!.textContent.replace('Group ', '')) - 1]!.toLowerCase().replace('0', 'o'); });
    submit();
    expect(onDone).toHaveBeenCalledOnce();
  });
});
