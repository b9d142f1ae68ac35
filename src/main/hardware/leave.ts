/**
 * What is done on tokens when one has left its cluster, as far as they answer: the others no longer trust its public key nor unwrap with its
 * wrapping key, and it no longer unwraps with theirs. What could not be taken off is said.
 *
 * Does not: reach a token that is away. One that has left keeps the others' wrapping keys then, and opens what is wrapped under them; the others
 * are rid of its keys when they are brought level, for the ids are among those that are `gone`.
 */
import { answering, discardAll, type Cluster, type Kept } from './cluster-keys.ts';
import type { Place } from './hardware.ts';
import type { MemberRecord } from './kinds.ts';
import { samePlace } from './processes.ts';

const AWAY = 'the token does not answer';

/** `record`: as it was before. What stays on the tokens, of those that are away as far as is known here. Nobody is logged in to the one that left afterwards. Never rejects. */
export async function leave({ hardware, store, record }: Omit<Cluster, 'random'>, leaving: MemberRecord, place: Place): Promise<readonly Kept[]> {
  const own = [leaving.wrapper, leaving.transport.id];
  const others = record.members.filter(({ wrapper }) => wrapper !== leaving.wrapper).map(({ transport }) => transport.id);
  const theirs = [...leaving.opens, ...others];
  const there = answering({ hardware, store });
  const kept = await Promise.all(there.map((at) => discardAll(hardware, [...own, ...(samePlace(at, place) ? theirs : [])].map((id) => ({ place: at, id })))));
  hardware.left(store.id, place);
  await hardware.logOut(place);
  return there.some((at) => samePlace(at, place)) ? kept.flat() : [...kept.flat(), ...[...own, ...theirs].map((id) => ({ place, id, reason: AWAY }))];
}
