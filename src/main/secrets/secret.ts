/** What each act makes of a secret's record: its name, tags and planned deletion. Pure; `stages.ts` has the versions. */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant, type SecretName } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Random } from '../platform/ports.ts';
import type { SecretRecord, SecretValue, Tag } from './ports.ts';

const DAY = 24 * 60 * 60 * 1000;
const MAX_TAGS = 50;
const TAG_CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const SUFFIX_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SUFFIX_LENGTH = 6;

/** Six characters, each as likely as any other. */
export function drawSuffix(random: Random): string {
  // The largest multiple of 62 that a byte holds.
  const limit = 248;
  let suffix = '';
  while (suffix.length < SUFFIX_LENGTH) {
    for (const byte of random.bytes(SUFFIX_LENGTH)) {
      if (byte < limit && suffix.length < SUFFIX_LENGTH) suffix += SUFFIX_CHARACTERS.charAt(byte % SUFFIX_CHARACTERS.length);
    }
  }
  return suffix;
}

export interface GivenValue {
  readonly SecretString?: SecretBytes | undefined;
  readonly SecretBinary?: SecretBytes | undefined;
}

/** The value of a request, which stays the request's; undefined: none. InvalidParameterException for both at once. */
export function givenValue({ SecretString, SecretBinary }: GivenValue): SecretValue | undefined {
  if (SecretString && SecretBinary) throw new VaultError('InvalidParameterException', 'give either `SecretString` or `SecretBinary`, not both');
  if (SecretString) return { kind: 'string', bytes: SecretString };
  return SecretBinary ? { kind: 'binary', bytes: SecretBinary } : undefined;
}

/** A secret without a version. InvalidParameterException for its tags. */
export function newSecret(request: {
  readonly name: SecretName;
  readonly suffix: string;
  /** Name space; absent: the vault's own region. */
  readonly region?: string | undefined;
  readonly description: string;
  readonly tags: readonly Tag[];
  readonly key: SecretRecord['key'] | undefined;
  readonly at: Instant;
}): SecretRecord {
  const { name, suffix, region, description, tags, key, at } = request;
  return tagged({ name, suffix, ...(region === undefined ? {} : { region }), description, ...(key ? { key } : {}), tags: [], created: at, changed: at, versions: [], replicas: [], consumers: [] }, tags, at);
}

/** InvalidRequestException. */
export function assertLive({ name, deletion }: SecretRecord): void {
  if (deletion) throw new VaultError('InvalidRequestException', `secret \`${name}\` is marked for deletion; take it back with \`keystead secret restore\``);
}

/** InvalidParameterException, as AWS has it. */
export function assertNoReplica({ name, primary }: SecretRecord): void {
  if (primary) throw new VaultError('InvalidParameterException', `secret \`${name}\` is a replica and changed by its primary only: ask for it in \`${primary.region}\`, or promote it with \`keystead secret stop-replication\``);
}

/** A primary is not deleted before its replicas. InvalidParameterException, as AWS has it. */
export function assertNoReplicas({ name, replicas }: SecretRecord): void {
  if (replicas.length > 0) throw new VaultError('InvalidParameterException', `secret \`${name}\` still has replicas in ${replicas.map(({ region }) => `\`${region}\``).join(', ')}; remove them first with \`keystead secret remove-regions\``);
}

/** InvalidParameterException, InvalidRequestException. */
export function tagged(secret: SecretRecord, given: readonly Tag[], at: Instant): SecretRecord {
  assertLive(secret);
  const names = new Set<string>();
  for (const { key, value } of given) {
    if (!TAG_CHARACTERS.test(key) || !TAG_CHARACTERS.test(value)) throw new VaultError('InvalidParameterException', `the tag \`${key}\` has characters other than letters, digits, spaces and \`_.:/=+-@\``);
    if (/^aws:/i.test(key)) throw new VaultError('InvalidParameterException', `the tag \`${key}\` begins with \`aws:\`, which is AWS's own; choose another name`);
    if (names.has(key)) throw new VaultError('InvalidParameterException', `the tag \`${key}\` is given twice; give it once`);
    names.add(key);
  }
  const tags = new Map([...secret.tags, ...given].map(({ key, value }) => [key, value]));
  if (tags.size > MAX_TAGS) throw new VaultError('InvalidParameterException', `secret \`${secret.name}\` would have ${String(tags.size)} tags; ${String(MAX_TAGS)} is the limit: take some off with \`keystead secret untag\``);
  return { ...secret, tags: Array.from(tags, ([key, value]) => ({ key, value })), changed: at };
}

/** InvalidRequestException. */
export function untagged(secret: SecretRecord, keys: readonly string[], at: Instant): SecretRecord {
  assertLive(secret);
  return { ...secret, tags: secret.tags.filter(({ key }) => !keys.includes(key)), changed: at };
}

/** `days` 7 to 30, default 30. InvalidParameterException, InvalidRequestException. */
export function deletionPlanned(secret: SecretRecord, days: number | undefined, at: Instant): SecretRecord {
  if (days !== undefined && (days < 7 || days > 30)) throw new VaultError('InvalidParameterException', '`RecoveryWindowInDays` must be 7 to 30');
  assertLive(secret);
  return { ...secret, deletion: { at, due: instant(at + (days ?? 30) * DAY) }, changed: at };
}

/** A secret whose deletion is not planned stays as it is. */
export function restored(secret: SecretRecord, at: Instant): SecretRecord {
  const { deletion, ...rest } = secret;
  return deletion ? { ...rest, changed: at } : secret;
}
