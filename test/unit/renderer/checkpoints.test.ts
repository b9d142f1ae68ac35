/** What is said of a checkpoint that somebody kept: good only where the vault and the trail both say so. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KEY_SPECS, type KeySpec } from '../../../src/shared/model/algorithms.ts';
import { checkpointKeyOf } from '../../../src/main/operations/second-signature.ts';
import type { KeyRecord } from '../../../src/main/keyring/ports.ts';
import { judged, signsCheckpoints } from '../../../src/renderer/trail/checkpoint-words.ts';

const RELATIONS = ['contained', 'contradicted', 'ahead', 'foreign', 'setAside'] as const;

it('is good where the trail holds it, the vault signed it, and the key that was to sign did', () => {
  const about = fc.record({ Relation: fc.constantFrom(...RELATIONS), SignatureValid: fc.boolean(), SecondSignatureValid: fc.option(fc.boolean(), { nil: undefined }), Index: fc.nat(), Hash: fc.constant('ab'), Created: fc.nat() });
  fc.assert(fc.property(about, fc.option(fc.constant('notary'), { nil: undefined }), (checked, key) => {
    const { title, about: words, tone } = judged(checked, key);
    expect(tone === 'ok').toBe(checked.Relation === 'contained' && checked.SignatureValid && checked.SecondSignatureValid !== false);
    if (!checked.SignatureValid) expect([title, tone]).toEqual(['Not signed by this vault', 'danger']);
    else if (checked.Relation === 'contradicted' || checked.Relation === 'ahead') expect(tone).toBe('danger');
    if (key !== undefined && checked.SignatureValid && checked.SecondSignatureValid !== undefined) expect(words).toContain(checked.SecondSignatureValid ? 'notary has signed it' : 'notary has not signed it');
  }));
});

it('the window offers the keys that the vault takes, and no other', () => {
  for (const spec of Object.keys(KEY_SPECS) as KeySpec[]) {
    const takes = (() => {
      try {
        checkpointKeyOf({ spec, usage: 'SIGN_VERIFY', keyId: 'k', publicKey: 'AAAA' } as unknown as KeyRecord);
        return true;
      } catch {
        return false;
      }
    })();
    expect([spec, signsCheckpoints({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY', KeyState: 'Enabled' })]).toEqual([spec, takes]);
  }
  expect(signsCheckpoints({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled' })).toBe(false);
  expect(signsCheckpoints({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', KeyState: 'PendingDeletion' })).toBe(false);
  expect(signsCheckpoints({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', KeyState: 'Unavailable' })).toBe(true);
});
