/** What a token says of itself (C_GetTokenInfo, C_GetSlotInfo), as the protocol has it. */
import { CKF, type Cryptoki, type Handle } from './cryptoki.ts';
import type { TokenFacts } from './protocol.ts';

/** Padded with spaces; PKCS #11 v2.40 section 3.2. */
export const textOf = (padded: string): string => padded.replace(/[\s\0]+$/, '');

/** CK_UNAVAILABLE_INFORMATION is all ones. */
const isKnown = (count: number): boolean => Number.isSafeInteger(count) && count >= 0 && count < 0xffff_ffff;

/** CKF_USER_PIN_* and CKF_SO_PIN_* say how many tries are left, as far as a token says it at all. */
const tries = (flags: number, low: number, last: number, locked: number): TokenFacts['pin'] => ((flags & locked) !== 0 ? 'locked' : (flags & last) !== 0 ? 'last' : (flags & low) !== 0 ? 'low' : 'ok');

export function tokenFacts(p11: Cryptoki, slot: Handle): TokenFacts {
  const info = p11.C_GetTokenInfo(slot);
  const { slotDescription, flags: slotFlags } = p11.C_GetSlotInfo(slot);
  const has = (flag: number): boolean => (info.flags & flag) !== 0;
  const version = ({ major, minor }: { readonly major: number; readonly minor: number }): string => `${String(major)}.${String(minor)}`;
  return {
    slot: slot.toString('hex'),
    description: textOf(slotDescription),
    present: (slotFlags & CKF.TOKEN_PRESENT) !== 0,
    serial: textOf(info.serialNumber),
    label: textOf(info.label),
    manufacturer: textOf(info.manufacturerID),
    model: textOf(info.model),
    firmware: version(info.firmwareVersion),
    hardware: version(info.hardwareVersion),
    initialized: has(CKF.TOKEN_INITIALIZED),
    pinSet: has(CKF.USER_PIN_INITIALIZED),
    pinPad: has(CKF.PROTECTED_AUTHENTICATION_PATH),
    writeProtected: has(CKF.WRITE_PROTECTED),
    pin: tries(info.flags, CKF.USER_PIN_COUNT_LOW, CKF.USER_PIN_FINAL_TRY, CKF.USER_PIN_LOCKED),
    // SoftHSM calls the PIN of an officer that there is not yet locked.
    officerPin: has(CKF.TOKEN_INITIALIZED) ? tries(info.flags, CKF.SO_PIN_COUNT_LOW, CKF.SO_PIN_FINAL_TRY, CKF.SO_PIN_LOCKED) : 'ok',
    minPin: info.minPinLen,
    maxPin: info.maxPinLen,
    ...(isKnown(info.sessionCount) ? { sessions: info.sessionCount } : {}),
    ...(isKnown(info.maxSessionCount) ? { maxSessions: info.maxSessionCount } : {}),
    ...(has(CKF.CLOCK_ON_TOKEN) ? { clock: textOf(info.utcTime) } : {}),
  };
}
