/** Tags of a secret. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { TagChips, TagDialog, type TagBefore } from '../parts/tags.tsx';
import { useVault } from '../vault/context.ts';
import { pathOf, refreshSecrets, type SecretKnown } from './data.ts';

export function SecretTags({ value: { Name: name, Tags: tags, DeletedDate: due } }: { readonly value: SecretKnown }) {
  const { show, readOnly } = useVault();
  const queries = useQueryClient();
  const [failed, setFailed] = useState<CallError>();
  const remove = async (tag: string): Promise<void> => {
    const answer = await client.secretsmanager.untagResource({ SecretId: name, TagKeys: [tag] });
    setFailed(answer.ok ? undefined : answer.error);
    await refreshSecrets(queries);
  };
  return <TagChips tags={tags.map(({ Key, Value }) => [Key, Value] as const)} changeable={!readOnly && due === undefined} failed={failed} onAdd={() => { show({ kind: 'tag-secret', name }); }} onChange={(tag, given) => { show({ kind: 'tag-secret', name, before: { name: tag, value: given } }); }} onRemove={remove} />;
}

export function AddSecretTag({ name, before, onClose }: { readonly name: string; readonly before?: TagBefore | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  return <TagDialog of={pathOf(name)[1]} before={before} add={(Key, Value) => client.secretsmanager.tagResource({ SecretId: name, Tags: [{ Key, Value }] })} onAdded={() => refreshSecrets(queries)} onClose={onClose} />;
}
