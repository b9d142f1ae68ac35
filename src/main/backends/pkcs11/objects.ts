/** What is read of the objects on a token: its own word of each key, and the public half. */
import { keySpecOf, type KeyUsage } from '../../../shared/model/algorithms.ts';
import { CKA, CKK, CKO, LOST, type Attribute, type Cryptoki, type Handle } from './cryptoki.ts';
import { found } from './host-failure.ts';
import type { KeyFacts, Stated } from './protocol.ts';
import { codeOf } from './sessions.ts';
import { curveOf, ecSpki, flagIn, numberIn, rsaSpki, specOfCurve, textIn } from './templates.ts';

const MOST_OBJECTS = 10_000;

export interface Objects {
  find(session: Handle, template: Attribute[]): Handle[];
  /** Undefined for an attribute that the object has not, or does not tell. */
  read(session: Handle, object: Handle, type: number): Buffer | undefined;
  statedOf(session: Handle, key: Handle): Stated;
  /** SubjectPublicKeyInfo of what says itself: a public key, or an RSA private key. */
  spkiOf(session: Handle, object: Handle): Uint8Array | undefined;
  /** SubjectPublicKeyInfo of the one public object of this id, or of what an RSA private key says itself. HostFailure `ambiguous` for two. */
  publicKeyOf(session: Handle, key: Handle, id: Buffer): Uint8Array | undefined;
  factsOf(session: Handle, key: Handle): KeyFacts;
}

export function createObjects(p11: Cryptoki): Objects {
  function find(session: Handle, template: Attribute[]): Handle[] {
    p11.C_FindObjectsInit(session, template);
    try {
      const all: Handle[] = [];
      for (;;) {
        const some = p11.C_FindObjects(session, 64);
        all.push(...some);
        if (some.length === 0 || all.length >= MOST_OBJECTS) return all;
      }
    } finally {
      p11.C_FindObjectsFinal(session);
    }
  }

  function read(session: Handle, object: Handle, type: number): Buffer | undefined {
    try {
      return p11.C_GetAttributeValue(session, object, [{ type }])[0]?.value;
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined || LOST.has(code)) throw error;
      return undefined;
    }
  }

  const statedOf = (session: Handle, key: Handle): Stated => {
    const flags = { sensitive: CKA.SENSITIVE, extractable: CKA.EXTRACTABLE, alwaysSensitive: CKA.ALWAYS_SENSITIVE, neverExtractable: CKA.NEVER_EXTRACTABLE, local: CKA.LOCAL, trustedOnly: CKA.WRAP_WITH_TRUSTED };
    return Object.fromEntries(Object.entries(flags).flatMap(([name, type]) => {
      const value = flagIn(read(session, key, type));
      return value === undefined ? [] : [[name, value]];
    }));
  };

  function spkiOf(session: Handle, object: Handle): Uint8Array | undefined {
    const [modulus, exponent] = [read(session, object, CKA.MODULUS), read(session, object, CKA.PUBLIC_EXPONENT)];
    if (modulus?.byteLength && exponent?.byteLength) return rsaSpki(modulus, exponent);
    const [params, point] = [read(session, object, CKA.EC_PARAMS), read(session, object, CKA.EC_POINT)];
    const curve = params && curveOf(params);
    return curve && point?.byteLength ? ecSpki(curve, point) : undefined;
  }

  /** SubjectPublicKeyInfo of the public object of this id, or of what an RSA private key says itself. */
  function publicKeyOf(session: Handle, key: Handle, id: Buffer): Uint8Array | undefined {
    const publics = find(session, [{ type: CKA.CLASS, value: CKO.PUBLIC_KEY }, { type: CKA.ID, value: id }]);
    // Nobody can say which of them is the key's own.
    if (publics.length > 1) throw found('ambiguous');
    for (const object of [...publics, key]) {
      const spki = spkiOf(session, object);
      if (spki) return spki;
    }
    return undefined;
  }

  function specOf(session: Handle, key: Handle): KeyFacts['spec'] {
    const type = numberIn(read(session, key, CKA.KEY_TYPE));
    const bytes = numberIn(read(session, key, CKA.VALUE_LEN));
    if (type === CKK.AES) return bytes === 32 ? 'SYMMETRIC_DEFAULT' : undefined;
    if (type === CKK.GENERIC_SECRET) return ({ 28: 'HMAC_224', 32: 'HMAC_256', 48: 'HMAC_384', 64: 'HMAC_512' } as const)[bytes ?? 0];
    if (type === CKK.RSA) return ({ 256: 'RSA_2048', 384: 'RSA_3072', 512: 'RSA_4096' } as const)[read(session, key, CKA.MODULUS)?.byteLength ?? 0];
    const params = type === CKK.EC || type === CKK.EC_EDWARDS ? read(session, key, CKA.EC_PARAMS) : undefined;
    const curve = params && curveOf(params);
    return curve && specOfCurve(curve);
  }

  function factsOf(session: Handle, key: Handle): KeyFacts {
    const may = (type: number): boolean => flagIn(read(session, key, type)) === true;
    const isSecret = numberIn(read(session, key, CKA.CLASS)) === CKO.SECRET_KEY;
    const uses: readonly (KeyUsage | false)[] = isSecret
      ? [may(CKA.ENCRYPT) && may(CKA.DECRYPT) && 'ENCRYPT_DECRYPT', may(CKA.SIGN) && 'GENERATE_VERIFY_MAC']
      : [may(CKA.DECRYPT) && 'ENCRYPT_DECRYPT', may(CKA.SIGN) && 'SIGN_VERIFY', may(CKA.DERIVE) && 'KEY_AGREEMENT'];
    const spec = specOf(session, key);
    return {
      id: (read(session, key, CKA.ID) ?? Buffer.alloc(0)).toString('hex'),
      label: textIn(read(session, key, CKA.LABEL)),
      class: isSecret ? 'secret' : 'private',
      ...(spec ? { spec } : {}),
      uses: uses.filter((use) => use !== false && (spec === undefined || keySpecOf(spec).algorithms[use] !== undefined)) as KeyUsage[],
      stated: statedOf(session, key),
    };
  }

  return { find, read, statedOf, spkiOf, publicKeyOf, factsOf };
}
