import type { FailureCode, Place, Role } from '../egress/port.ts';

/** Ends an action. Nothing of it is a server's text. */
export class RotatorError extends Error {
  override readonly name = 'RotatorError';
  readonly code: FailureCode;
  readonly place: Place;
  readonly detail: string | undefined;
  readonly role: Role | undefined;
  constructor(code: FailureCode, place: Place, { detail, role }: { readonly detail?: string | undefined; readonly role?: Role | undefined } = {}) {
    super(code);
    this.code = code;
    this.place = place;
    this.detail = detail;
    this.role = role;
  }
}
