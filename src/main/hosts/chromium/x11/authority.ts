/**
 * What the X server wants to be shown before it lets a program in: a cookie of the file that XAUTHORITY names (Xau(3)): entries of
 * family u16, then address, display number, name and data, each with its length in u16, all big-endian.
 */
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const COOKIE = 'MIT-MAGIC-COOKIE-1';
/** Families of <X11/Xauth.h>: this machine, and any. */
const LOCAL = 256;
const WILD = 65535;
const MOST_BYTES = 1024 * 1024;

export interface Authority {
  readonly name: string;
  readonly data: Uint8Array;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined where there is none for this display: some servers want none. Never throws. */
export function authorityFor(display: string, env: Environment): Authority | undefined {
  const path = env['XAUTHORITY'] ?? (env['HOME'] === undefined ? undefined : join(env['HOME'], '.Xauthority'));
  if (path === undefined) return undefined;
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size <= MOST_BYTES ? findAuthority(readFileSync(path), display, hostname()) : undefined;
  } catch {
    return undefined;
  }
}

/** Pure; the file is hostile. */
export function findAuthority(file: Uint8Array, display: string, host: string): Authority | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
  let at = 0;
  const short = (): number => {
    at += 2;
    return view.getUint16(at - 2);
  };
  const counted = (): Uint8Array => {
    const length = short();
    at += length;
    if (at > file.length) throw new RangeError('cut off');
    return file.subarray(at - length, at);
  };
  try {
    while (at < file.length) {
      const family = short();
      const [address, number, name, data] = [counted(), counted(), counted(), counted()];
      const here = family === WILD || (family === LOCAL && text(address) === host);
      if (here && (number.length === 0 || text(number) === display) && text(name) === COOKIE) return { name: COOKIE, data };
    }
  } catch {
    // A file that is cut off has no more entries.
  }
  return undefined;
}
