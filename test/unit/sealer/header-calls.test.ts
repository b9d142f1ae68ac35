import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as kdf from '../../../src/main/crypto/kdf.ts';
import type { NewSlot, Sealer } from '../../../src/main/seal/protocol.ts';
import { encodeHeaderBody, parseHeader } from '../../../src/main/seal/header.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { RAM, RECOVERY, VAULT_ID, deviceSecret, keychainSlot, newVault, reopened, text } from './vault-fixture.ts';

vi.mock('../../../src/main/crypto/kdf.ts', async (original) => {
  const real = await original<typeof kdf>();
  return { ...real, argon2id: vi.fn(real.argon2id) };
});
const argon2id = vi.mocked(kdf.argon2id);
afterEach(() => {
  argon2id.mockClear();
});

const COST = { memory: 64 * 1024, passes: 3, lanes: 4 };
const password = (value: string, device?: Uint8Array): NewSlot => ({ type: 'password', factors: { password: text(value), ...(device ? { device } : {}) }, kdf: COST, created: 1 });
const fresh = (): Sealer => createSealer({ random: fixedRandom('fresh') });
const failing = (code: string): unknown => expect.objectContaining({ code });
const open = (header: Uint8Array, code: Uint8Array, ramBytes = RAM) => fresh().call('unseal', { header, factors: { code }, type: 'recovery', ramBytes });

describe('a password slot', () => {
  it('opens with the password and nothing else', async () => {
    const { header } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [password('naïve ☃')] });
    const unseal = (value: string) => fresh().call('unseal', { header, factors: { password: text(value) }, type: 'password', ramBytes: RAM });
    expect(await unseal('naïve ☃')).toMatchObject({ pendingTerm: false, info: { headerEpoch: 1, term: 1 } });
    await expect(unseal('naive ☃')).rejects.toEqual(failing('IncorrectPasswordException'));
    await expect(unseal('')).rejects.toEqual(failing('IncorrectPasswordException'));
  });

  it('needs the device secret that was mixed in', async () => {
    const { header } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [password('p', deviceSecret(1))] });
    const unseal = (factors: { password: Uint8Array; device?: Uint8Array }) => fresh().call('unseal', { header, factors, type: 'password', ramBytes: RAM });
    await unseal({ password: text('p'), device: deviceSecret(1) });
    await expect(unseal({ password: text('p'), device: deviceSecret(2) })).rejects.toEqual(failing('IncorrectPasswordException'));
    argon2id.mockClear();
    await expect(unseal({ password: text('p') })).rejects.toEqual(failing('KeychainUnavailableException'));
    await expect(unseal({ password: text('p'), device: new Uint8Array(31) })).rejects.toEqual(failing('ValidationException'));
    expect(argon2id).not.toHaveBeenCalled();
  });

  it('ignores a device secret that it has no place for', async () => {
    const { header } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [password('p')] });
    await fresh().call('unseal', { header, factors: { password: text('p'), device: deviceSecret(1) }, type: 'password', ramBytes: RAM });
  });
});

describe('what a header asks of the machine', () => {
  const withCost = async (cost: Partial<typeof COST>): Promise<{ header: Uint8Array; code: Uint8Array }> => {
    const { header, recoveryCodes } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [password('p'), RECOVERY] });
    const bytes = Uint8Array.from(header);
    // Memory, passes and lanes follow the KDF byte of the first slot.
    const offset = 8 + 2 + 16 + 8 + 4 + 32 + 8 + 32 + 1 + 2 + 16 + 1 + 1 + 8 + 1;
    const view = new DataView(bytes.buffer);
    const { memory, passes, lanes } = { ...COST, ...cost };
    [memory, passes, lanes].forEach((value, i) => {
      view.setUint32(offset + 4 * i, value);
    });
    argon2id.mockClear();
    return { header: bytes, code: recoveryCodes[0]! };
  };

  it.each([
    ['less memory than the floor', { memory: 64 * 1024 - 1 }],
    ['fewer passes than the floor', { passes: 2 }],
    ['more memory than 2 GiB', { memory: 0x7fff_ffff }],
    ['4 billion passes', { passes: 0xffff_ffff }],
    ['17 lanes', { lanes: 17 }],
  ])('is refused before it costs anything: %s', async (_name, cost) => {
    const { header, code } = await withCost(cost);
    await expect(fresh().call('unseal', { header, factors: { password: text('p') }, type: 'password', ramBytes: RAM })).rejects.toEqual(failing('HeaderRefusedException'));
    await expect(open(header, code)).rejects.toEqual(failing('HeaderRefusedException'));
    expect(argon2id).not.toHaveBeenCalled();
  });

  it('is held to half of this machine\'s memory, but a recovery code still opens it', async () => {
    const { header, code } = await withCost({});
    const small = 127 * 1024 * 1024;
    await expect(fresh().call('unseal', { header, factors: { password: text('p') }, type: 'password', ramBytes: small })).rejects.toEqual(failing('HeaderRefusedException'));
    expect(argon2id).not.toHaveBeenCalled();
    await open(header, code, small);
  });

  it('is another key when it was lowered within the limits', async () => {
    const { header } = await withCost({ passes: 4 });
    await expect(fresh().call('unseal', { header, factors: { password: text('p') }, type: 'password', ramBytes: RAM })).rejects.toEqual(failing('IncorrectPasswordException'));
  });

  it('is never made below the floor or above the limits', async () => {
    for (const cost of [{ memory: 1024 }, { passes: 1 }, { memory: 4 * 1024 * 1024 }, { passes: 33 }, { lanes: 0 }]) {
      const slot = { ...password('p'), kdf: { ...COST, ...cost } };
      await expect(fresh().call('createHeader', { vaultId: VAULT_ID, slots: [slot] })).rejects.toEqual(failing('ValidationException'));
    }
    expect(argon2id).not.toHaveBeenCalled();
  });

  it('is measured', async () => {
    const { milliseconds } = await fresh().call('measureKdf', { cost: { memory: 8192, passes: 1, lanes: 1 } });
    expect(milliseconds).toBeGreaterThan(0);
    await expect(fresh().call('measureKdf', { cost: { memory: 4 * 1024 * 1024, passes: 1, lanes: 1 } })).rejects.toEqual(failing('ValidationException'));
  });
});

describe('the floor that the header itself states', () => {
  /** A header with a true MAC, as a vault of a later program with a higher floor would have. */
  it('is checked after the MAC', async () => {
    const roots: Uint8Array[] = [];
    const random = fixedRandom('floor');
    const recording = { bytes: (length: number) => {
      const bytes = random.bytes(length);
      roots.push(Uint8Array.from(bytes));
      return bytes;
    } };
    const made = await createSealer({ random: recording }).call('createHeader', { vaultId: VAULT_ID, slots: [password('p'), RECOVERY] });
    const parsed = parseHeader(made.header);
    const raised = encodeHeaderBody({ ...parsed, floor: { memory: 128 * 1024, passes: 3 } });
    const { TermKeys } = await import('../../../src/main/seal/term-keys.ts');
    const keys = roots.filter((bytes) => bytes.byteLength === 32).map((root) => new TermKeys(root, VAULT_ID, 1)).find((candidate) => Buffer.compare(candidate.commit, parsed.rootCommit) === 0)!;
    const mac = createHmac('sha256', keys.headerMac).update(raised).digest();
    await expect(open(Uint8Array.from([...raised, ...mac]), made.recoveryCodes[0]!)).rejects.toEqual(failing('HeaderRefusedException'));
    await expect(open(Uint8Array.from([...raised, ...made.header.subarray(-32)]), made.recoveryCodes[0]!)).rejects.toEqual(failing('VaultTamperedException'));
  });
});

describe('a recovery code', () => {
  it('that is mistyped is told before anything is derived', async () => {
    const vault = await newVault();
    const wrong = Uint8Array.from(vault.code);
    wrong[3] = wrong[3] === 0x30 ? 0x31 : 0x30;
    await expect(open(vault.header, wrong)).rejects.toMatchObject({ code: 'IncorrectRecoveryCodeException', details: { mistyped: 'true' } });
  });

  it('of another vault is wrong, not mistyped', async () => {
    const vault = await newVault();
    const other = await newVault('other');
    await expect(open(vault.header, other.code)).rejects.toMatchObject({ code: 'IncorrectRecoveryCodeException', details: undefined });
  });

  it('may be given as it was printed', async () => {
    const vault = await newVault();
    await open(vault.header, text(new TextDecoder().decode(vault.code).toLowerCase().replaceAll(/(.{4})/g, '$1 ')));
  });
});

describe('slots', () => {
  it('are what the caller says only when the factors go with the type', async () => {
    const wrong: NewSlot[] = [
      { type: 'password', factors: {}, kdf: COST, created: 1 },
      { type: 'password', factors: { password: new Uint8Array() }, kdf: COST, created: 1 },
      { type: 'password', factors: { password: text('x') }, created: 1 },
      { type: 'password', factors: { password: text('x'), device: new Uint8Array(31) }, kdf: COST, created: 1 },
      { type: 'keychain', factors: {}, created: 1 },
      { type: 'keychain', factors: { device: deviceSecret(1), password: text('x') }, created: 1 },
      { type: 'keychain', factors: { device: deviceSecret(1) }, kdf: COST, created: 1 },
      { type: 'recovery', factors: { code: text('x') }, created: 1 },
      { ...RECOVERY, created: -1 },
      { ...RECOVERY, type: 'nothing' as never },
    ];
    for (const slot of wrong) await expect(fresh().call('createHeader', { vaultId: VAULT_ID, slots: [slot] })).rejects.toEqual(failing('ValidationException'));
    await expect(fresh().call('createHeader', { vaultId: VAULT_ID, slots: [] })).rejects.toEqual(failing('ValidationException'));
    await expect(fresh().call('createHeader', { vaultId: VAULT_ID, slots: [{ type: 'token', factors: {}, created: 1 }] })).rejects.toEqual(failing('ValidationException'));
    expect(argon2id).not.toHaveBeenCalled();
  });

  it('are at most sixteen and at least one', async () => {
    const vault = await newVault('many', Array.from({ length: 16 }, (_, i) => keychainSlot(deviceSecret(i + 1))));
    await expect(vault.sealer.call('addSlot', { slot: RECOVERY })).rejects.toEqual(failing('LimitExceededException'));
    const one = await newVault();
    const { slots } = await one.sealer.call('readHeader', { header: one.header });
    await expect(one.sealer.call('retireSlot', { slotId: slots[0]!.slotId })).rejects.toEqual(failing('LastSlotException'));
    await expect(one.sealer.call('compromiseSlot', { slotId: slots[0]!.slotId })).rejects.toEqual(failing('LastSlotException'));
    await expect(one.sealer.call('retireSlot', { slotId: '00' })).rejects.toEqual(failing('SlotNotFoundException'));
  });

  it('are checked without changing anything', async () => {
    const vault = await newVault('check', [keychainSlot(deviceSecret(1)), keychainSlot(deviceSecret(2))]);
    const { slots } = await vault.sealer.call('readHeader', { header: vault.header });
    expect(await vault.sealer.call('checkFactors', { type: 'keychain', factors: { device: deviceSecret(2) } })).toEqual({ slotId: slots[1]!.slotId });
    await expect(vault.sealer.call('checkFactors', { slotId: slots[0]!.slotId, type: 'keychain', factors: { device: deviceSecret(2) } })).rejects.toEqual(failing('KeychainUnavailableException'));
    await expect(vault.sealer.call('checkFactors', { type: 'password', factors: { password: text('x') } })).rejects.toEqual(failing('SlotNotFoundException'));
  });

  it('change only once main has written the header', async () => {
    const vault = await newVault();
    const added = await vault.sealer.call('addSlot', { slot: keychainSlot(deviceSecret(3)) });
    expect(added.info).toMatchObject({ headerEpoch: 2, slots: [{ type: 'recovery' }, { type: 'keychain' }] });
    await expect(vault.sealer.call('checkFactors', { type: 'keychain', factors: { device: deviceSecret(3) } })).rejects.toEqual(failing('SlotNotFoundException'));
    await expect(vault.sealer.call('adoptHeader', { header: added.header.subarray(1) })).rejects.toEqual(failing('HeaderRefusedException'));
    await vault.sealer.call('adoptHeader', { header: added.header });
    await vault.sealer.call('adoptHeader', { header: added.header });
    await vault.sealer.call('checkFactors', { type: 'keychain', factors: { device: deviceSecret(3) } });
    await expect(vault.sealer.call('adoptHeader', { header: vault.header })).rejects.toEqual(failing('HeaderRefusedException'));
  });

  it('that are replaced no longer open, and the new one is in their place', async () => {
    const vault = await newVault('replace', [RECOVERY, keychainSlot(deviceSecret(1))]);
    const { slots } = await vault.sealer.call('readHeader', { header: vault.header });
    const replaced = await vault.sealer.call('replaceSlot', { slotId: slots[0]!.slotId, slot: RECOVERY });
    await vault.sealer.call('adoptHeader', { header: replaced.header });
    expect(replaced.info.slots.map(({ slotId }) => slotId)).toEqual([replaced.slotId, slots[1]!.slotId]);
    await expect(open(replaced.header, vault.code)).rejects.toEqual(failing('IncorrectRecoveryCodeException'));
    await open(replaced.header, replaced.recoveryCode!);
  });
});

describe('a session', () => {
  it('holds one vault, once', async () => {
    const vault = await newVault();
    await expect(vault.sealer.call('createHeader', { vaultId: VAULT_ID, slots: [RECOVERY] })).rejects.toEqual(failing('InternalException'));
    await expect(vault.sealer.call('unseal', { header: vault.header, factors: { code: vault.code }, type: 'recovery', ramBytes: RAM })).rejects.toEqual(failing('InternalException'));
  });

  it('takes one of two that open at once', async () => {
    const vault = await newVault();
    const sealer = fresh();
    const request = () => sealer.call('unseal', { header: vault.header, factors: { code: vault.code.slice() }, type: 'recovery' as const, ramBytes: RAM });
    const outcomes = await Promise.allSettled([request(), request()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await sealer.call('blind', { table: 'keys', value: 'x' });
  });

  it('stays sealed after a wrong factor, and opens with the right one', async () => {
    const vault = await newVault();
    const other = await newVault('other');
    const sealer = fresh();
    const unseal = (code: Uint8Array) => sealer.call('unseal', { header: vault.header, factors: { code }, type: 'recovery', ramBytes: RAM });
    await expect(unseal(other.code)).rejects.toEqual(failing('IncorrectRecoveryCodeException'));
    await expect(sealer.call('blind', { table: 'keys', value: 'x' })).rejects.toEqual(failing('VaultLockedException'));
    await unseal(vault.code);
  });

  it('refuses everything else while it is sealed', async () => {
    const sealer = fresh();
    const calls = [
      sealer.call('retireSlot', { slotId: '' }),
      sealer.call('checkFactors', { type: 'recovery', factors: {} }),
      sealer.call('checkBegin', {}),
      sealer.call('openRows', { rows: [{ table: 'keys', rowId: VAULT_ID, version: 1, schema: 1, body: new Uint8Array(100) }] }),
      sealer.call('adoptHeader', { header: new Uint8Array(10) }),
      sealer.call('signCheckpoint', { payload: new Uint8Array(10) }),
    ];
    for (const call of calls) await expect(call).rejects.toEqual(failing('VaultLockedException'));
  });

  it('has the same blind indexes in every session, and others in another vault', async () => {
    const vault = await newVault();
    const blind = async (sealer: Sealer) => (await sealer.call('blind', { table: 'aliases', value: 'alias/x' })).blind;
    expect(await blind(await reopened(vault))).toEqual(await blind(vault.sealer));
    expect(await blind((await newVault('other')).sealer)).not.toEqual(await blind(vault.sealer));
    expect((await vault.sealer.call('blind', { table: 'keys', value: 'alias/x' })).blind).not.toEqual(await blind(vault.sealer));
  });
});
