/** Key stores that span several tokens, in words. Pure. */
import type { Cluster } from './data.ts';
import { FAILED, type Said } from './words.ts';

export type { Cluster };
export type Member = Cluster['Members'][number];

export const memberName = ({ Label, Serial }: Pick<Member, 'Label' | 'Serial'>): string => (Label === '' ? Serial : Label);
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
  const away = members.filter(({ Health }) => Health !== 'connected').map(memberName);
  if (away.length > 0) return `${away.join(' and ')} ${away.length === 1 ? 'does' : 'do'} not answer. Every token is sealed at once or none is: bring ${away.length === 1 ? 'it' : 'them'} back first.`;
  const behind = members.filter(isBehind).map(memberName);
  return behind.length > 0 ? `${behind.join(' and ')} ${behind.length === 1 ? 'is' : 'are'} behind. Bring the cluster level first: a key that a token lacks when it is sealed it never gets.` : undefined;
}

/** How a cluster stands, in one line. */
export function clusterSaid({ State, Members }: Pick<Cluster, 'State' | 'Members'>): string {
  const up = Members.filter(({ Health }) => Health === 'connected').length;
  return `${String(up)} of ${String(Members.length)} tokens answer${State === 'sealed' ? '; no token can join' : ''}`;
}
