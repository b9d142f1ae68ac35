/** The same calls through a whole sealer and its frames. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { hex } from '../../../src/main/crypto/bytes.ts';
import type { Sealer } from '../../../src/main/seal/protocol.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { encodeCheckpoint, openCheckpoint, relate } from '../../../src/main/trail/checkpoint.ts';
import { lookup } from '../../../src/main/trail/lookup.ts';
import { encodeRecord } from '../../../src/main/trail/record.ts';
import { HEADER_LENGTH, recordLength } from '../../../src/main/trail/segment.ts';
import { readTail, verifyTrail } from '../../../src/main/trail/verify.ts';
import { create, temporaryFolder, trailSealer, vaultId } from './support.ts';

const note = (operation: string, size = 0): Uint8Array => encodeRecord({ time: 1, phase: 'note', operation, reasons: ['x'.repeat(size)] });

async function unsealed(): Promise<{ sealer: Sealer; trailPublicKey: Uint8Array }> {
  const sealer = createSealer({ random: systemRandom });
  const { info } = await sealer.call('createHeader', { vaultId, slots: [{ type: 'recovery', factors: {}, created: 1 }] });
  return { sealer, trailPublicKey: info.trailPublicKey };
}

describe('the sealer', () => {
  it('verifies, opens a tail, and finds a checkpoint of its own', async () => {
    using folder = temporaryFolder();
    const { sealer, trailPublicKey } = await unsealed();
    const log = await create(folder.path, { trailPublicKey });
    const positions = await Promise.all(Array.from({ length: 300 }, (_, i) => log.append(note(`n:${String(i).padStart(3, '0')}`, 8000))));
    const at = positions[200] ?? log.head;
    const state = { trailIndex: at.index, trailHash: at.hash };
    expect(await verifyTrail(log, sealer, { state, anchors: positions })).toMatchObject({ records: 300, last: log.head, unreadable: 0 });
    const opened: string[] = [];
    const tail = await readTail(log, sealer, state, ({ operation }) => opened.push(operation));
    expect(tail.broken).toBeUndefined();
    expect(opened).toEqual(Array.from({ length: 99 }, (_, i) => `n:${String(201 + i)}`));

    const payload = encodeCheckpoint({ vaultId: hex(vaultId), index: at.index, hash: hex(at.hash), storeEpoch: 1, headerHash: '00'.repeat(32), time: 1 });
    const { envelope, publicKey } = await sealer.call('signCheckpoint', { payload });
    const { checkpoint, signatureValid } = openCheckpoint(envelope, [publicKey]);
    expect(signatureValid).toBe(true);
    expect(await relate(log, sealer, vaultId, checkpoint)).toBe('contained');

    const path = log.segments()[0]?.path ?? '';
    const bytes = readFileSync(path);
    bytes[1_500_000] = (bytes[1_500_000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect((await verifyTrail(log, sealer)).broken).toMatchObject({ segment: 1, what: 'mac', index: Math.floor((1_500_000 - HEADER_LENGTH) / recordLength(note('n:000', 8000).byteLength)) });
    await log.close();
    await sealer.stop();
  });

  it('reads no trail of another vault', async () => {
    using folder = temporaryFolder();
    const { sealer } = await unsealed();
    const { trailPublicKey } = await unsealed();
    const log = await create(folder.path, { trailPublicKey });
    await log.append(note('n'));
    expect((await verifyTrail(log, sealer)).broken).toMatchObject({ segment: 1, index: 0, what: 'header' });
    await log.close();
  });

  it('refuses calls out of order, pieces too large and positions that are none', async () => {
    const sealer = trailSealer();
    const piece = { segment: 1, bytes: new Uint8Array(1), last: false, open: false };
    await expect(sealer.call('trailFeed', piece)).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(sealer.call('trailFinish', { keyBlock: new Uint8Array(168) })).rejects.toMatchObject({ code: 'ValidationException' });
    await sealer.call('trailBegin', {});
    await expect(sealer.call('trailFeed', { ...piece, bytes: new Uint8Array(1024 * 1024 + 1) })).rejects.toMatchObject({ code: 'RequestTooLargeException' });
    for (const bad of [{ index: -1, hash: new Uint8Array(32) }, { index: 0.5, hash: new Uint8Array(32) }, { index: 0, hash: new Uint8Array(31) }]) {
      await expect(sealer.call('trailBegin', { from: bad })).rejects.toMatchObject({ code: 'ValidationException' });
      await expect(sealer.call('trailBegin', { anchors: [bad] })).rejects.toMatchObject({ code: 'ValidationException' });
    }
    expect((await sealer.call('trailFinish', { keyBlock: new Uint8Array(168) })).broken).toMatchObject({ what: 'next-key' });
  });
});

describe('lookup', () => {
  it('pages from the newest to the oldest over several segments', async () => {
    using folder = temporaryFolder();
    const sealer = trailSealer();
    const log = await create(folder.path);
    for (let i = 0; i < 25; i += 1) {
      if (i % 10 === 9) await log.rotate(log.sealedTo);
      await log.append(note(i % 2 === 0 ? 'even' : 'odd'));
    }
    const all: number[] = [];
    for (let before: number | undefined = 25; before !== undefined; ) {
      const page = await lookup(log, sealer, { before, limit: 4, matches: ({ operation }) => operation === 'even' });
      all.push(...page.found.map(({ index }) => index));
      before = page.nextBefore;
    }
    expect(all).toEqual(Array.from({ length: 13 }, (_, i) => 24 - 2 * i));
    await log.close();
  });
});
