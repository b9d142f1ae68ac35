/** `file:GenerateCertificateRequest`: what the key signs is made here, whole, so that it signs nothing else. */
import type { Input } from '../../shared/api/index.ts';
import { keyArn } from '../../shared/model/ids.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { certificateRequest, requestPem, usualAlgorithm } from '../access/certificate-request.ts';
import { offered } from '../../shared/model/algorithms.ts';
import { assertOffers, openFor } from '../keyring/key.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';

type SigningAlgorithm = NonNullable<Input<'file:GenerateCertificateRequest'>['SigningAlgorithm']>;

export const certificateRequestHandlers = (): Pick<HandlersOf<'file'>, 'file:GenerateCertificateRequest'> => ({
  'file:GenerateCertificateRequest': async (input, call, { keys, realm }) => {
    const key = keyOf(call.resource);
    const handle = openFor(key, 'SIGN_VERIFY');
    const algorithm = input.SigningAlgorithm ?? (usualAlgorithm(key.spec, offered(key.spec, key.usage)) as SigningAlgorithm);
    assertOffers(key, algorithm);
    const publicKey = key.publicKey === undefined ? undefined : base64ToBytes(key.publicKey);
    if (!publicKey) return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` has no public key`);
    const subject = { common: input.CommonName, organization: input.Organization, unit: input.OrganizationalUnit, locality: input.Locality, state: input.State, country: input.Country };
    const { body, signed } = certificateRequest({ subject, dns: input.DnsNames, addresses: input.IpAddresses, emails: input.Emails }, publicKey, algorithm);
    const signature = await keys.sign(handle, { algorithm, message: body, digest: false });
    return { KeyId: keyArn(realm, key.keyId), SigningAlgorithm: algorithm, CertificateRequest: requestPem(signed(signature)) };
  },
});
