/** Wycheproof: AES-GCM and XChaCha20-Poly1305, through the functions that seal records, header secrets and blobs. */
import { describe, expect, test } from 'vitest';
import { type Open, type Seal, openGcm, openXChaCha, sealGcm, sealXChaCha } from '../../src/main/crypto/aead.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly ivSize: number;
  readonly keySize: number;
  readonly tagSize: number;
  readonly tests: readonly (Case & { readonly key: string; readonly iv: string; readonly aad: string; readonly msg: string; readonly ct: string; readonly tag: string })[];
}

interface Suite {
  readonly file: string;
  readonly seal: Seal;
  readonly open: Open;
  readonly ivSize: number;
  /** Cases of the one key, nonce and tag size that is offered, and of all others. */
  readonly offered: number;
  readonly refused: number;
}

const SUITES: readonly Suite[] = [
  { file: 'aes_gcm', seal: sealGcm, open: openGcm, ivSize: 96, offered: 66, refused: 250 },
  { file: 'xchacha20_poly1305', seal: sealXChaCha, open: openXChaCha, ivSize: 192, offered: 306, refused: 9 },
];

describe.each(SUITES)('$file', ({ file, seal, open, ivSize, offered, refused }) => {
  const { testGroups, numberOfTests } = wycheproof<Group>(file);

  test('every case', () => {
    const counted = { offered: 0, refused: 0 };
    for (const group of testGroups) {
      const fits = group.ivSize === ivSize && group.keySize === 256 && group.tagSize === 128;
      for (const { tcId, key, iv, aad, msg, ct, tag, result } of group.tests) {
        const sealed = bytes(ct + tag);
        if (!fits) {
          // Other sizes are not offered: refused before any cipher sees them.
          expect(() => open(bytes(key), bytes(iv), bytes(aad), sealed), `case ${tcId}`).toThrow(RangeError);
          expect(() => seal(bytes(key), bytes(iv), bytes(aad), bytes(msg)), `case ${tcId}`).toThrow(RangeError);
          counted.refused += 1;
          continue;
        }
        counted.offered += 1;
        const opened = open(bytes(key), bytes(iv), bytes(aad), sealed);
        if (result === 'valid') {
          expect(Buffer.from(opened!).toString('hex'), `case ${tcId}`).toBe(msg);
          expect(Buffer.from(seal(bytes(key), bytes(iv), bytes(aad), bytes(msg))).toString('hex'), `case ${tcId}`).toBe(ct + tag);
        } else {
          expect(opened, `case ${tcId}`).toBeUndefined();
        }
      }
    }
    expect(counted).toEqual({ offered, refused });
    expect(offered + refused).toBe(numberOfTests);
  });
});
