/** A vault in a sealer of this process, with one recovery slot: no Argon2id, so it opens at once. */
import { createHash } from 'node:crypto';
import type { NewSlot, RequestOf, Sealer, VaultState } from '../../../src/main/seal/protocol.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';

export const RAM = 16 * 1024 ** 3;
export const VAULT_ID = Uint8Array.from({ length: 16 }, (_, i) => i);
export const RECOVERY: NewSlot = { type: 'recovery', factors: {}, created: 1_700_000_000_000 };

export const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest());
/** A slot that the operating system's keychain alone opens. */
export const keychainSlot = (device: Uint8Array): NewSlot => ({ type: 'keychain', factors: { device: device.slice() }, created: 1_700_000_000_001 });
export const deviceSecret = (n: number): Uint8Array => new Uint8Array(32).fill(n);

export interface TestVault {
  sealer: Sealer;
  header: Uint8Array;
  readonly code: Uint8Array;
  state: VaultState;
  stateBody: Uint8Array;
  version: number;
}

export const MOMENT = { trailIndex: 0, trailHash: new Uint8Array(32), clock: 1_700_000_000_000 };

export async function newVault(seed = 'vault', slots: readonly NewSlot[] = [RECOVERY]): Promise<TestVault> {
  const sealer = createSealer({ random: fixedRandom(seed) });
  const { header, recoveryCodes } = await sealer.call('createHeader', { vaultId: VAULT_ID, slots });
  const { state, stateBody } = await sealer.call('createState', { headerHash: sha256(header), ...MOMENT });
  return { sealer, header, code: recoveryCodes[0] ?? new Uint8Array(0), state, stateBody, version: 1 };
}

export type UnitChanges = RequestOf<'sealUnit'>['changes'];

/** Seals and confirms a unit; the sealed rows in the order of the changes. */
export async function commit(vault: TestVault, changes: UnitChanges, header?: RequestOf<'sealUnit'>['header']) {
  const reply = await vault.sealer.call('sealUnit', { changes, stateRowVersion: vault.version + 1, ...MOMENT, ...(header ? { header } : {}) });
  await vault.sealer.call('confirmUnit', { epoch: reply.epoch });
  vault.version += 1;
  vault.stateBody = reply.stateBody;
  return reply.rows;
}

/** Another sealer that opened the same header with the recovery code. */
export async function reopened(vault: TestVault, seed = 'reopened'): Promise<Sealer> {
  const sealer = createSealer({ random: fixedRandom(seed) });
  await sealer.call('unseal', { header: vault.header, factors: { code: vault.code }, type: 'recovery', ramBytes: RAM });
  return sealer;
}

export const packed = (table: number, rowId: Uint8Array, version: number, tag: Uint8Array): Uint8Array => {
  const out = new Uint8Array(41);
  out[0] = table;
  out.set(rowId, 1);
  new DataView(out.buffer).setBigUint64(17, BigInt(version));
  out.set(tag, 25);
  return out;
};
export const rowId = (n: number): Uint8Array => new Uint8Array(16).fill(n);
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
