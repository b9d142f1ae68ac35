/** The authorities that are trusted at an address of the owner's choice, in place of the usual ones. */

/** Whether it looks like PEM; what it holds is for the handshake to judge. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN CERTIFICATE-----');
export const NO_PEM = '`CertificateAuthority` is no PEM of a certificate; it begins with `-----BEGIN CERTIFICATE-----`';
