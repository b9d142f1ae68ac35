/**
 * The factor of a key in a token: HMAC-SHA256, made by a key that never leaves it, over the slot's challenge. Nothing of it is stored, and
 * without token and PIN nobody can make it again. Each slot's salt is its own, so one key may open several slots.
 */
import { type Bytes, concat } from '../crypto/bytes.ts';
import { LABELS } from './labels.ts';

/** Of the factor. */
export const TOKEN_FACTOR_LENGTH = 32;
export const TOKEN_SALT_LENGTH = 32;

/** What the token's key is asked for. `vaultId` 16 bytes, `salt` 32: of the slot's descriptor. */
export const tokenChallenge = (vaultId: Uint8Array, salt: Uint8Array): Bytes => concat(LABELS.tokenFactor, vaultId, salt);
