import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Header, type HeaderBody, type Slot, encodeHeaderBody, headerInfo, parseHeader } from '../../../src/main/seal/header.ts';
import type { SlotType } from '../../../src/main/seal/protocol.ts';

const fill = (length: number, byte: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(byte);
const KDF = { memory: 65_536, passes: 3, lanes: 4 };

const slot = (id: number, overrides: Partial<Slot> = {}): Slot => ({
  slotId: fill(16, id),
  type: 'recovery',
  factors: 8,
  created: 1_700_000_000_000,
  salt: fill(32, 1),
  publicKey: fill(32, 2),
  commit: fill(32, 3),
  privateKey: fill(72, 4),
  wrap: { ephemeral: fill(32, 5), generation: 1, sealed: fill(72, 6) },
  ...overrides,
});
const body = (overrides: Partial<HeaderBody> = {}): HeaderBody => ({
  vaultId: fill(16, 7),
  headerEpoch: 1,
  term: 1,
  rootCommit: fill(32, 8),
  floor: { memory: 65_536, passes: 3 },
  trailPublicKey: fill(32, 9),
  slots: [slot(1)],
  secrets: fill(60, 10),
  ...overrides,
});
const file = (header: HeaderBody): Uint8Array => Uint8Array.from([...encodeHeaderBody(header), ...fill(32, 11)]);
const refused: unknown = expect.objectContaining({ code: 'HeaderRefusedException' });
const withByte = (bytes: Uint8Array, offset: number, value: number): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  changed[offset] = value;
  return changed;
};
const SLOT = 8 + 2 + 16 + 8 + 4 + 32 + 8 + 32 + 1 + 2;

describe('header', () => {
  it.each<[string, HeaderBody]>([
    ['one slot', body()],
    ['sixteen slots', body({ slots: Array.from({ length: 16 }, (_, i) => slot(i)) })],
    ['every type of slot', body({ slots: [slot(1), slot(2, { type: 'password', factors: 1, kdf: KDF }), slot(3, { type: 'password', factors: 3, kdf: KDF }), slot(4, { type: 'keychain', factors: 2 }), slot(5, { type: 'token', factors: 4, tokenUri: 'pkcs11:serial=1' })] })],
    ['a previous root', body({ term: 2, previousRoot: fill(72, 1) })],
    ['large numbers', body({ headerEpoch: Number.MAX_SAFE_INTEGER, term: 0xffff_ffff })],
  ])('comes back as it was written: %s', (_name, header) => {
    expect(parseHeader(file(header))).toEqual({ ...header, mac: fill(32, 11) });
  });

  it('says what is public', () => {
    const info = headerInfo(body({ slots: [slot(1, { type: 'password', factors: 3, kdf: KDF })] }));
    expect(info.slots).toEqual([{ slotId: '01'.repeat(16), type: 'password', factors: ['password', 'device'], kdf: KDF, created: 1_700_000_000_000 }]);
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['another file', new TextEncoder().encode('SQLite format 3\u0000')],
    ['more than 64 KiB', new Uint8Array(65_537)],
    ['no slots', file(body({ slots: [] }))],
    ['seventeen slots', file(body({ slots: Array.from({ length: 17 }, (_, i) => slot(i)) }))],
    ['two slots of one id', file(body({ slots: [slot(1), slot(1)] }))],
    ['epoch 0', file(body({ headerEpoch: 0 }))],
    ['term 0', file(body({ term: 0 }))],
    ['format 0', withByte(file(body()), 8, 0)],
    ['minimum reader 0', withByte(file(body()), 9, 0)],
    ['an epoch over 2^53', withByte(file(body()), 26, 0xff)],
    ['an unknown slot type', withByte(file(body()), SLOT + 16, 5)],
    ['slot type 0', withByte(file(body()), SLOT + 16, 0)],
    ['factors of another type', file(body({ slots: [slot(1, { factors: 1 })] }))],
    ['no factors', file(body({ slots: [slot(1, { factors: 0 })] }))],
    ['a KDF without a password', file(body({ slots: [slot(1, { kdf: KDF })] }))],
    ['a password without a KDF', file(body({ slots: [slot(1, { type: 'password', factors: 1 })] }))],
    ['more memory than 2 GiB', file(body({ slots: [slot(1, { type: 'password', factors: 1, kdf: { ...KDF, memory: 2_097_153 } })] }))],
    ['4,096 passes', file(body({ slots: [slot(1, { type: 'password', factors: 1, kdf: { ...KDF, passes: 4096 } })] }))],
    ['17 lanes', file(body({ slots: [slot(1, { type: 'password', factors: 1, kdf: { ...KDF, lanes: 17 } })] }))],
    ['no passes', file(body({ slots: [slot(1, { type: 'password', factors: 1, kdf: { ...KDF, passes: 0 } })] }))],
    ['a token without a URI', file(body({ slots: [slot(1, { type: 'token', factors: 4 })] }))],
    ['a URI without a token', file(body({ slots: [slot(1, { tokenUri: 'pkcs11:x' })] }))],
    ['a URI with a space', file(body({ slots: [slot(1, { type: 'token', factors: 4, tokenUri: 'pkcs11: x' })] }))],
    ['a URI that is too long', file(body({ slots: [slot(1, { type: 'token', factors: 4, tokenUri: 'x'.repeat(1025) })] }))],
    ['secrets that are too short', file(body({ secrets: fill(40, 1) }))],
    ['a previous root of another length', file(body({ term: 2, previousRoot: fill(71, 1) }))],
    ['a previous root of the first term', file(body({ previousRoot: fill(72, 1) }))],
    ['a byte too many', Uint8Array.from([...file(body()), 0])],
  ])('is refused: %s', (_name, bytes) => {
    expect(() => parseHeader(bytes)).toThrow(refused);
  });

  it('is refused at every length but its own', () => {
    const bytes = file(body());
    for (let length = 0; length < bytes.byteLength; length += 1) expect(() => parseHeader(bytes.subarray(0, length))).toThrow(refused);
  });

  it.each([8, 9])('of a newer format says so (byte %i)', (offset) => {
    expect(() => parseHeader(withByte(file(body()), offset, 2))).toThrow(expect.objectContaining({ code: 'VaultTooNewException' }));
  });

  it('has one encoding: what is accepted encodes to the same bytes', () => {
    const golden = Uint8Array.from(Buffer.from(readFileSync(new URL('../../fixtures/seal/header.hex', import.meta.url), 'utf8').trim(), 'hex'));
    const again = (header: Header): Uint8Array => Uint8Array.from([...encodeHeaderBody(header), ...header.mac]);
    expect(again(parseHeader(golden))).toEqual(golden);
    fc.assert(
      fc.property(fc.nat(golden.byteLength - 1), fc.integer({ min: 1, max: 255 }), (offset, change) => {
        const changed = withByte(golden, offset, golden[offset]! ^ change);
        let header: Header;
        try {
          header = parseHeader(changed);
        } catch (error) {
          expect(['HeaderRefusedException', 'VaultTooNewException']).toContain((error as { code: string }).code);
          return;
        }
        expect(again(header)).toEqual(changed);
      }),
      { numRuns: 5000 },
    );
  });

  it('never crashes on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, magic) => {
        const input = magic ? Uint8Array.from([...file(body()).subarray(0, 10), ...bytes]) : bytes;
        expect(() => parseHeader(input)).toThrow(refused);
      }),
      { numRuns: 5000 },
    );
  });

  it.each<SlotType>(['password', 'recovery', 'keychain', 'token'])('numbers the type %s for ever', (type) => {
    const factors = { password: 1, recovery: 8, keychain: 2, token: 4 }[type];
    const bytes = file(body({ slots: [slot(1, { type, factors, ...(type === 'password' ? { kdf: KDF } : {}), ...(type === 'token' ? { tokenUri: 'pkcs11:a' } : {}) })] }));
    expect(bytes[SLOT + 16]).toBe({ password: 1, recovery: 2, keychain: 3, token: 4 }[type]);
  });
});
