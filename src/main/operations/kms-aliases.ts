/** `kms:` handlers for aliases. */
import { VaultError } from '../../shared/model/errors.ts';
import { aliasArn, aliasHere, parseAliasName, parseKeyReference, placedAlias, type AliasName, type KeyId } from '../../shared/model/ids.ts';
import { assertAllows } from '../keyring/key.ts';
import { seconds } from '../../shared/api/operation.ts';
import { seen } from '../keyring/regions.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import { assertNotAlias, keyNow } from './kms-keys.ts';
import { pageWhere } from './pages.ts';
import { aliasOf, keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

/** `alias/aws/…` belongs to the vault itself. Throws InvalidAliasNameException. */
function ownAlias(text: string): AliasName {
  const name = parseAliasName(text);
  if (name.startsWith('alias/aws/')) throw new VaultError('InvalidAliasNameException', `\`${name}\`: names that start with \`alias/aws/\` are kept for the vault itself`);
  return name;
}

export const kmsAliasHandlers = (): Pick<HandlersOf<'kms'>, 'kms:CreateAlias' | 'kms:UpdateAlias' | 'kms:DeleteAlias' | 'kms:ListAliases'> => ({
  'kms:CreateAlias': async (input, call, { writer, realm }) => {
    assertNotAlias(input.TargetKeyId);
    const name = ownAlias(input.AliasName);
    const placed = placedAlias(realm, name);
    if (await writer.alias(placed)) return call.fail('AlreadyExistsException', `alias \`${name}\` exists already; move it with \`keystead kms update-alias\``);
    const { judged: key } = await keyNow(writer, call, realm);
    assertAllows(key, 'name');
    writer.insertAlias({ name: placed, target: key.keyId, created: call.at, updated: call.at });
    return {};
  },

  'kms:UpdateAlias': async (input, call, { writer, realm }) => {
    assertNotAlias(input.TargetKeyId);
    const name = ownAlias(input.AliasName);
    const reference = parseKeyReference(input.TargetKeyId, realm);
    const there = async (keyId: KeyId): Promise<KeyRecord | undefined> => {
      const key = await writer.key(keyId);
      return key && seen(key, realm, call.at);
    };
    const [alias, target] = [await writer.alias(placedAlias(realm, name)), reference?.kind === 'key' ? await there(reference.keyId) : undefined];
    if (!alias) return call.fail('NotFoundException', `alias \`${name}\` has just been deleted`);
    if (!target) return call.fail('NotFoundException', `key \`${input.TargetKeyId}\` does not exist; list what does with \`keystead kms list-keys\``);
    assertAllows(target, 'name');
    const before = await there(alias.target);
    if (before && (before.usage !== target.usage || (before.spec === 'SYMMETRIC_DEFAULT') !== (target.spec === 'SYMMETRIC_DEFAULT'))) {
      return call.fail('KMSInvalidStateException', 'an alias can only move to a key of the same kind and usage; make another alias instead');
    }
    writer.updateAlias({ ...alias, target: target.keyId, updated: call.at });
    return {};
  },

  'kms:DeleteAlias': async (input, call, { writer, realm }) => {
    const name = ownAlias(input.AliasName);
    if (!(await writer.alias(aliasOf(call.resource).name))) return call.fail('NotFoundException', `alias \`${name}\` has just been deleted`);
    writer.deleteAlias(placedAlias(realm, name));
    return {};
  },

  'kms:ListAliases': async (input, call, { reader, realm }) => {
    const target = input.KeyId === undefined ? {} : { target: keyOf(call.resource).keyId };
    const page = await pageWhere(input.Limit, input.Marker, (at) => reader.aliases({ ...at, ...target }), ({ name }) => aliasHere(realm, name) !== undefined, call.signal);
    return {
      Aliases: page.items.map((alias) => ({
        AliasName: aliasHere(realm, alias.name) ?? alias.name,
        AliasArn: aliasArn(realm, aliasHere(realm, alias.name) ?? alias.name),
        TargetKeyId: alias.target,
        CreationDate: seconds(alias.created),
        LastUpdatedDate: seconds(alias.updated),
      })),
      Truncated: page.next !== undefined,
      ...(page.next === undefined ? {} : { NextMarker: page.next }),
    };
  },
});
