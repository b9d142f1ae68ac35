/**
 * When each key was last used, or each version of a secret read, kept in memory while the vault is open and written down in batches: a use costs an entry in a map and no
 * transaction. What was used after the last batch is lost when the process is killed; the trail has it.
 */
import type { Instant } from '../../shared/model/ids.ts';
import type { KeyUse } from './kinds.ts';

/** Of the vault's own clock that counts sleep: how long a use may wait to be written. */
const GATHER_MS = 10_000;

/** `arn`: of what was used, and whatever else tells one from another. */
interface Use {
  readonly arn: string;
  readonly at: Instant;
}

export class UsageTracker<U extends Use = KeyUse> {
  readonly #boottime: () => number;
  readonly #uses = new Map<string, U>();
  #writeAt: number | undefined;

  /** `boottime` in milliseconds. */
  constructor(boottime: () => number) {
    this.#boottime = boottime;
  }

  note(use: U): void {
    const before = this.#uses.get(use.arn);
    // Answers overtake each other: the later one of two is the last use.
    if (before && before.at > use.at) return;
    this.#uses.set(use.arn, use);
    this.#writeAt ??= this.#boottime() + GATHER_MS;
  }

  last(arn: string): U | undefined {
    return this.#uses.get(arn);
  }

  /** Boot-time milliseconds; undefined: nothing waits. */
  get writeAt(): number | undefined {
    return this.#writeAt;
  }

  waiting(limit: number): readonly U[] {
    return [...this.#uses.values()].slice(0, limit);
  }

  /** These are on the disk. One that was used again meanwhile waits on. */
  written(uses: readonly U[]): void {
    for (const use of uses) if (this.#uses.get(use.arn) === use) this.#uses.delete(use.arn);
    this.#writeAt = this.#uses.size === 0 ? undefined : this.#boottime() + GATHER_MS;
  }

  clear(): void {
    this.#uses.clear();
    this.#writeAt = undefined;
  }
}

/** Since when uses of a key are known: when it was made, or when this vault began to look, whichever is later. */
export const trackedSince = (created: Instant, began: Instant): Instant => (created > began ? created : began);
