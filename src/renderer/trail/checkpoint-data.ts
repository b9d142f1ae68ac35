/** Who signs checkpoints, which keys could, and when one was signed last. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { client, outputOf } from '../client.ts';
import { tailOf } from '../format.ts';
import { keyQuery, useDescribed, useKeys, type KeyRow } from '../keys/data.ts';
import { signsCheckpoints } from './checkpoint-words.ts';

const CHECKPOINTS = ['checkpoints'] as const;
/** Beyond this many keys nobody waits for each to be described. */
const MOST_KEYS = 2000;
/** So far back the last one is looked for: the whole of a long trail would be read in vain where there is none. */
export const LOOKED_AT = 20_000;

export interface CheckpointKey {
  readonly id: string;
  readonly exists: boolean;
}

/** `null`: the vault signs alone. Undefined while that is not known. */
export function useCheckpointKey(): CheckpointKey | null | undefined {
  const { data } = useQuery({
    queryKey: [...CHECKPOINTS, 'key'],
    queryFn: async (): Promise<CheckpointKey | null> => {
      const { KeyId, Exists } = outputOf(await client.trail.describeCheckpointKey());
      return KeyId === undefined ? null : { id: tailOf(KeyId), exists: Exists === true };
    },
    refetchOnMount: true,
  });
  return data;
}

export const useRefreshCheckpoints = (): (() => Promise<void>) => {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: CHECKPOINTS });
};

/** Milliseconds; `null`: none among the records that were looked at. */
export function useLastCheckpoint(): number | null | undefined {
  const { data } = useQuery({
    queryKey: [...CHECKPOINTS, 'last'],
    queryFn: async () => {
      const [newest] = outputOf(await client.trail.lookupEvents({ Limit: 1 })).Events;
      const After = Math.max(0, (newest?.Index ?? 0) - LOOKED_AT);
      const [last] = outputOf(await client.trail.lookupEvents({ Operation: 'trail:ExportCheckpoint', Result: 'ok', Limit: 1, ...(After === 0 ? {} : { After }) })).Events;
      return last ? last.Time * 1000 : null;
    },
    refetchOnMount: true,
  });
  return data;
}

export interface SigningKey {
  readonly row: KeyRow;
  readonly value: KeyMetadata;
}
/** Keys that could sign; undefined while they are being looked at. */
export function useCheckpointKeys(): readonly SigningKey[] | undefined {
  const queries = useQueryClient();
  const { rows, whole } = useKeys();
  const few = rows && whole && rows.length <= MOST_KEYS ? rows : undefined;
  const { round, reading } = useDescribed(few);
  return useMemo(() => {
    if (!few || reading) return undefined;
    return few.flatMap((row) => {
      const value = queries.getQueryData<KeyMetadata>(keyQuery(row.id));
      return value && signsCheckpoints(value) ? [{ row, value }] : [];
    });
  }, [few, reading, queries, round]);
}
