/**
 * A new vault: made whole in a folder beside its place, then renamed. A kill in between leaves a folder that the next start
 * sweeps, never half a vault.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { parseAccountId, type AccountId } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { fromHex, hex } from '../crypto/bytes.ts';
import { ensurePrivateFolder, syncFolder } from '../platform/files.ts';
import type { Random } from '../platform/ports.ts';
import type { NewSlot, ReplyOf, Sealer } from '../seal/protocol.ts';
import { createStore, openStore } from '../store/store.ts';
import type { VaultSettings } from '../store/port.ts';
import { createTrail, openTrail } from '../trail/log.ts';
import { encodeRecord } from '../trail/record.ts';
import { ensureDeviceSecret, measureCost, removeDeviceSecret, shownCode, withNewSlot } from './factors.ts';
import { setOpen, type OpenVault, type Vault } from './vault.ts';

export type CreateFactors = 'password' | 'password+keychain' | 'keychain';

export interface Creation {
  readonly password: SecretBytes | undefined;
  /** Undefined: both where the keychain can be used, else the password alone. */
  readonly factors: CreateFactors | undefined;
  readonly recoveryCode: boolean;
  readonly name: string;
  readonly region: string;
  readonly account: string | undefined;
}

export interface Created {
  readonly open: OpenVault;
  readonly factors: CreateFactors;
  readonly recoveryCode?: SecretBytes;
}

const HALF_MADE = '.keystead-new-';

/** Rejects with VaultExists, KeychainUnavailable, Storage…; then nothing is left behind. */
export const create = (vault: Vault, creation: Creation): Promise<Created> =>
  vault.inTurn(async () => {
    const { folder, random } = vault.ports;
    const parent = dirname(folder);
    await ensurePrivateFolder(parent);
    await sweepHalfMade(parent, basename(folder));
    const draft = join(parent, `${HALF_MADE}${basename(folder)}-${hex(random.bytes(8))}`);
    await mkdir(draft, { mode: 0o700 });
    const sealer = vault.ports.startSealer();
    vault.opening = sealer;
    try {
      const made = await fill(vault, sealer, draft, creation);
      await moveIntoPlace(draft, folder);
      const open = await openNew(vault, sealer, made);
      setOpen(vault, open);
      vault.ports.emit({ event: 'vault.unlocked' });
      return { open, factors: made.factors, ...(made.recoveryCode ? { recoveryCode: shownCode(made.recoveryCode) } : {}) };
    } catch (error) {
      await sealer.stop();
      throw error;
    } finally {
      vault.opening = undefined;
      await rm(draft, { recursive: true, force: true });
    }
  });

interface Made {
  readonly factors: CreateFactors;
  readonly header: Uint8Array;
  readonly info: ReplyOf<'createHeader'>['info'];
  readonly settings: VaultSettings;
  readonly recoveryCode?: Uint8Array;
}

async function fill(vault: Vault, sealer: Sealer, draft: string, creation: Creation): Promise<Made> {
  const { clock, random, keychain } = vault.ports;
  const vaultId = random.bytes(16);
  const id = hex(vaultId);
  const factors = creation.factors ?? ((await keychain.probe()).available ? 'password+keychain' : 'password');
  try {
    const { header, info, recoveryCodes } = await withFirstSlots(vault, sealer, id, factors, creation, (slots) => sealer.call('createHeader', { vaultId, slots }));
    const settings: VaultSettings = {
      name: creation.name,
      region: creation.region,
      account: creation.account === undefined ? randomAccount(random) : parseAccountId(creation.account),
      created: clock.now(),
      autoLockMinutes: 15,
      lockOnSuspend: true,
      lockOnScreenLock: true,
      recoveryCodeUsed: false,
    };
    const trail = await createTrail({ folder: draft, vaultId, trailPublicKey: info.trailPublicKey, random });
    const genesis = await trail.append(encodeRecord({ time: clock.now(), phase: 'note', operation: 'vault:Create', reasons: ['trail:begun'] }));
    await trail.close();
    const store = await createStore(sealer, { folder: draft, header, settings, trail: genesis }, { clock, random });
    await store.close();
    const [recoveryCode] = recoveryCodes;
    return { factors, header, info, settings, ...(recoveryCode ? { recoveryCode } : {}) };
  } catch (error) {
    if (factors !== 'password') await removeDeviceSecret(keychain, id).catch(() => undefined);
    throw error;
  }
}

/** The slots of a new vault: the way in that was asked for, and a recovery code. */
function withFirstSlots<T>(vault: Vault, sealer: Sealer, vaultId: string, factors: CreateFactors, creation: Creation, use: (slots: readonly NewSlot[]) => Promise<T>): Promise<T> {
  const { clock, random, keychain, ramBytes } = vault.ports;
  const created = clock.now();
  const recovery: readonly NewSlot[] = creation.recoveryCode ? [{ type: 'recovery', factors: {}, created }] : [];
  const wish = factors === 'keychain' ? ({ type: 'keychain', withDevice: true } as const) : ({ type: 'password', withDevice: factors === 'password+keychain' } as const);
  return withNewSlot(
    { ...wish, ...(creation.password ? { password: creation.password } : {}) },
    { created, cost: () => measureCost(sealer, ramBytes), device: () => ensureDeviceSecret(keychain, random, vaultId) },
    (slot) => use([slot, ...recovery]),
  );
}

async function moveIntoPlace(draft: string, folder: string): Promise<void> {
  try {
    // Fails when the place is taken by anything but an empty folder.
    await rename(draft, folder);
  } catch (error) {
    throw new VaultError('VaultExistsException', `\`${folder}\` is taken; choose another folder with \`--vault\``, { cause: error });
  }
  await syncFolder(dirname(folder));
}

async function openNew(vault: Vault, sealer: Sealer, { header, info, settings }: Made): Promise<OpenVault> {
  const { folder, clock, random, openBackend } = vault.ports;
  vault.ports.claim();
  vault.trail = await openTrail({ folder, vaultId: fromHex(info.vaultId), trailPublicKey: info.trailPublicKey, random });
  const store = await openStore(sealer, { folder, header }, { clock, random });
  const { region, account } = settings;
  return { sealer, store, keys: openBackend(sealer, store), realm: { region, account }, unlockedAt: clock.now(), info, settings };
}

/** Folders that a killed creation of this very vault left. */
async function sweepHalfMade(parent: string, name: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(`${HALF_MADE}${name}-`)) await rm(join(parent, entry), { recursive: true, force: true });
  }
}

/** 12 digits, the first of them not zero. */
function randomAccount(random: Random): AccountId {
  const digits: number[] = [];
  while (digits.length < 12) for (const byte of random.bytes(16)) if (byte < 250 && digits.length < 12 && (digits.length > 0 || byte % 10 > 0)) digits.push(byte % 10);
  return parseAccountId(digits.join(''));
}

