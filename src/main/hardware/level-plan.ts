/** What brings the tokens of a cluster level: which copy is made from where, and which is removed. Pure. */

export interface Standing {
  /** The token's name here. */
  readonly token: string;
  /** Whether it answers; of one that does not, nothing is known. */
  readonly connected: boolean;
  /** Ids of the cluster's keys that it holds, and of those that were deleted. */
  readonly holds: ReadonlySet<string>;
  /** Tokens whose wrapping keys it unwraps with. */
  readonly reachedFrom: readonly string[];
}

export type Step = { readonly act: 'copy'; readonly key: string; readonly from: string; readonly to: string } | { readonly act: 'remove'; readonly key: string; readonly at: string };

export type Reason = 'notConnected' | 'nowhere' | 'unreached';
export interface Left {
  readonly token: string;
  /** Absent: of a token that is not connected, all. */
  readonly key?: string;
  readonly reason: Reason;
}

/**
 * INVARIANT: removes what is in `gone` and no key any more, and copies only from where the key is when the step's turn comes. A key that a token cannot take
 * from one that has it may come over others.
 */
export function planLevel(keys: readonly string[], gone: readonly string[], members: readonly Standing[]): { readonly steps: readonly Step[]; readonly left: readonly Left[] } {
  const there = members.filter(({ connected }) => connected);
  const steps: Step[] = [];
  const left: Left[] = members.filter(({ connected }) => !connected).map(({ token }) => ({ token, reason: 'notConnected' }));
  // What was deleted and then adopted anew is a key again.
  for (const key of gone) if (!keys.includes(key)) for (const { token, holds } of there) if (holds.has(key)) steps.push({ act: 'remove', key, at: token });
  for (const key of keys) {
    const has = new Set(there.filter(({ holds }) => holds.has(key)).map(({ token }) => token));
    for (let moved = true; moved; ) {
      moved = false;
      for (const { token, reachedFrom } of there) {
        const from = has.has(token) ? undefined : reachedFrom.find((other) => has.has(other));
        if (from === undefined) continue;
        steps.push({ act: 'copy', key, from, to: token });
        has.add(token);
        moved = true;
      }
    }
    for (const { token } of there) if (!has.has(token)) left.push({ token, key, reason: has.size === 0 ? 'nowhere' : 'unreached' });
  }
  return { steps, left };
}
