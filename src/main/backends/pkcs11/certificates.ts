/**
 * Certificates on a token, read in the process that runs other people's code anyway: the vault itself parses none.
 *
 * Defends against: a certificate that is none, or garbled, or too large (it is listed as what it is, and no other is hidden by it); bytes
 * behind a certificate, which nobody would have looked at. Does not: judge who signed it, or whether it is still good.
 */
import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import { writeSpki, type CurveName } from '../../crypto/der.ts';
import type { Answer, Calls } from './calls.ts';
import { CKA, CKC, CKO, LOST, type Handle } from './cryptoki.ts';
import { found } from './host-failure.ts';
import type { Objects } from './objects.ts';
import { MOST_CERTIFICATE, MOST_CERTIFICATES, MOST_LISTED, MOST_NAME, type CertificateFacts, type PublicHalf, type RequestOf, type TokenName } from './protocol.ts';
import { codeOf } from './sessions.ts';
import { numberIn, rsaSpki, textIn } from './templates.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const CURVES: Readonly<Record<string, CurveName>> = { 'P-256': 'P-256', 'P-384': 'P-384', 'P-521': 'P-521', secp256k1: 'secp256k1' };
const bytesOf = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');

/** SubjectPublicKeyInfo in the one form that this vault writes; undefined for kinds of key that are not used here. */
function spkiOfKey(key: KeyObject): Uint8Array | undefined {
  const { kty, crv = '', n, e, x, y } = key.export({ format: 'jwk' });
  if (kty === 'RSA') return rsaSpki(bytesOf(n), bytesOf(e));
  if (kty === 'OKP' && crv === 'Ed25519') return writeSpki('ed25519', bytesOf(x));
  const curve = kty === 'EC' ? CURVES[crv] : undefined;
  return curve && writeSpki(curve, Buffer.concat([Buffer.of(4), bytesOf(x), bytesOf(y)]));
}

/** What `work` gives; undefined where it throws, unless the token is gone. */
function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (LOST.has(codeOf(error) ?? -1)) throw error;
    return undefined;
  }
}

/** A certificate that is the whole of `der`; undefined for anything else. */
function parse(der: Buffer): X509Certificate | undefined {
  const one = tried(() => new X509Certificate(der));
  return one?.raw.equals(der) === true ? one : undefined;
}

// OpenSSL separates parts by line, and escapes line breaks within one.
const nameOf = (lines: string | undefined): string => textIn(Buffer.from((lines ?? '').trimEnd().split('\n').join(', ')), MOST_NAME);

/** SubjectPublicKeyInfo of the key that it certifies. */
const certified = (one: X509Certificate): Uint8Array | undefined => tried(() => spkiOfKey(one.publicKey));

/** Pure, but for OpenSSL. */
export function readCertificate(der: Buffer): CertificateFacts['read'] {
  const one = parse(der);
  const [from, until] = [Date.parse(one?.validFrom ?? ''), Date.parse(one?.validTo ?? '')];
  if (!one || Number.isNaN(from) || Number.isNaN(until) || !/^-?[0-9A-F]{1,256}$/.test(one.serialNumber)) return undefined;
  const publicKey = certified(one);
  return { subject: nameOf(one.subject), issuer: nameOf(one.issuer), serial: one.serialNumber, from, until, ...(publicKey ? { publicKey: sha256(publicKey) } : {}) };
}

interface CertificatePorts {
  readonly objects: Objects;
  readonly within: <T>(token: TokenName, work: (session: Handle) => T) => Promise<T>;
}

export interface Certificates {
  readonly calls: Pick<Calls, 'certificates' | 'certificate'>;
  /** SubjectPublicKeyInfo that the certificates of this CKA_ID agree on. Whoever takes it has to have the key prove it. */
  publicKeyOf(session: Handle, id: Buffer): Uint8Array | undefined;
}

export function createCertificates({ objects: { find, read, spkiOf }, within }: CertificatePorts): Certificates {
  const all = (session: Handle, id?: Buffer): Handle[] => find(session, [{ type: CKA.CLASS, value: CKO.CERTIFICATE }, ...(id ? [{ type: CKA.ID, value: id }] : [])]).slice(0, MOST_CERTIFICATES);
  const idOf = (session: Handle, object: Handle): string => (read(session, object, CKA.ID) ?? Buffer.alloc(0)).toString('hex');

  function factsOf(session: Handle, object: Handle): CertificateFacts {
    const about = { id: idOf(session, object), label: textIn(read(session, object, CKA.LABEL)) };
    const type = numberIn(read(session, object, CKA.CERTIFICATE_TYPE));
    if (type !== undefined && type !== CKC.X_509) return { ...about, state: 'notX509' };
    const der = read(session, object, CKA.VALUE);
    if (!der?.byteLength) return { ...about, state: 'empty' };
    if (der.byteLength > MOST_CERTIFICATE) return { ...about, state: 'tooLarge' };
    const facts = readCertificate(der);
    return { ...about, sha256: sha256(der), ...(facts ? { state: 'readable', read: facts } : { state: 'garbled' }) };
  }

  /** One pass over what is public, and one over what is private. */
  function halves(session: Handle): PublicHalf[] {
    const publics = new Map<string, Handle[]>();
    for (const object of find(session, [{ type: CKA.CLASS, value: CKO.PUBLIC_KEY }])) {
      const id = idOf(session, object);
      publics.set(id, [...(publics.get(id) ?? []), object]);
    }
    return find(session, [{ type: CKA.CLASS, value: CKO.PRIVATE_KEY }]).slice(0, MOST_LISTED).map((key) => {
      const id = idOf(session, key);
      const beside = publics.get(id) ?? [];
      const spki = beside.length > 1 ? undefined : [...beside, key].reduce<Uint8Array | undefined>((known, object) => known ?? tried(() => spkiOf(session, object)), undefined);
      return { id, ...(spki ? { publicKey: sha256(spki) } : {}) };
    });
  }

  const certificates = ({ token }: RequestOf<'certificates'>): Promise<Answer<'certificates'>> =>
    within(token, (session) => {
      const facts = all(session).map((object) => factsOf(session, object));
      return { reply: { certificates: facts, keys: facts.length === 0 ? [] : halves(session) } };
    });

  const certificate = ({ token, sha256: wanted }: RequestOf<'certificate'>): Promise<Answer<'certificate'>> =>
    within(token, (session) => {
      for (const object of all(session)) {
        const der = read(session, object, CKA.VALUE);
        if (der && der.byteLength <= MOST_CERTIFICATE && sha256(der) === wanted && parse(der)) return { reply: {}, parts: [der] };
      }
      throw found('absent');
    });

  function publicKeyOf(session: Handle, id: Buffer): Uint8Array | undefined {
    const known = new Map<string, Uint8Array>();
    for (const object of all(session, id)) {
      const one = tried(() => parse(read(session, object, CKA.VALUE) ?? Buffer.alloc(0)));
      const spki = one && certified(one);
      if (spki) known.set(sha256(spki), spki);
    }
    const [only, ...more] = known.values();
    return more.length === 0 ? only : undefined;
  }

  return { calls: { certificates, certificate }, publicKeyOf };
}
