/**
 * The sealer's part of reading the trail: it alone can open the first key of a segment. One reader per session, from
 * `trailBegin` to `trailFinish`; a second `trailBegin` drops the first.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { wipe } from '../crypto/bytes.ts';
import type { TrailBreak } from '../seal/protocol.ts';
import { type Reader, createReader } from '../trail/reader.ts';
import type { Handlers, Session } from './session.ts';

const FEED_MAX = 1024 * 1024;
const HASH_LENGTH = 32;

const readers = new WeakMap<Session, Reader>();

function readerOf(session: Session): Reader {
  const reader = readers.get(session);
  if (!reader) throw new VaultError('ValidationException', 'the trail is not being read: call trailBegin first');
  return reader;
}

const breakOf = (reader: Reader): { broken?: TrailBreak } => (reader.broken ? { broken: reader.broken } : {});

function checkPosition({ index, hash }: { readonly index: number; readonly hash: Uint8Array }): void {
  if (!Number.isSafeInteger(index) || index < 0 || hash.byteLength !== HASH_LENGTH) {
    throw new VaultError('ValidationException', 'a position in the trail is an index from 0 and a hash of 32 bytes');
  }
}

export const trailCalls: Handlers<'trailBegin' | 'trailFeed' | 'trailFinish'> = {
  trailBegin(session, { from, anchors = [] }) {
    for (const position of from ? [from, ...anchors] : anchors) checkPosition(position);
    const { unsealed } = session;
    readers.get(session)?.close();
    const options = { vaultId: unsealed.vaultId, privateKeyFor: (publicKey: Uint8Array) => unsealed.trailPrivateKey(publicKey), anchors };
    readers.set(session, createReader(from ? { ...options, from } : options));
    return {};
  },

  /** `verified`: records checked since `trailBegin`. */
  trailFeed(session, { segment, bytes, last, open }) {
    if (bytes.byteLength > FEED_MAX) throw new VaultError('RequestTooLargeException', 'a piece of the trail is at most 1 MiB');
    const reader = readerOf(session);
    const records = reader.feed(segment, bytes, last, open);
    return { verified: reader.records, records, ...breakOf(reader) };
  },

  trailFinish(session, { keyBlock, state }) {
    const position = state && { index: state.trailIndex, hash: state.trailHash };
    if (position) checkPosition(position);
    const reader = readerOf(session);
    try {
      reader.finish(keyBlock, position);
      return { records: reader.records, lastIndex: reader.last.index, lastHash: reader.last.hash, ...breakOf(reader) };
    } finally {
      wipe(keyBlock);
      reader.close();
      readers.delete(session);
    }
  },
};
