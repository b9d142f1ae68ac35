/**
 * Certificate requests (PKCS #10, RFC 2986) for keys of this vault, written and never read. What a request names is judged strictly, so that
 * an authority reads what its owner meant: one form for each kind of name, no control characters, no name within a name.
 *
 * Pure, but for the signature, which is asked for.
 */
import { algorithmOf, keySpecOf, type Algorithm, type KeySpec } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { bits, explicit, implicit, NULL, octets, oid, sequence, TAG, TRUE } from '../crypto/asn1.ts';
import { type Bytes, concat, fromHex, u8, utf8 } from '../crypto/bytes.ts';
import { writeElement } from '../crypto/der.ts';
import { pemOf } from './pem.ts';

/** RFC 5280 appendix A.1: `ub-…`, characters. */
const SUBJECT = {
  country: { type: '550406', tag: TAG.printable, most: 2 },
  state: { type: '550408', tag: TAG.utf8, most: 128 },
  locality: { type: '550407', tag: TAG.utf8, most: 128 },
  organization: { type: '55040a', tag: TAG.utf8, most: 64 },
  unit: { type: '55040b', tag: TAG.utf8, most: 64 },
  common: { type: '550403', tag: TAG.utf8, most: 64 },
} as const;
type Part = keyof typeof SUBJECT;
const PARTS = Object.keys(SUBJECT) as readonly Part[];

export interface Requested {
  readonly subject: Readonly<Partial<Record<Part, string | undefined>>>;
  readonly dns: readonly string[];
  /** Textual IPv4 or IPv6 addresses. */
  readonly addresses: readonly string[];
  readonly emails: readonly string[];
}

const EXTENSION_REQUEST = oid('2a864886f70d01090e');
const ALTERNATIVE_NAMES = oid('551d11');

const invalid = (message: string): VaultError => new VaultError('ValidationException', message);

function partOf(name: Part, value: string): Bytes {
  const { type, tag, most } = SUBJECT[name];
  if (name === 'country' ? !/^[A-Z]{2}$/.test(value) : value === '' || Array.from(value).length > most || value !== value.trim() || !value.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)) {
    throw invalid(name === 'country' ? '`Country` must be two capital letters (ISO 3166-1)' : `a part of the subject must be 1 to ${String(most)} printable characters without spaces around them`);
  }
  return writeElement(TAG.set, sequence(oid(type), writeElement(tag, utf8(value))));
}

/** RFC 1123 section 2.1 with RFC 6125's wildcard; what is not ASCII has to be given as an A-label. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const DNS_NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const EMAIL = new RegExp(`^[A-Za-z0-9!#$%&'*+/=?^_\`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_\`{|}~-]+)*@${LABEL}(?:\\.${LABEL})+$`);

function dnsName(name: string): Bytes {
  if (name.length > 253 || !DNS_NAME.test(name) || /^[0-9.]+$/.test(name)) throw invalid(`\`${name}\` is no DNS name; write one that is not ASCII in its \`xn--\` form, and an address among the addresses`);
  return implicit(2, utf8(name));
}

function emailName(name: string): Bytes {
  if (name.length > 254 || !EMAIL.test(name)) throw invalid(`\`${name}\` is no e-mail address in ASCII`);
  return implicit(1, utf8(name));
}

/** iPAddress: 4 or 16 bytes. */
function addressName(text: string): Bytes {
  const bytes = text.includes(':') ? ipv6(text) : ipv4(text);
  if (!bytes) throw invalid(`\`${text}\` is no IP address`);
  return implicit(7, bytes);
}

function ipv4(text: string): Bytes | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  return parts.every((part) => part < 256) ? concat(...parts.map((part) => u8(part))) : undefined;
}

/** RFC 4291 section 2.2, forms 1 and 2. */
function ipv6(text: string): Bytes | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...head, ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  if (tail === undefined ? groups.length !== 8 : groups.length > 7) return undefined;
  const full = tail === undefined ? groups : [...head, ...Array.from({ length: 8 - groups.length }, () => '0'), ...tail];
  return fromHex(full.map((group) => group.padStart(4, '0')).join(''));
}

const HASHES = { sha256: '608648016503040201', sha384: '608648016503040202', sha512: '608648016503040203' } as const;
const PKCS1 = { sha256: '2a864886f70d01010b', sha384: '2a864886f70d01010c', sha512: '2a864886f70d01010d' } as const;
const ECDSA = { sha256: '2a8648ce3d040302', sha384: '2a8648ce3d040303', sha512: '2a8648ce3d040304' } as const;
const PSS = oid('2a864886f70d01010a');
const MGF1 = oid('2a864886f70d010108');
const ED25519 = oid('2b6570');

/** AlgorithmIdentifier of the signature: RFC 4055 and 8017 for RSA, RFC 5758, RFC 8410. UnsupportedOperationException. */
function signatureAlgorithm(algorithm: Algorithm): Bytes {
  const { scheme, hash } = algorithmOf(algorithm);
  if (scheme === 'ed25519') return sequence(ED25519);
  if (hash === 'sha256' || hash === 'sha384' || hash === 'sha512') {
    if (scheme === 'pkcs1') return sequence(oid(PKCS1[hash]), NULL);
    if (scheme === 'ecdsa') return sequence(oid(ECDSA[hash]));
    if (scheme === 'pss') {
      const digest = sequence(oid(HASHES[hash]), NULL);
      const salt = writeElement(TAG.integer, u8(algorithmOf(algorithm).digestLength ?? 32));
      return sequence(PSS, sequence(explicit(0, digest), explicit(1, sequence(MGF1, digest)), explicit(2, salt)));
    }
  }
  throw new VaultError('UnsupportedOperationException', `\`${algorithm}\` signs no certificate requests; use an RSA or ECDSA algorithm, or \`ED25519_SHA_512\``);
}

/** What authorities take most readily: of RSA's, PKCS #1. */
export const usualAlgorithm = (spec: KeySpec, offered: readonly Algorithm[]): Algorithm | undefined => (keySpecOf(spec).family === 'rsa' ? offered.find((one) => algorithmOf(one).scheme === 'pkcs1') : offered[0]);

export interface Request {
  /** CertificationRequestInfo, which the key signs. */
  readonly body: Bytes;
  /** CertificationRequest with its signature. */
  readonly signed: (signature: Uint8Array) => Bytes;
}

/** `publicKey`: SubjectPublicKeyInfo. ValidationException for names that are none, UnsupportedOperationException. */
export function certificateRequest({ subject, dns, addresses, emails }: Requested, publicKey: Uint8Array, algorithm: Algorithm): Request {
  const parts = PARTS.flatMap((name) => {
    const value = subject[name];
    return value === undefined ? [] : [partOf(name, value)];
  });
  const names = [...dns.map(dnsName), ...addresses.map(addressName), ...emails.map(emailName)];
  if (parts.length === 0 && names.length === 0) throw invalid('a request needs a part of the subject, or a name: give at least `CommonName` or `DnsNames`');
  const by = signatureAlgorithm(algorithm);
  // RFC 5280 section 4.2.1.6: critical where the subject is empty.
  const alternative = sequence(ALTERNATIVE_NAMES, ...(parts.length === 0 ? [TRUE] : []), octets(sequence(...names)));
  const attributes = names.length === 0 ? concat() : sequence(EXTENSION_REQUEST, writeElement(TAG.set, sequence(alternative)));
  const body = sequence(writeElement(TAG.integer, u8(0)), sequence(...parts), publicKey, explicit(0, attributes));
  return { body, signed: (signature) => sequence(body, by, bits(signature)) };
}

/** RFC 7468. */
export const requestPem = (der: Uint8Array): string => pemOf('CERTIFICATE REQUEST', der);
