/** The closed table of why a file is not taken, and that a process which a file took over can say nothing beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/main/crypto/json-frame.ts';
import { decodeAnswer, encodeFailure, encodeParsed } from '../../../src/main/imports/messages.ts';
import { ImportFailure } from '../../../src/main/imports/parsed.ts';
import { JSON_FAULTS, REASON_NAMES, REASONS, jsonReason } from '../../../src/main/imports/reasons.ts';
import { MAX_DEPTH } from '../../../src/shared/wire/json.ts';

const failureIn = (frame: Uint8Array): ImportFailure | undefined => {
  try {
    decodeAnswer(frame);
  } catch (error) {
    if (error instanceof ImportFailure) return error;
    throw error;
  }
  return undefined;
};

describe('the table of reasons', () => {
  it('has every word of the strict JSON reader, and no other', () => {
    const said = new Set(
      ['json.ts', 'json-tokens.ts']
        .flatMap((file) => [...readFileSync(join(import.meta.dirname, '../../../src/shared/wire', file), 'utf8').matchAll(/malformed\(([^;]*?), (?:this\.)?\w+(?: [+-] \d)?\)/g)].flatMap(([, words = '']) => [...words.matchAll(/(['`])(.*?)\1/g)].map(([, , word = '']) => word)))
        .map((word) => word.replace('${String(MAX_DEPTH)}', String(MAX_DEPTH)))
        .filter((word) => !word.includes('secret')),
    );
    expect([...said].sort()).toEqual([...JSON_FAULTS].sort());
    expect(jsonReason('hunter2 is expected')).toBe('json-malformed');
  });

  it('comes over with a line, each in its own words', () => {
    expect(new Set(Object.values(REASONS)).size).toBe(REASON_NAMES.length);
    for (const reason of REASON_NAMES) expect(failureIn(encodeFailure({ reason, line: 7 }))).toMatchObject({ reason, line: 7, why: REASONS[reason] });
  });

  it.each([
    { kind: 'failed', reason: 'hunter2' },
    { kind: 'failed', reason: 'zip', why: 'hunter2' },
    { kind: 'failed', why: 'it is a zip file' },
    { kind: 'failed', reason: 'zip', line: 0 },
    { kind: 'failed', reason: 'zip', line: 1e12 },
    { kind: 'failed', reason: '__proto__' },
    { kind: 'failed', reason: 'constructor' },
  ])('holds nothing but what is in it: %j', (message) => {
    expect(decodeAnswer(encodeFrame(message))).toBeUndefined();
  });
});

describe('a message with bytes', () => {
  const file = encodeParsed({ format: 'json', shape: 'fields', entries: [{ path: [], fields: [{ name: 'a', kind: 'text', value: 'one' }, { name: 'b', kind: 'json', value: '22' }] }], notes: [] });

  it('says where each value is', () => {
    const answer = decodeAnswer(file);
    expect(answer?.file.entries[0]?.fields).toEqual([{ name: 'a', kind: 'text', start: 0, length: 3 }, { name: 'b', kind: 'json', start: 3, length: 2 }]);
    expect(Buffer.from(answer?.values ?? []).toString()).toBe('one22');
  });

  it('is none when it is cut off anywhere, or goes on', () => {
    for (let length = 0; length < file.byteLength; length++) expect(decodeAnswer(file.subarray(0, length))).toBeUndefined();
    expect(decodeAnswer(Buffer.concat([file, Buffer.of(0)]))).toBeUndefined();
  });

  it.each([
    [{ path: 'x', fields: [] }],
    [{ path: [1], fields: [] }],
    [{ path: ['x'.repeat(4097)], fields: [] }],
    [{ path: Array.from({ length: 129 }, () => 'x'), fields: [] }],
    [{ path: [], line: 0, fields: [] }],
    [{ path: [], line: 1.5, fields: [] }],
    [{ path: [], fields: [], more: 1 }],
    [{ path: [], fields: [['', 'text', 0]] }],
    [{ path: [], fields: [['n'.repeat(257), 'text', 0]] }],
    [{ path: [], fields: [['n', 'number', 0]] }],
    [{ path: [], fields: [['n', 'text', -1]] }],
    [{ path: [], fields: [['n', 'text', '0']] }],
    [{ path: [], fields: [['n', 'text', 0, 0]] }],
    [{ path: [], fields: [['n', 'text', 2 ** 26]] }],
    [[]],
    [null],
  ])('is none with an entry like %j', (entry) => {
    const message = (given: unknown) => encodeFrame({ kind: 'parsed', format: 'json', shape: 'fields', entries: [given], notes: [] });
    expect(decodeAnswer(message(entry))).toBeUndefined();
    expect(decodeAnswer(message({ path: [], fields: [] }))).toBeDefined();
  });

  it('takes hostile bytes for none', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => { expect(decodeAnswer(bytes)).toBeUndefined(); }));
  });

  it('carries more parts than a call takes arguments', () => {
    const parts = Array.from({ length: 200_000 }, () => Uint8Array.of(1));
    expect(encodeFrame({}, parts).byteLength).toBe(4 + 2 + 200_000);
  });
});
