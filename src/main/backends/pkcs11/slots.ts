/**
 * A module's slots, and what is asked of a token before anybody is logged in: its facts, its mechanisms, its initialisation.
 *
 * Defends against: a slot that became another token's, and a token that is there twice.
 */
import { pinOf, type Calls } from './calls.ts';
import { CKF, CKU, type Cryptoki, type Handle } from './cryptoki.ts';
import { found } from './host-failure.ts';
import type { TokenFacts, TokenName } from './protocol.ts';
import { codeOf } from './sessions.ts';
import { textOf, tokenFacts } from './token-facts.ts';

export interface Slots {
  /** HostFailure `absent`, `ambiguous`. */
  slotOf(token: TokenName): Handle;
  /** A session without a pool, closed again. */
  once<T>(slot: Handle, work: (session: Handle) => T): T;
  /** Ends the module and begins it anew. */
  begin(): void;
  readonly calls: Pick<Calls, 'load' | 'tokens' | 'mechanisms' | 'initToken' | 'resetPin'>;
}

export function createSlots(p11: Cryptoki): Slots {
  let parameters: string | undefined;

  // Without the flag a module may take itself to be alone in its process, and calls here run on several threads.
  const initialize = (): void => { p11.C_Initialize({ flags: CKF.OS_LOCKING_OK, ...(parameters === undefined ? {} : { libraryParameters: parameters }) }); };

  /** None of a token that is broken or gone, which hides no other. */
  function factsOfSlot(slot: Handle): TokenFacts[] {
    try {
      return [tokenFacts(p11, slot)];
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return [];
    }
  }

  function slotOf(token: TokenName): Handle {
    const slots = p11.C_GetSlotList(true).filter((slot) => factsOfSlot(slot).some(({ serial, label }) => serial === token.serial && label === token.label));
    const [slot] = slots;
    if (slot === undefined) throw found('absent');
    if (slots.length > 1) throw found('ambiguous');
    return slot;
  }

  function once<T>(slot: Handle, work: (session: Handle) => T): T {
    const session = p11.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
    try {
      return work(session);
    } finally {
      p11.C_CloseSession(session);
    }
  }

  /** As the security officer, who is logged out again. */
  const initPin = (slot: Handle, officerPin: Uint8Array | undefined, userPin: Uint8Array | undefined): void => {
    once(slot, (session) => {
      p11.C_Login(session, CKU.SO, pinOf(officerPin));
      try {
        p11.C_InitPIN(session, pinOf(userPin));
      } finally {
        p11.C_Logout(session);
      }
    });
  };

  return {
    slotOf,
    once,
    begin() {
      p11.C_Finalize();
      initialize();
    },
    calls: {
      load({ path, parameters: given }) {
        parameters = given;
        try {
          p11.load(path);
        } catch {
          throw found('load');
        }
        initialize();
        const { manufacturerID, libraryDescription, libraryVersion, cryptokiVersion } = p11.C_GetInfo();
        return { reply: { manufacturer: textOf(manufacturerID), description: textOf(libraryDescription), version: `${String(libraryVersion.major)}.${String(libraryVersion.minor)}`, cryptoki: `${String(cryptokiVersion.major)}.${String(cryptokiVersion.minor)}` } };
      },

      tokens: () => ({ reply: { tokens: p11.C_GetSlotList(true).flatMap(factsOfSlot) } }),

      mechanisms({ token }) {
        const slot = slotOf(token);
        const mechanisms = p11.C_GetMechanismList(slot).map((type) => {
          const { flags, minKeySize, maxKeySize } = p11.C_GetMechanismInfo(slot, type);
          return { type, flags, min: minKeySize, max: maxKeySize };
        });
        return { reply: { mechanisms } };
      },

      initToken({ slot, label, expected }, [officerPin, userPin]) {
        const handle = p11.C_GetSlotList(true).find((one) => one.toString('hex') === slot);
        if (!handle) throw found('absent');
        const before = tokenFacts(p11, handle);
        if (before.serial !== expected.serial || before.label !== expected.label || before.initialized !== expected.initialized) throw found('changed');
        p11.C_InitToken(handle, pinOf(officerPin), label.padEnd(32, ' '));
        initPin(handle, officerPin, userPin);
        const after = tokenFacts(p11, handle);
        return { reply: { serial: after.serial, label: after.label } };
      },

      resetPin({ token }, [officerPin, userPin]) {
        initPin(slotOf(token), officerPin, userPin);
        return { reply: {} };
      },
    },
  };
}
