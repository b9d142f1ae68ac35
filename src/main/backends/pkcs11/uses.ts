/** What a key in a token is used for. */
import { bufferOf, type Calls } from './calls.ts';
import { CKA, CKM, PARAMETERS, type Cryptoki, type Handle } from './cryptoki.ts';
import { found } from './host-failure.ts';
import { mechanismOf } from './mechanisms.ts';
import type { Objects } from './objects.ts';
import type { TokenName } from './protocol.ts';
import { sharedTemplate } from './templates.ts';

/** Longer than any signature, and than what an operation adds to its input. */
const ROOM = 1024;

export interface UseParts {
  readonly p11: Cryptoki;
  readonly read: Objects['read'];
  withKey<T>(token: TokenName, id: string, work: (session: Handle, key: Handle) => Promise<T>): Promise<T>;
}

export const createUses = ({ p11, read, withKey }: UseParts): Pick<Calls, 'sign' | 'encrypt' | 'decrypt' | 'derive'> => ({
  sign: ({ token, id, use }, [data]) =>
    withKey(token, id, async (session, key) => {
      p11.C_SignInit(session, mechanismOf(use), key);
      return { reply: {}, parts: [await p11.C_SignAsync(session, bufferOf(data), Buffer.alloc(ROOM))] };
    }),
  encrypt: ({ token, id, use }, [data]) =>
    withKey(token, id, async (session, key) => {
      p11.C_EncryptInit(session, mechanismOf(use), key);
      return { reply: {}, parts: [await p11.C_EncryptAsync(session, bufferOf(data), Buffer.alloc((data?.byteLength ?? 0) + ROOM))] };
    }),
  decrypt: ({ token, id, use }, [data]) =>
    withKey(token, id, async (session, key) => {
      p11.C_DecryptInit(session, mechanismOf(use), key);
      return { reply: {}, parts: [await p11.C_DecryptAsync(session, bufferOf(data), Buffer.alloc((data?.byteLength ?? 0) + ROOM))] };
    }),
  derive: ({ token, id, length }, [point]) =>
    withKey(token, id, async (session, key) => {
      const parameter = { type: PARAMETERS.ECDH, kdf: 1, publicData: bufferOf(point) };
      const shared = await p11.C_DeriveKeyAsync(session, { mechanism: CKM.ECDH1_DERIVE, parameter }, key, sharedTemplate(length));
      try {
        const value = read(session, shared, CKA.VALUE);
        if (value?.byteLength !== length) throw found('internal');
        return { reply: {}, parts: [value] };
      } finally {
        p11.C_DestroyObject(session, shared);
      }
    }),
});
