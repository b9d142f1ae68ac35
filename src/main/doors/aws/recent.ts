/** The last requests at the door, for somebody who watches it: in memory, nothing of their contents. */
import { MOST_REQUESTS } from '../../../shared/api/access.ts';
import type { Name } from '../../../shared/api/index.ts';

export interface Seen {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly requestId: string;
  readonly operation?: Name;
  /** ARN; absent: it names none that there is, or was refused before that was looked for. */
  readonly resource?: string;
  /** As claimed. */
  readonly accessKeyId?: string;
  readonly status: number;
  readonly error?: string;
  readonly milliseconds: number;
}

export class Recent {
  readonly #seen: Seen[] = [];
  #next = 0;

  add(seen: Seen): void {
    this.#seen[this.#next] = seen;
    this.#next = (this.#next + 1) % MOST_REQUESTS;
  }

  /** Newest first. */
  last(limit: number): Seen[] {
    const inOrder = [...this.#seen.slice(this.#next), ...this.#seen.slice(0, this.#next)];
    return inOrder.reverse().slice(0, limit);
  }
}
