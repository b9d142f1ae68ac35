/** Frames between the vault and the process that connects outward: whole or nothing, and no answer with words of a server's own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changes, failureOf } from '../../../src/main/egress/messages.ts';
import { type EgressOrder, FAILURES, type FailureCode, ROLES, type Role } from '../../../src/main/egress/port.ts';
import { decodeToChild, decodeToParent, encode, encodeOrder, type ToParent } from '../../../src/main/egress/protocol.ts';

const ORDER: EgressOrder = { kind: 'database', action: 'set', engine: 'postgres', strategy: 'single', allow: ['db.example:5432'], timeMs: 1000 };
const DONE: ToParent = { kind: 'done', notes: ['already-set'], connections: [{ host: 'db', port: 5432, address: '::1', tls: 'TLSv1.3', as: 'pending', ms: 3 }] };
const asFrame = (value: unknown): Uint8Array => {
  const json = Buffer.from(JSON.stringify(value));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(json.length);
  return Buffer.concat([head, json]);
};

describe('an order', () => {
  it('arrives as it was sent, whichever values it has', () => {
    const values = fc.record(Object.fromEntries(ROLES.map((role) => [role, fc.uint8Array({ maxLength: 200 })])) as Record<Role, fc.Arbitrary<Uint8Array>>, { requiredKeys: [] });
    fc.assert(
      fc.property(values, (given) => {
        const decoded = decodeToChild(encodeOrder(ORDER, given));
        expect(decoded?.message).toMatchObject({ kind: 'order', order: ORDER });
        expect(Object.fromEntries(Object.entries(decoded?.values ?? {}).map(([role, bytes]) => [role, [...bytes]]))).toEqual(Object.fromEntries(Object.entries(given).map(([role, bytes]) => [role, [...bytes]])));
      }),
    );
  });

  it('has its values in the bytes alone', () => {
    const frame = encodeOrder(ORDER, { current: Buffer.from('needle') });
    expect(Buffer.from(frame).toString('latin1').split('needle')).toHaveLength(2);
    expect(JSON.stringify(decodeToChild(frame)?.message)).not.toContain('needle');
  });

  it('cut short, with a byte more or with an unknown field is none', () => {
    const frame = encodeOrder(ORDER, { current: Buffer.from('abc'), pending: Buffer.from('defg') });
    for (let length = 0; length < frame.byteLength; length += 1) expect(decodeToChild(frame.subarray(0, length))).toBeUndefined();
    expect(decodeToChild(Uint8Array.of(...frame, 0))).toBeUndefined();
    expect(decodeToChild(asFrame({ kind: 'order', order: { ...ORDER, shell: true }, lengths: {} }))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => decodeToChild(bytes) === undefined && decodeToParent(bytes) === undefined));
  });
});

describe('an answer', () => {
  it('holds words of closed sets, addresses and codes of a narrow shape', () => {
    expect(decodeToParent(encode(DONE))?.message).toEqual(DONE);
    const failed = { kind: 'failed', code: 'server-error', place: 'change', detail: '42501', uncertain: true, connections: [] };
    expect(decodeToParent(asFrame(failed))?.message).toEqual(failed);
    for (const wrong of [{ detail: 'the password is hunter2' }, { detail: 'x'.repeat(41) }, { code: 'whatever' }, { message: 'hunter2' }, { connections: [{ host: 'h', port: 1, address: 'hunter2', ms: 1 }] }]) {
      expect(decodeToParent(asFrame({ ...failed, ...wrong }))).toBeUndefined();
    }
    expect(decodeToParent(Uint8Array.of(...encode(DONE), 1))).toBeUndefined();
    expect(decodeToParent(encode(failed as ToParent, Uint8Array.of(1)))).toBeUndefined();
  });

  it('of a remote holds version ids, labels, and a value of the length that it says', () => {
    const label = { stage: 'AWSCURRENT', versionId: 'v'.repeat(36) };
    const done = { ...DONE, theirs: { exists: true, deleted: false, labels: [label] }, value: { kind: 'string', length: 3 } } as ToParent;
    const read = decodeToParent(encode(done, Uint8Array.of(1, 2, 3)));
    expect([read?.message, [...(read?.value ?? [])]]).toEqual([done, [1, 2, 3]]);
    for (const bytes of [[], [1, 2], [1, 2, 3, 4]]) expect(decodeToParent(encode(done, Uint8Array.from(bytes)))).toBeUndefined();
    for (const wrong of [{ ...label, stage: 'a b' }, { ...label, stage: '' }, { ...label, versionId: 'short' }, { ...label, versionId: `${'v'.repeat(35)}\n` }, { ...label, value: 'hunter2' }]) {
      expect(decodeToParent(encode({ ...DONE, theirs: { exists: true, deleted: false, labels: [wrong] } }))).toBeUndefined();
    }
  });

  it('has a message for every failure: lowercase, no full stop, with the server’s code', () => {
    for (const code of Object.keys(FAILURES) as FailureCode[]) {
      for (const role of [undefined, ...ROLES]) {
        const { message, detail } = failureOf({ code, place: 'login', detail: '28P01', uncertain: false, ...(role ? { role } : {}) });
        expect(message).toMatch(/^(?:[a-z]|AWS).*\(28P01\)$/);
        expect(detail).toBe('28P01');
      }
    }
  });

  it('that never came leaves open whether something was changed, unless nothing could be', () => {
    expect((['set', 'test', 'probe', 'finish'] as const).map((action) => changes({ ...ORDER, action }))).toEqual([true, false, false, true]);
  });
});
