/**
 * Which KMS key a secret's values are encrypted under, and that the caller may use it. As in AWS, whoever may use the secret may use
 * `alias/aws/secretsmanager` for it; another key asks for its own permission.
 */
import { VaultError, type ErrorCode } from '../../shared/model/errors.ts';
import { aliasArn, keyArn, keyIdFrom, parseAliasName, parseKeyReference, placedAlias, type AliasName, type Instant, type KeyId, type Realm } from '../../shared/model/ids.ts';
import type { Call } from '../kernel/handler.ts';
import { openFor } from '../keyring/key.ts';
import { seen } from '../keyring/regions.ts';
import { yearly } from '../keyring/rotation.ts';
import type { KeyBackend, KeyHandle, KeyReader, KeyRecord, KeyWriter } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { SecretRecord } from '../secrets/ports.ts';

export const MANAGED_ALIAS = parseAliasName('alias/aws/secretsmanager');
const MANAGED_DESCRIPTION = 'Default key that protects my Secrets Manager secrets when no other key is defined';

/** Nothing, the managed alias by name or by ARN: the managed key. */
const isManaged = (text: string, realm: Realm): boolean => text === '' || text === MANAGED_ALIAS || text === aliasArn(realm, MANAGED_ALIAS);

async function keyNamed(text: string, reader: KeyReader, realm: Realm, at: Instant): Promise<KeyRecord | undefined> {
  const reference = parseKeyReference(text, realm);
  if (!reference) return undefined;
  const keyId = reference.kind === 'key' ? reference.keyId : (await reader.alias(placedAlias(realm, reference.alias)))?.target;
  return keyId === undefined ? undefined : keyHere(keyId, reader, realm, at);
}

/** As the realm's region sees it at this time. */
async function keyHere(keyId: KeyId, reader: KeyReader, realm: Realm, at: Instant): Promise<KeyRecord | undefined> {
  const key = await reader.key(keyId);
  return key && seen(key, realm, at);
}

/**
 * A request's `KmsKeyId` as it is kept; undefined: the managed key. ResourceNotFoundException, InvalidParameterException,
 * AccessDeniedException.
 */
export async function chosenKey(text: string | undefined, call: Pick<Call, 'allows' | 'at'>, reader: KeyReader, realm: Realm): Promise<SecretRecord['key'] | undefined> {
  if (text === undefined || isManaged(text, realm)) return undefined;
  const key = await keyNamed(text, reader, realm, call.at).catch((error: unknown) => {
    if (error instanceof VaultError && (error.code === 'NotFoundException' || error.code === 'InvalidArnException')) return undefined;
    throw error;
  });
  if (!key) throw new VaultError('ResourceNotFoundException', `key \`${text}\` does not exist; list what does with \`keystead kms list-keys\``);
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new VaultError('InvalidParameterException', `key \`${text}\` is \`${key.spec}\`; secrets are encrypted under symmetric keys`);
  assertMayUse(call, 'kms:GenerateDataKey', realm, key.keyId);
  return { keyId: key.keyId, kmsKeyId: text };
}

function assertMayUse(call: Pick<Call, 'allows'>, action: string, realm: Realm, keyId: KeyId): void {
  if (!call.allows(action, { arn: keyArn(realm, keyId) })) throw new VaultError('AccessDeniedException', `\`${action}\` with the secret's key is not allowed for this caller; ask the owner of the vault`);
}

interface Sealing {
  readonly call: Pick<Call, 'allows'>;
  readonly writer: KeyWriter;
  readonly keys: KeyBackend;
  readonly realm: Realm;
  readonly random: Random;
  readonly at: Instant;
  /** Managed keys of this unit of work, by alias: values that are sealed at once have one made between them. */
  readonly managed: Map<AliasName, Promise<KeyRecord>>;
}

/** For a new version. Makes the managed key where there is none yet. EncryptionFailure, AccessDeniedException. */
export async function keyToSeal(secret: SecretRecord, ports: Sealing): Promise<KeyHandle<'ENCRYPT_DECRYPT'>> {
  const { call, writer, realm, at } = ports;
  if (!secret.key) return opened(await managedKeyOnce(ports), 'EncryptionFailure');
  // Named anew each time: an alias may have moved.
  const key = await keyNamed(secret.key.kmsKeyId, writer, realm, at);
  if (key?.spec !== 'SYMMETRIC_DEFAULT') throw new VaultError('EncryptionFailure', `key \`${secret.key.kmsKeyId}\` of secret \`${secret.name}\` is not there any more; name another one with \`keystead secret update\``);
  assertMayUse(call, 'kms:GenerateDataKey', realm, key.keyId);
  return opened(key, 'EncryptionFailure');
}

/** For the value of an existing version. DecryptionFailure, AccessDeniedException. */
export async function keyToOpen(secret: SecretRecord, keyId: KeyId, call: Pick<Call, 'allows' | 'at'>, reader: KeyReader, realm: Realm): Promise<KeyHandle<'ENCRYPT_DECRYPT'>> {
  const key = await keyHere(keyId, reader, realm, call.at);
  if (!key) throw new VaultError('DecryptionFailure', `the key \`${keyId}\` that secret \`${secret.name}\` is encrypted under was destroyed: this value cannot be read any more`);
  if (key.manager === undefined) assertMayUse(call, 'kms:Decrypt', realm, keyId);
  return opened(key, 'DecryptionFailure');
}

export const isManagedKey = async (keyId: KeyId, reader: KeyReader): Promise<boolean> => (await reader.key(keyId))?.manager !== undefined;

const KEY_TROUBLE: ReadonlySet<ErrorCode> = new Set(['DisabledException', 'KMSInvalidStateException', 'InvalidKeyUsageException', 'KeyUnavailableException', 'UnsupportedOperationException']);

/** What a key answers, in the words that AWS Secrets Manager has for it. */
export function asKeyFailure(code: 'EncryptionFailure' | 'DecryptionFailure', error: unknown): unknown {
  return error instanceof VaultError && KEY_TROUBLE.has(error.code) ? new VaultError(code, `the secret's key cannot be used: ${error.message}`) : error;
}

function opened(key: KeyRecord, code: 'EncryptionFailure' | 'DecryptionFailure'): KeyHandle<'ENCRYPT_DECRYPT'> {
  try {
    return openFor(key, 'ENCRYPT_DECRYPT');
  } catch (error) {
    throw asKeyFailure(code, error);
  }
}

function managedKeyOnce(ports: Sealing): Promise<KeyRecord> {
  const name = placedAlias(ports.realm, MANAGED_ALIAS);
  const known = ports.managed.get(name) ?? managedKey(name, ports);
  ports.managed.set(name, known);
  return known;
}

/** The vault's own key for secrets, made when it is first needed. */
async function managedKey(name: AliasName, { writer, keys, random, realm, at }: Sealing): Promise<KeyRecord> {
  const alias = await writer.alias(name);
  if (alias) {
    const key = await keyHere(alias.target, writer, realm, at);
    if (!key) throw new VaultError('EncryptionFailure', `\`${MANAGED_ALIAS}\` has lost its key; verify the vault with \`keystead doctor\``);
    return key;
  }
  const keyId = keyIdFrom(random.bytes(16));
  const { material } = await keys.generate({ spec: 'SYMMETRIC_DEFAULT', keyId, purpose: 'kms' });
  const record: KeyRecord = { keyId, spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: MANAGED_DESCRIPTION, created: at, materials: [material.materialId], manager: 'AWS', rotation: yearly(at), ...(name === MANAGED_ALIAS ? {} : { region: realm.region }) };
  writer.insertKey(record, material);
  writer.insertAlias({ name, target: keyId, created: at, updated: at });
  return record;
}
