/** One use of a key, from what was typed to what came out. A value that comes out stays in `SecretBytes`. */
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { algorithmOf, keySpecOf, type Algorithm } from '../../shared/model/algorithms.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { toPem, toText } from '../encoding.ts';
import type { BytesAction } from '../keys/actions.ts';
import type { PublicBytes } from './result.tsx';

export const LIMIT = 4096;
const DIGESTS = { sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;
const OAEP = { RSAES_OAEP_SHA_1: 20, RSAES_OAEP_SHA_256: 32 } as const;

/** Bytes that Encrypt takes at once. RFC 8017 section 7.1.1 for RSA. */
export function encryptLimit(key: KeyMetadata, algorithm: Algorithm): number {
  if (algorithm !== 'RSAES_OAEP_SHA_1' && algorithm !== 'RSAES_OAEP_SHA_256') return LIMIT;
  return keySpecOf(key.KeySpec).bits / 8 - 2 * OAEP[algorithm] - 2;
}

/** Whether messages over the limit can be signed by their digest, computed here; ML-DSA's is of the public key, too. */
export function takesDigest(algorithm: Algorithm): boolean {
  const { digestLength, digestForm } = algorithmOf(algorithm);
  return digestLength !== undefined && digestForm === undefined;
}

export interface Asked {
  readonly action: BytesAction;
  readonly key: KeyMetadata;
  readonly algorithm: Algorithm | undefined;
  readonly context: Readonly<Record<string, string>>;
  readonly dataKeySpec: 'AES_256' | 'AES_128';
  readonly input: Uint8Array<ArrayBuffer> | undefined;
  /** In place of the input: a file that the vault reads. */
  readonly path?: string | undefined;
  readonly proof: Uint8Array<ArrayBuffer> | undefined;
}

export interface Outcome {
  readonly public?: PublicBytes;
  readonly secret?: SecretBytes;
  readonly verdict?: readonly [title: string, about: string];
  readonly facts?: readonly (readonly [name: string, value: string])[];
  readonly digest?: boolean;
}
export type RunAnswer = { readonly ok: true; readonly outcome: Outcome } | { readonly ok: false; readonly error: CallError; readonly requestId: string };

const mapped = <T>(answer: Answer<T>, map: (output: T) => Outcome): RunAnswer =>
  answer.ok ? { ok: true, outcome: map(answer.output) } : { ok: false, error: answer.error, requestId: answer.requestId };

const SIGNED = { RAW: 'Signature', DIGEST: 'Signature of the digest' } as const;
const FITS = ['The signature fits', 'This key signed exactly this message'] as const;

const empty = (): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(0));

/** The message itself where it fits, else its digest. */
async function messageOf(input: Uint8Array<ArrayBuffer>, algorithm: Algorithm): Promise<{ readonly Message: SecretBytes; readonly MessageType: 'RAW' | 'DIGEST' }> {
  const { hash, digestOnly } = algorithmOf(algorithm);
  if (hash === undefined || (input.length <= LIMIT && digestOnly !== true)) return { Message: SecretBytes.take(input), MessageType: 'RAW' };
  const digest = new Uint8Array(await crypto.subtle.digest(DIGESTS[hash], input));
  input.fill(0);
  return { Message: SecretBytes.take(digest), MessageType: 'DIGEST' };
}

async function fingerprint(key: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(key)));
  return `SHA256:${toText(digest, 'base64').replace(/=+$/, '')}`;
}

export async function run({ action, key, algorithm = 'SYMMETRIC_DEFAULT', context, dataKeySpec, input = empty(), path, proof = empty() }: Asked): Promise<RunAnswer> {
  const KeyId = key.KeyId;
  const by = algorithm as never;
  const bound = algorithm === 'SYMMETRIC_DEFAULT' ? { EncryptionContext: { ...context } } : {};
  switch (action) {
    case 'encrypt':
      return mapped(await client.kms.encrypt({ KeyId, Plaintext: SecretBytes.take(input), EncryptionAlgorithm: by, ...bound }), (out) => ({ public: { label: 'Ciphertext', bytes: out.CiphertextBlob, file: 'ciphertext.bin' } }));
    case 'decrypt':
      return mapped(await client.kms.decrypt({ KeyId, CiphertextBlob: input, EncryptionAlgorithm: by, ...bound }), (out) => ({ secret: out.Plaintext }));
    case 'data-key':
      return mapped(await client.kms.generateDataKey({ KeyId, KeySpec: dataKeySpec, EncryptionContext: { ...context } }), (out) => ({ secret: out.Plaintext, public: { label: 'Encrypted data key', bytes: out.CiphertextBlob, file: 'data-key.bin' } }));
    case 'sign': {
      if (path !== undefined) return mapped(await client.file.sign({ Path: path, KeyId, SigningAlgorithm: by }), (out) => ({ digest: true, public: { label: SIGNED[out.MessageType], bytes: out.Signature, file: 'signature.bin' } }));
      const message = await messageOf(input, algorithm);
      const digest = message.MessageType === 'DIGEST';
      return mapped(await client.kms.sign({ KeyId, ...message, SigningAlgorithm: by }), (out) => ({ digest, public: { label: SIGNED[message.MessageType], bytes: out.Signature, file: 'signature.bin' } }));
    }
    case 'verify': {
      if (path !== undefined) return mapped(await client.file.verify({ Path: path, KeyId, Signature: proof, SigningAlgorithm: by }), () => ({ digest: true, verdict: FITS }));
      const message = await messageOf(input, algorithm);
      return mapped(await client.kms.verify({ KeyId, ...message, Signature: proof, SigningAlgorithm: by }), () => ({ digest: message.MessageType === 'DIGEST', verdict: FITS }));
    }
    case 'mac':
      return mapped(await client.kms.generateMac({ KeyId, Message: SecretBytes.take(input), MacAlgorithm: by }), (out) => ({ public: { label: 'MAC', bytes: out.Mac, file: 'mac.bin' } }));
    case 'verify-mac':
      return mapped(await client.kms.verifyMac({ KeyId, Message: SecretBytes.take(input), Mac: proof, MacAlgorithm: by }), () => ({ verdict: ['The MAC fits', 'This key made it for exactly this message'] }));
    case 'shared-secret':
      return mapped(await client.kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: input }), (out) => ({ secret: out.SharedSecret }));
    case 'encapsulate':
      return mapped(await client.kms.encapsulate({ KeyId, EncapsulationAlgorithm: 'ML_KEM' }), (out) => ({ secret: out.SharedSecret, public: { label: 'For the holder of the key', bytes: out.SharedSecretCiphertextBlob, file: 'encapsulated.bin' } }));
    case 'decapsulate':
      return mapped(await client.kms.decapsulate({ KeyId, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: input }), (out) => ({ secret: out.SharedSecret }));
    case 'public-key': {
      const answer = await client.kms.getPublicKey({ KeyId });
      if (!answer.ok) return answer;
      const { PublicKey } = answer.output;
      return { ok: true, outcome: { public: { label: 'Public key', bytes: PublicKey, file: 'public.pem', text: toPem('PUBLIC KEY', PublicKey) }, facts: [['Fingerprint', await fingerprint(PublicKey)]] } };
    }
  }
}
