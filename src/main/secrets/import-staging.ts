/**
 * Files that were read and wait for their owner's word: their values off-heap, wiped when they are closed, a quarter of an hour after they were
 * last asked for, when there are too many, and at lock. What was imported of a file is remembered with it, for the file to be erased.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { FileIdentity } from '../platform/ports.ts';
import type { ReadImport } from '../imports/port.ts';
import type { ImportRow } from './import-plan.ts';

const MOST_STAGED = 4;
const WAIT_MS = 15 * 60_000;

export interface ImportPreview {
  readonly number: number;
  readonly rows: readonly ImportRow[];
  /** Rows whose value is in the vault. */
  readonly settled: Set<number>;
  /** By row: the earlier one that has the same value, with which it is settled. */
  readonly repeats: Map<number, number>;
}

/** Rows whose value is nowhere but in the file. */
export function unsettled({ rows, settled, repeats }: ImportPreview): number {
  const isSettled = (row: number): boolean => {
    const first = repeats.get(row);
    return settled.has(row) || (first !== undefined && isSettled(first));
  };
  return rows.reduce((count, _row, at) => (isSettled(at) ? count : count + 1), 0);
}

export interface StagedImport extends ReadImport {
  readonly id: string;
  readonly source?: { readonly path: string; readonly identity: FileIdentity };
  /** Of those that are made the one that began last: no other can be imported. */
  preview?: ImportPreview;
}

type After = (ms: number, fire: () => void) => () => void;

export class ImportStaging {
  readonly #after: After;
  readonly #staged = new Map<string, { readonly one: StagedImport; stop: () => void }>();
  #turn = 0;
  #previews = 0;

  constructor(after: After) {
    this.#after = after;
  }

  /** To be given to `add`: a lock in between is noticed. */
  get turn(): number {
    return this.#turn;
  }

  /** Takes ownership of the values. VaultLockedException when there was a lock since `turn`. */
  add(one: StagedImport, turn: number): void {
    if (turn !== this.#turn) {
      one.values[Symbol.dispose]();
      throw new VaultError('VaultLockedException', 'the vault was locked meanwhile; nothing was imported');
    }
    const [oldest] = this.#staged.keys();
    if (oldest !== undefined && this.#staged.size >= MOST_STAGED) this.close(oldest);
    this.#staged.set(one.id, { one, stop: this.#wait(one.id) });
  }

  /** NotFoundException. */
  get(id: string): StagedImport {
    const found = this.#staged.get(id);
    if (!found) throw new VaultError('ResourceNotFoundException', 'this import is closed: what was read of the file was wiped; read it again');
    found.stop();
    found.stop = this.#wait(id);
    return found.one;
  }

  /** The number of a preview that begins now: higher than that of any that began before. */
  begin(): number {
    return ++this.#previews;
  }

  /** The one that began last is the one that can be imported, whichever of several is done last. */
  made(staged: StagedImport, preview: ImportPreview): void {
    if (preview.number > (staged.preview?.number ?? 0)) staged.preview = preview;
  }

  /** The preview of that number. NotFoundException, when another one was made since. */
  preview(id: string, number: number): { readonly staged: StagedImport; readonly preview: ImportPreview } {
    const staged = this.get(id);
    if (staged.preview?.number !== number) throw new VaultError('ResourceNotFoundException', 'another preview of this import was made since; look at that one');
    return { staged, preview: staged.preview };
  }

  close(id: string): void {
    const found = this.#staged.get(id);
    if (!found) return;
    found.stop();
    found.one.values[Symbol.dispose]();
    this.#staged.delete(id);
  }

  /** At lock. */
  clear(): void {
    this.#turn++;
    for (const id of [...this.#staged.keys()]) this.close(id);
  }

  #wait(id: string): () => void {
    return this.#after(WAIT_MS, () => { this.close(id); });
  }
}
