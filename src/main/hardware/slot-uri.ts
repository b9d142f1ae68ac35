/**
 * The token URI of a key slot: which key in which token opens it, and the module that has the token. RFC 7512, without a PIN; read strictly,
 * since the header that it stands in is proven only by what the key makes.
 *
 *   pkcs11:token=LABEL;serial=SERIAL;id=CKA_ID;type=secret-key?module-path=PATH&x-keystead-module-sha256=64 hex digits
 */
import type { TokenName } from '../backends/pkcs11/protocol.ts';
import { keyUri, percent } from './token-names.ts';

export interface SlotKeyName {
  readonly token: TokenName;
  /** CKA_ID, hex. */
  readonly id: string;
  /** Real path of the module's library, and SHA-256 of its file in hex. */
  readonly path: string;
  readonly sha256: string;
}

const FORM = /^pkcs11:token=([^;?&=]*);serial=([^;?&=]*);id=((?:%[0-9A-F]{2}){1,64});type=secret-key\?module-path=([^;?&=]+)&x-keystead-module-sha256=([0-9a-f]{64})$/;
const NAME_LIMIT = 256;

export const slotUri = ({ token, id, path, sha256 }: SlotKeyName): string => `${keyUri(token, id, 'secret-key')}?module-path=${percent(path)}&x-keystead-module-sha256=${sha256}`;

/** Undefined for everything that `slotUri` does not write. */
export function readSlotUri(uri: string): SlotKeyName | undefined {
  const [, label, serial, id, path, sha256] = FORM.exec(uri) ?? [];
  if (label === undefined || serial === undefined || id === undefined || path === undefined || sha256 === undefined) return undefined;
  try {
    const name: SlotKeyName = { token: { label: decodeURIComponent(label), serial: decodeURIComponent(serial) }, id: id.replaceAll('%', '').toLowerCase(), path: decodeURIComponent(path), sha256 };
    const fits = name.path.startsWith('/') && !name.path.includes('\0') && name.token.label.length <= NAME_LIMIT && name.token.serial.length <= NAME_LIMIT;
    // One spelling each: what comes out must be what went in.
    return fits && slotUri(name) === uri ? name : undefined;
  } catch {
    return undefined;
  }
}
