/** Input and output fields that several operations share, with AWS's limits. */
import { z } from 'zod';
import { ALGORITHMS, KEY_SPECS, KEY_USAGES, type Algorithm, type KeySpec, type KeyUsage } from '../model/algorithms.ts';
import { isAccountId, isRegion } from '../model/ids.ts';

type AlgorithmFor<Usage extends KeyUsage> = { [A in Algorithm]: (typeof ALGORITHMS)[A]['usage'] extends Usage ? A : never }[Algorithm];

function algorithmsFor<const Usage extends KeyUsage>(usage: Usage): [AlgorithmFor<Usage>, ...AlgorithmFor<Usage>[]] {
  const names = Object.entries(ALGORITHMS).flatMap(([name, row]) => (row.usage === usage ? [name] : []));
  return names as [AlgorithmFor<Usage>, ...AlgorithmFor<Usage>[]];
}

export const encryptionAlgorithm = z.enum(algorithmsFor('ENCRYPT_DECRYPT'));
export const signingAlgorithm = z.enum(algorithmsFor('SIGN_VERIFY'));
export const macAlgorithm = z.enum(algorithmsFor('GENERATE_VERIFY_MAC'));
export const keyAgreementAlgorithm = z.enum(algorithmsFor('KEY_AGREEMENT'));
export const encapsulationAlgorithm = z.enum(algorithmsFor('ENCAPSULATE_DECAPSULATE'));
export const keySpec = z.enum(Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]]);
export const keyUsage = z.enum(KEY_USAGES);
export const keyState = z.enum(['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport', 'PendingReplicaDeletion', 'Unavailable']);

/** What names a key. Its form is judged where it is resolved: AWS answers NotFoundException to a malformed one. */
export const keyReference = z.string().min(1).max(2048);
/** Its form is judged by the handler (InvalidAliasNameException). */
export const aliasName = z.string().min(1).max(256);
export const description = z.string().max(8192);

export const pageLimit = z.int().min(1).max(1000);
export const pageMarker = z.string().min(1).max(1024);

/** All keys and values together, in UTF-8. */
const MAX_CONTEXT_BYTES = 8192;

/** Pairs that are bound to a ciphertext and recorded in the trail: never a secret. Compared exactly, byte by byte. */
export const encryptionContext = z.record(z.string(), z.string()).refine(
  (pairs) => {
    const encoder = new TextEncoder();
    let bytes = 0;
    for (const pair of Object.entries(pairs)) for (const text of pair) bytes += encoder.encode(text).byteLength;
    return bytes <= MAX_CONTEXT_BYTES;
  },
  { error: `must be at most ${String(MAX_CONTEXT_BYTES)} bytes in all` },
);

export type EncryptionContext = Readonly<z.output<typeof encryptionContext>>;

export const region = z.string().max(32).refine(isRegion, { error: 'must look like `us-east-1`' });
export const account = z.string().refine(isAccountId, { error: 'must be 12 digits' });

/** POSIX, a Windows drive or a UNC path; no NUL. */
export const absolutePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(path) && !path.includes('\0'), { error: 'must be an absolute path' });

/** 32 bytes of SHA-256, or as many as the named hash has. */
export const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
export const uuid = z.uuid();
