/** Certificates on tokens as they are shown, with the keys that they go with. They stay on the token: a copy of the vault's would grow old. */
import { createHash } from 'node:crypto';
import type { Output } from '../../shared/api/index.ts';
import { seconds } from '../../shared/api/operation.ts';
import { keyArn, type Realm } from '../../shared/model/ids.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import type { CertificateFacts, PublicHalf } from '../backends/pkcs11/protocol.ts';
import { belongingOf } from '../hardware/certificates.ts';
import { answering } from '../hardware/cluster-keys.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import type { KeyStoreRecord } from '../hardware/kinds.ts';
import type { KeyRecord } from '../keyring/ports.ts';

export type ShownCertificate = Output<'hardware:ListTokenKeys'>['Certificates'][number];

/** Names come from whoever made the certificate: nothing in one may rewrite a screen. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

const digestOf = ({ publicKey }: KeyRecord): string | undefined => (publicKey === undefined ? undefined : createHash('sha256').update(base64ToBytes(publicKey) ?? '').digest('hex'));

function shown({ id, label, state, sha256, read }: CertificateFacts, keys: readonly PublicHalf[], known: readonly KeyRecord[], realm: Realm): ShownCertificate {
  const goes = belongingOf({ id, ...(read ? { read } : {}) }, keys);
  const own = goes && known.find(({ hardware }) => hardware?.id === goes.id);
  return {
    Id: id,
    Label: label,
    State: state,
    ...(sha256 === undefined ? {} : { Sha256: sha256 }),
    ...(read ? { Subject: plain(read.subject), Issuer: plain(read.issuer), SerialNumber: read.serial, NotBefore: seconds(read.from), NotAfter: seconds(read.until) } : {}),
    ...(goes ? { Of: { Id: goes.id, Match: goes.match, ...(own ? { KeyId: keyArn(realm, own.keyId) } : {}) } } : {}),
  };
}

/** `known`: keys of this vault on the token. What one of them has proven to be its public key counts, whatever the token says. */
export async function certificatesAt(hardware: Hardware, place: Place, known: readonly KeyRecord[], realm: Realm): Promise<readonly ShownCertificate[]> {
  const { certificates, keys } = (await hardware.ask(place, 'certificates', { token: place.token })).reply;
  const proven = keys.map((key): PublicHalf => {
    const record = known.find((one) => one.hardware?.id === key.id);
    const publicKey = record && digestOf(record);
    return publicKey === undefined ? key : { ...key, publicKey };
  });
  return certificates.map((facts) => shown(facts, proven, known, realm));
}

/** The tokens that answer, of a store that spans several; its one token otherwise. */
export const placesFor = (hardware: Hardware, store: KeyStoreRecord): readonly Place[] => (store.cluster ? answering({ hardware, store }) : [hardware.placeOf(store.id)]);

/** Those of one key on these tokens, each with the first that has it. None of a key that is no pair. */
export async function certificatesOf(hardware: Hardware, places: readonly Place[], key: KeyRecord, realm: Realm): Promise<readonly { readonly place: Place; readonly certificate: ShownCertificate }[]> {
  const id = key.hardware?.id;
  if (id === undefined || key.publicKey === undefined) return [];
  const found: { readonly place: Place; readonly certificate: ShownCertificate }[] = [];
  for (const place of places) {
    for (const certificate of await certificatesAt(hardware, place, [key], realm)) {
      const isNew = certificate.Sha256 === undefined || !found.some(({ certificate: { Sha256 } }) => Sha256 === certificate.Sha256);
      if (certificate.Of?.Id === id && isNew) found.push({ place, certificate });
    }
  }
  return found;
}
