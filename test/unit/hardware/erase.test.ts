/** What is deleted with a key store: what was shown and nothing else, named in the trail, and none where not all of it can be seen. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MOST_LISTED } from '../../../src/main/backends/pkcs11/protocol.ts';
import { KEY_STORES, type KeyStoreRecord } from '../../../src/main/hardware/kinds.ts';
import { newTokenKeyId } from '../../../src/main/hardware/token-names.ts';
import { hardwareEraseHandlers } from '../../../src/main/operations/hardware-erase.ts';
import { VaultError, type ErrorCode } from '../../../src/shared/model/errors.ts';
import { instant } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { fakeTokens, type FakeTokens } from '../../fakes/tokens.ts';

const STORE = 'cks-00000000000000000';
const VAULT = 'vault';
const LABELS = [1, 2, 3].map((at) => `00000000-0000-4000-8000-00000000000${String(at)}`);

let tokens: FakeTokens;
let store: KeyStoreRecord | undefined;
let touched: string[];
beforeEach(async () => {
  tokens = fakeTokens(['one']);
  const { place } = tokens.token('one');
  store = { id: STORE, name: 'store', module: place.module.path, serial: place.token.serial, label: 'one', created: instant(0) };
  touched = [];
  await tokens.hardware.login(place, SecretBytes.copy(Buffer.from('1234567')));
  await tokens.hardware.connect(store, [place]);
});
afterEach(async () => {
  await tokens.hardware.end();
  tokens.remove();
});

const idOf = (label: string): string => newTokenKeyId(VAULT, label, '00'.repeat(8));
const make = (label: string): void => { tokens.token('one').objects.set(idOf(label), { kind: 'key', extractable: false, label }); };

async function ask(name: 'hardware:ListKeyStoreObjects' | 'hardware:EraseKeyStore', input: object = {}): Promise<Record<string, unknown>> {
  const acts: (() => unknown)[] = [];
  const rows = { of: ({ table }: { readonly table: string }) => ({ get: async () => (table === KEY_STORES.table ? store : tokens.token('one').place.module), remove: () => { store = undefined; } }), keys: async () => ({ items: [] }) };
  const call = { fail: (code: ErrorCode, message: string) => { throw new VaultError(code, message); }, touched: (uri: string) => { touched.push(uri); } };
  const handler = hardwareEraseHandlers(() => tokens.hardware)[name] as unknown as (input: object, call: object, rights: object) => Promise<Record<string, unknown>>;
  const answer = await handler({ CustomKeyStoreId: STORE, ...input }, call, { reader: rows, writer: rows, vaultId: VAULT, afterwards: (act: () => unknown) => { acts.push(act); } });
  for (const act of acts) await act();
  return answer;
}
const erase = (Digest: unknown) => ask('hardware:EraseKeyStore', { Confirm: 'store', Digest });

it('is what was shown: a key that came, went or took the place of another meanwhile refuses it', async () => {
  const [first = '', second = '', third = ''] = LABELS;
  make(first);
  make(second);
  const { Digest, Objects } = await ask('hardware:ListKeyStoreObjects');
  expect((Objects as readonly unknown[]).length).toBe(2);
  make(third);
  await expect(erase(Digest)).rejects.toMatchObject({ code: 'KMSInvalidStateException', message: expect.stringContaining('3 objects by now') as string });
  tokens.token('one').objects.delete(idOf(second));
  await expect(erase(Digest)).rejects.toMatchObject({ message: expect.stringContaining('2 objects by now') as string });
  expect([store?.id, tokens.token('one').objects.size, touched]).toEqual([STORE, 2, []]);
  tokens.token('one').objects.delete(idOf(third));
  make(second);
  expect(await erase(Digest)).toMatchObject({ Deleted: Objects, Left: [] });
  expect([store, tokens.token('one').objects.size]).toEqual([undefined, 0]);
});

it('is named in the trail by token, label and id', async () => {
  const [first = ''] = LABELS;
  make(first);
  await erase((await ask('hardware:ListKeyStoreObjects'))['Digest']);
  expect(touched).toEqual([`pkcs11:token=one;serial=0;object=${first};id=${idOf(first).replace(/../g, (byte) => `%${byte.toUpperCase()}`)}`]);
});

it('is refused, and not shown, where a token holds more keys than are looked at', async () => {
  const [first = ''] = LABELS;
  make(first);
  const { Digest } = await ask('hardware:ListKeyStoreObjects');
  for (let i = 1; i < MOST_LISTED; i += 1) tokens.token('one').objects.set(`aa${String(i)}`, { kind: 'key', extractable: false });
  await expect(ask('hardware:ListKeyStoreObjects')).rejects.toMatchObject({ message: expect.stringContaining('1000 keys or more') as string });
  await expect(erase(Digest)).rejects.toMatchObject({ message: expect.stringContaining('1000 keys or more') as string });
  expect(tokens.token('one').objects.size).toBe(MOST_LISTED);
});
