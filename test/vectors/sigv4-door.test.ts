/**
 * AWS's own Signature Version 4 cases at the door, over a real socket, with their credential known and the clock at their date: the verdict of
 * each. As they are published none is for this door: they are for another host, a service named `service`, and name no operation. So each is
 * also brought here: its own request line, headers and body, with what a request of AWS's JSON protocol has, signed for this door by
 * the same credential. Then what refuses it is what is odd about it, and a plain `POST /` that is signed in its headers is let in.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalRequest, type Header, type Signable } from '../../src/main/crypto/canonical.ts';
import { hex, utf8 } from '../../src/main/crypto/bytes.ts';
import { ALGORITHM, scopeText, signatureOf, signingKey, stringToSign } from '../../src/main/crypto/sigv4.ts';
import { openAwsDoor, type AwsDoor } from '../../src/main/doors/aws/server.ts';
import { systemClock } from '../../src/main/platform/clock.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { amzTime } from '../fakes/aws-signer.ts';
import { oneClient } from '../fakes/one-client.ts';
import { rawAnswer } from '../fakes/raw-http.ts';
import { echo, fakePort, me } from '../unit/doors/kit.ts';
import { CASES, contextOf, readRequest, textOf } from './sigv4.ts';

const CREDENTIAL = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const DATE = Date.UTC(2015, 7, 30, 12, 36, 0);

let door: AwsDoor;
/** What the one path was asked, with whom the signature was found to be of. */
const reached: string[] = [];
beforeAll(async () => {
  const { signatures } = oneClient({ now: DATE, ...CREDENTIAL });
  const port = fakePort(async (request) => {
    if (request.evidence.door !== 'aws') throw new Error('another door');
    const found = await signatures.check(request.evidence.signed);
    if (found instanceof VaultError) return { ok: false, requestId: request.id, error: found.toBody() };
    reached.push(found.name);
    return echo(request);
  });
  door = await openAwsDoor({ port: 0, door: port, clock: systemClock, uid: me, uidOf: () => Promise.resolve(me), limits: { requestMs: 1000 } });
});
afterAll(() => door.close(100));

type How = 'header' | 'query';
const target = ({ path, query }: Signable): string => (query === '' ? path : `${path}?${query}`);
const written = (request: Signable & { readonly body: string }): Uint8Array =>
  Buffer.from(`${request.method} ${target(request)} HTTP/1.1\r\n${request.headers.map(([name, value]) => `${name}:${value.replaceAll('\n', '\r\n')}\r\n`).join('')}\r\n${request.body}`);

async function verdict(request: Uint8Array): Promise<string> {
  const before = reached.length;
  const { status, type } = await rawAnswer(door.port, request);
  // Nobody is let in by what is refused.
  expect(reached.length - before).toBe(status === 200 ? 1 : 0);
  return status === 200 ? 'accepted' : `${String(status)} ${type}`.trim();
}

const namesOf = (headers: readonly Header[]): string[] => [...new Set(headers.map(([name]) => name.toLowerCase()))].sort();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The case as a client of this door would send it: what it lacks of the JSON protocol is added, its host is the door's. */
function brought(name: string, how: How, method?: 'POST'): Signable & { readonly body: string } {
  const { credentials, sign_body: signBody, omit_session_token: late, normalize, expiration_in_seconds: expires } = contextOf(name);
  const read = readRequest(textOf(name, 'request.txt'));
  const own = { ...read, method: method ?? read.method };
  const body = own.body === '' ? '{}' : own.body;
  const given = own.headers.map(([header, value]): Header => [header, header.toLowerCase() === 'host' ? `127.0.0.1:${String(door.port)}` : value]);
  const has = new Set(namesOf(given));
  const needed: readonly Header[] = [
    ['Content-Type', 'application/x-amz-json-1.1'],
    ['X-Amz-Target', 'TrentService.ListKeys'],
    ['Content-Length', String(body.length)],
  ];
  const time = amzTime(DATE);
  const scope = { date: time.slice(0, 8), region: 'us-east-1', service: 'kms' };
  const token: readonly Header[] = credentials.token === undefined ? [] : [['X-Amz-Security-Token', credentials.token]];
  const headers: readonly Header[] = [...given, ...needed.filter(([header]) => !has.has(header.toLowerCase())), ...(signBody ? ([['x-amz-content-sha256', sha256(body)]] as const) : [])];
  const key = signingKey(utf8(credentials.secret_access_key), scope);
  const signature = (request: Signable, signed: readonly string[]): string => hex(signatureOf(key, stringToSign(time, scope, canonicalRequest(request, signed, sha256(body), normalize))));
  if (how === 'header') {
    const dated: readonly Header[] = [...headers, ['X-Amz-Date', time]];
    const all = late === true ? dated : [...dated, ...token];
    const signed = namesOf(all);
    const authorization = `${ALGORITHM} Credential=${credentials.access_key_id}/${scopeText(scope)}, SignedHeaders=${signed.join(';')}, Signature=${signature({ ...own, headers: all }, signed)}`;
    return { ...own, headers: [...all, ...(late === true ? token : []), ['Authorization', authorization]], body };
  }
  const signed = namesOf(headers);
  const pairs: readonly Header[] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${credentials.access_key_id}/${scopeText(scope)}`],
    ['X-Amz-Date', time],
    ['X-Amz-SignedHeaders', signed.join(';')],
    ['X-Amz-Expires', String(expires)],
    ...token,
  ];
  const query = [own.query, ...pairs.map(([field, value]) => `${field}=${encodeURIComponent(value)}`)].filter((part) => part !== '').join('&');
  return { ...own, query: `${query}&X-Amz-Signature=${signature({ ...own, query, headers }, signed)}`, headers, body };
}

/** Of one kind of case: as published, signed in the headers and in the query; brought here, in the headers and in the query; brought here as a POST, in the headers. */
type Verdicts = readonly [published: string, publishedInQuery: string, here: string, hereInQuery: string, hereAsPost: string];

const UNREADABLE = '400';
const TWICE = '400 SerializationException';
const HOST = '403 AccessDeniedException';
const METHOD = '405 SerializationException';
const PATH = '404 SerializationException';
const TAKEN = 'accepted';
const TOKEN = '400 UnrecognizedClientException';
const CONTENT = '415 SerializationException';

const KINDS = {
  /** A header came twice. */
  doubled: [TWICE, TWICE, TWICE, TWICE, TWICE],
  /** Not HTTP to the parser: a folded header, a space or an octet outside of ASCII on the request line. Answered with nothing of ours. */
  unreadable: [UNREADABLE, UNREADABLE, UNREADABLE, UNREADABLE, UNREADABLE],
  /** Nothing is odd about it but its method. */
  plainGet: [HOST, HOST, METHOD, METHOD, TAKEN],
  /** Of another path than `/`, or with a query. */
  getElsewhere: [HOST, HOST, METHOD, METHOD, PATH],
  /** With a session token. */
  getWithToken: [HOST, HOST, METHOD, METHOD, TOKEN],
  /** What this door is for. */
  plainPost: [HOST, HOST, TAKEN, PATH, TAKEN],
  /** With a session token, signed or not. */
  postWithToken: [HOST, HOST, TOKEN, PATH, TOKEN],
  /** With a query. */
  postElsewhere: [HOST, HOST, PATH, PATH, PATH],
  /** Of a form. */
  form: [HOST, HOST, CONTENT, PATH, CONTENT],
} as const satisfies Readonly<Record<string, Verdicts>>;

const TABLE: Readonly<Record<string, keyof typeof KINDS>> = {
  'get-header-key-duplicate': 'doubled',
  'get-header-value-multiline': 'unreadable',
  'get-header-value-order': 'doubled',
  'get-header-value-trim': 'plainGet',
  'get-relative-normalized': 'getElsewhere',
  'get-relative-relative-normalized': 'getElsewhere',
  'get-relative-relative-unnormalized': 'getElsewhere',
  'get-relative-unnormalized': 'getElsewhere',
  'get-slash-dot-slash-normalized': 'getElsewhere',
  'get-slash-dot-slash-unnormalized': 'getElsewhere',
  'get-slash-normalized': 'getElsewhere',
  'get-slash-pointless-dot-normalized': 'getElsewhere',
  'get-slash-pointless-dot-unnormalized': 'getElsewhere',
  'get-slash-unnormalized': 'getElsewhere',
  'get-slashes-normalized': 'getElsewhere',
  'get-slashes-unnormalized': 'getElsewhere',
  'get-space-normalized': 'unreadable',
  'get-space-unnormalized': 'unreadable',
  'get-unreserved': 'getElsewhere',
  'get-utf8': 'unreadable',
  'get-vanilla': 'plainGet',
  'get-vanilla-empty-query-key': 'getElsewhere',
  'get-vanilla-query': 'plainGet',
  'get-vanilla-query-order-encoded': 'getElsewhere',
  'get-vanilla-query-order-key-case': 'getElsewhere',
  'get-vanilla-query-unreserved': 'getElsewhere',
  'get-vanilla-utf8-query': 'unreadable',
  'get-vanilla-with-session-token': 'getWithToken',
  'post-header-key-case': 'plainPost',
  'post-header-key-sort': 'plainPost',
  'post-header-value-case': 'plainPost',
  'post-sts-header-after': 'postWithToken',
  'post-sts-header-before': 'postWithToken',
  'post-vanilla': 'plainPost',
  'post-vanilla-empty-query-value': 'postElsewhere',
  'post-vanilla-query': 'postElsewhere',
  'post-x-www-form-urlencoded': 'form',
  'post-x-www-form-urlencoded-parameters': 'form',
};

describe('the published cases of Signature Version 4, at the door', () => {
  it('are in the table, all of them, of one credential and date', () => {
    expect(Object.keys(TABLE)).toEqual(CASES);
    for (const name of CASES) expect(contextOf(name)).toMatchObject({ credentials: { access_key_id: CREDENTIAL.accessKeyId, secret_access_key: CREDENTIAL.secretAccessKey }, timestamp: '2015-08-30T12:36:00Z' });
  });

  it.each(CASES)('%s', async (name) => {
    const published = (how: How) => verdict(written(readRequest(textOf(name, `${how}-signed-request.txt`))));
    const here = (how: How, method?: 'POST') => verdict(written(brought(name, how, method)));
    expect([await published('header'), await published('query'), await here('header'), await here('query'), await here('header', 'POST')]).toEqual(KINDS[TABLE[name]!]);
  });

  it('are let in by a signature in the headers of a plain `POST /`, and by nothing else', () => {
    const letIn = Object.entries(TABLE).filter(([, kind]) => KINDS[kind].some((verdict) => verdict === TAKEN));
    expect(letIn.map(([name]) => name)).toEqual(['get-header-value-trim', 'get-vanilla', 'get-vanilla-query', 'post-header-key-case', 'post-header-key-sort', 'post-header-value-case', 'post-vanilla']);
    expect(reached.length).toBeGreaterThan(0);
    expect(new Set(reached)).toEqual(new Set(['app']));
  });
});
