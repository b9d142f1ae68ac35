/**
 * What a module host does for a cluster: wrapping keys that a token trusts, and keys that travel under them.
 *
 * Defends against: a key that leaves under a wrapping key that is not trusted (its attributes are read back; whether the token keeps to them
 * is tried by `wrapTest`), a copy that is used before it was tried out (it has an id of its own until then), what a process that died left.
 */
import { bufferOf, pinOf, type Calls } from './calls.ts';
import { CKA, CKG, CKM, CKO, CKU, PARAMETERS, type Cryptoki, type Handle, type Mechanism } from './cryptoki.ts';
import { found } from './host-failure.ts';
import type { Objects } from './objects.ts';
import { isClusterKey, stagingOf, type TokenName, type Way } from './protocol.ts';
import { copyTemplate, flagIn, peerTemplate, publicTemplate, transportTemplates, wrapperCopyTemplate, wrapperTemplate, type Named } from './templates.ts';

/** Longer than any private key wrapped. */
const ROOM = 8192;

export interface TrustParts {
  readonly p11: Cryptoki;
  readonly objects: Objects;
  within<T>(token: TokenName, work: (session: Handle) => Promise<T> | T): Promise<T>;
  withKey<T>(token: TokenName, id: string, work: (session: Handle, key: Handle) => Promise<T>): Promise<T>;
  slotOf(token: TokenName): Handle;
  once<T>(slot: Handle, work: (session: Handle) => T): T;
  /** Another object is of this id now. */
  forget(token: TokenName, id: string): void;
}

type Names = 'holds' | 'transport' | 'trust' | 'keepWrapper' | 'wrapOut' | 'unwrapIn' | 'settle' | 'seal' | 'discard';

/** OAEP with SHA-1, which every token has: nothing of it rests on SHA-1's resistance to collisions (RFC 8017 appendix B.1). */
const mechanismOf = ({ mechanism }: Way): Mechanism => (mechanism === CKM.RSA_PKCS_OAEP ? { mechanism, parameter: { type: PARAMETERS.RSA_OAEP, hashAlg: CKM.SHA_1, mgf: CKG.sha1, source: 1 } } : { mechanism });

const idOf = (id: string): Buffer => Buffer.from(id, 'hex');

export function createTrust({ p11, objects: { find, read, statedOf }, within, withKey, slotOf, once, forget }: TrustParts): Pick<Calls, Names> {
  const named = (session: Handle, id: string, ...classes: readonly number[]): Handle[] => classes.flatMap((value) => find(session, [{ type: CKA.CLASS, value }, { type: CKA.ID, value: idOf(id) }]));
  const keysOf = (session: Handle, id: string): Handle[] => named(session, id, CKO.PRIVATE_KEY, CKO.SECRET_KEY);

  function one(session: Handle, id: string, classes: readonly number[]): Handle {
    const [key, another] = named(session, id, ...classes);
    if (key === undefined) throw found('absent');
    if (another !== undefined) throw found('ambiguous');
    return key;
  }

  function remove(session: Handle, token: TokenName, id: string): void {
    for (const object of named(session, id, CKO.PRIVATE_KEY, CKO.SECRET_KEY, CKO.PUBLIC_KEY)) p11.C_DestroyObject(session, object);
    forget(token, id);
  }

  return {
    holds: ({ token, ids, halves }) =>
      within(token, (session) => {
        const there = new Set([CKO.PRIVATE_KEY, CKO.SECRET_KEY, ...(halves ? [CKO.PUBLIC_KEY] : [])].flatMap((value) => find(session, [{ type: CKA.CLASS, value }])).map((key) => read(session, key, CKA.ID)?.toString('hex')));
        return { reply: { held: ids.filter((id) => there.has(id)) } };
      }),

    transport: ({ token, id, label }) =>
      within(token, async (session) => {
        const templates = transportTemplates({ id: idOf(id), label });
        const { publicKey } = await p11.C_GenerateKeyPairAsync(session, { mechanism: CKM.RSA_PKCS_KEY_PAIR_GEN }, templates.public, templates.private);
        const [modulus, exponent] = [read(session, publicKey, CKA.MODULUS), read(session, publicKey, CKA.PUBLIC_EXPONENT)];
        if (!modulus?.byteLength || !exponent?.byteLength) throw found('internal');
        return { reply: { modulus: modulus.toString('hex'), exponent: exponent.toString('hex') } };
      }),

    trust({ token, label, wrapper, peers }, [pin]) {
      once(slotOf(token), (session) => {
        p11.C_Login(session, CKU.SO, pinOf(pin));
        try {
          for (const { id, modulus, exponent } of peers) {
            for (const old of named(session, id, CKO.PUBLIC_KEY)) p11.C_DestroyObject(session, old);
            p11.C_CreateObject(session, peerTemplate({ id: idOf(id), label }, Buffer.from(modulus, 'hex'), Buffer.from(exponent, 'hex')));
          }
          if (wrapper === undefined) return;
          // One that lies there for anybody to read, from a ceremony that was cut off.
          for (const old of find(session, [{ type: CKA.CLASS, value: CKO.SECRET_KEY }, { type: CKA.LABEL, value: Buffer.from(label, 'utf8') }, { type: CKA.PRIVATE, value: false }])) p11.C_DestroyObject(session, old);
          p11.C_GenerateKey(session, { mechanism: CKM.AES_KEY_GEN }, wrapperTemplate({ id: idOf(wrapper), label }));
        } finally {
          p11.C_Logout(session);
        }
      });
      return { reply: {} };
    },

    keepWrapper: ({ token, id }) =>
      within(token, (session) => {
        const made = one(session, id, [CKO.SECRET_KEY]);
        const lay = flagIn(read(session, made, CKA.PRIVATE)) !== true;
        const kept = lay ? p11.C_CopyObject(session, made, [{ type: CKA.TOKEN, value: true }, { type: CKA.PRIVATE, value: true }]) : made;
        if (lay) p11.C_DestroyObject(session, made);
        forget(token, id);
        if (flagIn(read(session, kept, CKA.PRIVATE)) !== true) throw found('refused');
        return { reply: { stated: statedOf(session, kept), trusted: flagIn(read(session, kept, CKA.TRUSTED)) === true, lay } };
      }),

    wrapOut: ({ token, id, way }) =>
      withKey(token, id, async (session, key) => {
        const wrapper = one(session, way.by, way.mechanism === CKM.RSA_PKCS_OAEP ? [CKO.PUBLIC_KEY] : [CKO.SECRET_KEY]);
        return { reply: {}, parts: [await p11.C_WrapKeyAsync(session, mechanismOf(way), wrapper, key, Buffer.alloc(ROOM))] };
      }),

    unwrapIn: ({ token, id, way, label, what }, [wrapped, spki]) =>
      within(token, async (session) => {
        const isKey = what.kind === 'key';
        const under = isKey ? stagingOf(id) : id;
        remove(session, token, under);
        if (isKey && keysOf(session, id).length > 0) throw found('ambiguous');
        // A public half whose private one never took its place.
        if (isKey) remove(session, token, id);
        const name: Named = { id: idOf(under), label };
        const unwrapper = one(session, way.by, way.mechanism === CKM.RSA_PKCS_OAEP ? [CKO.PRIVATE_KEY] : [CKO.SECRET_KEY]);
        const template = isKey ? copyTemplate(what.spec, what.usage, name) : wrapperCopyTemplate(name);
        const copy = await p11.C_UnwrapKeyAsync(session, mechanismOf(way), unwrapper, bufferOf(wrapped), template);
        const stated = statedOf(session, copy);
        const isRight = isKey ? isClusterKey(stated) : stated.sensitive === true && stated.extractable === false;
        const half = isRight && isKey && spki?.byteLength ? publicTemplate(what.spec, what.usage, name, spki) : undefined;
        if (half) p11.C_CreateObject(session, half);
        if (isRight) return { reply: { stated } };
        remove(session, token, under);
        throw found('refused');
      }),

    settle: ({ token, id }) =>
      within(token, (session) => {
        const staging = stagingOf(id);
        const value = idOf(id);
        // The key itself last: with it the copy counts.
        for (const object of [...named(session, staging, CKO.PUBLIC_KEY), one(session, staging, [CKO.PRIVATE_KEY, CKO.SECRET_KEY])]) p11.C_SetAttributeValue(session, object, [{ type: CKA.ID, value }]);
        forget(token, staging);
        return { reply: {} };
      }),

    seal: ({ token, id }) =>
      withKey(token, id, (session, key) => {
        if (flagIn(read(session, key, CKA.EXTRACTABLE)) !== false) p11.C_SetAttributeValue(session, key, [{ type: CKA.EXTRACTABLE, value: false }]);
        const stated = statedOf(session, key);
        if (stated.extractable !== false) throw found('refused');
        return Promise.resolve({ reply: { stated } });
      }),

    discard: ({ token, ids }) =>
      within(token, (session) => {
        for (const id of ids) for (const each of [id, stagingOf(id)]) remove(session, token, each);
        return { reply: {} };
      }),
  };
}
