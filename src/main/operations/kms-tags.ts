/** `kms:` handlers of tags. Thin: the keyring decides. */
import { VaultError } from '../../shared/model/errors.ts';
import { tagged, untagged } from '../keyring/tags.ts';
import { assertNotAlias, change } from './kms-keys.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'TagResource' | 'UntagResource' | 'ListResourceTags';

const byName = (a: readonly [string, string], b: readonly [string, string]): number => (a[0] < b[0] ? -1 : 1);

export const kmsTagHandlers = (): Pick<HandlersOf<'kms'>, `kms:${Names}`> => ({
  'kms:TagResource': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, (key) => tagged(key, input.Tags));
    return {};
  },

  'kms:UntagResource': async (input, call, { writer, realm }) => {
    await change(writer, call, realm, input.KeyId, (key) => untagged(key, input.TagKeys));
    return {};
  },

  'kms:ListResourceTags': (input, call) => {
    assertNotAlias(input.KeyId);
    const after = afterOf(input.Marker);
    // In the order of names, so that a page goes on rightly where tags came or went meanwhile.
    const rest = [...(keyOf(call.resource).tags ?? [])].sort(byName).filter(([name]) => after === undefined || name > after);
    const shown = rest.slice(0, input.Limit);
    const last = shown.at(-1);
    return {
      Tags: shown.map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      Truncated: rest.length > shown.length,
      ...(rest.length > shown.length && last ? { NextMarker: Buffer.from(last[0]).toString('base64url') } : {}),
    };
  },
});

/** Throws InvalidMarkerException. */
function afterOf(marker: string | undefined): string | undefined {
  if (marker === undefined) return undefined;
  const name = Buffer.from(marker, 'base64url').toString();
  if (name !== '' && Buffer.from(name).toString('base64url') === marker) return name;
  throw new VaultError('InvalidMarkerException', 'the marker is not one that a listing of tags gave out, start again without a marker');
}
