/**
 * Every label that separates one derived key, commitment or authenticated byte string from another, in one table.
 *
 * Each is unique, versioned, and no prefix of another (a test holds that), so that a label followed by anything can never be read
 * as a different label followed by something else. They are part of the frozen format: a label never changes, a new use gets a
 * new one.
 */
import { utf8 } from '../crypto/bytes.ts';

export const LABELS = {
  /** HKDF info of a slot's KEK ‖ commitment. */
  slotKek: utf8('keystead/slot-kek/1'),
  /** AAD of a slot's private key under its KEK. */
  slotPrivate: utf8('keystead/slot-private/1'),
  /** HKDF info and AAD of the root wrapped to a slot's public key. */
  rootWrap: utf8('keystead/root-wrap/1'),
  /** HKDF info of what is derived from the root. */
  rootCommit: utf8('keystead/root-commit/1'),
  headerMac: utf8('keystead/header-mac/1'),
  headerSecrets: utf8('keystead/header-secrets/1'),
  previousRoot: utf8('keystead/previous-root/1'),
  tableKey: utf8('keystead/table-key/1'),
  blindKey: utf8('keystead/blind-key/1'),
  setHashKey: utf8('keystead/set-hash-key/1'),
  /** HKDF info of the key that tells imported materials apart. */
  importedMaterial: utf8('keystead/imported-material/1'),
  /** HKDF info of what main keeps for the sealer. */
  kept: utf8('keystead/kept/1'),
  /** What a token's key makes a factor of: HMAC-SHA256 over this ‖ vaultId ‖ the slot's salt. */
  tokenFactor: utf8('keystead/token-factor/1'),
  /** What the recovery code's check bits are the hash of. */
  recoveryCheck: utf8('keystead/recovery-check/1'),
} as const;
