/**
 * Rotators: how a new password is set and proven at a server, one file for each kind of server. They run in the process that opens outward
 * connections (`src/main/egress`), which gives them the way there and is killed when the rotation is over: passwords are strings here,
 * since the drivers want them so, and only the end of the process erases them.
 *
 * Defends against: a password in a statement (the server gets a verifier or a hash made here wherever it takes one), a value that names
 * another server or user than the one it replaces, a server's text in an error. Does not: decide when, or keep what was set.
 */
import type { Socket } from 'node:net';
import type { Action, Note, Role, Strategy } from '../egress/port.ts';
import type { Random } from '../platform/ports.ts';
import { RotatorError } from './rotator-error.ts';
import type { Credentials } from './value.ts';

/** What a TLS client needs to verify the name that the secret gives, at whatever address it was found. */
export interface TlsOptions {
  /** The name or address that the certificate has to be for. */
  readonly host: string;
  /** For SNI: absent for an address (RFC 6066, section 3). */
  readonly servername?: string;
  /** PEM; absent: the authorities that Node trusts. */
  readonly ca?: string;
  readonly minVersion: 'TLSv1.2';
  readonly rejectUnauthorized: true;
}

/** A TCP connection to an allowed host, by the address that its name was resolved to once. */
export interface Dialled {
  readonly socket: Socket;
  /** Absent when the secret says `"ssl": false`. */
  readonly tls?: TlsOptions;
  /** Tells the metadata which version was agreed on, as the TLS library or the server has it. */
  secured(version: string | null): void;
}

export interface Context {
  readonly strategy: Strategy;
  /** `set` of one user: no login counts as done already; the change is made, so that one that is still under way at the server comes before it. */
  readonly anew: boolean;
  readonly random: Random;
  /** The value of this role, parsed. RotatorError `value-malformed` when it is missing. */
  value(role: Role): Credentials;
  has(role: Role): boolean;
  /** RotatorError at `resolve` or `connect`. */
  dial(role: Role): Promise<Dialled>;
  note(note: Note): void;
  /** From here on the change may have been made, until it is taken back by a definite answer. */
  uncertain(may: boolean): void;
}

/** Each idempotent; what they promise is in `egress/port.ts`. */
export type EngineRotator = Readonly<Record<Action, (context: Context) => Promise<void>>>;

/** Undefined for a login that was refused; any other failure stays one. */
export const unlessRefused = <C>(login: Promise<C>): Promise<C | undefined> =>
  login.catch((error: unknown) => {
    if (error instanceof RotatorError && error.code === 'login-refused') return undefined;
    throw error;
  });

/** The first of these roles whose password logs in, with its connection. RotatorError `login-refused` when none does. */
export async function firstLogin<C>(roles: readonly Role[], login: (role: Role) => Promise<C>): Promise<{ readonly role: Role; readonly connection: C }> {
  for (const role of roles) {
    const connection = await unlessRefused(login(role));
    if (connection !== undefined) return { role, connection };
  }
  throw new RotatorError('login-refused', 'login', { role: roles[0] });
}

/** As `using` would, for what is closed with a promise. */
export async function during<C extends { close(): Promise<void> }, T>(connection: C, work: (connection: C) => Promise<T>): Promise<T> {
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Whose password may set the next one of a single user, in the order in which they are tried. */
export function ownRoles(context: Context): readonly Role[] {
  const { username } = context.value('pending');
  // Anew: what is to be set may be what holds.
  const known: readonly Role[] = context.anew ? ['pending'] : [];
  return context.has('previous') && context.value('previous').username === username ? [...known, 'current', 'previous'] : [...known, 'current'];
}
