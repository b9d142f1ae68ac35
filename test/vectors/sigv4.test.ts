/** AWS's own Signature Version 4 test suite (awslabs/aws-c-auth), every case, signed in the headers and in the query. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hex } from '../../src/main/crypto/bytes.ts';
import { ALGORITHM, scopeText, signatureOf, signingKey, stringToSign, type Scope } from '../../src/main/crypto/sigv4.ts';
import { canonicalRequest, type Header } from '../../src/main/crypto/canonical.ts';
import { CASES, contextOf, readRequest, textOf } from './sigv4.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function given(name: string) {
  const context = contextOf(name);
  const request = readRequest(textOf(name, 'request.txt'));
  const time = context.timestamp.replace(/[-:]/g, '');
  const scope: Scope = { date: time.slice(0, 8), region: context.region, service: context.service };
  const key = signingKey(Buffer.from(context.credentials.secret_access_key), scope);
  return { context, request, time, scope, key, token: context.credentials.token, late: context.omit_session_token === true };
}

const namesOf = (headers: readonly Header[]): string[] => [...new Set(headers.map(([name]) => name.toLowerCase()))].sort();

describe('the published cases of Signature Version 4', () => {
  it('are all 38', () => {
    expect(CASES).toHaveLength(38);
  });

  it.each(CASES)('%s, signed in the headers', (name) => {
    const { context, request, time, scope, key, token, late } = given(name);
    const headers: Header[] = [
      ...request.headers,
      ...(token !== undefined && !late ? [['X-Amz-Security-Token', token] as const] : []),
      ['X-Amz-Date', time],
      ...(context.sign_body ? [['x-amz-content-sha256', sha256(request.body)] as const] : []),
    ];
    const signed = namesOf(headers);
    const canonical = canonicalRequest({ ...request, headers }, signed, sha256(request.body), context.normalize);
    expect(canonical).toBe(textOf(name, 'header-canonical-request.txt'));
    const text = stringToSign(time, scope, canonical);
    expect(text).toBe(textOf(name, 'header-string-to-sign.txt'));
    const signature = hex(signatureOf(key, text));
    expect(signature).toBe(textOf(name, 'header-signature.txt'));
    const authorization = `${ALGORITHM} Credential=${context.credentials.access_key_id}/${scopeText(scope)}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
    expect(readRequest(textOf(name, 'header-signed-request.txt')).headers.find(([header]) => header === 'Authorization')?.[1]).toBe(authorization);
  });

  it.each(CASES)('%s, signed in the query', (name) => {
    const { context, request, time, scope, key, token, late } = given(name);
    const signed = namesOf(request.headers);
    const added: readonly (readonly [string, string])[] = [
      ['X-Amz-Algorithm', ALGORITHM],
      ['X-Amz-Credential', `${context.credentials.access_key_id}/${scopeText(scope)}`],
      ['X-Amz-Date', time],
      ['X-Amz-SignedHeaders', signed.join(';')],
      ['X-Amz-Expires', String(context.expiration_in_seconds)],
      ...(token !== undefined && !late ? [['X-Amz-Security-Token', token] as const] : []),
    ];
    const query = [request.query, ...added.map(([field, value]) => `${field}=${encodeURIComponent(value)}`)].filter((part) => part !== '').join('&');
    const canonical = canonicalRequest({ ...request, query }, signed, sha256(request.body), context.normalize);
    expect(canonical).toBe(textOf(name, 'query-canonical-request.txt'));
    const text = stringToSign(time, scope, canonical);
    expect(text).toBe(textOf(name, 'query-string-to-sign.txt'));
    expect(hex(signatureOf(key, text))).toBe(textOf(name, 'query-signature.txt'));
  });
});
