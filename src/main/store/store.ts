/**
 * The store: sealed records in one SQLite file, and the only place where they become plaintext records for the rest of main.
 *
 * What it does: opens and creates `vault.db`; checks that its rows are the ones that the sealed state row speaks of; finds
 * records by a decrypted index; commits units of work, in groups, each with the outcome that the trail still has to get.
 *
 * What it defends against: a row changed, swapped, put back, added or taken away while the vault was locked; a file that
 * another program gave triggers, views or a newer format; a full disk, a read-only folder, and a kill at any moment.
 * A mismatch is a named error and nothing is repaired.
 *
 * What it does not: notice that the whole folder was put back to an older copy (the trail and the keychain's counter do);
 * hide sizes, counts and times; hold any key. It has no transaction open while the sealer or a caller's work runs.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { VaultError } from '../../shared/model/errors.ts';
import { VAULT_FILES } from '../../shared/model/paths.ts';
import { hex } from '../crypto/bytes.ts';
import { storageError, syncFolder, writeFileAtomic } from '../platform/files.ts';
import type { Sealer } from '../seal/protocol.ts';
import type { Position } from '../trail/port.ts';
import { BACKGROUND_ABOVE, checkRows, countRows, headerHash, isTampered, openState, storeStateOf, unknownState, type Checked } from './check.ts';
import { encodeSettings, SCHEMA } from './codecs.ts';
import { Committer } from './commit.ts';
import { openDatabase, type Database } from './database.ts';
import { headerPath } from './header-change.ts';
import { OpenStore, type StoreDeps } from './open-store.ts';
import type { OpenOptions, VaultSettings, VaultStore } from './port.ts';
import { Rows, STATE_ROW_ID } from './rows.ts';
import { CURRENT, migrate, tablesOf, verifySchema } from './schema.ts';
import { storeError } from './sqlite-errors.ts';

export interface CreateOptions {
  /** Exists and is empty but for what is not the store's. */
  readonly folder: string;
  /** The header file's bytes, from `createHeader`: written here, last. A vault exists once its header does. */
  readonly header: Uint8Array;
  readonly settings: VaultSettings;
  /** The trail's head when the vault is made; index -1 and 32 zeros for a trail without records. */
  readonly trail: Position;
}

const databasePath = (folder: string): string => join(folder, VAULT_FILES.database);

/**
 * Opens the vault's database with an unsealed sealer and checks it. VaultNotFoundException, VaultTooNewException,
 * VaultTamperedException (then nothing was written), VaultInUseException, StorageException, StorageFullException.
 *
 * Resolves after the check, or, above 50,000 rows, before it: then reads are served and writes wait for `checked`. With
 * `readOnly` it opens for reading whatever the check says, as long as the schema is this program's.
 */
export async function openStore(sealer: Sealer, options: OpenOptions, deps: StoreDeps): Promise<VaultStore> {
  const path = databasePath(options.folder);
  if (!existsSync(path)) throw new VaultError('VaultNotFoundException', `there is no vault in \`${options.folder}\`: make one with \`init\`, or name another folder`);
  if (options.readOnly !== true) checkWritable(path);
  const database = openDatabase(path, 'read');
  let store: OpenStore | undefined;
  try {
    const format = verifySchema(database);
    const rows = new Rows(database, tablesOf(format));
    const background = options.readOnly !== true && format === CURRENT && countRows(rows) > BACKGROUND_ABOVE;
    const check = options.readOnly === true ? look : background ? openState : checkRows;
    const checked = await check(sealer, rows, options.header);
    const follow = options.readOnly === true ? undefined : await options.approve?.(checked.state);
    store = new OpenStore({ sealer, deps, options, path, database, rows, checked, follow });
    if (background) store.checkInBackground();
    else if (options.readOnly !== true) await store.beginWriting(format);
    store.loadIndex();
    return store;
  } catch (error) {
    await store?.close();
    database.close();
    throw storeError('open', error);
  }
}

/** Before SQLite touches it: of a file that may only be read it would make a log that may only be read, and leave that behind. */
function checkWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw storageError('write', path, error);
  }
}

/** For `readOnly`: what can be known of the state, without refusing anything. */
async function look(sealer: Sealer, rows: Rows, header: Uint8Array): Promise<Checked> {
  try {
    return await checkRows(sealer, rows, header);
  } catch (error) {
    if (!isTampered(error)) throw error;
  }
  try {
    return await openState(sealer, rows, header);
  } catch (error) {
    if (!isTampered(error)) throw error;
    return unknownState(header);
  }
}

/**
 * Makes the database and the header file of a new vault, durably, and opens it. `sealer` has just made the header.
 * VaultExistsException when either file is there; on any other failure neither is.
 */
export async function createStore(sealer: Sealer, options: CreateOptions, deps: StoreDeps): Promise<VaultStore> {
  const { folder, header } = options;
  const path = databasePath(folder);
  if (existsSync(path) || existsSync(headerPath(folder))) throw new VaultError('VaultExistsException', `there is a vault in \`${folder}\` already: name another folder`);
  const draft = `${path}.${hex(deps.random.bytes(8))}.tmp`;
  try {
    await fill(sealer, options, deps, draft);
    await rename(draft, path);
    await syncFolder(folder);
    await writeFileAtomic(headerPath(folder), header, { mode: 0o600 });
  } catch (error) {
    for (const left of [draft, `${draft}-wal`, `${draft}-shm`]) await rm(left, { force: true });
    throw error instanceof VaultError ? error : storageError('create', path, error);
  }
  return openStore(sealer, { folder, header }, deps);
}

async function fill(sealer: Sealer, { header, settings, trail }: CreateOptions, { random, clock }: StoreDeps, path: string): Promise<void> {
  const umask = process.umask(0o077);
  let database: Database | undefined;
  try {
    database = openDatabase(path, 'create');
  } finally {
    process.umask(umask);
  }
  try {
    migrate(database, 0);
    verifySchema(database);
    const rows = new Rows(database, tablesOf(CURRENT));
    const first = await sealer.call('createState', { headerHash: headerHash(header), trailIndex: trail.index, trailHash: trail.hash, clock: Math.floor(clock.now()) });
    rows.insert('vault_state', { rowId: STATE_ROW_ID, version: 1, schema: SCHEMA.vault_state, tag: first.stateTag, body: first.stateBody });
    const committer = new Committer(sealer, clock, database, rows, storeStateOf(first.state), 1);
    await committer.commit({
      units: [[{ kind: 'put', table: 'settings', rowId: random.bytes(16), version: 1, schema: SCHEMA.settings, plain: encodeSettings(settings) }]],
    });
    await committer.settle();
    // The log is emptied into the file and removed, so that renaming one file moves all of it.
    database.close();
  } catch (error) {
    database.close();
    throw storeError('create', error);
  }
}
