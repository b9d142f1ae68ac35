/**
 * One transaction: changes sealed together with the state row that follows, committed at once, confirmed to the sealer.
 * Nobody else may commit meanwhile; see `write-queue.ts`.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { Clock } from '../platform/ports.ts';
import type { Change, RequestOf, SealedChange, Sealer, TableName } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { SCHEMA } from './codecs.ts';
import { transaction, type Database } from './database.ts';
import type { StoreState } from './port.ts';
import { STATE_ROW_ID, type Rows } from './rows.ts';
import { isDiskFailure, isUniqueViolation, storeError } from './sqlite-errors.ts';

/** A failure that one of the units in a transaction is to blame for: `unit` counts from 0. */
export class UnitFailure extends Error {
  readonly unit: number;
  readonly failure: VaultError;
  constructor(unit: number, failure: VaultError) {
    super(failure.message);
    this.unit = unit;
    this.failure = failure;
  }
}

export interface Transaction {
  /** The changes of each unit, in their order. Their `plain` bytes are wiped. */
  readonly units: readonly (readonly Change[])[];
  /** The highest intent of the units; one that lies behind the state's is not taken. */
  readonly intent?: Position;
  readonly header?: NonNullable<RequestOf<'sealUnit'>['header']>;
}

export class Committer {
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #database: Database;
  readonly #rows: Rows;
  #state: StoreState;
  #stateVersion: number;
  #confirming: Promise<unknown> = Promise.resolve();
  #stopped: VaultError | undefined;

  constructor(sealer: Sealer, clock: Clock, database: Database, rows: Rows, state: StoreState, stateVersion: number) {
    this.#sealer = sealer;
    this.#clock = clock;
    this.#database = database;
    this.#rows = rows;
    this.#state = state;
    this.#stateVersion = stateVersion;
  }

  get state(): StoreState {
    return this.#state;
  }

  get stateVersion(): number {
    return this.#stateVersion;
  }

  /** What keeps every further transaction from being made, until the vault is opened again. */
  get stopped(): VaultError | undefined {
    return this.#stopped;
  }

  /**
   * Durable when it resolves, with the sealed rows of each unit; nothing of it is in the database when it rejects.
   * Rejects with UnitFailure where one unit is to blame, else with VaultError.
   */
  async commit({ units, intent, header }: Transaction): Promise<readonly (readonly SealedChange[])[]> {
    await this.#ready();
    const changes = units.flat();
    const trail = this.#follow(intent);
    const clock = Math.max(this.#state.clock, Math.floor(this.#clock.now()));
    const stateVersion = this.#stateVersion + 1;
    let sealed;
    try {
      sealed = await this.#sealer.call('sealUnit', { changes, stateRowVersion: stateVersion, ...trail, clock, ...(header ? { header } : {}) });
    } finally {
      for (const change of changes) if (change.kind === 'put') change.plain.fill(0);
    }
    const { rows, stateBody, stateTag, epoch } = sealed;
    try {
      if (epoch !== this.#state.epoch + 1 || rows.length !== changes.length) throw new VaultError('InternalException', 'the sealer and the store disagree about the state, lock and unlock the vault');
      transaction(this.#database, () => {
        let at = 0;
        for (const [unit, list] of units.entries()) {
          for (const change of list) this.#apply(unit, change, rows[at++] ?? {});
        }
        this.#rows.update('vault_state', { rowId: STATE_ROW_ID, version: stateVersion, schema: SCHEMA.vault_state, tag: stateTag, body: stateBody }, this.#stateVersion);
      });
    } catch (error) {
      // After a failed fsync the kernel may have dropped what it had not written: only reading everything again tells.
      if (isDiskFailure(error)) this.#stopped = storeError('write', error);
      await this.#sealer.call('abandonUnit', { epoch }).catch((reason: unknown) => this.#stop(reason));
      throw error instanceof UnitFailure ? error : storeError('write', error);
    }
    this.#stateVersion = stateVersion;
    this.#state = { ...withHeader(this.#state, header), epoch, clock, ...trail };
    // Not awaited here: the unit is durable. The next transaction waits for it, calls being answered in order.
    this.#confirming = this.#sealer.call('confirmUnit', { epoch }).catch((reason: unknown) => this.#stop(reason));
    let at = 0;
    return units.map((list) => rows.slice(at, (at += list.length)));
  }

  /** After something else than `commit` has replaced the state row. */
  adopt(state: StoreState, stateVersion: number): void {
    this.#state = state;
    this.#stateVersion = stateVersion;
  }

  /** Waits until the sealer knows of the last transaction; throws what `stopped` says. */
  async #ready(): Promise<void> {
    await this.#confirming;
    if (this.#stopped) throw this.#stopped;
  }

  settle(): Promise<void> {
    return this.#ready();
  }

  #stop(reason: unknown): void {
    this.#stopped ??= reason instanceof VaultError ? reason : new VaultError('SealerStoppedException', 'the sealer does not answer, unlock the vault again', { cause: reason });
  }

  /** Intents are durable before their units, but units commit in another order: the state never goes back. */
  #follow(intent: Position | undefined): { readonly trailIndex: number; readonly trailHash: Uint8Array } {
    const { trailIndex, trailHash } = this.#state;
    return intent !== undefined && intent.index > trailIndex ? { trailIndex: intent.index, trailHash: intent.hash } : { trailIndex, trailHash };
  }

  #apply(unit: number, change: Change, sealed: SealedChange): void {
    try {
      if (change.kind === 'remove') return this.#rows.remove(change.table, change.rowId, change.version);
      const { body, tag, blind } = sealed;
      if (body === undefined || tag === undefined) throw new VaultError('InternalException', 'the sealer left a row out, report this');
      const row = { rowId: change.rowId, version: change.version, schema: change.kind === 'put' ? change.schema : SCHEMA.key_materials, tag, body, blind };
      if (change.version === 1) this.#rows.insert(change.table, row);
      else this.#rows.update(change.table, row, change.version - 1);
    } catch (error) {
      if (isUniqueViolation(error)) throw new UnitFailure(unit, new VaultError('AlreadyExistsException', `${WHAT[change.table]} of this name exists already, choose another name`, { details: { table: change.table } }));
      throw error;
    }
  }
}

function withHeader({ preparedHeader, ...rest }: StoreState, step: Transaction['header']): StoreState {
  if (step === undefined) return { ...rest, ...(preparedHeader ? { preparedHeader } : {}) };
  if ('prepare' in step) return { ...rest, preparedHeader: step.prepare };
  return { ...rest, header: step.current, headerEpoch: step.headerEpoch };
}

const WHAT: Readonly<Record<TableName, string>> = {
  keys: 'a key',
  key_materials: 'key material',
  aliases: 'an alias',
  settings: 'a setting',
  outbox: 'an outcome',
  vault_state: 'a state',
  clients: 'a client',
  certificates: 'a certificate',
  secrets: 'a secret',
  secret_versions: 'a version of the secret',
  rotations: 'a rotation',
  remotes: 'a remote',
  key_stores: 'a key store',
  modules: 'a module',
  key_usage: 'a last use',
};
