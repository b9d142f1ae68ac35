import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { admits, frameOf, LOG_EVENTS, whereOf, type FieldKind } from '../../../src/main/platform/log-events.ts';
import { formatLine, openLog } from '../../../src/main/platform/log.ts';
import { scrubLine } from '../../../src/main/platform/stderr.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-log-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Things that a careless caller might hand over. */
const VALUES = ['hunter2', 'correct horse battery staple', 'AKIAIOSFODNN7EXAMPLE', 'Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4MTIzNDU2Nzg=', '/home/ada/secret.txt', 'a'.repeat(64), '', 'x\n{"event":"vault.unlocked"}'];

describe('the diagnostic log', () => {
  it('writes one JSON object per line, privately', async () => {
    const log = openLog(folder, fakeClock(0));
    log.event('trail.recovered', { records: 12, cut: 3 });
    log.event('presence.lock', { reason: 'suspend' });
    const lines = (await readFile(log.path, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: '1970-01-01T00:00:00.000Z', event: 'trail.recovered', records: 12, cut: 3 },
      { time: '1970-01-01T00:00:00.000Z', event: 'presence.lock', reason: 'suspend' },
    ]);
    expect((await stat(log.path)).mode & 0o777).toBe(0o600);
  });

  it('has no field in any event that admits a value, a path or free text', () => {
    const events: readonly Readonly<Record<string, FieldKind>>[] = Object.values(LOG_EVENTS);
    for (const fields of events) for (const kind of Object.values(fields)) for (const value of VALUES) expect(admits(kind, value)).toBe(false);
  });

  it('drops unknown fields and refuses values of the wrong kind', () => {
    const careless = { records: 'hunter2', cut: Number.NaN, password: 'hunter2' } as unknown as { records: number };
    expect(JSON.parse(formatLine(0, 'trail.recovered', careless))).toEqual({ time: '1970-01-01T00:00:00.000Z', event: 'trail.recovered', records: '[refused]', cut: '[refused]' });
  });

  it('rotates at 1 MiB and keeps one old file', async () => {
    const log = openLog(folder, fakeClock());
    for (let round = 0; round < 2; round++) {
      await writeFile(log.path, 'x'.repeat(1024 * 1024));
      log.event('vault.stopping', { reason: 'asked' });
      expect((await stat(log.path)).size).toBeLessThan(200);
    }
    expect((await readdir(folder)).sort()).toEqual(['diagnostic.log', 'diagnostic.log.1']);
  });

  it('never throws, does not follow a link, and counts what it lost', async () => {
    const log = openLog(join(folder, 'missing'), fakeClock());
    log.event('vault.locked');
    expect(log.lost).toBe(1);
    await writeFile(join(folder, 'victim'), '');
    await symlink('victim', join(folder, 'diagnostic.log'));
    const linked = openLog(folder, fakeClock());
    linked.event('vault.locked');
    expect(linked.lost).toBe(1);
    expect(await readFile(join(folder, 'victim'), 'utf8')).toBe('');
  });
});

describe('what is taken from a stack or from stderr', () => {
  it.each([
    ['    at unseal (file:///opt/keystead/sealer.mjs:12:34)', { where: 'unseal sealer.mjs:12:34' }],
    ['    at async Session.open (/opt/ada lovelace/x.ts:1:2)', { where: 'Session.open x.ts:1:2' }],
    ['    at new Thing (node:internal/a:1:2)', { where: 'Thing a:1:2' }],
    ['    at /opt/x.mjs:5:6', { where: 'x.mjs:5:6' }],
    ['SyntaxError: Unexpected token h in JSON "hunter2"', { error: 'SyntaxError' }],
    ['TypeError [ERR_INVALID_ARG]: hunter2', { error: 'TypeError' }],
    ['(process:12): libsecret-CRITICAL **: 10:00:00.000: hunter2', { domain: 'libsecret-CRITICAL' }],
    ['hunter2', undefined],
    ['JSON.parse("hunter2")', undefined],
    ['Error hunter2', undefined],
  ])('%s', (line, expected) => {
    expect(scrubLine(line)).toEqual(expected);
  });

  it('every location that is found is admitted', () => {
    expect(admits('where', whereOf(new Error('hunter2\n    at fake (hunter2)')))).toBe(true);
    expect(frameOf('    at secret value with spaces')).toBeUndefined();
    expect(whereOf('text')).toBeUndefined();
  });
});
