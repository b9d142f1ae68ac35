/** Where a secret is replicated to, as the screens need it, and the words for it. */
import { useQuery } from '@tanstack/react-query';
import type { Output } from '../../shared/api/index.ts';
import { isRegion } from '../../shared/model/ids.ts';
import { client, outputOf } from '../client.ts';
import { ago, left, plural } from '../format.ts';

export type Replication = Output<'secretsmanager:DescribeReplication'>;
export type Replica = Replication['Replicas'][number];
export type Remote = Output<'secretsmanager:ListRemotes'>['Remotes'][number];

export const useReplication = (name: string) => useQuery({ queryKey: ['secret', name, 'replication'], queryFn: async () => outputOf(await client.secretsmanager.describeReplication({ SecretId: name })) });
export const REMOTES = ['remotes'] as const;
export const useRemotes = () => useQuery({ queryKey: REMOTES, queryFn: async () => outputOf(await client.secretsmanager.listRemotes({})).Remotes });

/** In a name space of this vault; otherwise at a remote. */
export const isInside = ({ Region }: Pick<Replica, 'Region'>): boolean => isRegion(Region);

export type Standing = 'level' | 'moving' | 'failed' | 'conflict' | 'leaving';
export function standingOf({ Status, Conflict, Removing }: Replica): Standing {
  if (Conflict) return 'conflict';
  if (Status === 'Failed') return 'failed';
  if (Removing) return 'leaving';
  return Status === 'InSync' ? 'level' : 'moving';
}

export const STANDING_WORDS: Readonly<Record<Standing, string>> = { level: 'Level', moving: 'Bringing it level…', failed: 'Failed', conflict: 'Conflict', leaving: 'Being deleted…' };

type ConflictKind = NonNullable<Replica['Conflict']>['Kind'];
export const CONFLICT_WORDS: Readonly<Record<ConflictKind, string>> = {
  foreign: 'Somebody has made a version there that this vault does not know. It was not overwritten.',
  moved: 'Somebody has moved a label there to another version. Nothing was changed.',
  exists: 'A secret of this name is there already, and is no copy of this one. It was not overwritten.',
  deleted: 'The copy is marked for deletion there. Nothing was changed.',
  gone: 'The copy was deleted there. It was not made again.',
};

/** When it was last level, or since when and how far it is behind. `at`: now, milliseconds. */
export function lagWords({ LevelDate: level, BehindSince: since, VersionsBehind: versions = 0 }: Replica, at: number): string {
  const was = level === undefined ? 'Never level yet' : `Level ${ago(level * 1000, at)}`;
  if (since === undefined) return was;
  const behind = versions === 0 ? 'labels, description or tags have changed' : `${plural(versions, 'version')} behind`;
  return `${was}. ${behind.charAt(0).toUpperCase()}${behind.slice(1)}, first changed ${ago(since * 1000, at)}`;
}

/** Undefined: it is not tried by itself. */
export const nextWords = ({ NextAttemptDate: next, Attempts: attempts = 0 }: Replica, at: number): string | undefined =>
  next === undefined ? undefined : `Tried ${attempts === 1 ? 'once' : `${String(attempts)} times`}; again in ${left(next * 1000, at)}.`;
