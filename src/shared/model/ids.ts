/** Branded ids and ARNs. The parsers here are the only constructors; a plain string does not pass for an id. */
import { VaultError } from './errors.ts';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** UUIDv4, lower case; of a multi-Region key `mrk-` and 32 hexadecimal digits. */
export type KeyId = Branded<string, 'KeyId'>;
/** `alias/` and 1 to 250 of `[a-zA-Z0-9/_-]`. */
export type AliasName = Branded<string, 'AliasName'>;
/** `arn:aws:kms:REGION:ACCOUNT:key/UUID` or `…:alias/NAME`. */
export type Arn = Branded<string, 'Arn'>;
/** 12 digits. */
export type AccountId = Branded<string, 'AccountId'>;
/** UUIDv4 of one request. */
export type RequestId = Branded<string, 'RequestId'>;
/** Milliseconds since the Unix epoch. */
export type Instant = Branded<number, 'Instant'>;

/** `AKIA` and 16 of base 32 where this vault made it; 1 to 128 of `[A-Za-z0-9_]` where it was given. */
export type AccessKeyId = Branded<string, 'AccessKeyId'>;
/** 1 to 512 of `[A-Za-z0-9/_+=.@-]`. */
export type SecretName = Branded<string, 'SecretName'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MULTI_REGION = /^mrk-[0-9a-f]{32}$/;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;
const KMS_ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):(key|alias)\/(.+)$/;

export const isKeyId = (text: string): text is KeyId => UUID.test(text) || MULTI_REGION.test(text);
export const isAliasName = (text: string): text is AliasName => ALIAS.test(text);
export const isRegion = (text: string): boolean => REGION.test(text);
export const isAccountId = (text: string): text is AccountId => /^\d{12}$/.test(text);

/** Throws ValidationException. */
export function parseAccountId(text: string): AccountId {
  if (!isAccountId(text)) throw new VaultError('ValidationException', `account \`${text}\` is not 12 digits`);
  return text;
}

/** Throws InvalidAliasNameException. */
export function parseAliasName(text: string): AliasName {
  if (!isAliasName(text)) {
    throw new VaultError('InvalidAliasNameException', `alias \`${text}\` must be \`alias/\` and up to 250 of a-z, A-Z, 0-9, / _ -`);
  }
  return text;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** From 16 random bytes: each chooses one character. */
export const accessKeyIdFrom = (random: Uint8Array): AccessKeyId => `AKIA${Array.from(random.subarray(0, 16), (byte) => BASE32[byte & 31]).join('')}` as AccessKeyId;
export const isAccessKeyId = (text: string): text is AccessKeyId => /^\w{1,128}$/.test(text);
/** A client's name, as AWS's IAM takes a user's. */
export const isClientName = (text: string): boolean => /^[A-Za-z0-9+=,.@_-]{1,64}$/.test(text);

export const instant = (milliseconds: number): Instant => milliseconds as Instant;
export const requestId = (uuid: string): RequestId => uuid as RequestId;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** 16 random bytes to a UUIDv4 (RFC 9562 section 5.4). Every request has one. */
export function uuidFrom(random: Uint8Array): string {
  let hex = '';
  for (let at = 0; at < 16; at += 1) {
    const byte = random[at] ?? 0;
    hex += HEX[at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte] ?? '';
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
export const keyIdFrom = (random: Uint8Array): KeyId => uuidFrom(random) as KeyId;
/** Of a multi-Region key; 16 random bytes. */
export const multiRegionIdFrom = (random: Uint8Array): KeyId => `mrk-${uuidFrom(random).replaceAll('-', '')}` as KeyId;
export const isMultiRegionId = (keyId: KeyId): boolean => MULTI_REGION.test(keyId);

/** How a caller names a key: by id, key ARN, alias or alias ARN. */
export type KeyReference = { readonly kind: 'key'; readonly keyId: KeyId } | { readonly kind: 'alias'; readonly alias: AliasName };

/** The place that ARNs of this vault are made in. */
export interface Realm {
  readonly region: string;
  /** The vault's own region, where a record that names none belongs; absent: `region` is it. */
  readonly home?: string;
  readonly account: AccountId;
}

export const keyArn = (realm: Realm, keyId: KeyId): Arn => `arn:aws:kms:${realm.region}:${realm.account}:key/${keyId}` as Arn;
/** Of a client: IAM knows no region. */
export const clientArn = ({ account }: Pick<Realm, 'account'>, name: string): Arn => `arn:aws:iam::${account}:user/${name}` as Arn;
export const aliasArn = (realm: Realm, alias: AliasName): Arn => `arn:aws:kms:${realm.region}:${realm.account}:${alias}` as Arn;

/** The vault's realm as a request of this region has it. */
export const realmIn = (realm: Realm, region: string | undefined): Realm => (region === undefined || region === realm.region ? realm : { ...realm, region, home: realm.home ?? realm.region });

/** The realm's region where that is not the vault's own: what a record that is kept there names. */
export const placeIn = ({ region, home }: Realm): string | undefined => (home === undefined || home === region ? undefined : region);

const PLACED = /^([a-z0-9-]+):(alias\/.+)$/;
/** What an alias is kept under: its name, after its region where that is not the vault's own. */
export const placedAlias = (realm: Realm, alias: AliasName): AliasName => (placeIn(realm) === undefined ? alias : (`${realm.region}:${alias}` as AliasName));
/** The name of an alias that is kept in the realm's region; undefined: it is of another. */
export function aliasHere(realm: Realm, placed: AliasName): AliasName | undefined {
  const name = (PLACED.exec(placed)?.[2] ?? placed) as AliasName;
  return placedAlias(realm, name) === placed ? name : undefined;
}
export const isPlacedAlias = (text: string): text is AliasName => ALIAS.test(text) || ALIAS.test(PLACED.exec(text)?.[2] ?? '');

/**
 * Key id, key ARN, alias name or alias ARN, as AWS KMS takes them.
 * Undefined when it is well formed but of another realm (then it does not exist here); throws NotFoundException for an
 * id that is none of the four, as AWS does ("Invalid keyId"), and InvalidArnException for a broken ARN.
 */
export function parseKeyReference(text: string, realm: Realm): KeyReference | undefined {
  if (text.startsWith('arn:')) {
    const match = KMS_ARN.exec(text);
    if (!match) throw new VaultError('InvalidArnException', `\`${text}\` is not the ARN of a key or an alias`);
    const [, region, account, kind, rest] = match;
    if (region !== realm.region || account !== realm.account) return undefined;
    return parseKeyReference(kind === 'alias' ? `alias/${rest ?? ''}` : (rest ?? ''), realm);
  }
  if (isKeyId(text)) return { kind: 'key', keyId: text };
  if (isAliasName(text)) return { kind: 'alias', alias: text };
  throw new VaultError('NotFoundException', `\`${text}\` is neither a key id, an alias (\`alias/…\`) nor an ARN of one`);
}

const SECRET_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const SECRET_ARN = /^arn:aws:secretsmanager:([a-z0-9-]+):(\d{12}):secret:(.+)$/;
const SECRET_SUFFIX = /^(.+)-([A-Za-z0-9]{6})$/;

export const isSecretName = (text: string): text is SecretName => SECRET_NAME.test(text);

/** Throws ValidationException, as AWS does ("Invalid name"). */
export function parseSecretName(text: string): SecretName {
  if (!isSecretName(text)) throw new VaultError('ValidationException', `secret name \`${text}\` must be up to 512 of a-z, A-Z, 0-9 and / _ + = . @ -`);
  return text;
}

/** What a secret is kept under: its name, after its region where that is not the vault's own. A name has no colon. */
export const placedSecret = (region: string | undefined, name: SecretName): string => (region === undefined ? name : `${region}:${name}`);

/** The other way round. */
export function partsOfPlace(placed: string): { readonly name: string; readonly region?: string } {
  const at = placed.indexOf(':');
  return at < 0 ? { name: placed } : { name: placed.slice(at + 1), region: placed.slice(0, at) };
}

/** What a remote is called where a region is named: like a region, and none. */
export const isRemoteName = (text: string): boolean => /^[a-z][a-z0-9-]{0,62}$/.test(text) && !isRegion(text);

/** `suffix`: six of `[A-Za-z0-9]`, drawn when the secret is made, so that a later secret of the same name is another one. */
export const secretArn = (realm: Realm, name: SecretName, suffix: string): Arn => `arn:aws:secretsmanager:${realm.region}:${realm.account}:secret:${name}-${suffix}` as Arn;

/** One way to read what a caller gave: a secret of this name, and of this suffix where one was given. */
export interface SecretReference {
  readonly name: SecretName;
  readonly suffix?: string;
}

/**
 * Name, ARN, or ARN without its last seven characters, as AWS takes them. The readings in the order in which they are tried: a whole
 * ARN first, then the partial one that it may also be. None for an ARN that is broken or of another realm.
 */
export function parseSecretReference(text: string, realm: Realm): readonly SecretReference[] {
  if (!text.startsWith('arn:')) return isSecretName(text) ? [{ name: text }] : [];
  const [, region, account, rest = ''] = SECRET_ARN.exec(text) ?? [];
  if (region !== realm.region || account !== realm.account || !isSecretName(rest)) return [];
  const [, name = '', suffix = ''] = SECRET_SUFFIX.exec(rest) ?? [];
  return isSecretName(name) ? [{ name, suffix }, { name: rest }] : [{ name: rest }];
}
