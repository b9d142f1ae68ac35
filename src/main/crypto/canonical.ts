/**
 * The canonical request of AWS Signature Version 4: one text for every way of writing the same HTTP request.
 * Source: AWS General Reference, "Create a signed AWS API request", task 1; held by AWS's own test suite (test/vectors/sigv4).
 *
 * Pure. AWS's JSON protocol is `POST /` without a query only, so most of what is here is there to be right, not to be used.
 */

/** A header as it came, in the order in which it came. */
export type Header = readonly [name: string, value: string];

export interface Signable {
  readonly method: string;
  /** As on the request line, without the query. */
  readonly path: string;
  /** Without `?`; empty for none. */
  readonly query: string;
  readonly headers: readonly Header[];
}

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const encoder = new TextEncoder();

/** RFC 3986: every octet of UTF-8 but the unreserved ones, in upper-case hexadecimal. */
function uriEncode(text: string): string {
  let out = '';
  for (const character of text) {
    if (UNRESERVED.test(character)) out += character;
    else for (const byte of encoder.encode(character)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** What is not well-formed percent-encoding stands for itself. */
function uriDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986 section 5.2.4, and no empty segments. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** `normalize`: every service but S3 takes dot segments and empty ones out. */
export function canonicalPath(path: string, normalize = true): string {
  if (path === '/') return path;
  return (normalize ? withoutDots(path) : path).split('/').map(uriEncode).join('/') || '/';
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').flatMap((part): (readonly [string, string])[] => {
    if (part === '') return [];
    const at = part.indexOf('=');
    const [name, value] = at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    return [[uriEncode(uriDecode(name)), uriEncode(uriDecode(value))]];
  });
  return pairs
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const tidy = (value: string): string => value.trim().replace(/\s+/g, ' ');

/** `name:value` lines of these headers (lower case), in their order; a name that is not there is an empty value. */
export function canonicalHeaders(headers: readonly Header[], names: readonly string[]): string {
  const values = new Map<string, string>();
  const wanted = new Set(names);
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!wanted.has(lower)) continue;
    const before = values.get(lower);
    values.set(lower, before === undefined ? tidy(value) : `${before},${tidy(value)}`);
  }
  return names.map((name) => `${name}:${values.get(name) ?? ''}\n`).join('');
}

/** `signedHeaders`: lower case, sorted. `payloadHash`: SHA-256 of the body, lower-case hexadecimal. */
export function canonicalRequest(request: Signable, signedHeaders: readonly string[], payloadHash: string, normalize = true): string {
  return [
    request.method,
    canonicalPath(request.path, normalize),
    canonicalQuery(request.query),
    canonicalHeaders(request.headers, signedHeaders),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}
