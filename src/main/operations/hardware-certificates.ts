/** `hardware:ExportCertificate`: a certificate on a token as PEM. */
import { createHash } from 'node:crypto';
import { VaultError } from '../../shared/model/errors.ts';
import { certificatePem } from '../access/certificate.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { byName } from './hardware-keys.ts';
import { storeOf, type Stored } from './kms-key-stores.ts';
import { keyOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { certificatesOf, placesFor, type ShownCertificate } from './shown-certificates.ts';
import type { KeyRecord } from '../keyring/ports.ts';
import type { Realm } from '../../shared/model/ids.ts';

interface Wanted {
  readonly place: Place;
  readonly sha256: string;
}

/** The certificate of a key: the one that certifies its public key, where none is named. NotFoundException, ValidationException, UnsupportedOperationException. */
async function ofKey(hardware: Hardware, reader: Stored, key: KeyRecord, realm: Realm, sha256: string | undefined): Promise<Wanted> {
  if (!key.hardware) throw new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` is not in a token, where certificates are`);
  const store = await storeOf(reader, key.hardware.store);
  const all = await certificatesOf(hardware, placesFor(hardware, store), key, realm);
  const fits = ({ Sha256, Of, State }: ShownCertificate): boolean => State === 'readable' && (sha256 === undefined ? Of?.Match === 'publicKey' : Sha256 === sha256);
  const [one, ...more] = all.filter(({ certificate }) => fits(certificate));
  if (one?.certificate.Sha256 === undefined) throw new VaultError('NotFoundException', `no such certificate of key \`${key.keyId}\` is on its token; see \`keystead hardware describe-token-key\``);
  if (more.length > 0) throw new VaultError('ValidationException', `\`Sha256\` must be given: ${String(more.length + 1)} certificates on the token are of key \`${key.keyId}\`; see \`keystead hardware describe-token-key\``);
  return { place: one.place, sha256: one.certificate.Sha256 };
}

export const hardwareCertificateHandlers = (now: () => Hardware): Pick<HandlersOf<'hardware'>, 'hardware:ExportCertificate'> => ({
  'hardware:ExportCertificate': async (input, call, { reader, realm }) => {
    const hardware = now();
    const { place, sha256 } =
      input.Serial === undefined || input.Sha256 === undefined
        ? await ofKey(hardware, reader, keyOf(call.resource), realm, input.Sha256)
        : { place: await byName(hardware, reader, input.Serial, input.Label), sha256: input.Sha256 };
    const { certificates } = (await hardware.ask(place, 'certificates', { token: place.token })).reply;
    if (!certificates.some((one) => one.sha256 === sha256 && one.state === 'readable')) return call.fail('NotFoundException', `no certificate with the SHA-256 \`${sha256}\` that can be read is on ${nameToken(place.token)}; see \`keystead hardware list-token-keys\``);
    const [der] = (await hardware.ask(place, 'certificate', { token: place.token, sha256 })).parts;
    // What leaves here is what was asked for, whatever the module's process says.
    if (!der || createHash('sha256').update(der).digest('hex') !== sha256) return call.fail('KMSInternalException', `${nameToken(place.token)} gave another certificate than it was asked for`);
    return { Certificate: certificatePem(der), Sha256: sha256 };
  },
});
