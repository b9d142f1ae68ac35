/**
 * PINs on their way to a token. None is tried where a wrong one would lock the token, unless somebody insists; a wrong one says what the
 * token reports of its tries. Keeps none.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { copy } from '../crypto/bytes.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { keyOf, type TokenFacts } from '../backends/pkcs11/protocol.ts';
import type { Place } from './processes.ts';
import { clusterIdOf } from './token-names.ts';

export interface PinPorts {
  readonly login: (place: Place, again: boolean, pin: Uint8Array) => Promise<unknown>;
  readonly setPin: (place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]) => Promise<unknown>;
  /** The tokens that the place's module has. */
  readonly tokens: (place: Place) => Promise<readonly TokenFacts[]>;
}

/** Whether to go on where one more wrong PIN locks it, and the command that says so. */
export interface Insisting {
  readonly lastTry: boolean;
  readonly insist?: string;
}

const INSIST = 'keystead hardware unlock-token --last-try';
/** Whose PIN, as `TokenFacts` has them. */
type Whose = 'pin' | 'officerPin';
const LEFT: Readonly<Record<TokenFacts[Whose], string>> = {
  ok: 'it does not say how many tries are left',
  low: 'it says that tries are running out',
  last: 'it says that one try is left',
  locked: 'it is locked now',
};
const LOCKED: Readonly<Record<Whose, string>> = {
  pin: 'has locked its PIN; its security officer can set a new one with `keystead hardware reset-pin`',
  officerPin: 'has locked its security officer’s PIN; only the tools of its vendor can help now',
};
const LAST: Readonly<Record<Whose, string>> = {
  pin: 'says that one more wrong PIN locks it',
  officerPin: 'says that one more wrong PIN of its security officer locks that PIN',
};

/** For whoever has given several PINs: whose it was, of which token (`CloudHsmClusterId`), and what that says of its tries. */
const whoseOf = ({ token }: Place, whose: Whose, tries: TokenFacts[Whose]): Record<string, string> => ({ pin: whose === 'pin' ? 'user' : 'securityOfficer', token: clusterIdOf(token), tries });

export class PinTries {
  readonly #ports: PinPorts;

  constructor(ports: PinPorts) {
    this.#ports = ports;
  }

  async login(place: Place, pin: SecretBytes, again: boolean, insisting: Insisting): Promise<void> {
    await this.#assertTries(place, 'pin', insisting);
    try {
      // Lent to the frame, which is wiped once it is written.
      const pinBytes = pin.borrow(copy);
      try {
        await this.#ports.login(place, again, pinBytes);
      } finally {
        pinBytes.fill(0);
      }
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== 'IncorrectPinException') throw error;
      throw await this.#told(place, 'pin', error);
    }
  }

  async setPin(place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]): Promise<void> {
    await this.#assertTries(place, 'pin', { lastTry: false });
    await this.#ports.setPin(place, pins);
  }

  /** `work` gives the token its security officer's PIN. */
  async asOfficer<T>(place: Place, insisting: Insisting, work: () => Promise<T>): Promise<T> {
    await this.#assertTries(place, 'officerPin', insisting);
    try {
      return await work();
    } catch (error) {
      // Other PINs may be given with it, which the token counts no tries of.
      throw error instanceof VaultError && error.details?.['returned'] === 'CKR_PIN_INCORRECT' ? await this.#told(place, 'officerPin', error) : error;
    }
  }

  async #told(place: Place, whose: Whose, error: VaultError): Promise<VaultError> {
    const state = await this.#state(place, whose);
    return new VaultError(error.code, `${error.message}; ${LEFT[state]}`, { details: { ...error.details, ...whoseOf(place, whose, state) } });
  }

  /** PinLockedException where a wrong PIN would be one too many. */
  async #assertTries(place: Place, whose: Whose, { lastTry, insist = INSIST }: Insisting): Promise<void> {
    const state = await this.#state(place, whose);
    if (state === 'locked') throw new VaultError('PinLockedException', `${nameToken(place.token)} ${LOCKED[whose]}`, { details: whoseOf(place, whose, state) });
    if (state === 'last' && !lastTry) throw new VaultError('PinLockedException', `${nameToken(place.token)} ${LAST[whose]}; if you are sure of yours, try with \`${insist}\``, { details: whoseOf(place, whose, state) });
  }

  async #state(place: Place, whose: Whose): Promise<TokenFacts[Whose]> {
    return (await this.#ports.tokens(place)).find((facts) => keyOf(facts) === keyOf(place.token))?.[whose] ?? 'ok';
  }
}
