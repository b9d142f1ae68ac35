/**
 * PINs on their way to a token. None is tried where a wrong one would lock the token, unless somebody insists; a wrong one says what the
 * token reports of its tries. Keeps none.
 */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { copy } from '../crypto/bytes.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import type { TokenFacts } from '../backends/pkcs11/protocol.ts';
import { keyOf, type Place } from './processes.ts';

export interface PinPorts {
  readonly login: (place: Place, again: boolean, pin: Uint8Array) => Promise<unknown>;
  readonly setPin: (place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]) => Promise<unknown>;
  /** The tokens that the place's module has. */
  readonly tokens: (place: Place) => Promise<readonly TokenFacts[]>;
}

const INSIST = 'keystead hardware unlock-token --last-try';
const LEFT: Readonly<Record<TokenFacts['pin'], string>> = {
  ok: 'it does not say how many tries are left',
  low: 'it says that tries are running out',
  last: 'it says that one try is left',
  locked: 'it is locked now',
};

export class PinTries {
  readonly #ports: PinPorts;

  constructor(ports: PinPorts) {
    this.#ports = ports;
  }

  async login(place: Place, pin: SecretBytes, { again, lastTry, insist }: { readonly again: boolean; readonly lastTry: boolean; readonly insist: string | undefined }): Promise<void> {
    await this.#assertTries(place, lastTry, insist);
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
      throw new VaultError('IncorrectPinException', `${error.message}; ${LEFT[await this.#state(place)]}`, error.details === undefined ? undefined : { details: { ...error.details } });
    }
  }

  async setPin(place: Place, pins: readonly [old: Uint8Array, fresh: Uint8Array]): Promise<void> {
    await this.#assertTries(place, false);
    await this.#ports.setPin(place, pins);
  }

  /** PinLockedException where a wrong PIN would be one too many. */
  async #assertTries(place: Place, lastTry: boolean, insist = INSIST): Promise<void> {
    const state = await this.#state(place);
    if (state === 'locked') throw new VaultError('PinLockedException', `${nameToken(place.token)} has locked its PIN; its security officer has to set a new one`);
    if (state === 'last' && !lastTry) throw new VaultError('PinLockedException', `${nameToken(place.token)} says that one more wrong PIN locks it; if you are sure of yours, try with \`${insist}\``);
  }

  async #state(place: Place): Promise<TokenFacts['pin']> {
    return (await this.#ports.tokens(place)).find((facts) => keyOf(facts) === keyOf(place.token))?.pin ?? 'ok';
  }
}
