/**
 * Which curves a token makes keys on, found out by trying: its list names a mechanism for all of them, and sizes. Each pair is of the session
 * and destroyed at once.
 *
 * Does not: take a failure for a refusal. Only what a token says of the curve counts as one, or what it says of no other curve that was tried in the same way.
 */
import { keySpecOf, type KeySpec } from '../../../shared/model/algorithms.ts';
import { CKA, CKR, LOST, type Attribute, type Cryptoki, type Handle } from './cryptoki.ts';
import { GENERATORS } from './mechanisms.ts';
import { codeOf } from './sessions.ts';
import { pairTemplates } from './templates.ts';

const TRIED = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519'] as const satisfies readonly KeySpec[];
const OUTRIGHT: ReadonlySet<number> = new Set([CKR.DOMAIN_PARAMS_INVALID, CKR.CURVE_NOT_SUPPORTED, CKR.MECHANISM_PARAM_INVALID, CKR.KEY_SIZE_RANGE]);
/** Of a curve where another one of the same mechanism was made. SoftHSM has CKR_GENERAL_ERROR for one that its library does not know. */
const BESIDE: ReadonlySet<number> = new Set([CKR.ATTRIBUTE_VALUE_INVALID, CKR.TEMPLATE_INCONSISTENT, CKR.ARGUMENTS_BAD, CKR.GENERAL_ERROR, CKR.FUNCTION_FAILED]);

const NAME = { id: Buffer.alloc(16), label: 'keystead probe' };

/** `isPrivate`: as keys are made where somebody is logged in. */
function templates(spec: KeySpec, isPrivate: boolean): { readonly public: Attribute[]; readonly private: Attribute[] } {
  const own = pairTemplates(spec, 'SIGN_VERIFY', NAME);
  const ofSession = (attributes: Attribute[]): Attribute[] => attributes.map((one) => (one.type === CKA.TOKEN ? { ...one, value: false } : one.type === CKA.PRIVATE ? { ...one, value: isPrivate && one.value === true } : one));
  return { public: ofSession(own.public), private: ofSession(own.private) };
}

/** Specs by what the token did; of one that is in neither, nothing is known. Throws where the token or its login is gone. */
export async function tryCurves(p11: Cryptoki, slot: Handle, session: Handle, isPrivate: boolean): Promise<{ readonly made: KeySpec[]; readonly refused: KeySpec[] }> {
  const offered = new Set(p11.C_GetMechanismList(slot));
  const mechanismOf = (spec: KeySpec): number => GENERATORS[keySpecOf(spec).family as 'ec' | 'edwards'];
  const made: KeySpec[] = [];
  const failed: { readonly spec: KeySpec; readonly code: number }[] = [];
  for (const spec of TRIED.filter((one) => offered.has(mechanismOf(one)))) {
    const parts = templates(spec, isPrivate);
    try {
      const pair = await p11.C_GenerateKeyPairAsync(session, { mechanism: mechanismOf(spec) }, parts.public, parts.private);
      for (const object of [pair.privateKey, pair.publicKey]) p11.C_DestroyObject(session, object);
      made.push(spec);
    } catch (error) {
      const code = codeOf(error);
      if (code === CKR.USER_NOT_LOGGED_IN && !isPrivate) return { made, refused: [] };
      if (code === undefined || LOST.has(code)) throw error;
      failed.push({ spec, code });
    }
  }
  const isRefusal = ({ spec, code }: (typeof failed)[number]): boolean => OUTRIGHT.has(code) || (BESIDE.has(code) && made.some((other) => mechanismOf(other) === mechanismOf(spec)));
  return { made, refused: failed.filter(isRefusal).map(({ spec }) => spec) };
}
