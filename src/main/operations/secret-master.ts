/** Which secret's user acts for two users by turns: the one that `masterarn` of the rotating secret's value names, held fast when the rotation is set up. */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { textMember } from '../secrets/json-members.ts';
import { CURRENT, type SecretRecord } from '../secrets/ports.ts';
import type { RotatorSettings } from '../secrets/rotation-record.ts';
import { KINDS } from '../secrets/rotator.ts';
import { staged } from '../secrets/stages.ts';
import { resolveSecret, secretOf, type ResolverPorts } from './resolvers.ts';
import { secretValues, type SecretsReading, type SecretsWriting } from './secret-store.ts';

/** Another secret of the same name is another secret. */
export const pinOf = ({ name, suffix }: Pick<SecretRecord, 'name' | 'suffix'>): string => `${name}-${suffix}`;

/** Undefined: it names none. ResourceNotFoundException; AccessDeniedException where the caller may not read it; InvalidRequestException for itself. */
export async function masterNamed(secret: SecretRecord, current: SecretBytes, rights: Pick<SecretsReading, 'call'> & Pick<ResolverPorts, 'realm' | 'reader'>): Promise<SecretRecord | undefined> {
  const named = textMember(current, 'masterarn');
  if (named === undefined) return undefined;
  const resource = await resolveSecret(named, rights);
  if (!rights.call.allows('secretsmanager:GetSecretValue', resource)) throw new VaultError('AccessDeniedException', '`masterarn` names a secret that this caller may not read; ask the owner of the vault');
  if (resource.missing) throw resource.missing;
  const master = secretOf(resource);
  if (pinOf(master) === pinOf(secret)) throw new VaultError('InvalidRequestException', '`masterarn` names this secret itself; name that of a user who may set passwords of others');
  return master;
}

/** The settings with the master that the current value names now, where that says one. As above; DecryptionFailure. */
export async function withMaster(secret: SecretRecord, settings: RotatorSettings, rights: SecretsWriting): Promise<RotatorSettings> {
  const version = KINDS[settings.kind].at === 'database' ? staged(secret.versions, CURRENT) : undefined;
  if (!version?.value) return settings;
  using current = (await secretValues(rights).read(secret, version.versionId)).bytes;
  const master = await masterNamed(secret, current, { ...rights, reader: rights.writer });
  return master ? { ...settings, master: pinOf(master) } : settings;
}
