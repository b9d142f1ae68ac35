/** `file:` handlers: hash as a stream, then sign or verify through the keyring like any other message. */
import { WHOLE_FILE } from '../../shared/api/file.ts';
import type { Input } from '../../shared/api/index.ts';
import { algorithmOf, offered } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn } from '../../shared/model/ids.ts';
import type { Call } from '../kernel/handler.ts';
import { assertOffers, openFor } from '../keyring/key.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { HashFile } from '../platform/ports.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type SigningAlgorithm = NonNullable<Input<'file:Sign'>['SigningAlgorithm']>;

interface Prepared {
  readonly algorithm: SigningAlgorithm;
  readonly message: Uint8Array;
  readonly digest: boolean;
  readonly about: { readonly SigningAlgorithm: SigningAlgorithm; readonly MessageType: 'RAW' | 'DIGEST'; readonly Digest: string; readonly Size: number };
}

/** Schemes that sign the message itself, and so no file that is too large for one request. */
const WHOLE: readonly string[] = ['ed25519', 'ml-dsa'] satisfies ReturnType<typeof algorithmOf>['scheme'][];

/** What is signed: Ed25519 and ML-DSA take a small file whole; everything else its digest. */
async function prepare(hashFile: HashFile, key: KeyRecord, input: { readonly Path: string; readonly SigningAlgorithm?: SigningAlgorithm | undefined }, call: Pick<Call, 'signal' | 'progress'>): Promise<Prepared> {
  const asked = input.SigningAlgorithm;
  if (asked !== undefined) assertOffers(key, asked);
  const first = (asked ?? offered(key.spec, key.usage)[0]) as SigningAlgorithm;
  const hash = algorithmOf(first).hash ?? 'sha512';
  if (hash !== 'sha256' && hash !== 'sha384' && hash !== 'sha512') throw new VaultError('InvalidKeyUsageException', `\`${first}\` cannot sign a file`);
  const file = await hashFile(
    { path: input.Path, algorithm: hash, wholeUpTo: WHOLE_FILE },
    { signal: call.signal, progress: (done, total) => { call.progress({ done, total, unit: 'bytes' }); } },
  );
  const algorithm = asked ?? (algorithmOf(first).scheme === 'ed25519' && !file.whole ? 'ED25519_PH_SHA_512' : first);
  const whole = WHOLE.includes(algorithmOf(algorithm).scheme);
  if (whole && !file.whole) throw new VaultError('ValidationException', `\`${algorithm}\` signs files of up to ${String(WHOLE_FILE)} bytes; for larger ones use ${key.hardware ? 'an RSA or ECDSA key of the token, or an Ed25519 key of the vault' : 'an RSA, ECDSA or Ed25519 key'}, and leave \`SigningAlgorithm\` out`);
  return {
    algorithm,
    message: whole && file.whole ? file.whole : file.digest,
    digest: !whole,
    about: { SigningAlgorithm: algorithm, MessageType: whole ? 'RAW' : 'DIGEST', Digest: Buffer.from(file.digest).toString('hex'), Size: file.size },
  };
}

export const fileHandlers = (hashFile: HashFile): Pick<HandlersOf<'file'>, 'file:Sign' | 'file:Verify'> => ({
  'file:Sign': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY', call.attempted);
    const { algorithm, message, digest, about } = await prepare(hashFile, key, input, call);
    if (key.hardware && algorithm === 'ED25519_PH_SHA_512') return call.fail('UnsupportedOperationException', `an Ed25519 key in a token signs whole files of up to ${String(WHOLE_FILE)} bytes, and this one has ${String(about.Size)}; use an RSA or ECDSA key of the token, or an Ed25519 key of the vault`);
    return { Signature: await keys.sign(handle, { algorithm, message, digest }), KeyId: keyArn(realm, key.keyId), ...about };
  },

  'file:Verify': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY', call.attempted);
    const { algorithm, message, digest, about } = await prepare(hashFile, key, input, call);
    const valid = await keys.verify(handle, { algorithm, message, digest, signature: input.Signature });
    if (!valid) return call.fail('KMSInvalidSignatureException', 'the signature does not fit this file, key and algorithm');
    return { SignatureValid: true, KeyId: keyArn(realm, key.keyId), ...about };
  },
});
