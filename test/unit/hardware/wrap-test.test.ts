/** What a token's answer says when it is asked to wrap a key out: that it may, that it may not, or nothing. */
import { describe, expect, it } from 'vitest';
import { CKF, CKM, CKR, type Cryptoki } from '../../../src/main/backends/pkcs11/cryptoki.ts';
import { tryToWrap } from '../../../src/main/backends/pkcs11/wrap-test.ts';

/** PKCS #11 v3.0 section 5.1.6, written down apart from the code: return values that are about the key and mean that it stays. */
const REFUSALS: readonly number[] = [CKR.KEY_UNEXTRACTABLE, CKR.KEY_NOT_WRAPPABLE, CKR.ATTRIBUTE_SENSITIVE, CKR.ACTION_PROHIBITED];
/** After these nobody is logged in any more. */
const LOST: readonly number[] = [CKR.DEVICE_REMOVED, CKR.TOKEN_NOT_PRESENT, CKR.TOKEN_NOT_RECOGNIZED, CKR.SESSION_HANDLE_INVALID, CKR.SESSION_CLOSED, CKR.SLOT_ID_INVALID, CKR.USER_NOT_LOGGED_IN];

function tried(answer: (mechanism: number) => number | undefined, offered: readonly number[] = [CKM.AES_KEY_WRAP_PAD]) {
  let wrappers = 0;
  const p11 = {
    C_GetMechanismList: () => [...offered],
    C_GetMechanismInfo: () => ({ flags: CKF.WRAP, minKeySize: 0, maxKeySize: 0 }),
    async C_GenerateKeyAsync() { wrappers += 1; return Buffer.of(1); },
    async C_WrapKeyAsync(_session: unknown, { mechanism }: { readonly mechanism: number }) {
      const code = answer(mechanism);
      if (code !== undefined) throw Object.assign(new Error('CKR_X'), code < 0 ? {} : { code });
      return Buffer.of(2);
    },
    C_DestroyObject: () => { wrappers -= 1; },
  } as unknown as Cryptoki;
  const done = tryToWrap(p11, Buffer.of(0), Buffer.of(9), Buffer.of(8));
  return { done, left: async () => { await done.catch(() => undefined); return wrappers; } };
}

describe('a key that a token is asked to wrap out', () => {
  it.each(Object.entries(CKR).filter(([, code]) => code !== CKR.OK && !LOST.includes(code)))('has been refused by CKR_%s only where that is a refusal', async (_name, code) => {
    const { done, left } = tried(() => code);
    expect(await done).toEqual(REFUSALS.includes(code) ? { allowed: [], refused: [CKM.AES_KEY_WRAP_PAD], unknown: [] } : { allowed: [], refused: [], unknown: [CKM.AES_KEY_WRAP_PAD] });
    expect(await left()).toBe(0);
  });

  it.each(LOST)('is not judged where the token is gone (0x%s)', async (code) => {
    const { done, left } = tried(() => code);
    await expect(done).rejects.toMatchObject({ code });
    expect(await left()).toBe(0);
  });

  it('is judged by each mechanism', async () => {
    const answers = new Map<number, number | undefined>([[CKM.AES_KEY_WRAP, CKR.KEY_SIZE_RANGE], [CKM.AES_KEY_WRAP_PAD, CKR.KEY_UNEXTRACTABLE], [CKM.AES_CBC_PAD, undefined]]);
    expect(await tried((mechanism) => answers.get(mechanism), [...answers.keys()]).done).toEqual({ allowed: [CKM.AES_CBC_PAD], refused: [CKM.AES_KEY_WRAP_PAD], unknown: [CKM.AES_KEY_WRAP] });
  });
});
