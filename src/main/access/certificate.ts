/**
 * X.509 certificates (RFC 5280) of the vault's own authority, written and never read: one for the authority, one for the door.
 *
 * The authority is for this machine's loopback and nothing else, and says so itself (name constraints, critical): whoever trusts it, and
 * NODE_EXTRA_CA_CERTS makes a program trust it for everything, cannot be shown another site's name by its key. Keys are P-256,
 * signatures ECDSA with SHA-256. Pure, but for the signature, which is asked for.
 */
import { bits, explicit, implicit, octets, oid, sequence, TAG, TRUE } from '../crypto/asn1.ts';
import { type Bytes, concat, fromHex, u8, utf8 } from '../crypto/bytes.ts';
import { writeElement } from '../crypto/der.ts';
import { digest } from '../crypto/hmac.ts';
import { pemOf } from './pem.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Clocks of two programs of one machine are one, but a certificate may be copied to another. */
const BEFORE = 60 * 60 * 1000;
const AUTHORITY_LIFE = 3650 * DAY;
/** Made anew whenever the door opens; clients refuse more than 398 days. */
const DOOR_LIFE = 397 * DAY;

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const ORGANIZATION = oid('55040a');
const EXTENSION = {
  subjectKey: oid('551d0e'),
  keyUsage: oid('551d0f'),
  alternativeNames: oid('551d11'),
  basicConstraints: oid('551d13'),
  nameConstraints: oid('551d1e'),
  authorityKey: oid('551d23'),
  extendedKeyUsage: oid('551d25'),
} as const;
const SERVER_AUTH = oid('2b06010505070301');

/** 127.0.0.0/8 and ::1, as iPAddress of a name (RFC 5280 section 4.2.1.6) and of a constraint (4.2.1.10: address and mask). */
const LOOPBACK_4 = fromHex('7f000001');
const LOOPBACK_6 = fromHex('00000000000000000000000000000001');
const LOOPBACK_4_NET = fromHex('7f000000ff000000');
const LOOPBACK_6_NET = concat(LOOPBACK_6, fromHex('ff'.repeat(16)));
const LOCALHOST = utf8('localhost');

/** RFC 5280 section 4.1.2.5: two digits for the year until 2049, four from 2050 on. */
function time(milliseconds: number): Bytes {
  const text = `${new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return Number(text.slice(0, 4)) < 2050 ? writeElement(TAG.utcTime, utf8(text.slice(2))) : writeElement(TAG.time, utf8(text));
}

const attribute = (type: Bytes, value: string): Bytes => writeElement(TAG.set, sequence(type, writeElement(TAG.utf8, utf8(value))));
const nameOf = (common: string): Bytes => sequence(attribute(ORGANIZATION, 'Keystead'), attribute(COMMON_NAME, common));

const extension = (id: Bytes, value: Uint8Array, critical = false): Bytes => sequence(id, ...(critical ? [TRUE] : []), octets(value));
/** RFC 7093 method 1: the leftmost 160 bits of SHA-256 over the subjectPublicKey. The last 65 bytes of a P-256 SubjectPublicKeyInfo. */
const keyIdOf = (publicKey: Uint8Array): Bytes => digest('sha256', publicKey.subarray(publicKey.byteLength - 65)).subarray(0, 20);

interface Contents {
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  readonly issuer: string;
  readonly subject: string;
  readonly from: number;
  readonly until: number;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  readonly extensions: readonly Bytes[];
}

/** A positive serial number without a leading zero. */
const serialOf = (random: Uint8Array): Bytes => writeElement(TAG.integer, concat(u8(0x40 | ((random[0] ?? 0) & 0x3f)), random.subarray(1)));

/** TBSCertificate, version 3. */
const toBeSigned = ({ serial, issuer, subject, from, until, publicKey, extensions }: Contents): Bytes =>
  sequence(
    explicit(0, writeElement(TAG.integer, u8(2))),
    serialOf(serial),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(time(from), time(until)),
    nameOf(subject),
    publicKey,
    explicit(3, sequence(...extensions)),
  );

export type SignCertificate = (toBeSigned: Uint8Array) => Promise<Uint8Array>;

async function certificate(contents: Contents, sign: SignCertificate): Promise<Bytes> {
  const body = toBeSigned(contents);
  return sequence(body, ECDSA_WITH_SHA256, bits(await sign(body)));
}

export interface Subject {
  /** SubjectPublicKeyInfo in DER, P-256. */
  readonly publicKey: Uint8Array;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** `vault`: to tell one vault's authority from another's. */
export const authorityName = (vault: string): string => `Keystead ${vault} loopback authority`;

/** Signed by itself, for ten years; may sign no other authority. */
export const makeAuthority = ({ publicKey, serial, now }: Subject, name: string, sign: SignCertificate): Promise<Bytes> =>
  certificate(
    {
      serial,
      issuer: name,
      subject: name,
      from: now - BEFORE,
      until: now + AUTHORITY_LIFE,
      publicKey,
      extensions: [
        extension(EXTENSION.basicConstraints, sequence(TRUE, writeElement(TAG.integer, u8(0))), true),
        // keyCertSign: bit 5.
        extension(EXTENSION.keyUsage, bits(u8(0x04), 2), true),
        extension(EXTENSION.subjectKey, octets(keyIdOf(publicKey))),
        extension(EXTENSION.nameConstraints, sequence(explicit(0, concat(sequence(implicit(2, LOCALHOST)), sequence(implicit(7, LOOPBACK_4_NET)), sequence(implicit(7, LOOPBACK_6_NET))))), true),
      ],
    },
    sign,
  );

/** For `localhost`, 127.0.0.1 and ::1. `authority`: name and public key of the signer. */
export const makeDoorCertificate = ({ publicKey, serial, now }: Subject, authority: { readonly name: string; readonly publicKey: Uint8Array }, sign: SignCertificate): Promise<Bytes> =>
  certificate(
    {
      serial,
      issuer: authority.name,
      subject: 'localhost',
      from: now - BEFORE,
      until: now + DOOR_LIFE,
      publicKey,
      extensions: [
        extension(EXTENSION.basicConstraints, sequence(), true),
        // digitalSignature: bit 0.
        extension(EXTENSION.keyUsage, bits(u8(0x80), 7), true),
        extension(EXTENSION.extendedKeyUsage, sequence(SERVER_AUTH)),
        extension(EXTENSION.subjectKey, octets(keyIdOf(publicKey))),
        extension(EXTENSION.authorityKey, sequence(implicit(0, keyIdOf(authority.publicKey)))),
        extension(EXTENSION.alternativeNames, sequence(implicit(2, LOCALHOST), implicit(7, LOOPBACK_4), implicit(7, LOOPBACK_6))),
      ],
    },
    sign,
  );

/** RFC 7468. */
export const certificatePem = (der: Uint8Array): string => pemOf('CERTIFICATE', der);
