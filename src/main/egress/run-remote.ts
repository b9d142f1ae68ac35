/**
 * One act at a remote that speaks AWS Secrets Manager's protocol (version 2017-10-17), signed here with the day's signing key: the secret
 * access key itself never comes to this process. What the remote says becomes words of closed sets, version ids, labels and a value.
 */
import { z } from 'zod';
import { hex, utf8 } from '../crypto/bytes.ts';
import { canonicalRequest, type Header } from '../crypto/canonical.ts';
import { ALGORITHM, scopeText, signatureOf, stringToSign } from '../crypto/sigv4.ts';
import { digest } from '../crypto/hmac.ts';
import { uuidFrom } from '../../shared/model/ids.ts';
import type { Random } from '../platform/ports.ts';
import { RotatorError } from '../rotators/rotator-error.ts';
import { isLoopback } from './addresses.ts';
import type { Dialler } from './dial.ts';
import { portOfUrl, post, socketFor } from './http.ts';
import { MOST_LABELS, STAGE, VERSION_ID, type FailureCode, type RemoteOrder } from './port.ts';
import type { Given, SaidTheirs } from './protocol.ts';

/** A value of 65,536 bytes, each written as `\u0001`, and what is around it. */
const LARGEST_ANSWER = 1024 * 1024;
/** A name that no secret has: whoever is let in is told that there is none. */
const PROBE = 'keystead/probe/which-does-not-exist';
const SIGNING_KEY_LENGTH = 32;

/** What a header may hold. */
const SESSION_TOKEN = /^[\x21-\x7e]{1,8192}$/;

export interface RemoteDone {
  readonly theirs?: SaidTheirs;
  readonly value?: { readonly kind: 'string' | 'binary'; readonly bytes: Uint8Array };
}

/** AWS's error codes. What is not here is `remote-error`, and of a status of 500 or more `remote-busy`. */
const ERRORS: Readonly<Record<string, FailureCode>> = {
  ResourceNotFoundException: 'remote-missing',
  ResourceExistsException: 'remote-exists',
  InvalidRequestException: 'remote-state',
  InvalidParameterException: 'remote-parameter',
  ValidationException: 'remote-parameter',
  LimitExceededException: 'remote-limit',
  EncryptionFailure: 'remote-key',
  DecryptionFailure: 'remote-key',
  AccessDeniedException: 'remote-denied',
  AccessDenied: 'remote-denied',
  UnrecognizedClientException: 'remote-login',
  InvalidClientTokenId: 'remote-login',
  InvalidSignatureException: 'remote-login',
  SignatureDoesNotMatch: 'remote-login',
  IncompleteSignature: 'remote-login',
  IncompleteSignatureException: 'remote-login',
  MissingAuthenticationToken: 'remote-login',
  MissingAuthenticationTokenException: 'remote-login',
  ExpiredTokenException: 'remote-expired',
  ExpiredToken: 'remote-expired',
  RequestExpired: 'remote-clock',
  ThrottlingException: 'remote-busy',
  Throttling: 'remote-busy',
  VaultLockedException: 'remote-busy',
  InternalServiceError: 'remote-busy',
};

const described = z.object({
  Description: z.string().max(2048).optional(),
  DeletedDate: z.number().optional(),
  Tags: z.array(z.object({ Key: z.string().max(128), Value: z.string().max(256).optional() })).max(200).optional(),
  VersionIdsToStages: z.record(z.string().regex(VERSION_ID), z.array(z.string().regex(STAGE)).max(MOST_LABELS)).optional(),
});
const revealed = z.object({ SecretString: z.string().max(65_536).optional(), SecretBinary: z.base64().max(90_000).optional() });

/** Rejects with RotatorError. */
export async function runRemote(order: RemoteOrder, given: Given, dialler: Dialler, random: Random, signal: AbortSignal): Promise<RemoteDone> {
  const url = URL.canParse(order.url) ? new URL(order.url) : undefined;
  if (!url || !['https:', 'http:'].includes(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '' || url.search !== '' || url.pathname !== '/') throw new RotatorError('remote-address', 'prepare');
  const signer = given.signer;
  if (signer?.byteLength !== SIGNING_KEY_LENGTH) throw new RotatorError('remote-login', 'prepare');

  const token = given.token && new TextDecoder('latin1').decode(given.token);
  if (token !== undefined && !SESSION_TOKEN.test(token)) throw new RotatorError('remote-login', 'prepare');

  const ask = async (operation: string, input: object): Promise<unknown> => {
    const body = utf8(JSON.stringify(input));
    const headers = signed(order, { key: signer, token }, url, operation, body, uuidFrom(random.bytes(16)));
    const opened = await dialler.dial(url.hostname, portOfUrl(url));
    if (url.protocol === 'http:' && !isLoopback(opened.address)) throw new RotatorError('remote-address', 'connect');
    const answer = await post(url, headers, body, await socketFor(opened, url, order.ca), { signal, limit: LARGEST_ANSWER });
    if (answer.status === 200) return parsed(answer.body);
    throw refusal(answer.status, answer.headers['x-amzn-errortype'], answer.body);
  };
  const read = async <T>(schema: z.ZodType<T>, operation: string, input: object): Promise<T> => {
    const answer = schema.safeParse(await ask(operation, input));
    if (!answer.success) throw new RotatorError('answer-malformed', 'run');
    return answer.data;
  };
  return await doAct(order, given, ask, read);
}

type Ask = (operation: string, input: object) => Promise<unknown>;
type Read = <T>(schema: z.ZodType<T>, operation: string, input: object) => Promise<T>;

const tagsAsGiven = (tags: readonly { readonly key: string; readonly value: string }[]) => tags.map(({ key, value }) => ({ Key: key, Value: value }));

async function doAct({ act, valueKind }: RemoteOrder, given: Given, ask: Ask, read: Read): Promise<RemoteDone> {
  const value = (): object => {
    if (!given.value || valueKind === undefined) throw new RotatorError('value-malformed', 'prepare');
    return valueKind === 'string' ? { SecretString: new TextDecoder('utf-8', { fatal: true }).decode(given.value) } : { SecretBinary: Buffer.from(given.value).toString('base64') };
  };
  switch (act.kind) {
    case 'probe':
      await missingIsFine(ask('DescribeSecret', { SecretId: PROBE }));
      return {};
    case 'look': {
      const found = await missingIsFine(read(described, 'DescribeSecret', { SecretId: act.name }));
      return { theirs: found ? theirsOf(found) : { exists: false } };
    }
    case 'create':
      await ask('CreateSecret', { Name: act.name, ClientRequestToken: act.token, ...(act.description === '' ? {} : { Description: act.description }), ...(act.tags.length === 0 ? {} : { Tags: tagsAsGiven(act.tags) }), ...(act.kmsKeyId === undefined ? {} : { KmsKeyId: act.kmsKeyId }), ...value() });
      return {};
    case 'put':
      await ask('PutSecretValue', { SecretId: act.name, ClientRequestToken: act.token, VersionStages: [act.stage], ...value() });
      return {};
    case 'move':
      await ask('UpdateSecretVersionStage', { SecretId: act.name, VersionStage: act.stage, ...(act.from === undefined ? {} : { RemoveFromVersionId: act.from }), ...(act.to === undefined ? {} : { MoveToVersionId: act.to }) });
      return {};
    case 'metadata': {
      const { Description = '', Tags = [] } = await read(described, 'DescribeSecret', { SecretId: act.name });
      if (Description !== act.description) await ask('UpdateSecret', { SecretId: act.name, Description: act.description });
      const missing = act.tags.filter(({ key, value: its }) => !Tags.some(({ Key, Value = '' }) => Key === key && Value === its));
      if (missing.length > 0) await ask('TagResource', { SecretId: act.name, Tags: tagsAsGiven(missing) });
      const surplus = act.untag.filter((key) => Tags.some(({ Key }) => Key === key));
      if (surplus.length > 0) await ask('UntagResource', { SecretId: act.name, TagKeys: surplus });
      return {};
    }
    case 'read': {
      const { SecretString, SecretBinary } = await read(revealed, 'GetSecretValue', { SecretId: act.name, VersionId: act.versionId });
      if ((SecretString === undefined) === (SecretBinary === undefined)) throw new RotatorError('answer-malformed', 'run');
      return { value: SecretString === undefined ? { kind: 'binary', bytes: Buffer.from(SecretBinary ?? '', 'base64') } : { kind: 'string', bytes: utf8(SecretString) } };
    }
    case 'delete':
      await ask('DeleteSecret', { SecretId: act.name, RecoveryWindowInDays: act.days });
      return {};
    case 'restore':
      await ask('RestoreSecret', { SecretId: act.name });
      return {};
  }
}

function theirsOf({ DeletedDate, VersionIdsToStages = {} }: z.output<typeof described>): SaidTheirs {
  const labels = Object.entries(VersionIdsToStages).flatMap(([versionId, stages]) => stages.map((stage) => ({ stage, versionId })));
  if (labels.length > MOST_LABELS) throw new RotatorError('answer-malformed', 'run');
  return { exists: true, deleted: DeletedDate !== undefined, labels };
}

async function missingIsFine<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RotatorError && error.code === 'remote-missing') return undefined;
    throw error;
  }
}

function parsed(body: Buffer): unknown {
  try {
    return body.byteLength === 0 ? {} : (JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown);
  } catch {
    throw new RotatorError('answer-malformed', 'run');
  }
}

/** AWS's JSON protocol names the error in `__type` after a `#`, or in a header in front of a `:`. */
function refusal(status: number, header: string | string[] | undefined, body: Buffer): RotatorError {
  let named = typeof header === 'string' ? header.split(':')[0] : undefined;
  let said = '';
  try {
    const { __type: type, message, Message } = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    if (typeof type === 'string') named = type.split('#').at(-1);
    said = [message, Message].filter((one) => typeof one === 'string').join(' ');
  } catch {
    // Not a word of AWS's: its status says enough.
  }
  const detail = String(status);
  const code = named !== undefined && Object.hasOwn(ERRORS, named) ? ERRORS[named] : undefined;
  // The one thing that an error's text is looked at for: there is no code of its own for it.
  if (code === 'remote-login' && /signature (?:not yet current|expired)/i.test(said)) return new RotatorError('remote-clock', 'run', { detail });
  return new RotatorError(code ?? (status >= 500 ? 'remote-busy' : 'remote-error'), 'run', { detail });
}

interface Signer {
  /** Of the day. */
  readonly key: Uint8Array;
  /** Of temporary credentials; signed along. Source: AWS IAM User Guide, "Create a signed AWS API request". */
  readonly token: string | undefined;
}

function signed({ region, accessKeyId, time }: RemoteOrder, { key, token }: Signer, url: URL, operation: string, body: Uint8Array, invocation: string): Readonly<Record<string, string>> {
  const headers: Header[] = [
    ['amz-sdk-invocation-id', invocation],
    ['content-type', 'application/x-amz-json-1.1'],
    ['host', url.host],
    ['x-amz-date', time],
    ...(token === undefined ? [] : [['x-amz-security-token', token] as const]),
    ['x-amz-target', `secretsmanager.${operation}`],
  ];
  const names = headers.map(([name]) => name);
  const scope = { date: time.slice(0, 8), region, service: 'secretsmanager' };
  const canonical = canonicalRequest({ method: 'POST', path: '/', query: '', headers }, names, hex(digest('sha256', body)));
  const signature = hex(signatureOf(key, stringToSign(time, scope, canonical)));
  const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scopeText(scope)}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...Object.fromEntries(headers.filter(([name]) => name !== 'host')), authorization };
}
