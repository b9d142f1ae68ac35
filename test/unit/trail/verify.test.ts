import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { hex } from '../../../src/main/crypto/bytes.ts';
import { anchorOf, decodeCheckpoint, encodeCheckpoint, openCheckpoint, relate } from '../../../src/main/trail/checkpoint.ts';
import type { Trail } from '../../../src/main/trail/log.ts';
import type { Position } from '../../../src/main/trail/port.ts';
import { type TrailRecord, encodeRecord } from '../../../src/main/trail/record.ts';
import { type SealedPosition, readTail, verifyTrail } from '../../../src/main/trail/verify.ts';
import { signCheckpoint } from '../../../src/main/sealer/checkpoint.ts';
import { create, otherPublicKey, publicKey, reopen, temporaryFolder, text, trailSealer, vaultId } from './support.ts';

const stateOf = ({ index, hash }: Position): SealedPosition => ({ trailIndex: index, trailHash: hash });
const base = { time: 1, operation: 'kms:Sign', requestId: 'r', door: 'cli', principal: 'owner' } as const;
const intent = (log: Trail, requestId = 'r'): Promise<Position> => log.append(encodeRecord({ ...base, requestId, phase: 'intent' }));
const outcome = (log: Trail, of: Position, more: Partial<TrailRecord> = {}): Promise<Position> => log.append(encodeRecord({ ...base, phase: 'outcome', result: 'ok', intent: of.index, ...more }));

/** Three segments: 0–9, 10–19 and 20–25, five pairs in each full one; the last intent (24) without outcome, 25 no record of this version. */
async function filled(folder: string): Promise<{ log: Trail; positions: Position[] }> {
  const log = await create(folder);
  const positions: Position[] = [];
  for (let pair = 0; pair < 12; pair += 1) {
    if (pair === 5) await log.rotate(otherPublicKey);
    if (pair === 10) await log.rotate(publicKey);
    const begun = await intent(log, `request ${String(pair)}`);
    positions.push(begun, await outcome(log, begun, pair % 3 === 0 ? { epoch: pair + 1, headerEpoch: 2 } : {}));
  }
  positions.push(await intent(log, 'lost'), await log.append(text('{}')));
  return { log, positions };
}

describe('verifyTrail', () => {
  it('reads the whole trail while it is being written', async () => {
    using folder = temporaryFolder();
    const { log } = await filled(folder.path);
    let going = true;
    const writing = (async () => {
      while (going) await Promise.all([intent(log, 'new'), intent(log, 'new')]);
    })();
    for (let i = 0; i < 5; i += 1) {
      const report = await verifyTrail(log, trailSealer());
      expect(report).toMatchObject({ segments: 3, unreadable: 1 });
      expect(report.broken).toBeUndefined();
      expect(report.last.index).toBe(report.records - 1);
    }
    going = false;
    await writing;
    await log.close();
  });

  it('lists intents without outcome, counts what it cannot read, and tells how far it is', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    const progress: [number, number][] = [];
    const seen: number[] = [];
    const report = await verifyTrail(log, trailSealer(), { state: stateOf(positions[8] as Position), onProgress: (...at) => progress.push(at), onRecord: (_record, index) => seen.push(index) });
    expect(report).toMatchObject({ records: 26, segments: 3, unreadable: 1, last: positions[25] });
    expect(report.broken).toBeUndefined();
    expect(report.unfinished.map(({ index, record }) => [index, record.requestId])).toEqual([[24, 'lost']]);
    expect(progress).toEqual([[10, 26], [20, 26], [26, 26]]);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i));
    await log.close();
  });

  it('can be cancelled', async () => {
    using folder = temporaryFolder();
    const { log } = await filled(folder.path);
    await expect(verifyTrail(log, trailSealer(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CancelledException' });
    await log.close();
  });

  it('runs one after the other on one sealer', async () => {
    using folder = temporaryFolder();
    const { log } = await filled(folder.path);
    const sealer = trailSealer();
    const reports = await Promise.all([verifyTrail(log, sealer), verifyTrail(log, sealer), verifyTrail(log, sealer)]);
    expect(reports.map(({ records, broken }) => [records, broken])).toEqual(Array(3).fill([26, undefined]));
    await log.close();
  });

  it('finds what was done to the files, the key, and the anchors', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    const [one, two, three] = log.segments().map(({ path }) => path) as [string, string, string];
    const key = join(folder.path, 'trail', 'trail.key');
    const what = async (options = {}): Promise<unknown> => (await verifyTrail(log, trailSealer(), options)).broken;
    const tampered = async (path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<unknown> => {
      const before = readFileSync(path);
      const after = change(Buffer.from(before));
      if (after) writeFileSync(path, after);
      else rmSync(path);
      const broken = await what();
      writeFileSync(path, before);
      return broken;
    };
    const flip = (at: number) => (bytes: Buffer) => bytes.fill((bytes[at] ?? 0) ^ 4, at, at + 1);
    expect(await tampered(one, flip(300))).toMatchObject({ segment: 1, index: 0, what: 'mac' });
    expect(await tampered(two, flip(100))).toMatchObject({ segment: 2, index: 10, what: 'header' });
    expect(await tampered(three, (bytes) => bytes.subarray(0, -1))).toMatchObject({ segment: 3, index: 25, what: 'torn' });
    expect(await tampered(two, (bytes) => bytes.subarray(0, -361))).toMatchObject({ segment: 3, index: 19, what: 'header' });
    expect(await tampered(two, () => undefined)).toMatchObject({ segment: 2, index: 10, what: 'missing-segment' });
    expect(await tampered(three, () => undefined)).toMatchObject({ segment: 3, index: 20, what: 'missing-segment' });
    expect(await tampered(key, flip(110))).toMatchObject({ index: 26, what: 'next-key' });
    expect(await what({ anchors: [positions[3], positions[22]] })).toBeUndefined();
    expect(await what({ anchors: [{ index: 3, hash: positions[4]?.hash }] })).toMatchObject({ index: 3, what: 'fork' });
    expect(await what({ anchors: [{ index: 26, hash: positions[4]?.hash }] })).toMatchObject({ what: 'behind-state' });
    expect(await what({ state: { trailIndex: 30, trailHash: positions[4]?.hash } })).toMatchObject({ what: 'behind-state' });
    expect(await what()).toBeUndefined();
    await log.close();
  });
});

describe('readTail', () => {
  it('opens what came after a position, wherever it lies', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    for (const from of [0, 5, 9, 10, 18, 19, 20, 24, 25]) {
      const seen: number[] = [];
      const tail = await readTail(log, trailSealer(), stateOf(positions[from] as Position), (_record, index) => seen.push(index));
      expect(tail.broken).toBeUndefined();
      expect(seen).toEqual(Array.from({ length: Math.max(0, 24 - from) }, (_, i) => from + 1 + i));
      expect(tail.last).toEqual(log.head);
    }
    const tail = await readTail(log, trailSealer(), stateOf(positions[12] as Position));
    expect(tail).toMatchObject({ highestEpoch: 10, highestHeaderEpoch: 2 });
    const delivered = Buffer.from(encodeRecord({ ...base, phase: 'outcome', result: 'ok', intent: 18, epoch: 10, headerEpoch: 2 })).toString('base64');
    expect([...tail.outcomes]).toContain(delivered);
    expect(tail.outcomes.size).toBe(2);
    await log.close();
  });

  it('names a fork, and a trail that is behind', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    const fork = { trailIndex: 12, trailHash: positions[11]?.hash as Uint8Array };
    expect((await readTail(log, trailSealer(), fork)).broken).toMatchObject({ index: 12, what: 'fork' });
    const ahead = { trailIndex: 26, trailHash: positions[11]?.hash as Uint8Array };
    expect((await readTail(log, trailSealer(), ahead)).broken).toMatchObject({ what: 'behind-state' });
    await log.close();
  });

  it('notices a changed byte before the position as well as after it', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    const path = log.segments()[1]?.path ?? '';
    const before = readFileSync(path);
    for (let at = 0; at < before.byteLength; at += 13) {
      const changed = Buffer.from(before);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      expect((await readTail(log, trailSealer(), stateOf(positions[14] as Position))).broken).toBeDefined();
    }
    await log.close();
  });

  it('finds a trail that was put back while it was closed, with its key', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await intent(log);
    await log.close();
    const files = ['trail.key', '00000001.seg'].map((name) => join(folder.path, 'trail', name));
    const saved = files.map((file) => readFileSync(file));
    const later = await reopen(folder.path);
    const state = stateOf(await intent(later));
    await later.close();
    files.forEach((file, i) => writeFileSync(file, saved[i] ?? ''));
    const back = await reopen(folder.path);
    expect((await readTail(back, trailSealer(), state)).broken).toMatchObject({ what: 'behind-state' });
    await intent(back, 'another');
    expect((await readTail(back, trailSealer(), state)).broken).toMatchObject({ index: 1, what: 'fork' });
    expect((await verifyTrail(back, trailSealer(), { state })).broken).toMatchObject({ index: 1, what: 'fork' });
    await back.close();
  });
});

describe('a checkpoint', () => {
  const seed = randomBytes(32);
  const of = ({ index, hash }: Position): Parameters<typeof encodeCheckpoint>[0] => ({ vaultId: hex(vaultId), index, hash: hex(hash), storeEpoch: 4, headerHash: hex(vaultId).repeat(2), time: 1_790_000_000_000 });

  it('is one byte string, and is signed as the sealer signs', () => {
    const checkpoint = of({ index: 3, hash: new Uint8Array(32) });
    const payload = encodeCheckpoint(checkpoint);
    expect(decodeCheckpoint(payload)).toEqual(checkpoint);
    expect(decodeCheckpoint(text(` ${new TextDecoder().decode(payload)}`))).toBeUndefined();
    expect(decodeCheckpoint(text(JSON.stringify({ ...checkpoint, more: 1 })))).toBeUndefined();
    const { envelope, publicKey: spki } = signCheckpoint(seed, payload);
    expect(openCheckpoint(envelope, [spki])).toMatchObject({ checkpoint, signatureValid: true });
    const stranger = signCheckpoint(randomBytes(32), payload);
    expect(openCheckpoint(envelope, [stranger.publicKey])).toMatchObject({ checkpoint, signatureValid: false });
    expect(openCheckpoint(envelope, [])).toMatchObject({ signatureValid: false });
  });

  it('does not verify when any byte of it is changed', () => {
    const { envelope, publicKey: spki } = signCheckpoint(seed, encodeCheckpoint(of({ index: 3, hash: new Uint8Array(32) })));
    const payloadEnd = new TextDecoder().decode(envelope).indexOf('"signatures"');
    let valid = 0;
    for (let at = 0; at < payloadEnd; at += 1) {
      const changed = Uint8Array.from(envelope, (byte, i) => (i === at ? byte ^ 1 : byte));
      try {
        if (openCheckpoint(changed, [spki]).signatureValid) valid += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ValidationException' });
      }
    }
    expect(valid).toBe(0);
    for (const bad of ['', '{}', 'null', '{"payloadType":"x"}']) expect(() => openCheckpoint(text(bad), [spki])).toThrow(expect.objectContaining({ code: 'ValidationException' }));
  });

  it('is contained, contradicted, ahead or foreign', async () => {
    using folder = temporaryFolder();
    const { log, positions } = await filled(folder.path);
    const at = positions[13] as Position;
    const ask = (checkpoint: ReturnType<typeof of>): Promise<string> => relate(log, trailSealer(), vaultId, checkpoint);
    expect(await ask(of(at))).toBe('contained');
    expect(await ask(of(log.head))).toBe('contained');
    expect(await ask(of({ ...at, index: 12 }))).toBe('contradicted');
    expect(await ask(of({ ...at, index: 99 }))).toBe('ahead');
    expect(await ask({ ...of(at), vaultId: '00'.repeat(16) })).toBe('foreign');
    expect((await verifyTrail(log, trailSealer(), { anchors: [anchorOf(of(at))] })).broken).toBeUndefined();
    await log.close();
  });
});
