/**
 * What a request's head must look like before a byte of its body is read. Pure.
 *
 * Defends against: pages in a browser (any Origin, Referer or Sec-Fetch-Site header, any other Host, any content type that a form can
 * send), two readers who see two requests (doubled headers, transfer codings, obsolete line folding), and everything of Signature Version 4
 * that would leave something unsigned (a query, an unsigned payload, a header that AWS's services act on but the signature does not cover).
 */
import { VaultError, type ErrorCode } from '../../../shared/model/errors.ts';
import { readAuthorization, readTime, type Authorization } from './authorization.ts';
import type { Header } from '../../crypto/canonical.ts';
import { targetOf, type Target } from './targets.ts';

export const CONTENT_TYPE = 'application/x-amz-json-1.1';
/** Bytes of a body: the largest operation with room to spare. */
export const MAX_BODY = 256 * 1024;
const MAX_HEADERS = 64;
const MUST_BE_SIGNED = ['content-type', 'host', 'x-amz-date', 'x-amz-target'];

/** A request line and its headers as they came. */
export interface Head {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly Header[];
}

export interface Accepted {
  readonly target: Target;
  readonly authorization: Authorization;
  /** As signed: `YYYYMMDDTHHMMSSZ`. */
  readonly time: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly length: number;
  /** What the body's SHA-256 must be, where it was said. */
  readonly payloadHash: string | undefined;
}

/** Refused before authentication. `status`: of HTTP, where it is not the error's own. */
export class HeadRefused extends VaultError {
  readonly status: number;
  /** For the counters. */
  readonly reason: 'browser' | 'host' | 'malformed' | 'too-large' | 'unsigned';
  constructor(reason: HeadRefused['reason'], status: number, code: ErrorCode, message: string) {
    super(code, message);
    this.reason = reason;
    this.status = status;
  }
}

const malformed = (message: string, status = 400): HeadRefused => new HeadRefused('malformed', status, 'SerializationException', message);
const incomplete = (message: string): HeadRefused => new HeadRefused('unsigned', 400, 'IncompleteSignatureException', message);

/** `hosts`: the only values of Host that are ours, in lower case. Throws HeadRefused. */
export function judgeHead({ method, url, headers }: Head, hosts: ReadonlySet<string>): Accepted {
  const named = judgeCaller(headers, hosts);
  if (method !== 'POST') throw malformed('only `POST` is taken here', 405);
  if (url !== '/') throw malformed('only the path `/` without a query is taken here; requests are signed in their headers', 404);
  if (named.get('content-type')?.toLowerCase() !== CONTENT_TYPE) throw malformed(`the content type must be \`${CONTENT_TYPE}\``, 415);
  for (const name of ['transfer-encoding', 'content-encoding', 'expect', 'upgrade', 'trailer', 'te']) {
    if (named.has(name)) throw malformed(`the header \`${name}\` is not taken here; send the body whole and as it is`);
  }
  const length = lengthOf(named.get('content-length'));
  const target = targetOf(named.get('x-amz-target') ?? '');
  if (!target) throw new HeadRefused('malformed', 400, 'UnknownOperationException', 'there is no such operation here; see the reference for those that AWS clients can ask for');
  return { target, length, ...signatureIn(named, target) };
}

/** What holds for whatever is asked here: nobody's page, the door's own address, each header once. Throws HeadRefused. */
export function judgeCaller(headers: readonly Header[], hosts: ReadonlySet<string>): ReadonlyMap<string, string> {
  if (headers.length > MAX_HEADERS) throw malformed(`more than ${String(MAX_HEADERS)} headers; send fewer`, 431);
  const named = new Map<string, string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (named.has(lower)) throw malformed(`the header \`${lower.slice(0, 64)}\` came twice; send each once`);
    named.set(lower, value);
  }
  refuseBrowsers(named);
  const host = named.get('host')?.toLowerCase() ?? '';
  if (!hosts.has(host)) throw new HeadRefused('host', 403, 'AccessDeniedException', 'this door answers to its own address only; use the endpoint that `keystead aws status` shows');
  return named;
}

/** Not `Sec-Fetch-Mode` alone: the `fetch` of Node sends it, and a page never without `Sec-Fetch-Site`. */
const BROWSERS = /^(?:origin|referer|cookie|sec-(?!fetch-mode$).*|access-control-.*)$/;

function refuseBrowsers(named: ReadonlyMap<string, string>): void {
  for (const name of named.keys()) {
    if (BROWSERS.test(name)) throw new HeadRefused('browser', 403, 'AccessDeniedException', 'this door is not for pages of a browser');
  }
}

function lengthOf(value: string | undefined): number {
  if (value === undefined || !/^\d{1,16}$/.test(value)) throw malformed('a content length is needed', 411);
  const length = Number(value);
  if (length > MAX_BODY) throw new HeadRefused('too-large', 413, 'RequestTooLargeException', `a body of more than ${String(MAX_BODY)} bytes; send less at a time`);
  return length;
}

function signatureIn(named: ReadonlyMap<string, string>, target: Target): Omit<Accepted, 'target' | 'length'> {
  const value = named.get('authorization');
  if (value === undefined) throw new HeadRefused('unsigned', 400, 'MissingAuthenticationTokenException', 'the request is not signed; give the client an access key: `keystead aws create-client`');
  const authorization = readAuthorization(value);
  if (!authorization) throw incomplete('the `Authorization` header is not one of Signature Version 4');
  if (named.has('x-amz-security-token')) {
    throw new HeadRefused('unsigned', 400, 'UnrecognizedClientException', 'there are no session tokens here; unset AWS_SESSION_TOKEN, and use the access key of a client of this vault');
  }
  const signed = new Set(authorization.signedHeaders);
  for (const name of signed) {
    const given = named.get(name);
    if (given === undefined) throw incomplete(`the signed header \`${name.slice(0, 64)}\` is not there`);
    // Outside of ASCII nobody agrees on what was signed.
    if (!/^[\x20-\x7e\t]*$/.test(given)) throw malformed(`the header \`${name.slice(0, 64)}\` holds characters outside of ascii`);
  }
  for (const name of MUST_BE_SIGNED) if (!signed.has(name)) throw incomplete(`the header \`${name}\` must be signed`);
  for (const name of named.keys()) if (name.startsWith('x-amz-') && !signed.has(name)) throw incomplete(`the header \`${name.slice(0, 64)}\` must be signed`);
  const time = named.get('x-amz-date') ?? '';
  const at = readTime(time);
  if (at === undefined || authorization.scope.date !== time.slice(0, 8)) throw incomplete('`X-Amz-Date` must be `YYYYMMDDTHHMMSSZ`, of the day in the credential');
  if (authorization.scope.service !== target.signedFor) throw new HeadRefused('unsigned', 400, 'InvalidSignatureException', `credential should be scoped to correct service: \`${target.signedFor}\``);
  const payloadHash = named.get('x-amz-content-sha256');
  if (payloadHash !== undefined && !/^[0-9a-f]{64}$/.test(payloadHash)) throw incomplete('`X-Amz-Content-Sha256` must be the hash of the body; unsigned and streamed payloads are not taken');
  return { authorization, time, at, payloadHash };
}
