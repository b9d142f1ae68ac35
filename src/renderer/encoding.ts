/** Text, hexadecimal and base64 to bytes and back, and PEM. What does not read as said is undefined, never a best guess. */
import { base64ToBytes, bytesToBase64 } from '../shared/wire/base64.ts';

export const ENCODINGS = ['text', 'hex', 'base64'] as const;
export type Encoding = (typeof ENCODINGS)[number];
export const ENCODING_WORDS: Record<Encoding, string> = { text: 'Text', hex: 'Hex', base64: 'Base64' };

export function fromText(text: string, encoding: Encoding): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === 'text') return new TextEncoder().encode(text);
  const tight = text.replace(/\s+/g, '');
  if (encoding === 'base64') return base64ToBytes(tight);
  if (!/^(?:[0-9a-f]{2})*$/i.test(tight)) return undefined;
  const bytes = new Uint8Array(new ArrayBuffer(tight.length / 2));
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(tight.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export function toText(bytes: Uint8Array, encoding: Encoding): string {
  if (encoding === 'hex') return hex(bytes);
  return encoding === 'base64' ? bytesToBase64(bytes) : new TextDecoder().decode(bytes);
}

/** Whether these bytes are text that a person can read: valid UTF-8 without control characters. */
export function isReadable(bytes: Uint8Array): boolean {
  try {
    return !/[^\P{Cc}\t\n\r]/u.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return false;
  }
}

export function toPem(label: string, bytes: Uint8Array): string {
  const lines = bytesToBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The bytes of one PEM block of this label, with nothing around it but white space. RFC 7468 section 3, the lax form. */
export function fromPem(label: string, text: string): Uint8Array<ArrayBuffer> | undefined {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const tight = text.trim();
  return tight.startsWith(begin) && tight.endsWith(end) ? fromText(tight.slice(begin.length, -end.length), 'base64') : undefined;
}
