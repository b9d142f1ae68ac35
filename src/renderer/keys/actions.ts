/** What a key can be used for: one table, from which buttons, palette and keyboard are made. */
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { keySpecOf, type KeyUsage } from '../../shared/model/algorithms.ts';

export type UseAction = 'encrypt' | 'decrypt' | 'data-key' | 'sign' | 'verify' | 'mac' | 'verify-mac' | 'shared-secret' | 'encapsulate' | 'decapsulate' | 'public-key' | 'file' | 'request';
/** Those that work on bytes of the page. */
export type BytesAction = Exclude<UseAction, 'file' | 'request'>;

export interface ActionRow {
  readonly usage: KeyUsage;
  readonly label: string;
  /** Said of a key: "Sign with release-signing". */
  readonly verb: string;
  readonly operation: string;
  readonly shortcut?: string;
  readonly only?: 'symmetric' | 'pair' | 'certified';
}

export const ACTIONS = {
  encrypt: { usage: 'ENCRYPT_DECRYPT', label: 'Encrypt', verb: 'Encrypt with', operation: 'kms:Encrypt', shortcut: 'E' },
  decrypt: { usage: 'ENCRYPT_DECRYPT', label: 'Decrypt', verb: 'Decrypt with', operation: 'kms:Decrypt', shortcut: 'D' },
  'data-key': { usage: 'ENCRYPT_DECRYPT', label: 'Data key', verb: 'Make a data key with', operation: 'kms:GenerateDataKey', only: 'symmetric' },
  file: { usage: 'ENCRYPT_DECRYPT', label: 'File', verb: 'Encrypt or decrypt a file with', operation: 'file:Encrypt, file:Decrypt', only: 'symmetric' },
  sign: { usage: 'SIGN_VERIFY', label: 'Sign', verb: 'Sign with', operation: 'kms:Sign', shortcut: 'S' },
  verify: { usage: 'SIGN_VERIFY', label: 'Verify', verb: 'Verify with', operation: 'kms:Verify', shortcut: 'V' },
  mac: { usage: 'GENERATE_VERIFY_MAC', label: 'Make a MAC', verb: 'Make a MAC with', operation: 'kms:GenerateMac', shortcut: 'S' },
  'verify-mac': { usage: 'GENERATE_VERIFY_MAC', label: 'Verify a MAC', verb: 'Verify a MAC with', operation: 'kms:VerifyMac', shortcut: 'V' },
  'shared-secret': { usage: 'KEY_AGREEMENT', label: 'Agree on a secret', verb: 'Agree on a secret with', operation: 'kms:DeriveSharedSecret', shortcut: 'S' },
  encapsulate: { usage: 'ENCAPSULATE_DECAPSULATE', label: 'Encapsulate', verb: 'Encapsulate for', operation: 'kms:Encapsulate', shortcut: 'E' },
  decapsulate: { usage: 'ENCAPSULATE_DECAPSULATE', label: 'Decapsulate', verb: 'Decapsulate with', operation: 'kms:Decapsulate', shortcut: 'D' },
  'public-key': { usage: 'SIGN_VERIFY', label: 'Public key', verb: 'Public key of', operation: 'kms:GetPublicKey', only: 'pair' },
  request: { usage: 'SIGN_VERIFY', label: 'Certificate request', verb: 'Make a certificate request for', operation: 'file:GenerateCertificateRequest', only: 'certified' },
} as const satisfies Record<UseAction, ActionRow>;

export const actionRow = (action: UseAction): ActionRow => ACTIONS[action];

/** Empty for a key that cannot be used now. */
export function actionsOf(key: Pick<KeyMetadata, 'KeyUsage' | 'KeySpec' | 'KeyState'>): readonly UseAction[] {
  if (key.KeyState !== 'Enabled') return [];
  const symmetric = key.KeySpec === 'SYMMETRIC_DEFAULT';
  const pair = !symmetric && key.KeyUsage !== 'GENERATE_VERIFY_MAC';
  return (Object.keys(ACTIONS) as UseAction[]).filter((name) => {
    const { usage, only } = actionRow(name);
    if (only === 'pair') return pair;
    // No authority takes ML-DSA's yet, and no request is made of one.
    if (only === 'certified') return usage === key.KeyUsage && keySpecOf(key.KeySpec).family !== 'ml-dsa';
    return usage === key.KeyUsage && (only === undefined || symmetric);
  });
}
