/**
 * The frozen example: two segments with four records and the block that belongs to their end, from seeded randomness. Written
 * by the format functions alone, so that it freezes bytes and not the order in which the log asks for randomness.
 */
import { concat } from '../../../src/main/crypto/bytes.ts';
import { encodeKeyBlock } from '../../../src/main/trail/key-block.ts';
import { nextKey, startKey } from '../../../src/main/trail/ratchet.ts';
import { encodeHeader, encodeRecord, linkHash } from '../../../src/main/trail/segment.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { otherPublicKey, publicKey, text, vaultId } from './support.ts';

export const BODIES = [['first', 'x'.repeat(253)], ['third', 'fourth']] as const;

export interface Example {
  readonly segments: readonly Uint8Array[];
  readonly keyBlock: Uint8Array;
  /** K(i) for every record, and the key after the last. */
  readonly keys: readonly Uint8Array[];
  /** The records alone, per segment. */
  readonly records: readonly (readonly Uint8Array[])[];
  readonly hashes: readonly Uint8Array[];
}

export function makeExample(bodies: readonly (readonly string[])[] = BODIES, seed = 'golden', recipients = [publicKey, otherPublicKey]): Example {
  const random = fixedRandom(seed);
  const zeros = new Uint8Array(32);
  let key: Uint8Array = random.bytes(32);
  let [chain, head]: [Uint8Array, Uint8Array] = [zeros, zeros];
  let [index, offset] = [0, 0];
  const [segments, keys, records, hashes]: [Uint8Array[], Uint8Array[], Uint8Array[][], Uint8Array[]] = [[], [], [], []];
  bodies.forEach((own, i) => {
    const start: Uint8Array = i === 0 ? key : startKey(key, random.bytes(32));
    const recipient = recipients[i % recipients.length] ?? publicKey;
    const header = encodeHeader({ number: i + 1, firstIndex: index, vaultId, previous: chain, recipient }, start, key, random);
    key = start;
    chain = linkHash(header);
    const made = own.map((body) => {
      const record = encodeRecord(index, chain, text(body), key, random);
      keys.push(key);
      key = nextKey(key);
      head = chain = linkHash(record);
      hashes.push(head);
      index += 1;
      return record;
    });
    records.push(made);
    const segment = concat(header, ...made);
    segments.push(segment);
    offset = segment.byteLength;
  });
  keys.push(key);
  return { segments, keyBlock: encodeKeyBlock(vaultId, { segment: bodies.length, offset, index, chain, head }, key), keys, records, hashes };
}
