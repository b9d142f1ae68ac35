// @vitest-environment happy-dom
/** The page's client over `window.keystead`: encoding, progress and cancel by number, and a bridge that breaks. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { client, listenToVault, onEvent, onLost, outputOf, CallFailure, type Bridge } from '../../../src/renderer/client.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

type Answering = (operation: string, input: Readonly<Record<string, unknown>>) => unknown;
const calls: (readonly [operation: string, input: Readonly<Record<string, unknown>>])[] = [];
let answer: Answering = () => undefined;
let push: (event: unknown) => void = () => undefined;

beforeAll(() => {
  const bridge: Bridge = {
    invoke: async (operation, input) => {
      calls.push([operation, input]);
      return answer(operation, input);
    },
    on: (listener) => { push = listener; },
  };
  Object.defineProperty(window, 'keystead', { value: bridge });
  listenToVault();
});
afterEach(() => { answer = () => undefined; });
const ok = (output: object) => ({ ok: true, requestId: 'r', output });

describe('the client', () => {
  it('sends bytes and secrets in base64, wipes the secret, and leaves out what is undefined', async () => {
    answer = () => ok({ CiphertextBlob: 'AQID', KeyId: 'arn', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    const secret = SecretBytes.take(Uint8Array.of(104, 105));
    const output = outputOf(await client.kms.encrypt({ KeyId: 'k', Plaintext: secret }));
    expect(calls.at(-1)).toEqual(['kms:Encrypt', { KeyId: 'k', Plaintext: 'aGk=' }]);
    expect(secret.disposed).toBe(true);
    expect(output.CiphertextBlob).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('keeps a value that comes in as SecretBytes', async () => {
    answer = () => ok({ KeyId: 'arn', Plaintext: 'aGk=', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    const { Plaintext } = outputOf(await client.kms.decrypt({ CiphertextBlob: Uint8Array.of(1) }));
    expect(Plaintext).toBeInstanceOf(SecretBytes);
    expect(JSON.stringify({ Plaintext })).not.toContain('aGk');
  });

  it('gives progress to the call whose number it has, and cancels by that number', async () => {
    let settle: (value: unknown) => void = () => undefined;
    answer = (operation) => (operation === 'call:Cancel' ? ok({}) : new Promise((resolve) => { settle = resolve; }));
    const control = new AbortController();
    const progress = vi.fn();
    const number = calls.length + 1;
    const running = client.trail.verifyTrail({}, { signal: control.signal, progress });
    push({ event: 'progress', call: number, progress: { done: 1, total: 4, unit: 'records' } });
    push({ event: 'progress', call: number + 1, progress: { done: 3, total: 4, unit: 'records' } });
    expect(progress.mock.calls).toEqual([[{ done: 1, total: 4, unit: 'records' }]]);
    control.abort();
    expect(calls.at(-1)).toEqual(['call:Cancel', { Call: number }]);
    settle({ ok: false, requestId: 'r', error: { code: 'CancelledException', message: 'cancelled' } });
    const ended = await running;
    expect(ended.ok).toBe(false);
    expect(() => outputOf(ended)).toThrow(CallFailure);
  });

  it('hands events on, and drops what is none', () => {
    const heard = vi.fn();
    const stop = onEvent(heard);
    push({ event: 'vault.locked' });
    push('vault.locked');
    stop();
    push({ event: 'vault.locked' });
    expect(heard.mock.calls).toEqual([[{ event: 'vault.locked' }]]);
  });

  it('tells that the vault is lost when the bridge rejects, answers nonsense, or cannot reach main', async () => {
    const lost = vi.fn();
    const stop = onLost(lost);
    for (const broken of [() => { throw new Error('gone'); }, () => 'nonsense', () => ({ ok: true }), () => ({ ok: false, requestId: '', error: { code: 'InternalException', message: 'x' } })]) {
      answer = broken;
      expect((await client.vault.status()).ok).toBe(false);
    }
    expect(lost).toHaveBeenCalledTimes(4);
    answer = () => ({ ok: false, requestId: 'r', error: { code: 'VaultLockedException', message: 'x' } });
    expect(await client.vault.status()).toMatchObject({ ok: false, error: { code: 'VaultLockedException' } });
    expect(lost).toHaveBeenCalledTimes(4);
    stop();
  });
});
