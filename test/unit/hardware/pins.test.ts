/** Who is given a PIN, how often, and what is erased. */
import { describe, expect, it } from 'vitest';
import type { Cryptoki } from '../../../src/main/backends/pkcs11/cryptoki.ts';
import { createDevice } from '../../../src/main/backends/pkcs11/device.ts';
import { KeptPins } from '../../../src/main/backends/pkcs11/pins.ts';
import type { Hardware, Place } from '../../../src/main/hardware/hardware.ts';
import { KEY_STORES, MODULES } from '../../../src/main/hardware/kinds.ts';
import { clusterIdOf } from '../../../src/main/hardware/token-names.ts';
import { byName } from '../../../src/main/operations/hardware-keys.ts';
import { hardwareHandlers } from '../../../src/main/operations/hardware.ts';
import { kmsKeyStoreHandlers, type Stored } from '../../../src/main/operations/kms-key-stores.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { instant } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const TOKEN = { serial: '1', label: 'one' };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const pin = (text = '123456'): SecretBytes => SecretBytes.copy(bytes(text));

/** A vault with these modules, each with tokens or an error; `asked` is who was. */
function setUp(modules: Readonly<Record<string, readonly (typeof TOKEN)[] | VaultError>>, { stores = [] as readonly string[], logins = [] as readonly string[] } = {}) {
  const asked = new Set<string>();
  const given: string[] = [];
  const records = Object.keys(modules).map((path) => ({ path, sha256: '0'.repeat(64), added: instant(0) }));
  const keyStores = stores.map((module, at) => ({ id: `cks-${String(at).padStart(17, '0')}`, name: module, module, ...TOKEN, created: instant(0) }));
  const written: unknown[] = [];
  const collection = (kind: unknown) => {
    const all = kind === MODULES ? records.map((one) => [one.path, one] as const) : kind === KEY_STORES ? keyStores.map((one) => [one.id, one] as const) : [];
    return { entries: async () => new Map<string, unknown>(all as never), get: async (key: string) => new Map<string, unknown>(all as never).get(key), insert: (one: unknown) => written.push(one) };
  };
  const hardware = {
    async logins() { return logins.map((path) => ({ path, token: TOKEN })); },
    async tokens({ path }: { readonly path: string }) {
      asked.add(path);
      const has = modules[path];
      if (has instanceof VaultError) throw has;
      return (has ?? []).map((token) => ({ ...token, slot: '01', initialized: true }));
    },
    async login({ module }: Place) { given.push(module.path); },
    async ask({ module }: Place, name: string) {
      given.push(`${name} ${module.path}`);
      return { reply: TOKEN, parts: [] };
    },
    async initToken({ path }: { readonly path: string }) {
      given.push(`initToken ${path}`);
      return TOKEN;
    },
  } as unknown as Hardware;
  const reader = { of: collection } as unknown as Stored;
  return { hardware, reader, asked, given, written };
}
/** Nothing is sealed here. */
const unsealed = (): Promise<never> => Promise.reject(new Error('asked for a sealed PIN'));
const noJoins = { begin: unsealed, takeBack: unsealed };
const broken = new VaultError('ModuleRefusedException', 'module `b` crashed');

describe('a token that is to be given a PIN', () => {
  it('is looked for in the module alone that a key store or a login names', async () => {
    for (const named of [{ stores: ['a'] }, { logins: ['a'] }]) {
      const { hardware, reader, asked } = setUp({ a: [TOKEN], b: [TOKEN] }, named);
      expect((await byName(hardware, reader, '1', undefined, { forPin: true })).module.path).toBe('a');
      expect([...asked]).toEqual(['a']);
      // Pulled out, it is not there: the other one's is not taken for it.
      const without = setUp({ a: [], b: [TOKEN] }, named);
      await expect(byName(without.hardware, without.reader, '1', undefined, { forPin: true })).rejects.toMatchObject({ code: 'KeyUnavailableException' });
      expect([...without.asked]).toEqual(['a']);
      // Unless the owner names it.
      expect((await byName(hardware, reader, '1', undefined, { forPin: true, module: 'b' })).module.path).toBe('b');
    }
  });

  it('is not found while another module does not answer, which may be the one that has it', async () => {
    const { hardware, reader } = setUp({ a: [TOKEN], b: broken });
    await expect(byName(hardware, reader, '1', undefined, { forPin: true })).rejects.toMatchObject({ code: 'ModuleRefusedException', message: expect.stringContaining('remove-module') as string });
    expect((await byName(hardware, reader, '1', undefined)).module.path).toBe('a');
  });
});

describe('a unit of work that is run again', () => {
  const call = () => ({ at: instant(0), fail: (code: 'ValidationException', message: string) => { throw new VaultError(code, message); } });

  it('gives the PIN once, and fails again with what it failed with', async () => {
    const { hardware, reader, given, written } = setUp({ a: [TOKEN] });
    const create = kmsKeyStoreHandlers(() => hardware, systemRandom, unsealed, unsealed, noJoins)['kms:CreateCustomKeyStore'];
    const input = { CustomKeyStoreName: 'n', CloudHsmClusterId: clusterIdOf(TOKEN), KeyStorePassword: pin() };
    const same = call();
    for (const _ of [1, 2, 3]) await create(input as never, same as never, { writer: reader } as never);
    expect([given, written.length]).toEqual([['a'], 3]);
    let tries = 0;
    const wrong = Object.assign(Object.create(hardware) as object, { login: async () => { tries += 1; throw new VaultError('IncorrectPinException', 'wrong'); } }) as unknown as Hardware;
    const failing = call();
    for (const _ of [1, 2, 3]) await expect(kmsKeyStoreHandlers(() => wrong, systemRandom, unsealed, unsealed, noJoins)['kms:CreateCustomKeyStore'](input as never, failing as never, { writer: reader } as never)).rejects.toMatchObject({ code: 'IncorrectPinException' });
    expect(tries).toBe(1);
  });

  it('erases a token once', async () => {
    const { hardware, reader, given } = setUp({ a: [TOKEN] });
    const initialize = hardwareHandlers({ now: () => hardware, random: systemRandom, pins: { seal: unsealed, open: unsealed }, joins: noJoins, registered: () => [] })['hardware:InitializeToken'];
    const same = call();
    for (const _ of [1, 2, 3]) await initialize({ Module: 'a', Slot: '01', NewLabel: 'new', Erase: 'one', SecurityOfficerPin: pin(), Pin: pin(), LastTry: false }, same as never, { writer: reader } as never);
    expect(given).toEqual(['initToken a']);
  });
});

/** A module with one token in one slot. */
function module() {
  const log: string[] = [];
  const info = { serialNumber: '1', label: 'one', manufacturerID: '', model: '', flags: 0x400, firmwareVersion: { major: 1, minor: 0 }, hardwareVersion: { major: 1, minor: 0 }, minPinLen: 4, maxPinLen: 8, maxSessionCount: 0, sessionCount: 0 };
  const p11 = {
    C_GetSlotList: () => [Buffer.of(1)],
    C_GetTokenInfo: () => info,
    C_GetSlotInfo: () => ({ slotDescription: '', flags: 1 }),
    C_OpenSession: () => Buffer.of(9),
    C_CloseSession: () => undefined,
    C_CloseAllSessions: () => undefined,
    C_Logout: () => { log.push('logout'); },
    C_Login: (_session: unknown, _user: unknown, given: string) => {
      log.push(`login ${given}`);
      if (given !== 'right') throw Object.assign(new Error('CKR_PIN_INCORRECT'), { code: 0xa0 });
    },
    C_InitToken: () => { log.push('erase'); },
    C_InitPIN: () => undefined,
  } as unknown as Cryptoki;
  return { device: createDevice(p11), log, info };
}

describe('a token that is logged in', () => {
  it('takes no wrong PIN for right, keeps the right one, and after three is logged out', async () => {
    const { device, log } = module();
    const login = async (given?: string, again = false) => device.login({ token: TOKEN, again }, given === undefined ? [] : [bytes(given)]);
    await login('right');
    await expect(login('wrong')).rejects.toMatchObject({ failure: { name: 'CKR_PIN_INCORRECT' } });
    await login('right');
    await login();
    await expect(login('wrong')).rejects.toMatchObject({ failure: { name: 'CKR_PIN_INCORRECT' } });
    await expect(login('wrong')).rejects.toMatchObject({ failure: { name: 'CKR_PIN_INCORRECT' } });
    expect(log).toEqual(['login right']);
    await expect(login('wrong')).rejects.toMatchObject({ failure: { name: 'CKR_USER_NOT_LOGGED_IN' } });
    await expect(login()).rejects.toMatchObject({ failure: { name: 'CKR_USER_NOT_LOGGED_IN' } });
    await expect(login('wrong')).rejects.toMatchObject({ code: 0xa0 });
    await login('right');
    // Asked for once more by name, the token judges; the one that it took before is still kept.
    await expect(login('wrong', true)).rejects.toMatchObject({ code: 0xa0 });
    await login();
    expect(log).toEqual(['login right', 'logout', 'login wrong', 'login right', 'logout', 'login wrong', 'login right']);
  });

  it('has its kept PIN wiped when another takes its place', () => {
    const pins = new KeptPins();
    pins.keep('t', bytes('old'));
    const old = pins.get('t');
    pins.keep('t', bytes('new'));
    expect([old?.every((byte) => byte === 0), pins.judge('t', bytes('new')), pins.judge('u', bytes('new'))]).toEqual([true, 'right', 'wrong']);
  });
});

describe('erasing', () => {
  it('is refused for a token that is not the one that was looked at', async () => {
    const right = { ...TOKEN, initialized: true };
    for (const expected of [{ ...right, serial: '2' }, { ...right, label: 'two' }, { ...right, initialized: false }]) {
      const { device, log } = module();
      await expect((async () => device.initToken({ slot: '01', label: 'new', expected }, [bytes('right'), bytes('pin')]))()).rejects.toMatchObject({ failure: { what: 'changed' } });
      expect(log).toEqual([]);
    }
    const { device, log } = module();
    await device.initToken({ slot: '01', label: 'new', expected: right }, [bytes('right'), bytes('pin')]);
    expect(log).toContain('erase');
  });
});
