/** The question that a new token slot's key is asked, and its salt, which the slot keeps. */
import type { Random } from '../platform/ports.ts';
import { TOKEN_SALT_LENGTH, tokenChallenge } from '../seal/token-factor.ts';

/** `salt`: 32 bytes. */
export function newTokenChallenge(random: Random, vaultId: Uint8Array): { readonly salt: Uint8Array; readonly challenge: Uint8Array } {
  const salt = random.bytes(TOKEN_SALT_LENGTH);
  return { salt, challenge: tokenChallenge(vaultId, salt) };
}
