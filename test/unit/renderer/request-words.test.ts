/** A certificate request as it is written down: every name is taken once and for one thing, and the command says the same. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { certificateRequest } from '../../../src/main/access/certificate-request.ts';
import { namesIn, requestAlgorithms, requestCommand, saying } from '../../../src/renderer/use/request-words.ts';
import { offered, KEY_SPECS, type KeySpec } from '../../../src/shared/model/algorithms.ts';

it('sorts names by their form', () => {
  expect(namesIn(' a.example, *.b.example\n10.0.0.1;::1 2001:db8::2\tops@c.example a.example')).toEqual({ DnsNames: ['a.example', '*.b.example'], IpAddresses: ['10.0.0.1', '::1', '2001:db8::2'], Emails: ['ops@c.example'] });
  expect(namesIn(' \n,')).toEqual({ DnsNames: [], IpAddresses: [], Emails: [] });
});

it('loses no name and takes none twice', () => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[^\s,;]{1,20}$/), { maxLength: 8 }), fc.constantFrom('\n', ', ', ' ', ';'), (names, between) => {
    const { DnsNames, IpAddresses, Emails } = namesIn(names.join(between));
    expect([...DnsNames, ...IpAddresses, ...Emails].sort()).toEqual([...new Set(names)].sort());
  }));
});

it('offers the algorithms that the vault makes requests with, and no other', () => {
  for (const spec of Object.keys(KEY_SPECS) as KeySpec[]) {
    const takes = offered(spec, 'SIGN_VERIFY').filter((algorithm) => {
      try {
        certificateRequest({ subject: { common: 'a' }, dns: [], addresses: [], emails: [] }, new Uint8Array(new ArrayBuffer(4)), algorithm);
        return true;
      } catch {
        return false;
      }
    });
    expect([spec, [...requestAlgorithms(spec)].sort()]).toEqual([spec, [...takes].sort()]);
  }
  expect(requestAlgorithms('RSA_2048')[0]).toBe('RSASSA_PKCS1_V1_5_SHA_256');
});

it('says what it will say, and how to say it on the command line', () => {
  const input = { CommonName: 'it’s me', Country: 'DE', DnsNames: ['a.example', 'b.example'], IpAddresses: ['::1'], Emails: [] };
  expect(saying(input)).toEqual([['Subject', 'CN=it’s me, C=DE'], ['Host names', 'a.example, b.example'], ['IP addresses', '::1']]);
  expect(saying({ DnsNames: [], IpAddresses: [], Emails: [] })).toEqual([]);
  expect(requestCommand('alias/build', input, undefined)).toBe("keystead certificate request --key-id alias/build --common-name 'it’s me' --country DE --dns-names a.example --dns-names b.example --ip-addresses ::1 --out request.csr");
});
