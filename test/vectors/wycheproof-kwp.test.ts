/** Wycheproof: AES Key Wrap with Padding, what imported key material is unwrapped with. */
import { expect, test } from 'vitest';
import { unwrapKwp, wrapKwp } from '../../src/main/crypto/key-wrap.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly keySize: number;
  readonly tests: readonly (Case & { readonly key: string; readonly msg: string; readonly ct: string })[];
}

test('every case', () => {
  const { testGroups, numberOfTests } = wycheproof<Group>('aes_kwp');
  let run = 0;
  for (const { tests } of testGroups) {
    for (const { tcId, key, msg, ct, result } of tests) {
      run += 1;
      const opened = unwrapKwp(bytes(key), bytes(ct));
      if (result === 'valid') {
        expect(Buffer.from(wrapKwp(bytes(key), bytes(msg))).toString('hex'), `case ${String(tcId)}`).toBe(ct);
        expect(opened && Buffer.from(opened).toString('hex'), `case ${String(tcId)}`).toBe(msg);
      } else {
        expect(opened, `case ${String(tcId)}`).toBeUndefined();
      }
    }
  }
  expect(run).toBe(numberOfTests);
  expect(run).toBeGreaterThan(100);
});
