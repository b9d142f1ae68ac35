import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeRequest, encodeReply, encodeRequest, OPERATIONS, OUTCOMES, takeReply } from '../../../src/main/platform/keychain-format.ts';

describe('what the keychain helper and its client say', () => {
  it('comes back as it was said', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPERATIONS), fc.string(), fc.string({ unit: 'grapheme' }), fc.uint8Array(), (operation, service, name, value) => {
        expect(decodeRequest(encodeRequest({ operation, service, name, value }))).toEqual({ operation, service, name, value });
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...OUTCOMES), fc.uint8Array(), (outcome, value) => {
        const frame = encodeReply({ outcome, value });
        const reply = takeReply(frame);
        expect(reply).toEqual({ outcome, value });
        expect(reply?.value.buffer.byteLength).toBe(value.length);
        expect(frame.every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  it('neither side throws on 20,000 random frames', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        decodeRequest(bytes);
        takeReply(bytes);
      }),
      { numRuns: 20_000 },
    );
    expect(decodeRequest(Uint8Array.of(1, 0, 9, 65))).toBeUndefined();
    expect(takeReply(new Uint8Array())).toBeUndefined();
    expect(takeReply(Uint8Array.of(99))).toBeUndefined();
  });

  it('refuses a name that is too long', () => {
    expect(() => encodeRequest({ operation: 'get', service: 's', name: 'x'.repeat(1025), value: new Uint8Array() })).toThrow(RangeError);
  });
});
