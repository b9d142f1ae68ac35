/**
 * Checkpoints of the trail as DSSE v1 envelopes (github.com/secure-systems-lab/dsse, protocol.md and envelope.md).
 *
 * The signature is Ed25519 over PAE("DSSEv1", type, body), so that a checkpoint's bytes never stand for another kind of statement; the
 * key is the vault's own and no operation signs anything else with it. `keyid` is the SHA-256 (hex) of the public key's
 * SubjectPublicKeyInfo DER: a hint for finding the key, never a proof.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { type Bytes, copy, hex, utf8, wipe } from '../crypto/bytes.ts';
import { digest } from '../crypto/hmac.ts';
import { CHECKPOINT_TYPE, preAuthEncoding } from '../trail/dsse.ts';
import { openEd25519, signEd25519 } from './algorithms/eddsa.ts';

/** A checkpoint is a few hundred bytes; this is far above. */
const PAYLOAD_LIMIT = 65_536;

/**
 * `seed`: 32 bytes. `envelope`: JSON in UTF-8; `publicKey`: SPKI DER. ValidationException for an empty or oversize payload.
 */
export function signCheckpoint(seed: Uint8Array, payload: Uint8Array): { readonly envelope: Bytes; readonly publicKey: Uint8Array } {
  if (payload.byteLength === 0 || payload.byteLength > PAYLOAD_LIMIT) throw new VaultError('ValidationException', 'a checkpoint is 1 to 65,536 bytes long');
  const key = openEd25519(copy(seed));
  try {
    const signature = signEd25519(key, preAuthEncoding(CHECKPOINT_TYPE, payload), false);
    const envelope = {
      payloadType: CHECKPOINT_TYPE,
      payload: bytesToBase64(payload),
      signatures: [{ keyid: hex(digest('sha256', key.publicKey)), sig: bytesToBase64(signature) }],
    };
    return { envelope: utf8(JSON.stringify(envelope)), publicKey: key.publicKey };
  } finally {
    wipe(key.seed);
  }
}

/** SPKI DER, by which others verify. `seed`: 32 bytes. */
export function checkpointPublicKey(seed: Uint8Array): Uint8Array {
  const key = openEd25519(copy(seed));
  wipe(key.seed);
  return key.publicKey;
}
