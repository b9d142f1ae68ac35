/** What counts as use of a key: a successful cryptographic operation. Source: AWS KMS API Reference, KeyLastUsageData. */
export const KEY_USES = [
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'Sign',
  'Verify',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const;
export type KeyUseName = (typeof KEY_USES)[number];

/** Operations of ours that sign what they make themselves. */
const SIGNING: readonly string[] = ['file:GenerateCertificateRequest', 'trail:SignCheckpoint'];

/** The use that an operation is, by its name (`kms:Sign`, `file:Sign`); undefined for one that uses no key. */
export const useOf = (operation: string): KeyUseName | undefined => {
  if (SIGNING.includes(operation)) return 'Sign';
  const short = operation.replace(/^(?:kms|file):/, '');
  return KEY_USES.find((name) => name === short);
};
