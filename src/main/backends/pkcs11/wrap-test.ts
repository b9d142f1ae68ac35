/**
 * Whether a token lets a key out, by trying: a token's word that a key is not extractable is no proof (NSS softokn wraps such keys). The
 * wrapping key is of the session, made for this and destroyed; what came out is wiped unseen.
 *
 * Does not: take a failure for a refusal. Only return values that say of the key that it may not be wrapped count as one (PKCS #11 v2.40
 * section 5.1.6, v3.0 section 5.1.6); after any other nothing is known.
 */
import { CKA, CKF, CKK, CKM, CKO, CKR, LOST, type Attribute, type Cryptoki, type Handle, type Mechanism } from './cryptoki.ts';
import { codeOf } from './sessions.ts';

const WRAPS: readonly Mechanism[] = [
  { mechanism: CKM.AES_KEY_WRAP },
  { mechanism: CKM.AES_KEY_WRAP_PAD },
  { mechanism: CKM.AES_KEY_WRAP_KWP },
  { mechanism: CKM.AES_CBC_PAD, parameter: Buffer.alloc(16) },
];
const WRAPPER: Attribute[] = [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
  { type: CKA.VALUE_LEN, value: 32 },
  { type: CKA.TOKEN, value: false },
  { type: CKA.SENSITIVE, value: true },
  { type: CKA.WRAP, value: true },
];
/** CKA_EXTRACTABLE is false; the key goes under a trusted wrapping key only; its value is not to be seen; the token's policy forbids it. */
const REFUSALS: ReadonlySet<number> = new Set([CKR.KEY_UNEXTRACTABLE, CKR.KEY_NOT_WRAPPABLE, CKR.ATTRIBUTE_SENSITIVE, CKR.ACTION_PROHIBITED]);

/** Longer than any private key wrapped. */
const ROOM = 8192;

/** Mechanisms by what the token did when asked to wrap the key with them; none where it offers none that could be tried. */
export async function tryToWrap(p11: Cryptoki, slot: Handle, session: Handle, key: Handle): Promise<{ readonly allowed: number[]; readonly refused: number[]; readonly unknown: number[] }> {
  const result = { allowed: [] as number[], refused: [] as number[], unknown: [] as number[] };
  const offered = new Set(p11.C_GetMechanismList(slot));
  const wraps = WRAPS.filter(({ mechanism }) => offered.has(mechanism) && (p11.C_GetMechanismInfo(slot, mechanism).flags & CKF.WRAP) !== 0);
  if (wraps.length === 0) return result;
  const wrapper = await p11.C_GenerateKeyAsync(session, { mechanism: CKM.AES_KEY_GEN }, WRAPPER);
  try {
    for (const wrap of wraps) {
      const out = Buffer.alloc(ROOM);
      try {
        await p11.C_WrapKeyAsync(session, wrap, wrapper, key, out);
        result.allowed.push(wrap.mechanism);
      } catch (error) {
        const code = codeOf(error);
        if (code === undefined || LOST.has(code)) throw error;
        (REFUSALS.has(code) ? result.refused : result.unknown).push(wrap.mechanism);
      } finally {
        out.fill(0);
      }
    }
  } finally {
    p11.C_DestroyObject(session, wrapper);
  }
  return result;
}
