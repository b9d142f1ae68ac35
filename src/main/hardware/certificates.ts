/** Which certificate on a token goes with which key there. Pure. */
import type { CertificateFacts, PublicHalf } from '../backends/pkcs11/protocol.ts';

export interface Belonging {
  /** CKA_ID of the private key. */
  readonly id: string;
  /**
   * publicKey: it certifies the key's own. id: it has the key's CKA_ID, and nothing public of one of them can be compared. otherKey: it has the
   * key's CKA_ID, which is only a name, and certifies another.
   */
  readonly match: 'publicKey' | 'id' | 'otherKey';
}

/** The public key decides; a CKA_ID only where there is no other word. Undefined: it goes with no key on the token. */
export function belongingOf({ id, read }: Pick<CertificateFacts, 'id' | 'read'>, keys: readonly PublicHalf[]): Belonging | undefined {
  const certified = read?.publicKey;
  const own = id === '' ? [] : keys.filter((key) => key.id === id);
  const [match] = certified === undefined ? [] : [...own, ...keys].filter(({ publicKey }) => publicKey === certified);
  if (match) return { id: match.id, match: 'publicKey' };
  const [named] = own;
  return named && { id: named.id, match: certified !== undefined && named.publicKey !== undefined ? 'otherKey' : 'id' };
}
