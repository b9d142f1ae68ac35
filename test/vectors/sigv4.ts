/** AWS's own Signature Version 4 test suite (awslabs/aws-c-auth), as its files hold it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Header, Signable } from '../../src/main/crypto/canonical.ts';

const SUITE = fileURLToPath(new URL('./sigv4/v4/', import.meta.url));
export const CASES = readdirSync(SUITE);
export const textOf = (name: string, file: string): string => readFileSync(`${SUITE}${name}/${file}`, 'utf8');

export interface Context {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string; readonly token?: string };
  readonly expiration_in_seconds: number;
  readonly normalize: boolean;
  readonly region: string;
  readonly service: string;
  readonly sign_body: boolean;
  readonly timestamp: string;
  readonly omit_session_token?: boolean;
}
export const contextOf = (name: string): Context => JSON.parse(textOf(name, 'context.json')) as Context;

/** A request as the suite writes it: a request line, headers (a line that begins with a space goes on with the one before), a body. */
export function readRequest(text: string): Signable & { readonly body: string } {
  const [head = '', ...rest] = text.split('\n\n');
  const [line = '', ...lines] = head.split('\n');
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1\.1$/.exec(line) ?? [];
  const headers: Header[] = [];
  for (const next of lines) {
    if (next === '') continue;
    const last = headers.at(-1);
    if (/^\s/.test(next) && last) headers[headers.length - 1] = [last[0], `${last[1]}\n${next}`];
    else headers.push([next.slice(0, next.indexOf(':')), next.slice(next.indexOf(':') + 1)]);
  }
  const at = target.indexOf('?');
  return { method, path: at < 0 ? target : target.slice(0, at), query: at < 0 ? '' : target.slice(at + 1), headers, body: rest.join('\n\n') };
}
