/** The authorities that are trusted at an address of the owner's choice, in place of the usual ones. */
import { hex, utf8 } from '../crypto/bytes.ts';
import { digest } from '../crypto/hmac.ts';

/** Whether it looks like PEM; what it holds is for the handshake to judge. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN CERTIFICATE-----');
export const NO_PEM = '`CertificateAuthority` is no PEM of a certificate; it begins with `-----BEGIN CERTIFICATE-----`';

/** SHA-256 in hex of the PEM as a file that ends in one line's end, as `sha256sum` says it. Undefined: the usual authorities. */
export const authorityDigest = (ca: string | undefined): string | undefined => (ca === undefined ? undefined : hex(digest('sha256', utf8(`${ca.trim()}\n`))));
