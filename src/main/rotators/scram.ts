/** PostgreSQL's SCRAM-SHA-256 verifier (RFC 5802 section 3, RFC 7677; its form: PostgreSQL, `pg_authid.rolpassword`), made here, so that the server's log never sees the password. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { saslprep } from './saslprep.ts';

/** PostgreSQL's own number (`scram_iterations`), and RFC 7677's least. */
export const ITERATIONS = 4096;
/** Bytes, PostgreSQL's own number. */
export const SALT_LENGTH = 16;

/** RFC 5802 section 3: StoredKey := H(HMAC(SaltedPassword, "Client Key")), ServerKey := HMAC(SaltedPassword, "Server Key"). 32 bytes each. */
export function scramKeys(prepared: string, salt: Uint8Array, iterations: number): { readonly storedKey: Buffer; readonly serverKey: Buffer } {
  const salted = pbkdf2Sync(prepared, salt, iterations, 32, 'sha256');
  const key = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  return { storedKey: createHash('sha256').update(key('Client Key')).digest(), serverKey: key('Server Key') };
}

/** `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`. Undefined for a password that SASLprep refuses. */
export function scramVerifier(password: string, salt: Uint8Array, iterations = ITERATIONS): string | undefined {
  const prepared = saslprep(password);
  if (prepared === undefined) return undefined;
  const { storedKey, serverKey } = scramKeys(prepared, salt, iterations);
  return `SCRAM-SHA-256$${String(iterations)}:${Buffer.from(salt).toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}
