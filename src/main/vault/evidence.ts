/**
 * The trail's files as they lie there, copied for somebody who has to look at them elsewhere: segments (sealed), those of chains that were
 * set aside, a report, and the SHA-256 of each file in the form that `sha256sum -c` reads. While the vault is unlocked also the records that
 * fit, readable, one JSON object a line.
 *
 * Never in it: `trail.key`, with which records could be added or read, and values, which no record holds.
 */
import { copyFile, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { VAULT_FILES } from '../../shared/model/paths.ts';
import { hex, utf8 } from '../crypto/bytes.ts';
import { storageError, syncFolder, writeFileAtomic } from '../platform/files.ts';
import type { TrailBreak } from '../seal/protocol.ts';
import { segmentNumbers, segmentName } from '../trail/files.ts';
import type { FoundRecord } from '../trail/lookup.ts';
import { chainsAside, hashOf } from '../trail/set-aside.ts';
import { verifyTrail } from '../trail/verify.ts';
import { phaseOf, startOf, type Vault } from './vault.ts';

export interface Evidence {
  /** Segment files. */
  readonly files: number;
  /** Written out readable; absent while locked. */
  readonly records?: number;
  readonly broken?: TrailBreak;
}

/**
 * Makes `target`, a new folder, whole or not at all. `shown`: a record as people are shown it, as a JSON value. FileExistsException,
 * FileNotReadableException (no such parent), CancelledException, StorageFullException, StorageException.
 */
export async function exportEvidence(vault: Vault, target: string, now: number, shown: (found: FoundRecord) => object, signal: AbortSignal): Promise<Evidence> {
  if (await lstat(target).catch(() => undefined)) throw new VaultError('FileExistsException', `\`${target}\` exists already; name a new folder`);
  const draft = join(dirname(target), `.${basename(target)}.${hex(vault.ports.random.bytes(8))}`);
  try {
    await mkdir(draft, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') throw new VaultError('FileNotReadableException', `\`${dirname(target)}\` is no folder; make it first`);
    throw storageError('make', target, error);
  }
  try {
    const names = await copySegments(vault.ports.folder, draft, signal);
    const readable = await writeRecords(vault, draft, shown, signal);
    const report = {
      folder: vault.ports.folder,
      time: new Date(now).toISOString(),
      state: phaseOf(vault),
      ...(vault.open ? { vaultId: vault.open.info.vaultId, sealedIndex: vault.open.store.state.trailIndex, sealedHash: hex(vault.open.store.state.trailHash) } : {}),
      problem: vault.open?.problem ?? vault.trailProblem ?? null,
      broken: readable?.broken ?? null,
    };
    await writeFileAtomic(join(draft, 'report.json'), utf8(`${JSON.stringify(report, undefined, 2)}\n`));
    const files = [...names, 'report.json', ...(readable ? ['records.jsonl'] : [])];
    const lines: string[] = [];
    for (const name of files) lines.push(`${await hashOf(join(draft, name))}  ${name}\n`);
    await writeFileAtomic(join(draft, 'SHA256SUMS'), utf8(lines.join('')));
    signal.throwIfAborted();
    await rename(draft, target);
    await syncFolder(dirname(target));
    return { files: names.length, ...(readable ? { records: readable.records } : {}), ...(readable?.broken ? { broken: readable.broken } : {}) };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (signal.aborted) throw new VaultError('CancelledException', 'the export was cancelled; nothing is left of it');
    throw error instanceof VaultError ? error : storageError('write', target, error);
  }
}

/** Relative names of the copies. What is no regular file is left out: there is nothing in it to copy. */
async function copySegments(folder: string, draft: string, signal: AbortSignal): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const chain of [...(await chainsAside(folder)), join(folder, VAULT_FILES.trail)]) {
    const name = basename(chain);
    await mkdir(join(draft, name), { mode: 0o700 });
    for (const number of segmentNumbers(await readdir(chain).catch(() => []))) {
      signal.throwIfAborted();
      const file = join(name, segmentName(number));
      if (!(await lstat(join(folder, file))).isFile()) continue;
      await copyFile(join(folder, file), join(draft, file));
      copied.push(file);
    }
  }
  return copied;
}

/** Undefined while the vault is locked: only the sealer can open records. */
async function writeRecords({ open, trail }: Vault, draft: string, shown: (found: FoundRecord) => object, signal: AbortSignal): Promise<{ readonly records: number; readonly broken?: TrailBreak } | undefined> {
  if (!open || !trail) return undefined;
  const lines: string[] = [];
  const { broken } = await verifyTrail(trail, open.sealer, {
    state: open.store.state,
    ...startOf(open),
    signal,
    onRecord: (record, index) => void lines.push(`${JSON.stringify(shown({ index, record }))}\n`),
  });
  await writeFileAtomic(join(draft, 'records.jsonl'), utf8(lines.join('')));
  return { records: lines.length, ...(broken ? { broken } : {}) };
}
