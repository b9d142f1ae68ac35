/** How the resource of each kind is found. What does not exist comes back as `missing`, to be said after policy has spoken. */
import type { ResourceRule } from '../../shared/api/operation.ts';
import { invalidCiphertext, VaultError } from '../../shared/model/errors.ts';
import { aliasArn, keyArn, parseAliasName, parseKeyReference, parseSecretReference, placedAlias, placedSecret, placeIn, realmIn, secretArn, type Instant, type Realm } from '../../shared/model/ids.ts';
import type { Resolve, Resource } from '../kernel/resolve.ts';
import { NO_RESOURCE } from '../kernel/resolve.ts';
import { seen } from '../keyring/regions.ts';
import type { AliasRecord, KeyBackend, KeyRecord } from '../keyring/ports.ts';
import { SECRETS } from '../secrets/kinds.ts';
import type { SecretRecord } from '../secrets/ports.ts';
import type { Reader } from '../store/port.ts';

export interface ResolverPorts {
  readonly realm: Realm;
  readonly reader: Reader;
  readonly keys: Pick<KeyBackend, 'locate'>;
  /** Whether this key store is connected now. */
  readonly isConnected: (storeId: string) => boolean;
  readonly now: Instant;
}

type Input = Readonly<Record<string, unknown>>;
type Resolver = (rule: ResourceRule, input: Input, ports: ResolverPorts) => Promise<Resource>;

const missing = (what: 'key' | 'alias', text: string): Resource => ({ missing: new VaultError('NotFoundException', `${what} \`${text}\` does not exist; list what does with \`keystead kms ${what === 'key' ? 'list-keys' : 'list-aliases'}\``) });

/** Undefined: the key is not in this region. */
function found(key: KeyRecord | undefined, { realm, now, isConnected }: ResolverPorts): Resource | undefined {
  const here = key && seen(key, realm, now);
  const view = here && withConnection(here, isConnected);
  return view && { arn: keyArn(realm, view.keyId), subject: view };
}

/** A key whose key store is not connected is unavailable, unless it is on its way out anyway. */
const withConnection = (key: KeyRecord, isConnected: ResolverPorts['isConnected']): KeyRecord =>
  key.hardware === undefined || key.state === 'PendingDeletion' || isConnected(key.hardware.store) ? key : { ...key, state: 'Unavailable' };

async function resolveKey(text: string, ports: ResolverPorts): Promise<Resource> {
  const { realm, reader } = ports;
  const reference = parseKeyReference(text, realm);
  if (!reference) return missing('key', text);
  if (reference.kind === 'key') {
    const key = await reader.key(reference.keyId);
    return found(key, ports) ?? missing('key', reference.keyId);
  }
  const alias = await reader.alias(placedAlias(realm, reference.alias));
  return found(alias && (await reader.key(alias.target)), ports) ?? missing('alias', reference.alias);
}

/** A secret by name, ARN or partial ARN. */
export async function resolveSecret(text: string, { realm, reader }: Pick<ResolverPorts, 'realm' | 'reader'>): Promise<Resource> {
  for (const { name, suffix } of parseSecretReference(text, realm)) {
    const secret = await reader.of(SECRETS).get(placedSecret(placeIn(realm), name));
    if (secret && (suffix === undefined || suffix === secret.suffix)) return { arn: secretArn(realm, name, secret.suffix), subject: secret };
  }
  return { missing: new VaultError('ResourceNotFoundException', `secret \`${text}\` does not exist; list what does with \`keystead secret list\``) };
}

const RESOLVERS: Readonly<Record<ResourceRule['kind'], Resolver>> = {
  async key(rule, input, ports) {
    const text = input[rule.field];
    return typeof text === 'string' ? resolveKey(text, ports) : NO_RESOURCE;
  },
  async alias(rule, input, { realm, reader }) {
    const name = parseAliasName(input[rule.field] as string);
    const alias = await reader.alias(placedAlias(realm, name));
    return alias ? { arn: aliasArn(realm, name), subject: alias } : missing('alias', name);
  },
  async secret(rule, input, ports) {
    const resource = await resolveSecret(input[rule.field] as string, ports);
    return resource.missing && rule.mayBeMissing !== undefined && input[rule.mayBeMissing] === true ? NO_RESOURCE : resource;
  },
  async ciphertext(rule, input, ports) {
    const named = rule.keyField === undefined ? undefined : input[rule.keyField];
    // A ciphertext of an asymmetric key does not name it, nor does one that is not there: the caller must.
    if (input[rule.field] === undefined || input[rule.algorithmField ?? 'EncryptionAlgorithm'] !== 'SYMMETRIC_DEFAULT') return typeof named === 'string' ? resolveKey(named, ports) : NO_RESOURCE;
    const given = typeof named === 'string' ? await resolveKey(named, ports) : undefined;
    if (given?.missing) return given;
    try {
      const materialId = await ports.keys.locate(input[rule.field] as Uint8Array);
      const own = found(await ports.reader.keyOfMaterial(materialId), ports);
      if (!own) return { ...given, missing: invalidCiphertext() };
      if (given && given.arn !== own.arn) return { ...given, missing: new VaultError('IncorrectKeyException', `the ciphertext was made by another key than the given one; leave \`${rule.keyField ?? 'KeyId'}\` out, or name its own`) };
      return { ...own, materialId };
    } catch (error) {
      if (error instanceof VaultError && error.code === 'InvalidCiphertextException') return { ...given, missing: invalidCiphertext() };
      throw error;
    }
  },
};

export const createResolve =
  (ports: () => ResolverPorts): Resolve =>
  (rule, input, region) => {
    const open = ports();
    return RESOLVERS[rule.kind](rule, input, { ...open, realm: realmIn(open.realm, region) });
  };

/** The resolved subject of a handler's call; the declaration's `resource` rule says which kind it is. */
export const keyOf = (resource: Resource): KeyRecord => resource.subject as KeyRecord;
export const secretOf = (resource: Resource): SecretRecord => resource.subject as SecretRecord;
export const aliasOf = (resource: Resource): AliasRecord => resource.subject as AliasRecord;
