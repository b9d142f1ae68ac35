/**
 * What is done on tokens when one has left its cluster, as far as they answer: the others no longer trust its public key nor unwrap with its
 * wrapping key, and it no longer unwraps with theirs.
 *
 * Does not: reach a token that is away. One that has left keeps the others' wrapping keys then, and opens what is wrapped under them; the others
 * are rid of its keys when they are brought level, for the ids are among those that are `gone`.
 */
import { answering, discardAll, type Cluster } from './cluster-keys.ts';
import type { Place } from './hardware.ts';
import type { MemberRecord } from './kinds.ts';
import { samePlace } from './processes.ts';

/** `record`: as it was before. Nobody is logged in to the token afterwards. Never rejects. */
export async function leave({ hardware, store, record }: Omit<Cluster, 'random'>, leaving: MemberRecord, place: Place): Promise<void> {
  const own = [leaving.wrapper, leaving.transport.id];
  const others = record.members.filter(({ wrapper }) => wrapper !== leaving.wrapper).map(({ transport }) => transport.id);
  await Promise.all(answering({ hardware, store }).map((at) => discardAll(hardware, [...own, ...(samePlace(at, place) ? [...leaving.opens, ...others] : [])].map((id) => ({ place: at, id })))));
  hardware.left(store.id, place);
  await hardware.logOut(place);
}
