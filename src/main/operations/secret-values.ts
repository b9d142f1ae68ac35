/** `secretsmanager:` handlers of values, versions and staging labels. Thin: the secrets' own folder decides. */
import { MAX_BATCH } from '../../shared/api/secret-fields.ts';
import { seconds } from '../../shared/api/operation.ts';
import { disposeSecrets, type SecretBytes } from '../../shared/model/secret-bytes.ts';
import { VaultError, type ErrorCode } from '../../shared/model/errors.ts';
import { keyArn, placeIn, uuidFrom } from '../../shared/model/ids.ts';
import type { Call } from '../kernel/handler.ts';
import type { Random } from '../platform/ports.ts';
import type { UsageTracker } from '../keyring/usage.ts';
import { accessed, accessOf, type SecretAccess } from '../secrets/access.ts';
import { fitsAll } from '../secrets/filters.ts';
import { SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import { pageOf } from '../secrets/listing.ts';
import { textMember } from '../secrets/json-members.ts';
import { randomPassphrase } from '../secrets/passphrase.ts';
import { randomPassword } from '../secrets/password.ts';
import { placeOf, type SecretRecord } from '../secrets/ports.ts';
import { assertLive, givenValue } from '../secrets/secret.ts';
import { select, versionOf } from '../secrets/stages.ts';
import { oneTimeCode, oneTimeSeed } from '../secrets/totp.ts';
import type { Reader } from '../store/port.ts';
import { resolveSecret, secretOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { isManagedKey } from './secret-keys.ts';
import { arnOf, liveSecret, readValue, secretValues, type SecretsReading } from './secret-store.ts';
import { namedAs } from './secrets.ts';

type Names = 'RecordSecretAccess' | 'GetSecretValue' | 'BatchGetSecretValue' | 'PutSecretValue' | 'ListSecretVersionIds' | 'UpdateSecretVersionStage' | 'GetRandomPassword' | 'GetRandomPassphrase' | 'GetOneTimeCode';

/** A page of values found by filters ends before it is larger than this, so that an answer fits into one frame. */
const PAGE_BYTES = 384 * 1024;

interface Reading extends Omit<SecretsReading, 'values' | 'call'> {
  readonly call: Pick<Call, 'allows' | 'at' | 'used' | 'principal' | 'door'>;
  readonly reader: Reader;
  readonly accesses: UsageTracker<SecretAccess>;
}

interface Revealed {
  readonly ARN: string;
  readonly Name: string;
  readonly VersionId: string;
  readonly SecretString?: SecretBytes;
  readonly SecretBinary?: SecretBytes;
  readonly VersionStages: string[];
  readonly CreatedDate: number;
}

/** InvalidRequestException, ResourceNotFoundException, InvalidParameterException, DecryptionFailure. */
async function revealed(secret: SecretRecord, wanted: Parameters<typeof select>[1], reading: Reading): Promise<Revealed> {
  assertLive(secret);
  const version = select(secret.versions, wanted);
  const { call, realm, accesses } = reading;
  const { kind, bytes } = await readValue(secret, version, { ...reading, values: reading.reader.of(SECRET_VALUES) });
  const access = accessOf(secret, arnOf(realm, secret), version.versionId, call.at, { principal: call.principal.id, door: call.door });
  if (access) accesses.note(access);
  return {
    ...namedAs(realm, secret),
    VersionId: version.versionId,
    ...(kind === 'string' ? { SecretString: bytes } : { SecretBinary: bytes }),
    VersionStages: [...version.stages],
    CreatedDate: seconds(version.created),
  };
}

/** In one unit of work at most; the rest waits for the next. */
const AT_ONCE = 256;

export const secretValueHandlers = (random: Random, accesses: UsageTracker<SecretAccess>): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:GetSecretValue': (input, call, { reader, keys, realm }) =>
    revealed(
      secretOf(call.resource),
      { ...(input.VersionId === undefined ? {} : { versionId: input.VersionId }), ...(input.VersionStage === undefined ? {} : { stage: input.VersionStage }) },
      { call, reader, keys, realm, accesses },
    ),

  'secretsmanager:GetOneTimeCode': async (input, call, { reader, keys, realm }) => {
    const wanted = { ...(input.VersionId === undefined ? {} : { versionId: input.VersionId }), ...(input.VersionStage === undefined ? {} : { stage: input.VersionStage }) };
    const answer = await revealed(secretOf(call.resource), wanted, { call, reader, keys, realm, accesses });
    try {
      const { SecretString: value } = answer;
      const text = value && (input.Member === undefined ? value.borrow((bytes) => new TextDecoder().decode(bytes)) : textMember(value, input.Member));
      if (text === undefined) return call.fail('InvalidParameterException', 'the value has no such member that is text; `Member` names one of an object of json');
      const seed = oneTimeSeed(text);
      using _key = seed.key;
      const { code, until } = oneTimeCode(seed, call.at);
      return { Code: code, Digits: seed.digits, Period: seed.period, ExpirationDate: seconds(until) };
    } finally {
      disposeSecrets(answer);
    }
  },

  'secretsmanager:BatchGetSecretValue': async (input, call, { reader, keys, realm }) => {
    const { SecretIdList: ids, Filters: filters, MaxResults: limit, NextToken: token } = input;
    if ((ids === undefined) === (filters === undefined)) return call.fail('InvalidParameterException', 'give either `SecretIdList` or `Filters`');
    if (ids && (limit !== undefined || token !== undefined)) return call.fail('InvalidParameterException', '`MaxResults` and `NextToken` go with `Filters` only');
    const page = ids
      ? undefined
      : pageOf(await reader.of(SECRETS).entries(), { by: 'created-date', order: 'desc', fits: fitsAll(filters ?? [], realm.region), region: placeIn(realm), planned: false, limit: limit ?? MAX_BATCH, ...(token === undefined ? {} : { token }) });
    const values: Revealed[] = [];
    const errors: BatchError[] = [];
    let count = 0;
    let bytes = 0;
    try {
      // Those that are named are read at once; a page ends where it would be too large, so they are read one after the other.
      for (const some of ids ? [ids] : (page?.names ?? []).map((name) => [name])) {
        if (bytes > PAGE_BYTES) break;
        count += some.length;
        for (const one of await allOf(some.map((id) => ofBatch(id, call, { call, reader, keys, realm, accesses })))) {
          if ('ErrorCode' in one) {
            errors.push(one);
            continue;
          }
          values.push(one);
          bytes += (one.SecretString ?? one.SecretBinary)?.length ?? 0;
          call.touched(one.ARN);
        }
      }
    } catch (error) {
      disposeSecrets(values);
      throw error;
    }
    const next = page?.next(count);
    return { SecretValues: values, Errors: errors, ...(next === undefined ? {} : { NextToken: next }) };
  },

  'secretsmanager:PutSecretValue': async (input, call, { writer, keys, realm }) => {
    const value = givenValue(input);
    if (!value) return call.fail('InvalidRequestException', 'give `SecretString` or `SecretBinary`');
    const secret = await liveSecret(call, writer);
    const token = input.ClientRequestToken ?? uuidFrom(random.bytes(16));
    const values = secretValues({ call, writer, keys, realm, random });
    const changed = await values.put(secret, { token, value, at: call.at, ...(input.VersionStages ? { stages: input.VersionStages } : {}) });
    return { ...namedAs(realm, changed), VersionId: token, VersionStages: [...(versionOf(changed.versions, token)?.stages ?? [])] };
  },

  'secretsmanager:ListSecretVersionIds': async (input, call, { reader, realm }) => {
    const secret = secretOf(call.resource);
    const newest = secret.versions.filter(({ stages }) => input.IncludeDeprecated || stages.length > 0).reverse();
    const from = input.NextToken === undefined ? 0 : newest.findIndex(({ versionId }) => tokenFor(versionId) === input.NextToken) + 1;
    if (input.NextToken !== undefined && from === 0) return call.fail('InvalidNextTokenException', '`NextToken` is not one that a listing of these versions gave out; start again without it');
    const shown = newest.slice(from, from + input.MaxResults);
    const versions = shown.map(async ({ versionId, stages, created, lastAccessed, value }) => ({
      VersionId: versionId,
      ...(stages.length === 0 ? {} : { VersionStages: [...stages] }),
      ...(lastAccessed === undefined ? {} : { LastAccessedDate: seconds(lastAccessed) }),
      CreatedDate: seconds(created),
      ...(value ? { KmsKeyIds: [(await isManagedKey(value.keyId, reader)) ? 'DefaultEncryptionKey' : keyArn(realm, value.keyId)] } : {}),
    }));
    const last = shown.at(-1);
    return { ...namedAs(realm, secret), Versions: await Promise.all(versions), ...(last && from + shown.length < newest.length ? { NextToken: tokenFor(last.versionId) } : {}) };
  },

  'secretsmanager:UpdateSecretVersionStage': async (input, call, { writer, keys, realm }) => {
    const secret = await liveSecret(call, writer);
    const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = input;
    const changed = secretValues({ call, writer, keys, realm, random }).move(secret, { stage, at: call.at, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    return namedAs(realm, changed);
  },

  'secretsmanager:RecordSecretAccess': async (_input, _call, { writer, afterwards }) => {
    const waiting = accesses.waiting(AT_ONCE);
    const secrets = writer.of(SECRETS);
    for (const access of waiting) {
      const secret = await secrets.get(placeOf(access.secret));
      // Another one of that name by now.
      if (secret?.suffix !== access.secret.suffix) continue;
      const next = accessed(secret, access);
      if (next !== secret) secrets.update(next);
    }
    afterwards(() => { accesses.written(waiting); });
    return { Versions: waiting.length };
  },

  'secretsmanager:GetRandomPassphrase': ({ Words: words, Separator: separator, Capitalize: capitalize, IncludeNumber: includeNumber }) => ({
    RandomPassphrase: randomPassphrase(random, { words, separator, capitalize, includeNumber }),
  }),

  'secretsmanager:GetRandomPassword': (input) => ({
    RandomPassword: randomPassword(random, {
      length: input.PasswordLength,
      excludeCharacters: input.ExcludeCharacters,
      excludeNumbers: input.ExcludeNumbers,
      excludePunctuation: input.ExcludePunctuation,
      excludeUppercase: input.ExcludeUppercase,
      excludeLowercase: input.ExcludeLowercase,
      includeSpace: input.IncludeSpace,
      requireEachIncludedType: input.RequireEachIncludedType,
    }),
  }),
});

const tokenFor = (versionId: string): string => Buffer.from(versionId).toString('base64url');

interface BatchError {
  readonly SecretId: string;
  readonly ErrorCode: string;
  readonly Message: string;
}

/** What of one secret is the batch's own failure: AWS answers with the others. */
const OF_ONE: ReadonlySet<ErrorCode> = new Set(['ResourceNotFoundException', 'InvalidRequestException', 'InvalidParameterException', 'DecryptionFailure', 'AccessDeniedException']);

/** When one fails as a whole the others are wiped, and it is thrown. */
async function allOf(asked: readonly Promise<Revealed | BatchError>[]): Promise<readonly (Revealed | BatchError)[]> {
  const answers = await Promise.allSettled(asked);
  const failed = answers.find((answer) => answer.status === 'rejected');
  const given = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (!failed) return given;
  disposeSecrets(given);
  throw failed.reason;
}

async function ofBatch(id: string, call: Call, reading: Reading): Promise<Revealed | BatchError> {
  try {
    const resource = await resolveSecret(id, reading);
    // Denied and not found are told apart only to those whom policy allows.
    if (!call.allows('secretsmanager:GetSecretValue', resource)) throw new VaultError('AccessDeniedException', '`secretsmanager:GetSecretValue` is not allowed for this caller; ask the owner of the vault');
    if (resource.missing) throw resource.missing;
    return await revealed(secretOf(resource), {}, reading);
  } catch (error) {
    if (error instanceof VaultError && OF_ONE.has(error.code)) return { SecretId: id, ErrorCode: error.code, Message: error.message };
    throw error;
  }
}
