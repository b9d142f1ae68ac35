/** A real vault in a temporary folder, with a real sealer in this process. Its one slot is a recovery code: no Argon2id. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach } from 'vitest';

import { systemRandom } from '../../../src/main/platform/random.ts';
import type { Clock } from '../../../src/main/platform/ports.ts';
import type { AliasRecord, KeyRecord, NewMaterial } from '../../../src/main/keyring/ports.ts';
import type { Sealer } from '../../../src/main/seal/protocol.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import type { OpenOptions, UnitRecord, VaultSettings, VaultStore } from '../../../src/main/store/port.ts';
import { createStore, openStore } from '../../../src/main/store/store.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { TEST_KINDS } from './kinds.ts';
import { instant, keyIdFrom, parseAccountId, parseAliasName, type KeyId } from '../../../src/shared/model/ids.ts';

export const SETTINGS: VaultSettings = {
  name: 'personal',
  region: 'us-east-1',
  account: parseAccountId('123456789012'),
  created: 1_800_000_000_000,
  autoLockMinutes: 15,
  lockOnSuspend: true,
  lockOnScreenLock: true,
  recoveryCodeUsed: false,
};

const folders: string[] = [];
const open: { readonly store: VaultStore; readonly sealer: Sealer }[] = [];

afterEach(async () => {
  for (const { store, sealer } of open.splice(0)) {
    await store.close();
    await sealer.stop();
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keystead-store-'));
  folders.push(folder);
  return folder;
}

export interface TestVault {
  readonly folder: string;
  /** 28 characters. */
  readonly code: Uint8Array;
  readonly store: VaultStore;
  readonly sealer: Sealer;
}

export const readHeader = (folder: string): Uint8Array => readFileSync(join(folder, 'header'));

export async function createVault(folder = temporaryFolder(), clock: Clock = fakeClock(SETTINGS.created)): Promise<TestVault> {
  const sealer = createSealer({ random: systemRandom });
  const { header, recoveryCodes } = await sealer.call('createHeader', { vaultId: systemRandom.bytes(16), slots: [{ type: 'recovery', factors: {}, created: 0 }] });
  const store = await createStore(sealer, { folder, header, settings: SETTINGS, trail: { index: -1, hash: new Uint8Array(32) } }, { random: systemRandom, clock, kinds: TEST_KINDS });
  open.push({ store, sealer });
  return { folder, code: recoveryCodes[0] ?? new Uint8Array(0), store, sealer };
}

export async function unseal(folder: string, code: Uint8Array): Promise<{ readonly sealer: Sealer; readonly pendingTerm: boolean }> {
  const sealer = createSealer({ random: systemRandom });
  const { pendingTerm } = await sealer.call('unseal', { header: readHeader(folder), factors: { code: Uint8Array.from(code) }, type: 'recovery', ramBytes: 2 ** 33 });
  return { sealer, pendingTerm };
}

export async function reopen(vault: { readonly folder: string; readonly code: Uint8Array }, options: Partial<OpenOptions> = {}, clock: Clock = fakeClock(SETTINGS.created)): Promise<TestVault> {
  const { sealer } = await unseal(vault.folder, vault.code);
  try {
    const store = await openStore(sealer, { folder: vault.folder, header: readHeader(vault.folder), ...options }, { random: systemRandom, clock, kinds: TEST_KINDS });
    open.push({ store, sealer });
    return { folder: vault.folder, code: vault.code, store, sealer };
  } catch (error) {
    await sealer.stop();
    throw error;
  }
}

export async function close(vault: TestVault): Promise<void> {
  await vault.store.close();
  await vault.sealer.stop();
}

export function copyOf(folder: string): string {
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
}

let intents = 0;
/** A unit's record: a new intent each time, and an outcome that names the epoch. */
export const record = <T>(name = 'outcome'): UnitRecord<T> => ({
  intent: { index: intents++, hash: systemRandom.bytes(32) },
  outcome: (_value, epoch) => Buffer.from(`${name} ${String(epoch)}`),
});

export interface NewKey {
  readonly record: KeyRecord;
  readonly material: NewMaterial;
}

/** `material` is a real one when a sealer is given, else it must not be opened. */
export async function newKey(sealer: Sealer, change: Partial<KeyRecord> = {}): Promise<NewKey> {
  const keyId = change.keyId ?? keyIdFrom(systemRandom.bytes(16));
  const materialId = systemRandom.bytes(8);
  const rowId = systemRandom.bytes(16);
  const { body, tag } = await sealer.call('generateMaterial', { rowId, spec: 'HMAC_256', keyId, materialId, purpose: 'kms' });
  const id = Buffer.from(materialId).toString('hex');
  return {
    record: {
      keyId,
      spec: 'HMAC_256',
      usage: 'GENERATE_VERIFY_MAC',
      purpose: 'kms',
      state: 'Enabled',
      description: 'a key of the tests',
      created: instant(1_800_000_000_000),
      materials: [id],
      ...change,
    },
    material: { materialId: id, rowId, body, tag },
  };
}

export const newAlias = (name: string, target: KeyId): AliasRecord => ({ name: parseAliasName(`alias/${name}`), target, created: instant(1), updated: instant(2) });

/** Makes one key, and its alias where a name is given. */
export async function addKey({ store, sealer }: TestVault, alias?: string): Promise<NewKey> {
  const key = await newKey(sealer);
  const committed = await store.write(record(), (writer) => {
    writer.insertKey(key.record, key.material);
    if (alias !== undefined) writer.insertAlias(newAlias(alias, key.record.keyId));
    return Promise.resolve();
  });
  committed.delivered();
  return key;
}

/** The code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'resolved';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
