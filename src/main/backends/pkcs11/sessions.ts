/**
 * Sessions of one token: each does one operation at a time, so they are pooled. One more stays open and does nothing: a module forgets
 * the login with its last session (PKCS #11 v3.0 section 5.6.2). Where the token has no other left, that one works, too.
 */
import { CKF, CKR, CKU, type Cryptoki, type Handle } from './cryptoki.ts';

/** Sessions that work at once for one token. More would only wait for libuv's threads. */
const AT_ONCE = 4;

export const codeOf = (error: unknown): number | undefined => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'number' ? code : undefined;
};

export class Sessions {
  readonly slot: Handle;
  readonly #p11: Cryptoki;
  readonly #anchor: Handle;
  readonly #idle: Handle[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;
  #anchorWorks = false;
  #most: number;

  /** Opens the first session. Throws what C_OpenSession throws. `most`: what the token says it takes; 0 without a limit. */
  constructor(p11: Cryptoki, slot: Handle, most: number) {
    this.#p11 = p11;
    this.slot = slot;
    this.#anchor = p11.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
    this.#most = most > 1 ? Math.min(AT_ONCE, most - 1) : AT_ONCE;
  }

  /** Throws what C_Login throws, but not that somebody is logged in already. */
  login(pin: string): void {
    try {
      this.#p11.C_Login(this.#anchor, CKU.USER, pin);
    } catch (error) {
      if (codeOf(error) !== CKR.USER_ALREADY_LOGGED_IN) throw error;
    }
  }

  logout(): void {
    this.#p11.C_Logout(this.#anchor);
  }

  /** Runs `work` with a session of its own. A session whose operation failed is closed: nobody knows what state it is in. */
  async run<T>(work: (session: Handle) => Promise<T> | T): Promise<T> {
    const session = await this.#take();
    let failed = true;
    try {
      const result = await work(session);
      failed = false;
      return result;
    } finally {
      if (failed) this.#drop(session);
      else this.#idle.push(session);
      this.#waiting.shift()?.();
    }
  }

  async #take(): Promise<Handle> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle) return idle;
      if (this.#open < this.#most) {
        try {
          const session = this.#p11.C_OpenSession(this.slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
          this.#open += 1;
          return session;
        } catch (error) {
          // The token has fewer than it said: those that are open have to do.
          if (codeOf(error) !== CKR.SESSION_COUNT) throw error;
          this.#most = this.#open;
          if (this.#open === 0 && !this.#anchorWorks) {
            this.#anchorWorks = true;
            return this.#anchor;
          }
        }
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #drop(session: Handle): void {
    // Closed, it would take the login along; its operation has ended with the failure.
    if (session === this.#anchor) return void this.#idle.push(session);
    this.#open -= 1;
    try {
      this.#p11.C_CloseSession(session);
    } catch {
      // Gone with its token.
    }
  }
}
