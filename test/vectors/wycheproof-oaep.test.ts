/** Wycheproof: RSAES-OAEP decryption through the sealer's `decrypt`, the vectors' private key as the material. */
import { describe, expect, test } from 'vitest';
import { keyCalls } from '../../src/main/sealer/key-calls.ts';
import type { Algorithm } from '../../src/shared/model/algorithms.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { KEY_ID, fakeSession, givenKey, loaded } from '../unit/sealer/fake-session.ts';
import { type Case, bytes, wycheproof } from './wycheproof.ts';

interface Group {
  readonly privateKeyPkcs8: string;
  readonly tests: readonly (Case & { readonly msg: string; readonly ct: string; readonly label: string })[];
}

const SUITES: readonly { readonly file: string; readonly algorithm: Algorithm; readonly cases: number }[] = [
  { file: 'rsa_oaep_2048_sha1_mgf1sha1', algorithm: 'RSAES_OAEP_SHA_1', cases: 36 },
  { file: 'rsa_oaep_2048_sha256_mgf1sha256', algorithm: 'RSAES_OAEP_SHA_256', cases: 37 },
];

describe.each(SUITES)('$file', ({ file, algorithm, cases }) => {
  const { testGroups, numberOfTests } = wycheproof<Group>(file);

  test('every case; all failures are one error with one message', async () => {
    const session = fakeSession();
    const messages = new Set<string>();
    let run = 0;
    for (const { privateKeyPkcs8, tests } of testGroups) {
      const key = givenKey(session, 'RSA_2048', bytes(privateKeyPkcs8));
      for (const { tcId, msg, ct, label, result } of tests) {
        run += 1;
        const decrypt = async () => (await loaded(keyCalls.decrypt(session, { key, keyId: KEY_ID, algorithm, ciphertext: bytes(ct), context: {} }))).plaintext;
        // The label is always empty here: a ciphertext made with another does not open.
        if (result === 'valid' && label === '') {
          expect(Buffer.from(await decrypt()).toString('hex'), `case ${tcId}`).toBe(msg);
          continue;
        }
        const error = await decrypt().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (!(error instanceof VaultError)) throw new Error(`case ${tcId} was accepted`);
        expect(error.code, `case ${tcId}`).toBe('InvalidCiphertextException');
        messages.add(error.message);
      }
    }
    expect(messages.size).toBe(1);
    expect(run).toBe(cases);
    expect(run).toBe(numberOfTests);
  });
});
