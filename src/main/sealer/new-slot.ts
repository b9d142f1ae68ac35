/** From a `NewSlot` to a slot without its root: which factors it takes, what its KDF may cost, a recovery code of its own. */
import { totalmem } from 'node:os';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, copy, wipe } from '../crypto/bytes.ts';
import type { Random } from '../platform/ports.ts';
import { COST_FLOOR, costProblem } from '../seal/cost.ts';
import { FACTOR, isTokenUri, type Slot, type SlotDescriptor } from '../seal/header.ts';
import type { Factors, KdfCost, NewSlot } from '../seal/protocol.ts';
import { generateRecoveryCode } from '../seal/recovery-code.ts';
import { draftSlot } from '../seal/slots.ts';
import { TOKEN_FACTOR_LENGTH, TOKEN_SALT_LENGTH } from '../seal/token-factor.ts';
import { bytesOf, bytesUpTo, oneOf, wholeNumber } from './checks.ts';

/** More than any passphrase in UTF-8. */
export const PASSWORD_LIMIT = 4096;
export const DEVICE_LENGTH = 32;

export interface Draft {
  readonly slot: Omit<Slot, 'wrap'>;
  /** 28 characters in ASCII, for a recovery slot; the receiver's to wipe. */
  readonly recoveryCode?: Bytes;
}

const invalid = (message: string): VaultError => new VaultError('ValidationException', message);

function passwordPlan({ factors, kdf }: NewSlot): { readonly factors: number; readonly kdf: KdfCost } {
  if (!factors.password || bytesUpTo(factors.password, PASSWORD_LIMIT, 'password').byteLength === 0) throw invalid('a password slot needs a password of 1 to 4,096 bytes; choose one');
  if (!kdf) throw invalid('a password slot needs a KDF cost; measure one first');
  const problem = costProblem(kdf, COST_FLOOR, totalmem());
  if (problem !== undefined) throw invalid(`the KDF cost ${problem}; measure one first`);
  if (factors.device) bytesOf(factors.device, DEVICE_LENGTH, 'device secret');
  return { factors: FACTOR.password | (factors.device ? FACTOR.device : 0), kdf: { memory: kdf.memory, passes: kdf.passes, lanes: kdf.lanes } };
}

type Plan = Pick<SlotDescriptor, 'factors' | 'kdf' | 'tokenUri'>;

function tokenPlan({ factors, token }: NewSlot): Plan {
  bytesOf(factors.token, TOKEN_FACTOR_LENGTH, 'token factor');
  if (factors.device) bytesOf(factors.device, DEVICE_LENGTH, 'device secret');
  if (!token || !isTokenUri(token.uri)) throw invalid('a token slot needs the URI of its key, at most 1,024 printable characters');
  bytesOf(token.salt, TOKEN_SALT_LENGTH, 'salt');
  return { factors: FACTOR.token | (factors.device ? FACTOR.device : 0), tokenUri: token.uri };
}

function planOf(slot: NewSlot): Plan {
  const type = oneOf(slot.type, ['password', 'recovery', 'keychain', 'token'], 'slot type');
  const { factors } = slot;
  if (type === 'password' && factors.code === undefined) return passwordPlan(slot);
  if (slot.kdf) throw invalid('only a password slot has a KDF cost; leave it out');
  if (type === 'keychain' && !factors.password && !factors.code) {
    bytesOf(factors.device, DEVICE_LENGTH, 'device secret');
    return { factors: FACTOR.device };
  }
  if (type === 'recovery' && !factors.password && !factors.device && !factors.code) return { factors: FACTOR.code };
  if (type === 'token' && !factors.password && !factors.code) return tokenPlan(slot);
  throw invalid(`these factors do not go with a slot of type \`${type}\`; give exactly its own`);
}

/** Runs the KDF. ValidationException. */
export async function draftOf(random: Random, vaultId: Uint8Array, given: NewSlot): Promise<Draft> {
  const plan: Omit<SlotDescriptor, 'publicKey'> = {
    slotId: random.bytes(16),
    type: given.type,
    ...planOf(given),
    created: wholeNumber(given.created, 0, 'time'),
    salt: given.type === 'token' && given.token ? copy(given.token.salt) : random.bytes(32),
  };
  const recoveryCode = given.type === 'recovery' ? generateRecoveryCode(random) : undefined;
  const factors: Factors = recoveryCode ? { code: recoveryCode } : given.factors;
  try {
    return { slot: await draftSlot(random, vaultId, plan, factors), ...(recoveryCode ? { recoveryCode } : {}) };
  } catch (error) {
    wipe(recoveryCode);
    throw error instanceof RangeError ? outOfMemory() : error;
  }
}

/** What a failed Argon2id run means: its parameters were judged before. */
export const outOfMemory = (): VaultError => new VaultError('InternalException', 'there was too little memory to stretch the password; close other programs and try again');
