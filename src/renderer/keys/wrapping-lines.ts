/** What wraps key material with openssl, for a wrapping key that was taken from the vault. Pure. AWS KMS Developer Guide, "Encrypt key material". */
import { wrappingOf, type WrappingAlgorithm } from '../../shared/model/wrapping.ts';

const toWrappingKey = (input: string, hash: string, output: string): string =>
  `openssl pkeyutl -encrypt -in ${input} -pubin -keyform DER -inkey wrapping-key.der -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:${hash} -pkeyopt rsa_mgf1_md:${hash} -out ${output}`;

/**
 * One line, or several that stop at the first that fails: an AES key of the moment wraps the material (RFC 5649), and the wrapping key that one. Its files
 * are this user's alone and go in any case; while openssl runs, other users of the machine can see the key among its arguments, and it has no other way.
 */
export function wrappingLines(algorithm: WrappingAlgorithm): string {
  const { aes, hash } = wrappingOf(algorithm);
  if (!aes) return toWrappingKey('material.bin', hash, 'wrapped.bin');
  return [
    `( umask 077; trap 'rm -f aes.bin aes.wrapped material.wrapped' EXIT\nopenssl rand -out aes.bin 32`,
    `openssl enc -id-aes256-wrap-pad -iv A65959A6 -K "$(od -An -v -tx1 aes.bin | tr -d ' \\n')" -in material.bin -out material.wrapped`,
    toWrappingKey('aes.bin', hash, 'aes.wrapped'),
    'cat aes.wrapped material.wrapped > wrapped.bin )',
  ].join(' &&\n');
}
