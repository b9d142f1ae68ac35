/** What the request strip counts as use of a key: all that the API declares so, and nothing that only looks. */
import { expect, it } from 'vitest';
import { isUse, type TrailEvent } from '../../../src/renderer/keys/data.ts';
import { declarationOf, NAMES } from '../../../src/shared/api/index.ts';

const event = (Operation: string): TrailEvent => ({ Index: 1, Time: 1, Kind: 'outcome', Operation, Result: 'ok' });
/** Gives the wrapping key of an import, tells what a token says of a key, gives its certificate: none does anything with it. */
const NO_USE: readonly string[] = ['kms:GetParametersForImport', 'hardware:DescribeTokenKey', 'hardware:ExportCertificate'];

it('is every operation that uses a named key', () => {
  const declared = NAMES.filter((name) => {
    const { effect, resource } = declarationOf(name);
    return effect === 'use' && (resource?.kind === 'key' || resource?.kind === 'ciphertext');
  });
  expect(declared.length).toBeGreaterThan(12);
  expect(NAMES.filter((name) => isUse(event(name)))).toEqual(declared.filter((name) => !NO_USE.includes(name)));
});
