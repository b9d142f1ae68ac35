import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';
import { BUCKETS_MAX, PERIOD, createDenialCounter } from '../../../src/main/trail/denials.ts';
import { type TrailRecord, decodeRecord, encodeRecord } from '../../../src/main/trail/record.ts';
import { BODY_MAX } from '../../../src/main/trail/segment.ts';
import { text, untext } from './support.ts';

const outcome: TrailRecord = {
  time: 1_790_000_000_000,
  phase: 'outcome',
  operation: 'kms:Encrypt',
  requestId: '3f0c2a56-9d1f-4c0e-8a77-0c8d7be2a001',
  door: 'cli',
  principal: 'owner',
  resource: 'arn:aws:kms:us-east-1:123456789012:key/0f0c2a56-9d1f-4c0e-8a77-0c8d7be2a001',
  input: { KeyId: 'alias/app', EncryptionContext: { purpose: 'test', 'ünïcode': '✓' }, DryRun: false, Limit: 5 },
  result: 'ok',
  reasons: ['policy:owner'],
  epoch: 12,
  headerEpoch: 3,
  intent: 41,
};
const intent: TrailRecord = { time: 1, phase: 'intent', operation: 'kms:Sign', requestId: 'r', door: 'cli', principal: 'owner' };
const round = (record: TrailRecord): TrailRecord => decodeRecord(encodeRecord(record));

describe('the body of a record', () => {
  it('is canonical JSON and comes back as it went in, in one order of fields', () => {
    expect(round(outcome)).toEqual(outcome);
    const shuffled = Object.fromEntries(Object.entries(outcome).reverse()) as unknown as TrailRecord;
    expect(encodeRecord(shuffled)).toEqual(encodeRecord(outcome));
    expect(untext(encodeRecord(intent))).toBe('{"time":1,"phase":"intent","operation":"kms:Sign","requestId":"r","door":"cli","principal":"owner"}');
    expect(round({ time: 5, phase: 'note', operation: 'trail:Recover', input: { tornBytes: 7 } })).toMatchObject({ input: { tornBytes: 7 } });
  });

  it('does not decode from anything else', () => {
    const good = untext(encodeRecord(outcome));
    const bad = [
      '', '{}', 'null', '[]', '{', `${good} `, ` ${good}`, good.replace('"phase":"outcome"', '"phase":"other"'), good.replace('{"time"', '{"extra":1,"time"'),
      good.replace('"time":1790000000000', '"time":-1'), good.replace('"time":1790000000000', '"time":1790000000000.5'), good.replace('"time":1790000000000', '"time":1790000000000,"time":1790000000000'),
      good.replace('"result":"ok",', ''), good.replace('"door":"cli",', ''), good.replace('"reasons":["policy:owner"]', '"reasons":[1]'), good.replace('"time":1790000000000,"phase":"outcome"', '"phase":"outcome","time":1790000000000'),
      good.replace('"✓"', '"\\u2713"'), good.replace('owner', '\\u006fwner'), good.slice(0, -1), `${good.slice(0, -1)},"cut":[]}`,
    ];
    for (const one of bad) expect(() => decodeRecord(text(one)), one).toThrow(expect.objectContaining({ code: 'TrailBrokenException' }));
    const broken = encodeRecord(outcome).map((byte, i) => (i === 60 ? 0xff : byte));
    expect(() => decodeRecord(broken)).toThrow(expect.objectContaining({ code: 'TrailBrokenException' }));
  });

  it('is not made of a record outside of the closed set', () => {
    const wrong: Partial<Record<string, unknown>>[] = [{ time: -1 }, { time: Number.NaN }, { phase: 'maybe' }, { door: undefined }, { result: undefined }, { result: 'a result' }, { epoch: 1.5 }, { intent: -1 }, { input: [] }];
    for (const change of wrong) expect(() => encodeRecord({ ...outcome, ...change }), JSON.stringify(change)).toThrow(TypeError);
    expect(() => encodeRecord({ ...intent, result: 'ok' })).toThrow(TypeError);
    expect(untext(encodeRecord({ ...intent, extra: 1 } as TrailRecord))).not.toContain('extra');
  });

  it('cuts what is too long, and says what and how long it was', () => {
    const value = 'ä'.repeat(20_000);
    const cut = round({ ...outcome, input: { EncryptionContext: { long: value, short: 'kept' } } });
    expect(cut.cut).toEqual([{ path: ['input', 'EncryptionContext', 'long'], bytes: 40_000 }]);
    expect(cut.input).toEqual({ EncryptionContext: { long: 'ä'.repeat(4096), short: 'kept' } });
    const operation = round({ ...outcome, operation: 'x'.repeat(100_000) });
    expect(operation.cut).toEqual([{ path: ['operation'], bytes: 100_000 }]);
  });

  it('leaves out as a whole what has too many parts', () => {
    const EncryptionContext = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${String(i)}`, 'value']));
    const cut = round({ ...outcome, input: { EncryptionContext } });
    expect(cut.input).toBeUndefined();
    expect(cut.cut?.[0]).toEqual({ path: ['input'], bytes: JSON.stringify({ EncryptionContext }).length });
    expect(round({ ...outcome, input: { a: [[[[[[[[[[['deep']]]]]]]]]]] } }).cut?.[0]?.path[0]).toBe('input');
  });

  it('keeps as many reasons as fit, and says how many do not', () => {
    const touched = Array.from({ length: 100 }, (_, at) => `touched:arn:aws:secretsmanager:us-east-1:123456789012:secret:${'n'.repeat(100)}${String(at)}-abcdef`);
    const reasons = ['allowed:owner/all', ...touched];
    const cut = round({ ...outcome, reasons });
    const kept = cut.reasons?.length ?? 0;
    expect(kept).toBeGreaterThan(80);
    expect(cut.reasons).toEqual(reasons.slice(0, kept));
    expect(cut.cut).toContainEqual({ path: ['reasons'], bytes: JSON.stringify(reasons).length, left: reasons.length - kept });
    // One that is too long takes no other with it.
    const EncryptionContext = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${String(i)}`, 'value']));
    const other = round({ ...outcome, input: { EncryptionContext }, reasons: ['a', 'x'.repeat(BODY_MAX), 'b'] });
    expect(other.reasons).toEqual(['a', 'b']);
    expect(other.cut?.at(-1)).toMatchObject({ path: ['reasons'], left: 1 });
    expect(round({ ...outcome, input: { EncryptionContext } })).toMatchObject({ reasons: outcome.reasons, cut: [{ path: ['input'] }] });
  });

  it('does not decode from a cut that says anything else', () => {
    const good = untext(encodeRecord({ ...outcome, reasons: Array.from({ length: 5000 }, () => 'reason') }));
    expect(good).toMatch(/"left":\d+\}\]\}$/);
    for (const bad of ['"left":-1}]}', '"left":"1"}]}', '"left":1,"more":1}]}', '"gone":1}]}']) expect(() => decodeRecord(text(good.replace(/"left":\d+\}\]\}$/, bad))), bad).toThrow(expect.objectContaining({ code: 'TrailBrokenException' }));
  });

  it('never holds bytes or secrets, whatever field they come in', () => {
    using secret = SecretBytes.copy(text('needle-in-secret'));
    const record = round({ ...outcome, input: { Plaintext: text('needle'), Password: secret, f: () => 'needle', n: 10n, date: new Date(0), ok: 1 } });
    expect(record.input).toEqual({ Plaintext: null, Password: null, f: null, n: null, date: null, ok: 1 });
    expect(record.cut).toHaveLength(5);
    expect(untext(encodeRecord({ ...outcome, input: { Plaintext: text('needle'), secret } }))).not.toContain('needle');
  });

  it('fits and decodes for any input', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary', maxLength: 300 }), fc.anything({ maxDepth: 12, withBigInt: true, withTypedArray: true, withDate: true })), fc.string({ unit: 'binary', maxLength: 40_000 }), fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 400, size: 'max' }), (input, operation, more) => {
        const bytes = encodeRecord({ ...outcome, input, operation, reasons: [operation, 'b', ...more] });
        expect(bytes.byteLength).toBeLessThanOrEqual(BODY_MAX);
        expect(decodeRecord(bytes)).toMatchObject({ time: outcome.time, intent: 41 });
      }),
      { numRuns: 500 },
    );
  });
});

describe('refusals before authentication', () => {
  const denial = (peer: string, reason = 'peer'): { door: string; reason: string; peer: string } => ({ door: 'cli', reason, peer });

  it('are counted by door, reason and peer', () => {
    const counter = createDenialCounter();
    for (let i = 0; i < 5; i += 1) expect(counter.count(denial('uid 1001'), 1000 + i)).toEqual([]);
    counter.count(denial('uid 1002'), 2000);
    expect(counter.flush()).toEqual([
      { ...denial('uid 1001'), count: 5, first: 1000, last: 1004 },
      { ...denial('uid 1002'), count: 1, first: 2000, last: 2000 },
    ]);
    expect(counter.flush()).toEqual([]);
  });

  it('fill at most 64 buckets a minute, and lose no count', () => {
    const counter = createDenialCounter();
    let seen = 0;
    let buckets = 0;
    const take = (summaries: ReturnType<typeof counter.flush>): void => {
      expect(summaries.length).toBeLessThanOrEqual(BUCKETS_MAX);
      buckets += summaries.length;
      for (const { count } of summaries) seen += count;
    };
    for (let i = 0; i < 100_000; i += 1) take(counter.count(denial(`uid ${String(i)}`, `reason ${'x'.repeat(1000)}`), Math.floor(i / 1000)));
    take(counter.flush());
    expect(seen).toBe(100_000);
    expect(buckets).toBe(BUCKETS_MAX);
  });

  it('come out when the minute is over, or the clock was set back', () => {
    const counter = createDenialCounter();
    counter.count(denial('a'), 10_000);
    expect(counter.count(denial('b'), 10_000 + PERIOD - 1)).toEqual([]);
    expect(counter.count(denial('c'), 10_000 + PERIOD)).toHaveLength(2);
    expect(counter.count(denial('d'), 5)).toEqual([expect.objectContaining({ peer: 'c' })]);
  });
});
