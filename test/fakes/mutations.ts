/** Changes of a signed request, each of which changes what it says: for a door that must take none of them. */
import fc from 'fast-check';
import type { Header } from '../../src/main/crypto/canonical.ts';
import { amzTime } from './aws-signer.ts';

export interface Sent {
  readonly method: string;
  /** As on the request line. */
  readonly url: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** What a change draws on, so that each kind can be made of the same. */
export interface Draw {
  /** Of a header, a part or a value of a list. */
  readonly which: number;
  /** Of a character. */
  readonly at: number;
  readonly how: 'swap' | 'drop' | 'add';
  /** One printable character of ASCII. */
  readonly by: string;
}

const altered = (text: string, { at, how, by }: Draw): string => {
  const place = at % (text.length + (how === 'add' ? 1 : 0) || 1);
  if (how === 'add') return text.slice(0, place) + by + text.slice(place);
  return text.slice(0, place) + (how === 'drop' ? '' : by) + text.slice(place + 1);
};
const pick = <One>(of: readonly One[], { which }: Draw): One => of[which % of.length]!;

/** What the specification says is the same: space around a value and more of it inside; and in the one header that nothing signs, behind commas. */
function sameValue(name: string, a: string, b: string): boolean {
  const tidy = (text: string): string => text.trim().replace(/\s+/g, ' ').replace(name === 'authorization' ? /, */g : /$^/g, ',');
  return tidy(a) === tidy(b);
}

const withHeader = (sent: Sent, at: number, header: Header | undefined): Sent => ({ ...sent, headers: sent.headers.flatMap((other, i) => (i !== at ? [other] : header ? [header] : [])) });
const inserted = (sent: Sent, at: number, header: Header): Sent => ({ ...sent, headers: [...sent.headers.slice(0, at), header, ...sent.headers.slice(at)] });
const indexOf = ({ headers }: Sent, name: string): number => headers.findIndex(([other]) => other.toLowerCase() === name);
const valueOf = (sent: Sent, name: string): string => sent.headers[indexOf(sent, name)]?.[1] ?? '';
const setValue = (sent: Sent, name: string, value: string): Sent => withHeader(sent, indexOf(sent, name), [name, value]);
const place = (sent: Sent, { which }: Draw): number => which % sent.headers.length;

/** `SignedHeaders` or another part of the authorization, as it was and as it becomes. */
function inAuthorization(sent: Sent, part: RegExp, change: (was: string) => string): Sent {
  return setValue(sent, 'authorization', valueOf(sent, 'authorization').replace(part, (_, before: string, was: string) => before + change(was)));
}
const SIGNED = /(SignedHeaders=)([^,]+)/;
const SCOPE = /(Credential=)([^,]+)/;
const SIGNATURE = /(Signature=)([0-9a-f]+)$/;

const METHODS = ['GET', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'post', 'Post', 'TRACE'];
const PATHS = ['//', '/.', '/..', '/a', '/%2F', '/%20', '*', '', 'http://127.0.0.1/', '/;', '/_keystead'];
const QUERIES = ['?', '?a', '?a=b', '?X-Amz-Signature=x', '?Action=Decrypt', '#', '?X-Amz-Expires=300'];
const OTHER_PARTS: readonly (readonly string[])[] = [['AKIDEXAMPLE', 'AKIAAAAAAAAAAAAAAAAA', ''], ['20261124', '20261126', '20261201', '2026112'], ['eu-west-1', 'us-west-2', 'us-east-11', ''], ['secretsmanager', 'sts', 'KMS', ''], ['aws4', 'aws5_request', '']];
const SECONDS = [-240, -60, -2, -1, 1, 2, 60, 240];
const MORE: readonly Header[] = [['x-amz-grant', 'all'], ['X-Amz-Target', 'TrentService.Decrypt'], ['x-amz-security-token', 'x'], ['x-amz-meta-a', ''], ['X-Amz-Decoded-Content-Length', '5'], ['Origin', 'null'], ['transfer-encoding', 'chunked']];
const TARGETS = ['TrentService.Decrypt', 'TrentService.ScheduleKeyDeletion', 'TrentService.describekey', 'secretsmanager.GetSecretValue'];

/** Undefined: that change would change nothing. */
type Change = (sent: Sent, draw: Draw) => Sent | undefined;

/** Of the headers that are only in the way here: what the length says is a matter of the connection. */
const counts = (name: string): boolean => name !== 'content-length';

export const CHANGES = {
  'a character of a value': (sent, draw) => {
    const [name, value] = pick(sent.headers, draw);
    const next = altered(value, draw);
    return !counts(name) || sameValue(name, value, next) ? undefined : withHeader(sent, place(sent, draw), [name, next]);
  },
  'a character of a name': (sent, draw) => {
    const [name, value] = pick(sent.headers, draw);
    const next = altered(name, draw);
    return next.toLowerCase() === name.toLowerCase() ? undefined : withHeader(sent, place(sent, draw), [next, value]);
  },
  'a character of the body': (sent, draw) => {
    const body = altered(sent.body, draw);
    return body === sent.body ? undefined : { ...setValue(sent, 'content-length', String(body.length)), body };
  },
  'a character of the method': (sent, draw) => {
    const method = altered(sent.method, draw);
    return method.trim() === sent.method ? undefined : { ...sent, method };
  },
  'the method': (sent, draw) => ({ ...sent, method: pick(METHODS, draw) }),
  'the path': (sent, draw) => ({ ...sent, url: pick(PATHS, draw) }),
  'a character of the path': (sent, draw) => {
    const url = altered(sent.url, draw);
    // A space more on the request line says nothing (RFC 9112 section 3).
    return url.trim() === sent.url ? undefined : { ...sent, url };
  },
  'a query': (sent, draw) => ({ ...sent, url: `${sent.url}${pick(QUERIES, draw)}` }),
  'a header left out': (sent, draw) => withHeader(sent, place(sent, draw), undefined),
  'a header twice': (sent, draw) => inserted(sent, draw.at % (sent.headers.length + 1), pick(sent.headers, draw)),
  'a header twice, with another value': (sent, draw) => {
    const [name, value] = pick(sent.headers, draw);
    return inserted(sent, draw.at % (sent.headers.length + 1), [name.toUpperCase(), altered(value, draw)]);
  },
  'a header more, of those that count': (sent, draw) => inserted(sent, draw.at % (sent.headers.length + 1), pick(MORE, draw)),
  'the values of two headers exchanged': (sent, draw) => {
    const [one, two] = [place(sent, draw), draw.at % sent.headers.length];
    const [a, b] = [sent.headers[one]!, sent.headers[two]!];
    return one === two || a[1] === b[1] ? undefined : withHeader(withHeader(sent, one, [a[0], b[1]]), two, [b[0], a[1]]);
  },
  'another operation': (sent, draw) => setValue(sent, 'x-amz-target', pick(TARGETS, draw)),
  'another time, with its day': (sent, draw) => {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(valueOf(sent, 'x-amz-date'))!.map(Number);
    const time = amzTime(Date.UTC(y!, mo! - 1, d, h, mi, s) + pick(SECONDS, draw) * 1000);
    return inAuthorization(setValue(sent, 'x-amz-date', time), /(Credential=[^/]+\/)(\d+)/, () => time.slice(0, 8));
  },
  'a part of the scope': (sent, draw) => inAuthorization(sent, SCOPE, (scope) => scope.split('/').map((part, i) => (i === draw.at % 5 ? pick(OTHER_PARTS[i]!, draw) : part)).join('/')),
  'two parts of the scope exchanged': (sent, draw) => inAuthorization(sent, SCOPE, (scope) => { const parts = scope.split('/'); const i = draw.which % 4; [parts[i], parts[i + 1]] = [parts[i + 1]!, parts[i]!]; return parts.join('/'); }),
  'a signed header less in the list': (sent, draw) => inAuthorization(sent, SIGNED, (list) => list.split(';').filter((_, i, all) => i !== draw.which % all.length).join(';')),
  'a signed header more in the list': (sent, draw) => inAuthorization(sent, SIGNED, (list) => [...list.split(';'), pick(['content-length', 'x-amz-grant', 'zzz', 'Host', ''], draw)].sort().join(';')),
  'a signed header twice in the list': (sent, draw) => inAuthorization(sent, SIGNED, (list) => list.split(';').flatMap((name, i, all) => (i === draw.which % all.length ? [name, name] : [name])).join(';')),
  'the order of the list': (sent, draw) => inAuthorization(sent, SIGNED, (list) => { const names = list.split(';'); const i = draw.which % (names.length - 1); [names[i], names[i + 1]] = [names[i + 1]!, names[i]!]; return names.join(';'); }),
  'the case of the list': (sent, draw) => inAuthorization(sent, SIGNED, (list) => list.split(';').map((name, i, all) => (i === draw.which % all.length ? name.toUpperCase() : name)).join(';')),
  'a bit of the signature': (sent, draw) => inAuthorization(sent, SIGNATURE, (signature) => { const bytes = Buffer.from(signature, 'hex'); bytes[draw.at % 32]! ^= 1 << draw.which % 8; return bytes.toString('hex'); }),
  'the length or case of the signature': (sent, draw) => inAuthorization(sent, SIGNATURE, (signature) => pick([signature.slice(2), signature.slice(0, -1), `${signature}00`, signature.toUpperCase(), `${signature}${signature}`, '0'.repeat(64), ''], draw)),
  'the algorithm': (sent, draw) => setValue(sent, 'authorization', valueOf(sent, 'authorization').replace('AWS4-HMAC-SHA256', pick(['AWS4-HMAC-SHA1', 'AWS4-ECDSA-P256-SHA256', 'AWS3', 'Basic', 'aws4-hmac-sha256', ''], draw))),
} as const satisfies Readonly<Record<string, Change>>;
export type Kind = keyof typeof CHANGES;
export const KINDS = Object.keys(CHANGES) as readonly Kind[];

const DRAW: fc.Arbitrary<Draw> = fc.record({ which: fc.nat(10_000), at: fc.nat(10_000), how: fc.constantFrom('swap', 'drop', 'add'), by: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });

/** What a kind of change makes of it; nothing where that would be the same request. */
export const changed = (sent: Sent): fc.Arbitrary<readonly [Kind, Sent | undefined]> => fc.tuple(fc.constantFrom(...KINDS), DRAW).map(([kind, draw]) => [kind, CHANGES[kind](sent, draw)]);

/** The same request in other words, which a door must take: headers in any order, names in any case, and headers that nobody signs; `spaces` around values, which HTTP's parser takes away. */
export const reworded = (sent: Sent, spaces: readonly string[] = ['']): fc.Arbitrary<Sent> =>
  fc.tuple(fc.shuffledSubarray([...sent.headers], { minLength: sent.headers.length }), fc.boolean(), fc.constantFrom(...spaces), fc.boolean()).map(([headers, upper, space, more]) => ({
    ...sent,
    headers: [...(more ? ([['user-agent', 'any'], ['accept', '*/*']] as const) : []), ...headers.map(([name, value]): Header => [upper ? name.toUpperCase() : name, `${space}${value}${space}`])],
  }));
