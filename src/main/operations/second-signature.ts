/** A checkpoint signed by a key of its owner's besides the vault's own: one in a token vouches for it to those who do not trust this machine. */
import type { Output } from '../../shared/api/index.ts';
import { offered, type Algorithm } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn, type Realm } from '../../shared/model/ids.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { usualAlgorithm } from '../access/certificate-request.ts';
import { openFor } from '../keyring/key.ts';
import type { KeyBackend, KeyRecord } from '../keyring/ports.ts';
import { addSignature, MOST_SIGNATURES, type OpenedCheckpoint } from '../trail/checkpoint.ts';

type Signed = Output<'trail:SignCheckpoint'>;

const SPECS: ReadonlySet<string> = new Set(['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_NIST_EDWARDS25519']);

/** SubjectPublicKeyInfo of a key that signs checkpoints. InvalidKeyUsageException, UnsupportedOperationException. */
export function checkpointKeyOf(key: KeyRecord): Uint8Array {
  if (key.usage !== 'SIGN_VERIFY') throw new VaultError('InvalidKeyUsageException', `key \`${key.keyId}\` does not sign; choose one of usage SIGN_VERIFY`);
  const publicKey = key.publicKey === undefined || !SPECS.has(key.spec) ? undefined : base64ToBytes(key.publicKey);
  if (!publicKey) throw new VaultError('UnsupportedOperationException', `keys of \`${key.spec}\` sign no checkpoints; choose RSA, a NIST curve or Ed25519`);
  return publicKey;
}

/** `opened`: of `envelope`. Signs nothing that the vault has not. KMSInvalidSignatureException, LimitExceededException, and what a key that is away throws. */
export async function signToo(keys: KeyBackend, key: KeyRecord, realm: Realm, { message, signatures, signatureValid, signedBy }: OpenedCheckpoint, envelope: Uint8Array): Promise<Signed> {
  const publicKey = checkpointKeyOf(key);
  const algorithm = usualAlgorithm(key.spec, offered(key.spec, key.usage)) as Algorithm & Signed['SigningAlgorithm'];
  const about = { KeyId: keyArn(realm, key.keyId), SigningAlgorithm: algorithm, PublicKey: publicKey };
  if (!signatureValid) throw new VaultError('KMSInvalidSignatureException', 'this vault has not signed the checkpoint, so no key of it does; export one with `keystead trail checkpoint`');
  if (signedBy(publicKey)) return { Checkpoint: envelope, ...about };
  if (signatures >= MOST_SIGNATURES) throw new VaultError('LimitExceededException', `a checkpoint has at most ${String(MOST_SIGNATURES)} signatures; export a new one`);
  const signature = await keys.sign(openFor(key, 'SIGN_VERIFY'), { algorithm, message, digest: false });
  return { Checkpoint: addSignature(envelope, publicKey, signature), ...about };
}
