/**
 * The import token: the private half of a wrapping key, sealed under the vault, with what it may be used for. The vault keeps
 * nothing of it; whoever holds the token and the vault can finish the import, for 24 hours, also after a lock.
 *
 *   "KI" ‖ format u8 = 1 ‖ rowId 16 ‖ sealed record (seal/record.ts) of:
 *   format u8 = 1 ‖ validTo u64 ms ‖ LP(binding) ‖ LP(algorithm) ‖ LP(PKCS #8 of the wrapping key)
 *
 * Defends against: the wrapping key anywhere but in the sealer; a token used for another key, algorithm or vault, or too late, or
 * after the vault's root was renewed. Does not: keep a token from being used twice, which AWS allows too.
 */
import { WRAPPING_ALGORITHM_NAMES, type WrappingAlgorithm } from '../../shared/model/wrapping.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { type Bytes, concat, lp, readU32, readU64, u64, u8, utf8, wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import type { Session } from './session.ts';

const MAGIC = concat(utf8('KI'), u8(1));
const FORMAT = 1;
const ROW_ID_LENGTH = 16;
const BODY_AT = MAGIC.byteLength + ROW_ID_LENGTH;

export interface ImportToken {
  /** Milliseconds since the epoch. */
  readonly validTo: number;
  /** The ARN of the key that it is for. */
  readonly binding: string;
  readonly algorithm: WrappingAlgorithm;
  /** PKCS #8 DER. When opened: off-heap and the caller's to wipe. */
  readonly privateKey: Uint8Array;
}

const invalid = (): VaultError => new VaultError('InvalidImportTokenException', 'the import token is not one of this key: get new parameters with `keystead kms get-parameters-for-import`');

export function sealImportToken({ random, unsealed }: Session, token: ImportToken): Bytes {
  const rowId = random.bytes(ROW_ID_LENGTH);
  const key = lp(token.privateKey);
  const plain = concat(u8(FORMAT), u64(token.validTo), lp(utf8(token.binding)), lp(utf8(token.algorithm)), key);
  try {
    return concat(MAGIC, rowId, unsealed.sealToken(rowId, plain));
  } finally {
    wipe(key, plain);
  }
}

/** InvalidImportTokenException for anything but a token that this vault made for `binding`; ExpiredImportTokenException. `now` in milliseconds. */
export function openImportToken({ unsealed }: Session, bytes: Uint8Array, binding: string, now: number): ImportToken {
  if (bytes.byteLength <= BODY_AT || !constantTimeEqual(bytes.subarray(0, MAGIC.byteLength), MAGIC)) throw invalid();
  const plain = unsealed.openToken(bytes.subarray(MAGIC.byteLength, BODY_AT), bytes.subarray(BODY_AT));
  if (!plain) throw invalid();
  try {
    const token = decode(plain);
    if (token.binding !== binding) throw invalid();
    if (now >= token.validTo) throw new VaultError('ExpiredImportTokenException', 'the import token has expired: get new parameters with `keystead kms get-parameters-for-import`');
    return { ...token, privateKey: concat(token.privateKey) };
  } finally {
    wipe(plain);
  }
}

function decode(plain: Uint8Array): ImportToken {
  if (plain[0] !== FORMAT) throw invalid();
  let offset = 9;
  const prefixed = (): Uint8Array => {
    const start = offset + 4;
    offset = start + readU32(plain, offset);
    if (offset > plain.byteLength) throw invalid();
    return plain.subarray(start, offset);
  };
  const text = (): string => new TextDecoder('utf-8', { fatal: true }).decode(prefixed());
  const [validTo, binding, name, privateKey] = [readU64(plain, 1), text(), text(), prefixed()];
  const algorithm = WRAPPING_ALGORITHM_NAMES.find((known) => known === name);
  if (algorithm === undefined || offset !== plain.byteLength) throw invalid();
  return { validTo, binding, algorithm, privateKey };
}
