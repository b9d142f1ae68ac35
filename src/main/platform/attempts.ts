import { readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { z } from 'zod';

import { errnoOf } from '../../shared/model/errno.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { readBounded, writeFileAtomic } from './files.ts';
import { noLog, type Log } from './log.ts';
import type { AttemptGate, Clock } from './ports.ts';

/** Where the clocks stood at an attempt. */
export interface Moment {
  /** Wall time, milliseconds. */
  readonly now: number;
  /** Milliseconds since boot, sleep included. */
  readonly boottime: number;
  /** Names this boot; empty where the system does not. */
  readonly boot: string;
}

export interface Attempts {
  /** Attempts since the last success, each counted before it was judged. */
  readonly failures: number;
  readonly last: Moment;
}

/** Milliseconds to wait after so many failures: 0, 0, 1 s, 2 s, 4 s … 60 s. */
export function delayAfter(failures: number): number {
  return failures < 2 ? 0 : Math.min(60_000, 1000 * 2 ** Math.min(failures - 2, 16));
}

/**
 * Milliseconds until the next attempt; `rebase` says that the record has to be moved to this moment because the wall
 * clock was set back. Within one boot only the time since boot counts, which nobody can set; across boots the wall
 * clock does, and when it is behind the record the whole delay starts again.
 */
export function remaining(attempts: Attempts, moment: Moment): { readonly wait: number; readonly rebase: boolean } {
  const delay = delayAfter(attempts.failures);
  if (delay === 0) return { wait: 0, rebase: false };
  const sameBoot = moment.boot !== '' && moment.boot === attempts.last.boot;
  const elapsed = sameBoot ? moment.boottime - attempts.last.boottime : moment.now - attempts.last.now;
  return elapsed < 0 ? { wait: delay, rebase: true } : { wait: Math.max(0, delay - elapsed), rebase: false };
}

const Stored = z.strictObject({
  format: z.literal(1),
  failures: z.number().int().min(0).max(1_000_000),
  now: z.number(),
  boottime: z.number(),
  boot: z.string().max(64),
});

/** Of a file of this program; bytes. */
const LARGEST = 1024;
/** What a file that says nothing is taken for: the whole delay. */
const UNKNOWN_FAILURES = 8;

/**
 * The delay for wrong passwords, kept in the file `path`. A courtesy to the owner and an obstacle to a colleague at the
 * keyboard, no more: who can write the folder can remove the file.
 * Where the disk is full or read-only it is counted in memory, so that the owner can still get in.
 */
export function createAttemptGate(options: { readonly path: string; readonly clock: Clock; readonly log?: Log; readonly boot?: string }): AttemptGate {
  const { path, clock, log = noLog, boot = bootId() } = options;
  let unsaved: Attempts | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const moment = (): Moment => ({ now: clock.now(), boottime: clock.boottime(), boot });
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const turn = queue.then(step);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const read = async (): Promise<Attempts> => {
    if (unsaved) return unsaved;
    const fresh = { failures: 0, last: moment() };
    const bytes = await readBounded(path, LARGEST).catch((error: unknown) => (isUnreadable(error) ? undefined : new Uint8Array()));
    if (bytes === undefined) return fresh;
    const stored = parse(bytes);
    if (stored) return stored;
    log.event('attempts.damaged');
    const cautious = { ...fresh, failures: UNKNOWN_FAILURES };
    await save(cautious);
    return cautious;
  };
  const save = async (attempts: Attempts): Promise<void> => {
    try {
      const { failures, last } = attempts;
      await writeFileAtomic(path, new TextEncoder().encode(JSON.stringify({ format: 1, failures, ...last })));
      unsaved = undefined;
    } catch (error) {
      unsaved = attempts;
      log.event('attempts.not-persisted', { errno: error instanceof VaultError ? errnoOf(error.cause) : undefined });
    }
  };

  return {
    begin: () =>
      inTurn(async () => {
        const attempts = await read();
        const at = moment();
        const { wait, rebase } = remaining(attempts, at);
        if (rebase) await save({ ...attempts, last: at });
        if (wait > 0) {
          const seconds = String(Math.ceil(wait / 1000));
          throw new VaultError('UnlockDelayedException', `too many wrong attempts: try again in ${seconds} s`, { details: { retryAfterSeconds: seconds } });
        }
        await save({ failures: attempts.failures + 1, last: at });
      }),
    remaining: () => inTurn(async () => remaining(await read(), moment()).wait),
    succeeded: () =>
      inTurn(async () => {
        unsaved = undefined;
        await unlink(path).catch((error: unknown) => {
          if (errnoOf(error) === 'ENOENT') return;
          // The file stays with its count; in this process the success stands.
          unsaved = { failures: 0, last: moment() };
          log.event('attempts.not-persisted', { errno: errnoOf(error) });
        });
      }),
  };
}

/** The disk's or a permission's fault, and not the file's: no reason to keep the owner waiting. What is counted then, is counted in memory. */
const isUnreadable = (error: unknown): boolean => error instanceof VaultError && error.details?.['errno'] !== undefined;

function parse(bytes: Uint8Array): Attempts | undefined {
  try {
    const stored = Stored.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    if (!stored.success) return undefined;
    const { failures, now, boottime, boot } = stored.data;
    return { failures, last: { now, boottime, boot } };
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, 64);
  } catch {
    return '';
  }
}
