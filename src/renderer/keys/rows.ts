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
