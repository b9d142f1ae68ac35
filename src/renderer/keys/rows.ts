/** The list of keys: what each is called, and in which order. Pure. */
import type { Output } from '../../shared/api/index.ts';
import { bareAlias } from '../format.ts';

export interface KeyRow {
  readonly id: string;
  readonly arn: string;
  /** The first alias without its prefix, else the beginning of the id. */
  readonly name: string;
  readonly named: boolean;
  /** With their prefix, sorted. */
  readonly aliases: readonly string[];
  /** Lower case, for the filter. */
  readonly text: string;
}

export type ListedKey = Output<'kms:ListKeys'>['Keys'][number];
export type ListedAlias = Output<'kms:ListAliases'>['Aliases'][number];

const order = new Intl.Collator('en', { numeric: true });

/** Named keys first, by name. */
export function rowsOf(keys: readonly ListedKey[], aliases: readonly ListedAlias[]): readonly KeyRow[] {
  const names = new Map<string, string[]>();
  for (const { AliasName, TargetKeyId } of aliases) {
    const own = names.get(TargetKeyId);
    if (own) own.push(AliasName);
    else names.set(TargetKeyId, [AliasName]);
  }
  const rows = keys.map(({ KeyId, KeyArn }): KeyRow => {
    const own = (names.get(KeyId) ?? []).sort(order.compare);
    const name = own[0] === undefined ? KeyId.slice(0, 8) : bareAlias(own[0]);
    return { id: KeyId, arn: KeyArn, name, named: own[0] !== undefined, aliases: own, text: `${own.join(' ')} ${KeyId}`.toLowerCase() };
  });
  return rows.sort((a, b) => Number(b.named) - Number(a.named) || order.compare(a.name, b.name));
}

/** What stands first in the list, from the first page of each: named keys stand first, and an alias names its key. */
export function firstRowsOf(keys: readonly ListedKey[], aliases: readonly ListedAlias[], allNamed: boolean): readonly KeyRow[] {
  const named = new Map(aliases.map(({ AliasArn, TargetKeyId }) => [TargetKeyId, { KeyId: TargetKeyId, KeyArn: AliasArn.replace(/:alias\/.*$/, `:key/${TargetKeyId}`) }]));
  return rowsOf([...named.values(), ...(allNamed ? keys.filter(({ KeyId }) => !named.has(KeyId)) : [])], aliases);
}

/**
 * Finds rows by a text in lower case. What is typed is mostly longer by a letter than before, and then only what was found before can be
 * found now.
 */
export function finderOf(rows: readonly KeyRow[], textOf: (row: KeyRow) => string): (wanted: string) => readonly KeyRow[] {
  let last = { wanted: '', found: rows };
  return (wanted) => {
    if (wanted !== last.wanted) last = { wanted, found: (wanted.includes(last.wanted) ? last.found : rows).filter((row) => textOf(row).includes(wanted)) };
    return last.found;
  };
}
