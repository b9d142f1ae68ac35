/** Reads the Wycheproof files beside this one, compressed or not. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface File<G> {
  readonly numberOfTests: number;
  readonly testGroups: readonly G[];
}

export function wycheproof<G extends { readonly tests: readonly Case[] }>(name: string): File<G> {
  const path = new URL(`wycheproof/${name}_test.json`, import.meta.url).pathname;
  const text = existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`));
  return JSON.parse(text.toString('utf8')) as File<G>;
}

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
