/**
 * The keys of one term: all derived from that term's root by HKDF-SHA512 (no salt; info = label ‖ vaultId ‖ term u32 and, for a
 * table's keys, its name), each for one use. A compromise makes a new term, so a new root and every one of these anew.
 */
import { type Bytes, concat, copy, u32, utf8, wipe } from '../crypto/bytes.ts';
import { hkdfExpand, hkdfExtract } from '../crypto/kdf.ts';
import { LABELS } from './labels.ts';
import { TABLES, type TableName } from './protocol.ts';

const KEY_LENGTH = 32;
const NO_SALT = utf8('');

/** Owns its bytes (32 each, off-heap) until `wipe`. */
export class TermKeys {
  readonly term: number;
  readonly vaultId: Uint8Array;
  readonly root: Bytes;
  readonly commit: Bytes;
  readonly headerMac: Bytes;
  readonly headerSecrets: Bytes;
  readonly previousRoot: Bytes;
  readonly setHash: Bytes;
  readonly #tables: Readonly<Record<TableName, Bytes>>;
  readonly #blind: Readonly<Record<TableName, Bytes>>;

  /** Copies `root` (32); the caller keeps its own and wipes it. */
  constructor(root: Uint8Array, vaultId: Uint8Array, term: number) {
    this.term = term;
    this.vaultId = copy(vaultId);
    this.root = copy(root);
    const prk = hkdfExtract('sha512', NO_SALT, root);
    const derive = (label: Uint8Array, name = ''): Bytes => hkdfExpand('sha512', prk, concat(label, vaultId, u32(term), utf8(name)), KEY_LENGTH);
    const perTable = (label: Uint8Array): Readonly<Record<TableName, Bytes>> =>
      Object.fromEntries(TABLES.map((table) => [table, derive(label, table)])) as Record<TableName, Bytes>;
    this.commit = derive(LABELS.rootCommit);
    this.headerMac = derive(LABELS.headerMac);
    this.headerSecrets = derive(LABELS.headerSecrets);
    this.previousRoot = derive(LABELS.previousRoot);
    this.setHash = derive(LABELS.setHashKey);
    this.#tables = perTable(LABELS.tableKey);
    this.#blind = perTable(LABELS.blindKey);
    wipe(prk);
  }

  table(name: TableName): Bytes {
    return this.#tables[name];
  }

  blind(name: TableName): Bytes {
    return this.#blind[name];
  }

  wipe(): void {
    wipe(this.root, this.commit, this.headerMac, this.headerSecrets, this.previousRoot, this.setHash, ...Object.values(this.#tables), ...Object.values(this.#blind));
  }
}
