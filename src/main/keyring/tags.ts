/** Tags of a key. Pure. Source: AWS KMS Developer Guide, "Tags in AWS KMS"; 50 on a key. */
import { VaultError } from '../../shared/model/errors.ts';
import { assertAllows } from './key.ts';
import type { KeyRecord } from './ports.ts';

export interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

export const TAG_LIMIT = 50;
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Throws TagException. */
function assertTags(given: readonly Tag[]): void {
  const names = new Set<string>();
  for (const { TagKey, TagValue } of given) {
    if (!CHARACTERS.test(TagKey) || !CHARACTERS.test(TagValue)) throw new VaultError('TagException', `the tag \`${TagKey}\` has characters other than letters, digits, spaces and \`_.:/=+-@\``);
    if (/^aws:/i.test(TagKey)) throw new VaultError('TagException', `the tag \`${TagKey}\` begins with \`aws:\`, which is AWS's own; choose another name`);
    if (names.has(TagKey)) throw new VaultError('TagException', `the tag \`${TagKey}\` is given twice; give it once`);
    names.add(TagKey);
  }
}

/** Throws TagException, LimitExceededException, KMSInvalidStateException. */
export function tagged(key: KeyRecord, given: readonly Tag[]): KeyRecord {
  assertAllows(key, 'edit');
  assertTags(given);
  const tags = new Map(key.tags);
  for (const { TagKey, TagValue } of given) tags.set(TagKey, TagValue);
  if (tags.size > TAG_LIMIT) throw new VaultError('LimitExceededException', `key \`${key.keyId}\` would have ${String(tags.size)} tags; ${String(TAG_LIMIT)} is the limit: take some off with \`keystead kms untag-resource\``);
  return withTags(key, [...tags]);
}

/** Throws KMSInvalidStateException. */
export function untagged(key: KeyRecord, names: readonly string[]): KeyRecord {
  assertAllows(key, 'edit');
  return withTags(key, (key.tags ?? []).filter(([name]) => !names.includes(name)));
}

function withTags({ tags: _, ...key }: KeyRecord, tags: NonNullable<KeyRecord['tags']>): KeyRecord {
  return tags.length === 0 ? key : { ...key, tags };
}
