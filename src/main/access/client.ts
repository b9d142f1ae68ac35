/**
 * Clients: programs that use the vault over AWS's protocol, each with a name, a role and one access key. Pure.
 *
 * Defends against: a secret access key that lies open anywhere. It is drawn in the sealer, shown once, and kept sealed even from main;
 * what main gets of it is a signing key for one day, region and service.
 * Does not: know HTTP or the canonical form of a request (the door does), or what a role may do (the policy does).
 */
import type { ClientRole } from '../../shared/api/access.ts';
import type { AccessKeyId, Instant } from '../../shared/model/ids.ts';

/** One client, as it is sealed (schema 1). */
export interface ClientRecord {
  readonly name: string;
  readonly role: ClientRole;
  readonly created: Instant;
  readonly accessKeyId: AccessKeyId;
  /** The secret access key as the sealer sealed it, base64. */
  readonly sealed: string;
  readonly keyCreated: Instant;
}

/** The private key and the certificate of the vault's own authority (schema 1). */
export interface AuthorityRecord {
  readonly name: string;
  /** X.509 in DER, base64. */
  readonly certificate: string;
  /** SubjectPublicKeyInfo in DER, base64. */
  readonly publicKey: string;
  /** The private key as the sealer sealed it, base64. */
  readonly sealed: string;
  readonly created: Instant;
}

/** Which authority the door for AWS clients has its certificate from. */
export const AWS_DOOR_AUTHORITY = 'aws-door';
