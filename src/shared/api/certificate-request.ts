/** `file:GenerateCertificateRequest`: a certificate request for a key that signs, wherever the key is. PKCS #10, RFC 2986. */
import { z } from 'zod';
import * as f from './fields.ts';
import { operation } from './operation.ts';

const MOST_NAMES = 100;
const part = (what: string) => z.string().max(128).optional().describe(what);
const names = (what: string) => z.array(z.string().min(1).max(254)).max(MOST_NAMES).default([]).describe(what);

export const generateCertificateRequest = operation({
  name: 'file:GenerateCertificateRequest',
  summary: 'Make a certificate request (PKCS #10) for a key that signs, in this vault or in a token',
  input: () => z.strictObject({
    KeyId: f.keyReference.describe('Key id, key ARN, alias name or alias ARN'),
    CommonName: part('Subject: the name itself, such as `build.example.com`'),
    Organization: part('Subject'),
    OrganizationalUnit: part('Subject'),
    Locality: part('Subject: the city'),
    State: part('Subject: state or province'),
    Country: part('Subject: two capital letters'),
    DnsNames: names('Alternative names: host names in ASCII, `*.` in front for all of one level'),
    IpAddresses: names('Alternative names: IPv4 and IPv6 addresses'),
    Emails: names('Alternative names: e-mail addresses'),
    SigningAlgorithm: f.signingAlgorithm.optional().describe('For RSA `RSASSA_PKCS1_V1_5_SHA_256` if left out, otherwise the first one that the key offers'),
  }),
  output: () => z.strictObject({ KeyId: z.string().describe('ARN of the key'), SigningAlgorithm: f.signingAlgorithm, CertificateRequest: z.string().describe('PEM') }),
  errors: ['NotFoundException', 'InvalidArnException', 'DisabledException', 'KMSInvalidStateException', 'InvalidKeyUsageException', 'KeyUnavailableException', 'UnsupportedOperationException'],
  effect: 'use',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['KeyId', 'CommonName', 'Organization', 'OrganizationalUnit', 'Locality', 'State', 'Country', 'DnsNames', 'IpAddresses', 'Emails', 'SigningAlgorithm'],
  resource: { kind: 'key', field: 'KeyId' },
});
