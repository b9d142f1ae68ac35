/** The keys of this vault that are in a key store: found among all that the window knows of. */
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { plural } from '../format.ts';
import { keyQuery, useDescribed, useKeys } from '../keys/data.ts';
import { KeyGlyph } from '../pictures/key-glyph.tsx';

/** Beyond this many keys nobody waits for each to be described. */
const MOST = 2000;

export function StoreKeys({ storeId }: { readonly storeId: string }) {
  const queries = useQueryClient();
  const { rows, whole } = useKeys();
  const few = rows && whole && rows.length <= MOST ? rows : undefined;
  const { round, reading } = useDescribed(few);
  const own = useMemo(() => (few ?? []).filter(({ id }) => queries.getQueryData<KeyMetadata>(keyQuery(id))?.CustomKeyStoreId === storeId), [few, queries, storeId, round]);
  if (!few || reading) return null;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-1.5 text-[12px]/4">
      <span className="mr-1 text-fg-2">{own.length === 0 ? 'No keys in it yet' : plural(own.length, 'key')}</span>
      {own.map(({ id, name, named }) => (
        <Link key={id} to="/keys" search={{ key: id }} className="hover-tint edge flex h-8 items-center gap-2 rounded-row pr-2.5 pl-0.5 font-medium">
          <KeyGlyph publicId={id} size="S" state={queries.getQueryData<KeyMetadata>(keyQuery(id))?.KeyState ?? 'Enabled'} hardware /><span className={named ? '' : 'font-mono'}>{name}</span>
        </Link>
      ))}
    </div>
  );
}
