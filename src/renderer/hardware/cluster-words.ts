/** Key stores that span several tokens, in words. Pure. */
import type { Output } from '../../shared/api/index.ts';
import { plural } from '../format.ts';
import type { Cluster } from './data.ts';
import { nameOf } from './token-names.ts';
import { FAILED, type Said } from './words.ts';

export type { Cluster };
export type Member = Cluster['Members'][number];

export const isBehind = ({ Missing = 0, Deleted = 0 }: Pick<Member, 'Missing' | 'Deleted'>): boolean => Missing > 0 || Deleted > 0;

export function memberState(member: Pick<Member, 'Health' | 'Failure' | 'Missing' | 'Deleted'>): Said {
  if (member.Health === 'disconnected') return ['Not connected', 'plain'];
  if (member.Health === 'failing') return [FAILED[member.Failure ?? 'INTERNAL_ERROR'], member.Failure === 'INVALID_CREDENTIALS' ? 'warn' : 'danger'];
  return isBehind(member) ? ['Behind', 'warn'] : ['Connected', 'ok'];
}

const NEXT: Readonly<Record<NonNullable<Member['Failure']>, string>> = {
  INVALID_CREDENTIALS: 'Its process ended or it was logged out. It waits for its PIN.',
  CLUSTER_NOT_FOUND: 'The token does not answer. Put it back: it is tried again by itself.',
  USER_LOCKED_OUT: 'Too many wrong PINs. The security officer of the token has to set a new one with the tools of its vendor.',
  USER_NOT_FOUND: 'The token has no user PIN any more. Let it leave the key store.',
  INTERNAL_ERROR: 'It failed at what it was asked. It is tried again by itself.',
};

/** What a token needs, and who serves meanwhile; undefined where nothing is wrong with it. */
export function memberNext(member: Pick<Member, 'Health' | 'Failure' | 'Missing' | 'Deleted'>, members: readonly Pick<Member, 'Health'>[]): string | undefined {
  if (member.Health === 'connected') return isBehind(member) ? 'It was away while keys were made or deleted. Bring the cluster level.' : undefined;
  if (member.Health === 'disconnected') return undefined;
  const others = members.filter(({ Health }) => Health === 'connected').length;
  return `${NEXT[member.Failure ?? 'INTERNAL_ERROR']} ${others === 0 ? 'No other token answers, so the keys cannot be used now.' : 'Requests go to the others meanwhile.'}`;
}

/** Why it cannot be sealed now; undefined where it can. */
export function unsealable(members: readonly Member[]): string | undefined {
  const away = members.filter(({ Health }) => Health !== 'connected').map(nameOf);
  if (away.length > 0) return `${away.join(' and ')} ${away.length === 1 ? 'does' : 'do'} not answer. Every token is sealed at once or none is: bring ${away.length === 1 ? 'it' : 'them'} back first.`;
  const behind = members.filter(isBehind).map(nameOf);
  return behind.length > 0 ? `${behind.join(' and ')} ${behind.length === 1 ? 'is' : 'are'} behind. Bring the cluster level first: a key that a token lacks when it is sealed it never gets.` : undefined;
}

/** How a cluster stands, in one line. */
export function clusterSaid({ State, Members }: Pick<Cluster, 'State' | 'Members'>): string {
  const up = Members.filter(({ Health }) => Health === 'connected').length;
  return `${String(up)} of ${String(Members.length)} tokens answer${State === 'sealed' ? '; no token can join' : ''}`;
}

/** Why a token cannot leave now; undefined where it can, as far as is seen from here. */
export function unleavable({ Members }: Pick<Cluster, 'Members'>, leaving: Member): string | undefined {
  const others = Members.filter(({ CloudHsmClusterId: id }) => id !== leaving.CloudHsmClusterId);
  if (others.length === 0) return 'It is the only token of the key store. Delete the key store instead.';
  if (!others.some(({ Health }) => Health === 'connected')) return 'No other token answers, so nobody can tell whether the keys are elsewhere, too. Bring one back first.';
  const whole = others.some(({ Health, Missing = 0 }) => Health === 'connected' && Missing === 0);
  return whole ? undefined : 'The other tokens lack keys that this one may hold. Bring the cluster level first.';
}

type Left = Output<'hardware:RemoveTokenFromKeyStore'>['Left'];

/** What was not removed when a token left; empty where all of it was. */
export function leftWords(left: Left, leaving: Pick<Member, 'CloudHsmClusterId' | 'Label' | 'Serial'>): readonly string[] {
  const name = nameOf(leaving);
  const on = left.filter(({ CloudHsmClusterId: id }) => id === leaving.CloudHsmClusterId);
  const others = left.filter((one) => !on.includes(one));
  const reasons = [...new Set(left.map(({ Reason }) => Reason))].join('; ').replaceAll('`', '');
  if (left.length === 0) return [];
  return [
    ...(on.some(({ Kind }) => Kind === 'copyOfWrappingKey') ? [`${name} keeps wrapping keys of the others: whoever has it, its PIN, and a wrapped copy on its way between two others could open that there. Erase it: “Erase and initialise…”. Where that cannot be done, make a new key store and new keys.`] : on.length > 0 ? [`${name} keeps ${plural(on.length, 'object')} that it made or was given for the cluster. Erase it before it goes out of your hands.`] : []),
    ...(others.length > 0 ? [`${[...new Set(others.map(({ Token }) => Token))].join(' and ')} still ${new Set(others.map(({ CloudHsmClusterId: id }) => id)).size === 1 ? 'trusts' : 'trust'} its keys. Bring the cluster level: they are removed then.`] : []),
    `What was said: ${reasons}.`,
  ];
}

/** What stays on a token that leaves, and what can be done with it; what the others keep of it. */
export function leaveWords({ Members, State }: Pick<Cluster, 'Members' | 'State'>, leaving: Member): readonly string[] {
  const keys = leaving.Keys === undefined ? 'The keys that it holds stay' : leaving.Keys === 1 ? 'One key stays' : `${plural(leaving.Keys, 'key')} stay`;
  const left = Members.length - 1;
  return [
    `${keys} on it. Whoever has it and its PIN goes on signing and decrypting with them; nothing recalls that.`,
    State === 'sealed' ? 'The keys on it cannot be taken out of it; the cluster is sealed, so no token can take its place.' : 'They stay extractable under a trusted wrapping key: whoever has its security officer’s PIN, too, can take them out.',
    leaving.Health === 'connected'
      ? 'It is asked now to delete what copies made later could be opened with; what it does not delete is said afterwards. A copy of its files that somebody made before keeps that.'
      : 'It does not answer, so it keeps the wrapping keys of the others: whoever has it, its PIN, and a wrapped copy on its way between two others could open that there. Only a new key store with tokens of its own ends that.',
    ...(left === 1 ? ['The key store is in one token then. Where that is lost, so are its keys.'] : []),
    'A PIN of it that is sealed in the vault is forgotten.',
  ];
}
