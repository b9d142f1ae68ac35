/**
 * The vault's own life: absent, locked, unlocked, read-only; and what changes it.
 *
 * Defends against: a database, header or trail that was put back or edited while the vault was locked (noticed at unlock,
 * opened for reading only, never repaired), keys that survive a lock (the sealer's process is gone before lock resolves).
 * Does not: decide who may do any of this; the one path has.
 */
import { lstatSync } from 'node:fs';
import type { VaultEvent } from '../../shared/api/events.ts';
import type { VaultPhase } from '../../shared/api/vault.ts';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Realm } from '../../shared/model/ids.ts';
import { fromHex } from '../crypto/bytes.ts';
import type { KeyBackend } from '../keyring/ports.ts';
import { readBounded, storageError } from '../platform/files.ts';
import type { Clock, Keychain, Random } from '../platform/ports.ts';
import { HEADER_LIMIT } from '../seal/header.ts';
import type { HeaderInfo, Sealer } from '../seal/protocol.ts';
import { headerPath } from '../store/header-change.ts';
import type { VaultSettings, VaultStore } from '../store/port.ts';
import type { Trail } from '../trail/log.ts';
import type { Position } from '../trail/port.ts';
import { encodeRecord } from '../trail/record.ts';
import { writeAnchor, type Anchor } from './anchor.ts';
import { deviceSecret, type FactorSources, type TokenFactors } from './factors.ts';

/** Milliseconds. A trail that is cut back to before what it had reached this long before a lock or a kill is noticed. */
const FOLLOW_EVERY = 10_000;

/** What exists while the vault is open. */
export interface OpenVault {
  readonly sealer: Sealer;
  readonly store: VaultStore;
  readonly keys: KeyBackend;
  readonly realm: Realm;
  readonly unlockedAt: number;
  /** Why nothing may be written, in words for the owner. Set later where a large database is checked in the background. */
  problem?: string;
  /** Changed by slot operations. */
  info: HeaderInfo;
  settings: VaultSettings;
}

export interface VaultPorts {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly keychain: Keychain;
  readonly startSealer: () => Sealer;
  readonly ramBytes: number;
  readonly openBackend: (sealer: Sealer, store: VaultStore) => KeyBackend;
  /** Ends every other process that was lent a key of this vault; resolves once they are gone. Never rejects. */
  readonly endBorrowers: () => Promise<void>;
  readonly tokens: TokenFactors;
  readonly emit: (event: VaultEvent) => void;
  /** Takes the folder's exclusive lock, for as long as this process lives; nothing when it has it. VaultInUseException. */
  readonly claim: () => void;
}

/** The mutable middle that the steps of this folder (create, unlock, slots) share. One per process. */
export interface Vault {
  readonly ports: VaultPorts;
  trail: Trail | undefined;
  /** Why the trail of this folder cannot be gone on with; `trail` is undefined then. */
  trailProblem: string | undefined;
  open: OpenVault | undefined;
  /** The sealer of an unlock or creation that is under way, so that lock can end it. */
  opening: Sealer | undefined;
  /** The counter in the keychain, being written after an unlock or a lock; awaited before the process ends. */
  anchoring: Promise<void>;
  /** Transitions run one after the other; lock does not wait for its turn. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createVault(ports: VaultPorts, trail: Trail | undefined, trailProblem?: string): Vault {
  let last: Promise<unknown> = Promise.resolve();
  return {
    ports,
    trail,
    trailProblem,
    open: undefined,
    opening: undefined,
    anchoring: Promise.resolve(),
    inTurn(work) {
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

export function phaseOf(vault: Vault): VaultPhase {
  if (vault.open) return vault.open.problem === undefined ? 'unlocked' : 'readOnly';
  if (vault.trailProblem !== undefined) return 'trailBroken';
  return vault.trail ? 'locked' : 'absent';
}

/** From now on the vault is open. A sealer that dies by itself locks it: without the keys nothing could be done but to unlock again. */
export function setOpen(vault: Vault, open: OpenVault): void {
  vault.open = open;
  vault.opening = undefined;
  // The check of a large database goes on while it is read: what it finds makes the vault read-only from then on.
  open.store.checked.catch((error: unknown) => {
    if (vault.open === open) open.problem ??= error instanceof VaultError ? error.message : 'the database could not be checked; lock and unlock the vault';
  });
  // Who has read `trail.key` can write another trail from there on: what speaks against it is what the sealed state remembers.
  const following = setInterval(() => void followTrail(vault, open), FOLLOW_EVERY);
  following.unref();
  void open.sealer.gone.then(async () => {
    clearInterval(following);
    if (vault.open !== open) return;
    // The keys are gone already; what of the rest cannot be closed ends with the process.
    await lock(vault).catch(() => undefined);
    const note = encodeRecord({ time: vault.ports.clock.now(), phase: 'note', operation: 'vault:Lock', reasons: ['sealer:stopped'] });
    // Locked is locked: where the trail cannot be written, its next record says so.
    await vault.trail?.append(note, { reserve: true }).catch(() => undefined);
  });
}

/** Best effort: what cannot be written now is written with the next change, or the next time. */
async function followTrail(vault: Vault, open: OpenVault): Promise<void> {
  if (vault.open !== open || open.problem !== undefined || !vault.trail) return;
  await open.store.follow(vault.trail.head).catch(() => undefined);
}

/** Throws VaultLockedException. */
export function openOrThrow(vault: Vault): OpenVault {
  if (!vault.open) throw new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');
  return vault.open;
}

/** Whether the folder holds a vault, whole or damaged. StorageException when that cannot be told. */
export function vaultExists(folder: string): boolean {
  const path = headerPath(folder);
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return false;
    throw storageError('look at', path, error);
  }
}

/** Throws VaultNotFoundException when there is none. */
export async function readHeaderFile(folder: string): Promise<Uint8Array> {
  const header = await readBounded(headerPath(folder), HEADER_LIMIT);
  if (!header) throw new VaultError('VaultNotFoundException', 'the vault has no header file; put it back from a copy of the same vault');
  return header;
}

/**
 * Wipes and ends the sealer and drops everything decrypted. Works in every phase, on a full disk too; resolves once the
 * sealer's process is gone.
 */
export async function lock(vault: Vault): Promise<void> {
  const { open, opening } = vault;
  vault.open = undefined;
  vault.opening = undefined;
  if (!open && !opening) return;
  if (open) vault.ports.emit({ event: 'vault.locked' });
  const anchor = open && open.problem === undefined && vault.trail ? anchorOf(vault.trail, open.store) : undefined;
  // The sealer goes first: whatever else fails, the keys are gone.
  await Promise.all([open?.sealer.stop(), opening?.stop(), vault.ports.endBorrowers()]);
  await open?.store.close();
  // Not waited for: a keychain that hangs must not hold up a lock.
  if (open && anchor) vault.anchoring = writeAnchor(vault.ports.keychain, open.info, anchor);
}

export const anchorOf = (trail: Trail, { state }: Pick<VaultStore, 'state'>): Anchor => ({ trailIndex: trail.head.index, storeEpoch: state.epoch, headerEpoch: state.headerEpoch });

/** Where a check of the whole trail begins, for `verifyTrail`: nothing unless a new chain was started. */
export const startOf = ({ settings: { chainStart } }: Pick<OpenVault, 'settings'>): { readonly start?: Position } => (chainStart ? { start: { index: chainStart.index, hash: fromHex(chainStart.hash) } } : {});

export const factorSources = ({ ports: { keychain, tokens } }: Vault, vaultId: string): FactorSources => ({ device: () => deviceSecret(keychain, vaultId), tokens });

/** The intent that a change of the vault itself is bound to. */
export function positionOr(vault: Vault, intent: Position | undefined): Position {
  const position = intent ?? vault.trail?.head;
  if (!position) throw new VaultError('TrailUnavailableException', 'the trail is not open, so nothing may be changed; restart the vault');
  return position;
}
