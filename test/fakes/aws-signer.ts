/** A client's half of Signature Version 4, for requests that no SDK would make. */
import { createHash } from 'node:crypto';
import { hex, utf8 } from '../../src/main/crypto/bytes.ts';
import { ALGORITHM, scopeText, signatureOf, signingKey, stringToSign } from '../../src/main/crypto/sigv4.ts';
import { canonicalRequest, type Header } from '../../src/main/crypto/canonical.ts';

export interface ToSign {
  readonly host: string;
  readonly target: string;
  readonly body: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly region?: string;
  readonly service?: string;
  /** Signed too, in place of the usual ones of the same name. */
  readonly extra?: readonly Header[];
}

export const amzTime = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** All headers of a `POST /`, signed. */
export function signedHeaders({ host, target, body, accessKeyId, secretAccessKey, now, region = 'us-east-1', service = 'kms', extra = [] }: ToSign): Header[] {
  const time = amzTime(now);
  const hash = createHash('sha256').update(body).digest('hex');
  const replaced = new Set(extra.map(([name]) => name.toLowerCase()));
  const usual: readonly Header[] = [
    ['host', host],
    ['content-type', 'application/x-amz-json-1.1'],
    ['x-amz-date', time],
    ['x-amz-target', target],
    ['x-amz-content-sha256', hash],
  ];
  const headers = [...usual.filter(([name]) => !replaced.has(name)), ...extra];
  const names = headers.map(([name]) => name.toLowerCase()).sort();
  const scope = { date: time.slice(0, 8), region, service };
  const canonical = canonicalRequest({ method: 'POST', path: '/', query: '', headers }, names, hash);
  const signature = hex(signatureOf(signingKey(utf8(secretAccessKey), scope), stringToSign(time, scope, canonical)));
  return [...headers, ['authorization', `${ALGORITHM} Credential=${accessKeyId}/${scopeText(scope)}, SignedHeaders=${names.join(';')}, Signature=${signature}`], ['content-length', String(Buffer.byteLength(body))]];
}
