/** What a module host finds by itself, not the module. */
import { CKR } from './cryptoki.ts';
import type { Failure } from './protocol.ts';

export class HostFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
  }
}

export const found = (what: Failure['what']): HostFailure => new HostFailure({ what });

/** As if a login had returned it. */
const ofLogin = (code: number, name: string): HostFailure => new HostFailure({ what: 'cryptoki', function: 'C_Login', code, name });
export const loggedOut = (): HostFailure => ofLogin(CKR.USER_NOT_LOGGED_IN, 'CKR_USER_NOT_LOGGED_IN');
export const wrongPin = (): HostFailure => ofLogin(CKR.PIN_INCORRECT, 'CKR_PIN_INCORRECT');
