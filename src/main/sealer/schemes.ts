/**
 * What each signature scheme of the algorithm table does, in one table. A key's family and the scheme fit because the spec's
 * row offers the algorithm; `mismatch` is for the day they do not.
 */
import { type Algorithm, type KeySpec, algorithmOf, keySpecOf, offered } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Bytes } from '../crypto/bytes.ts';
import { signEcdsa, verifyEcdsa } from './algorithms/ecdsa.ts';
import { signEd25519, verifyEd25519 } from './algorithms/eddsa.ts';
import type { SignatureHash } from './algorithms/emsa.ts';
import { isMlDsaSet, signMlDsa, verifyMlDsa } from './algorithms/ml-dsa.ts';
import { type RsaPadding, rsaPublicKey, signRsa, verifyRsa } from './algorithms/rsa.ts';
import type { OpenKey } from './materials.ts';

export interface Signable {
  readonly message: Uint8Array;
  /** The message is a digest already. */
  readonly digest: boolean;
}

interface Scheme {
  sign(key: OpenKey, algorithm: Algorithm, input: Signable, random: (length: number) => Uint8Array): Bytes | Promise<Bytes>;
  /** Never throws; a public key that is not of this spec makes every signature false. */
  verify(spec: KeySpec, publicKey: Uint8Array, algorithm: Algorithm, input: Signable, signature: Uint8Array): boolean;
}

const mismatch = (): VaultError => new VaultError('InvalidKeyUsageException', 'the key is of another family than the algorithm: choose one that the key offers');

const SIGNATURE_HASHES: readonly string[] = ['sha256', 'sha384', 'sha512'] satisfies readonly SignatureHash[];
const isSignatureHash = (hash: string | undefined): hash is SignatureHash => hash !== undefined && SIGNATURE_HASHES.includes(hash);

function rsa(padding: RsaPadding): Scheme {
  const schemeOf = (algorithm: Algorithm) => {
    const { hash } = algorithmOf(algorithm);
    if (!isSignatureHash(hash)) throw mismatch();
    return { padding, hash };
  };
  return {
    sign(key, algorithm, { message, digest }, random) {
      if (key.family !== 'rsa') throw mismatch();
      const scheme = schemeOf(algorithm);
      const saltLength = algorithmOf(algorithm).digestLength ?? 0;
      return signRsa(scheme, key, message, digest, () => random(saltLength));
    },
    verify(spec, publicKey, algorithm, { message, digest }, signature) {
      const key = rsaPublicKey(publicKey, keySpecOf(spec).bits);
      return key !== undefined && verifyRsa(schemeOf(algorithm), key, message, digest, signature);
    },
  };
}

const ecdsa: Scheme = {
  sign(key, _, { message, digest }, random) {
    if (key.family !== 'ec') throw mismatch();
    return signEcdsa(key, message, digest, () => random(32));
  },
  verify(spec, publicKey, _, { message, digest }, signature) {
    const { curve } = keySpecOf(spec);
    return curve !== undefined && curve !== 'ed25519' && verifyEcdsa(curve, publicKey, message, digest, signature);
  },
};

const edwards: Scheme = {
  sign(key, _, { message, digest }) {
    if (key.family !== 'edwards') throw mismatch();
    return signEd25519(key, message, digest);
  },
  verify: (_, publicKey, __, { message, digest }, signature) => verifyEd25519(publicKey, message, digest, signature),
};

const mlDsa: Scheme = {
  sign(key, _, { message, digest }, random) {
    if (key.family !== 'ml-dsa') throw mismatch();
    return signMlDsa(key, message, digest, () => random(32));
  },
  verify: (spec, publicKey, _, { message, digest }, signature) => isMlDsaSet(spec) && verifyMlDsa(spec, publicKey, message, digest, signature),
};

const SCHEMES: Readonly<Partial<Record<ReturnType<typeof algorithmOf>['scheme'], Scheme>>> = {
  pkcs1: rsa('pkcs1'),
  pss: rsa('pss'),
  ecdsa,
  ed25519: edwards,
  ed25519ph: edwards,
  'ml-dsa': mlDsa,
};

/**
 * The scheme for this spec and algorithm, the input checked: InvalidKeyUsageException when the spec does not offer it, ValidationException
 * for a digest of the wrong length, a digest where only messages go, or a message where only digests go.
 */
export function signatureScheme(spec: KeySpec, algorithm: Algorithm, input: Signable): Scheme {
  const row = offered(spec, 'SIGN_VERIFY').includes(algorithm) ? algorithmOf(algorithm) : undefined;
  const scheme = row && SCHEMES[row.scheme];
  if (!scheme) {
    throw new VaultError('InvalidKeyUsageException', `a key of \`${spec}\` does not sign with \`${algorithm}\`: choose one that the key offers`);
  }
  if (!input.digest) {
    if (row.digestOnly) throw new VaultError('ValidationException', `\`${algorithm}\` signs a digest: hash the message and give its type as \`DIGEST\``);
    return scheme;
  }
  if (row.digestLength === undefined) throw new VaultError('ValidationException', `\`${algorithm}\` signs the whole message: give its type as \`RAW\``);
  if (input.message.byteLength !== row.digestLength) {
    throw new VaultError('ValidationException', `a digest for \`${algorithm}\` is ${String(row.digestLength)} bytes long, not ${String(input.message.byteLength)}`);
  }
  return scheme;
}
