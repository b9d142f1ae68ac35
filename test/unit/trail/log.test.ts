import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { KEY_BLOCK_LENGTH } from '../../../src/main/trail/key-block.ts';
import { SEGMENT_MAX_BYTES, SEGMENT_MAX_RECORDS, BODY_MAX } from '../../../src/main/trail/segment.ts';
import { checkFiles, create, otherPublicKey, publicKey, reopen, temporaryFolder, text } from './support.ts';

describe('a trail', () => {
  it('is empty at first, and verifies', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    expect(log.head).toEqual({ index: -1, hash: new Uint8Array(32) });
    expect(checkFiles(folder.path, log)).toMatchObject({ broken: undefined, checked: 0 });
    await log.close();
  });

  it('keeps what was appended, over closing and opening', async () => {
    using folder = temporaryFolder();
    const bodies: string[] = [];
    let log = await create(folder.path);
    for (let round = 0; round < 3; round += 1) {
      const wanted = Array.from({ length: 40 }, (_, i) => `record ${String(round)}/${String(i)}`);
      const positions = await Promise.all(wanted.map((body) => log.append(text(body))));
      expect(positions.map(({ index }) => index)).toEqual(wanted.map((_, i) => bodies.length + i));
      bodies.push(...wanted);
      expect(log.head).toEqual(positions.at(-1));
      await log.close();
      log = await reopen(folder.path);
      expect(log.recovery).toEqual({ fastForwarded: 0, tornBytes: 0 });
      expect(log.head).toEqual(positions.at(-1));
    }
    await log.close();
    const checked = checkFiles(folder.path, log);
    expect(checked).toMatchObject({ bodies, broken: undefined });
    expect(checked.last).toEqual(log.head);
  });

  it('takes bodies of every size up to the limit, and no larger or empty one', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    const sizes = [1, 251, 252, 253, 508, 509, 4096, BODY_MAX];
    await Promise.all(sizes.map((size) => log.append(new Uint8Array(size).fill(97))));
    await expect(log.append(new Uint8Array(0))).rejects.toThrow(RangeError);
    await expect(log.append(new Uint8Array(BODY_MAX + 1))).rejects.toThrow(RangeError);
    await log.close();
    expect(checkFiles(folder.path, log).bodies.map((body) => body.length)).toEqual(sizes);
  });

  it('does not keep a reference to the body it was given', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    const body = text('as it was');
    const appended = log.append(body);
    body.fill(0);
    await appended;
    await log.close();
    expect(checkFiles(folder.path, log).bodies).toEqual(['as it was']);
  });

  it('begins a new segment by count', { timeout: 60_000 }, async () => {
    using folder = temporaryFolder('/dev/shm');
    const log = await create(folder.path);
    const total = SEGMENT_MAX_RECORDS + 100;
    await Promise.all(Array.from({ length: total }, (_, i) => log.append(text(String(i)))));
    expect(log.segments().map(({ number }) => number)).toEqual([1, 2]);
    await log.close();
    expect(checkFiles(folder.path, log)).toMatchObject({ broken: undefined, checked: total });
    const again = await reopen(folder.path);
    await again.append(text('after'));
    await again.close();
    expect(checkFiles(folder.path, again)).toMatchObject({ broken: undefined, checked: total + 1 });
  });

  it('begins a new segment by size', { timeout: 60_000 }, async () => {
    using folder = temporaryFolder('/dev/shm');
    const log = await create(folder.path);
    await Promise.all(Array.from({ length: 600 }, () => log.append(new Uint8Array(BODY_MAX).fill(97))));
    await log.close();
    expect(log.segments().length).toBe(3);
    for (const { path } of log.segments()) expect(statSync(path).size).toBeLessThanOrEqual(SEGMENT_MAX_BYTES);
    expect(checkFiles(folder.path, log)).toMatchObject({ broken: undefined, checked: 600 });
  });

  it('goes on under another key pair, at once, with a first key that the old one does not give', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await log.append(text('before'));
    expect(log.sealedTo).toEqual(publicKey);
    await log.rotate(otherPublicKey);
    expect(log.sealedTo).toEqual(otherPublicKey);
    await log.rotate(otherPublicKey);
    expect(log.segments().length).toBe(2);
    await log.append(text('after'));
    await log.rotate(otherPublicKey);
    expect(log.segments().length).toBe(3);
    expect(log.head.index).toBe(1);
    await log.close();
    const again = await reopen(folder.path, { trailPublicKey: otherPublicKey });
    expect(again.sealedTo).toEqual(otherPublicKey);
    expect(again.head).toEqual(log.head);
    await again.append(text('later'));
    await again.close();
    expect(checkFiles(folder.path, again)).toMatchObject({ bodies: ['before', 'after', 'later'], broken: undefined });
  });

  it('has one writer', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await expect(reopen(folder.path)).rejects.toMatchObject({ code: 'VaultInUseException' });
    await log.close();
    await expect(create(folder.path)).rejects.toMatchObject({ code: 'VaultExistsException' });
    await (await reopen(folder.path)).close();
  });

  it('stops when another program has written to its segment', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await log.append(text('mine'));
    const path = log.segments()[0]?.path ?? '';
    writeFileSync(path, 'theirs', { flag: 'a' });
    await expect(log.append(text('mine too'))).rejects.toMatchObject({ code: 'TrailUnavailableException' });
    await expect(log.append(text('and later'))).rejects.toMatchObject({ code: 'TrailUnavailableException' });
    await log.close();
    const again = await reopen(folder.path);
    expect(again.recovery.tornBytes).toBe(6);
    await again.close();
  });

  it('refuses appends after close, and close is idempotent', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    const last = log.append(text('in time'));
    await Promise.all([log.close(), log.close()]);
    expect(await last).toMatchObject({ index: 0 });
    await expect(log.append(text('late'))).rejects.toMatchObject({ code: 'TrailUnavailableException' });
    await expect(log.keyBlock()).rejects.toMatchObject({ code: 'TrailUnavailableException' });
  });

  it('keeps its files to itself', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await log.append(text('x'));
    const trail = join(folder.path, 'trail');
    expect(statSync(trail).mode & 0o777).toBe(0o700);
    for (const name of ['trail.key', 'reserve', '00000001.seg']) expect(statSync(join(trail, name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(trail, 'trail.key')).size).toBe(KEY_BLOCK_LENGTH);
    const reserve = statSync(join(trail, 'reserve'));
    expect(reserve.blocks * 512).toBeGreaterThanOrEqual(256 * 1024);
    await log.close();
  });

  it('hides what it records', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await log.append(text('needle in a haystack'));
    await log.close();
    for (const name of ['trail.key', '00000001.seg']) expect(readFileSync(join(folder.path, 'trail', name)).includes('needle')).toBe(false);
  });

  it('does not open over a damaged, foreign or missing key, or a missing or short segment, and changes nothing', async () => {
    using folder = temporaryFolder();
    const log = await create(folder.path);
    await log.append(text('one'));
    await log.close();
    const key = join(folder.path, 'trail', 'trail.key');
    const segment = log.segments()[0]?.path ?? '';
    const [block, bytes] = [readFileSync(key), readFileSync(segment)];
    for (let bit = 0; bit < block.byteLength * 8; bit += 1) {
      const changed = Buffer.from(block);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(key, changed);
      await expect(reopen(folder.path)).rejects.toMatchObject({ code: 'TrailBrokenException' });
    }
    writeFileSync(key, block);
    await expect(reopen(folder.path, { vaultId: new Uint8Array(16) })).rejects.toMatchObject({ code: 'TrailBrokenException' });
    writeFileSync(segment, bytes.subarray(0, -1));
    await expect(reopen(folder.path)).rejects.toMatchObject({ code: 'TrailBrokenException' });
    expect(readFileSync(segment)).toEqual(bytes.subarray(0, -1));
    writeFileSync(segment, bytes);
    writeFileSync(segment.replace('01.seg', '02.seg'), bytes);
    await expect(reopen(folder.path)).rejects.toMatchObject({ code: 'TrailBrokenException' });
  });
});
