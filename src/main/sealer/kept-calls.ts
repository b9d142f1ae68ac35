/**
 * The sealer's calls for access keys of clients and remotes, PINs of tokens and the vault's own certificates (protocol part "kept").
 *
 * Defends against: a secret access key that main holds for longer than the answer that shows it once; main gets a day's signing key for
 * one region and service, from which the secret does not follow. What it does not do: decide who a client is, or what a certificate says.
 */
import { createPrivateKey } from 'node:crypto';
import { VaultError } from '../../shared/model/errors.ts';
import { allocate, copy, wipe } from '../crypto/bytes.ts';
import { readEcScalar } from '../crypto/der.ts';
import { signingKey } from '../crypto/sigv4.ts';
import { bufferOver } from './algorithms/buffer-over.ts';
import { signEcdsa, verifyEcdsa } from './algorithms/ecdsa.ts';
import { bytesUpTo } from './checks.ts';
import { generateKey } from './generate.ts';
import { openKept, sealKept, type KeptPlace } from './kept.ts';
import type { Handlers } from './session.ts';

/** Characters of a secret access key as AWS makes them: 30 random bytes in base64. */
const SECRET_LENGTH = 40;
/** Of one that is given: what boto3 and the SDKs take is longer still. */
const SECRET_LIMIT = 128;
const CERTIFICATE_LIMIT = 16 * 1024;
const PIN_LIMIT = 255;
/** AWS names no limit; those of today have some hundred to two thousand. */
const SESSION_TOKEN_LIMIT = 8192;
const BASE64 = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', (character) => character.charCodeAt(0));

/** Throws ValidationException for what is no name. */
function placeOf(kind: KeptPlace['kind'], name: unknown): KeptPlace {
  if (typeof name !== 'string' || name === '') throw new VaultError('ValidationException', `the sealer was asked for an ${kind} without a name; report this as a fault`);
  return { kind, name };
}

/** Base64 of 30 bytes, from bytes to bytes. */
function drawSecret(random: (length: number) => Uint8Array): Uint8Array {
  const source = random((SECRET_LENGTH * 6) / 8);
  const secret = allocate(SECRET_LENGTH);
  for (let group = 0; group < SECRET_LENGTH / 4; group += 1) {
    const [a = 0, b = 0, c = 0] = source.subarray(3 * group, 3 * group + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (let i = 0; i < 4; i += 1) secret[4 * group + i] = BASE64[(bits >> (18 - 6 * i)) & 63] ?? 0;
  }
  wipe(source);
  return secret;
}

export const keptCalls: Handlers<'newAccessKey' | 'signingKey' | 'keepSessionToken' | 'newCertificateKey' | 'signCertificate' | 'sealPin' | 'openPin'> = {
  newAccessKey(session, { accessKeyId, secret: given }) {
    const secret = given ? copy(bytesUpTo(given, SECRET_LIMIT, 'secret access key')) : drawSecret((length) => session.random.bytes(length));
    return { sealed: sealKept(session, placeOf('access-key', accessKeyId), secret), secret };
  },

  signingKey(session, { accessKeyId, sealed, scope, sessionToken }) {
    const secret = openKept(session, placeOf('access-key', accessKeyId), sealed);
    let key: Uint8Array | undefined;
    try {
      key = signingKey(secret, scope);
      return { ...(sessionToken ? { sessionToken: openKept(session, placeOf('session-token', accessKeyId), sessionToken) } : {}), key };
    } catch (error) {
      wipe(key);
      throw error;
    } finally {
      wipe(secret);
    }
  },

  keepSessionToken: (session, { accessKeyId, sessionToken }) => ({ sealed: sealKept(session, placeOf('session-token', accessKeyId), bytesUpTo(sessionToken, SESSION_TOKEN_LIMIT, 'session token')) }),

  sealPin: (session, { token, pin }) => ({ sealed: sealKept(session, placeOf('token-pin', token), bytesUpTo(pin, PIN_LIMIT, 'PIN')) }),
  openPin: (session, { token, sealed }) => ({ pin: openKept(session, placeOf('token-pin', token), sealed) }),

  async newCertificateKey(session, { name }) {
    const place = placeOf('certificate-key', name);
    const { key, publicKey } = await generateKey(session.random, 'ECC_NIST_P256');
    try {
      if (!publicKey) throw new VaultError('InternalException', 'a key pair came without its public half; report this as a fault');
      return { sealed: sealKept(session, place, key), publicKey };
    } finally {
      wipe(key);
    }
  },

  signCertificate(session, { name, sealed, publicKey, certificate }) {
    const pkcs8 = openKept(session, placeOf('certificate-key', name), sealed);
    const scalar = readEcScalar('P-256', 32, pkcs8);
    try {
      if (!scalar) throw new VaultError('VaultTamperedException', `the sealed certificate-key of \`${name}\` is no key of P-256; make a new one`);
      const privateKey = createPrivateKey({ key: bufferOver(pkcs8), format: 'der', type: 'pkcs8' });
      const signed = bytesUpTo(certificate, CERTIFICATE_LIMIT, 'certificate');
      const signature = signEcdsa({ curve: 'P-256', scalar, privateKey }, signed, false, () => session.random.bytes(32));
      if (!verifyEcdsa('P-256', publicKey, signed, false, signature)) throw new VaultError('KMSInternalException', 'a certificate could not be signed: try again');
      return { signature };
    } finally {
      wipe(pkcs8, scalar);
    }
  },
};
