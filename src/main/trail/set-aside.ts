/**
 * A trail that cannot be gone on with: read as it lies there, moved aside whole, and a new chain put in its place.
 *
 * Defends against: a chain that is passed off for another one (a new chain's first link commits to every byte that was set aside), and a
 * kill at any moment: the old files are either in place or aside, never gone, and what is half done is done again from the start.
 * Does not: mend anything, or judge what is broken; the sealer does.
 *
 *   trail/                        the chain in use
 *   trail-set-aside-00000001/ …   chains that were broken, in the order in which they were set aside
 *   new-chain/trail/              a chain on its way to `trail`; thrown away when found
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../shared/model/errno.ts';
import { VAULT_FILES } from '../../shared/model/paths.ts';
import { type Bytes, allocate, concat, fromHex, u64, utf8 } from '../crypto/bytes.ts';
import { digest } from '../crypto/hmac.ts';
import { systemDisk } from './disk.ts';
import { KEY_NAME, RESERVE_NAME, segmentName, segmentNumbers } from './files.ts';
import { KEY_BLOCK_LENGTH } from './key-block.ts';
import type { Position, TrailFiles } from './port.ts';

const DRAFT = 'new-chain';
const ASIDE = /^trail-set-aside-(\d{8})$/;
const LINK_LABEL = utf8('keystead/trail/v1/new-chain');
/**
 * Records that the old chain may have had beyond the last one that is known: more than are written in the ten seconds by which the sealed
 * state may lag. So no index stands for two records, and a checkpoint of the old chain is never read as one of the new.
 */
const GAP = 1_000_000;

const trailOf = (folder: string): string => join(folder, VAULT_FILES.trail);

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** What lies in the vault's folder, whatever it is. A key block that is not there is no bytes, which fits no trail. */
export async function closedTrail(folder: string): Promise<TrailFiles> {
  const trail = trailOf(folder);
  const numbers = segmentNumbers(await namesIn(trail));
  return {
    segments: () => numbers.map((number) => ({ number, path: join(trail, segmentName(number)) })),
    async keyBlock() {
      const file = await systemDisk.open(join(trail, KEY_NAME), 'write').catch(() => undefined);
      if (!file) return allocate(0);
      try {
        return await file.read(0, KEY_BLOCK_LENGTH + 1);
      } finally {
        await file.close();
      }
    },
  };
}

/** Chains that were set aside: absolute paths, the oldest first. */
export async function chainsAside(folder: string): Promise<readonly string[]> {
  return (await namesIn(folder)).filter((name) => ASIDE.test(name)).sort().map((name) => join(folder, name));
}

/** SHA-256 over name and hash of each file of the chain, `trail.key` and the reserve left out; the same for the same files. */
export async function digestOfTrail(folder: string): Promise<Bytes> {
  const trail = trailOf(folder);
  const names = [...(await namesIn(trail))].filter((name) => name !== RESERVE_NAME && name !== KEY_NAME).sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await hashOf(join(trail, name))}  ${name}\n`);
  return digest('sha256', utf8(lines.join('')));
}

/** SHA-256 in hex of a regular file; what else bears the name is said in its place. Rejects with the system's error. */
export async function hashOf(path: string): Promise<string> {
  if (!(await lstat(path)).isFile()) return 'not-a-file'.padEnd(64, '-');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/** What a new chain comes after: no record, but a link to what was set aside. `known`: the highest index that the old chain had for certain. */
export const linkAfter = (known: number, vaultId: string, evidence: Uint8Array): Position => {
  const index = known + GAP;
  return { index, hash: digest('sha256', concat(LINK_LABEL, fromHex(vaultId), u64(index), evidence)) };
};

/** An empty folder in which a new chain is made; what a kill left in it goes. */
export async function emptyDraft(folder: string): Promise<string> {
  const draft = join(folder, DRAFT);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  return draft;
}

export const dropDraft = (folder: string): Promise<void> => rm(join(folder, DRAFT), { recursive: true, force: true });

/**
 * Moves the old chain aside and the one in the draft into its place, durably. A kill between the two leaves no chain in place, which is a
 * broken trail as before. Resolves with the folder that the old one is in now; undefined when there was none to move.
 */
export async function putInPlace(folder: string, move: typeof rename = rename): Promise<string | undefined> {
  const last = (await chainsAside(folder)).at(-1);
  const number = last === undefined ? 1 : Number(last.slice(-8)) + 1;
  const aside = join(folder, `trail-set-aside-${String(number).padStart(8, '0')}`);
  const moved = await move(trailOf(folder), aside).then(
    () => true,
    (error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    },
  );
  await systemDisk.syncFolder(folder);
  await move(trailOf(join(folder, DRAFT)), trailOf(folder));
  await systemDisk.syncFolder(folder);
  return moved ? aside : undefined;
}

