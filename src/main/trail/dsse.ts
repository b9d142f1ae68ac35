/** Checkpoints as DSSE v1 envelopes (github.com/secure-systems-lab/dsse, protocol.md): what the sealer signs and `checkpoint.ts` verifies. */
import { type Bytes, concat, utf8 } from '../crypto/bytes.ts';

/** The payload type that the vault's checkpoint key signs, and no other. */
export const CHECKPOINT_TYPE = 'application/vnd.keystead.checkpoint+json';

/** `DSSEv1 SP len SP type SP len SP body`, lengths in ASCII decimal bytes. */
export function preAuthEncoding(type: string, body: Uint8Array): Bytes {
  const typeBytes = utf8(type);
  return concat(utf8(`DSSEv1 ${String(typeBytes.byteLength)} `), typeBytes, utf8(` ${String(body.byteLength)} `), body);
}
