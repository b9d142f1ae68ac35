/** A connection to PostgreSQL through the driver `pg`, over a socket that was dialled already. */
import { Client } from 'pg';
import type { FailureCode, Place, Role } from '../egress/port.ts';
import { RotatorError } from './rotator-error.ts';
import type { Context } from './rotator.ts';
import { codeOf, transportError } from './transport-errors.ts';

/** SQLSTATEs (PostgreSQL, Appendix A). */
const STATES: Readonly<Record<string, FailureCode>> = {
  '28P01': 'login-refused', '28000': 'login-refused', '42501': 'rights-missing', '25006': 'read-only', '53300': 'busy', '57P03': 'busy', '55P03': 'busy', '40001': 'busy', '40P01': 'busy', '57014': 'busy',
  '53100': 'disk-failed', '58030': 'disk-failed', '57P01': 'connection-lost', '57P02': 'connection-lost',
};

type Row = Readonly<Record<string, unknown>>;

export interface PostgresConnection {
  /** Rows of a statement. Its errors are RotatorError, with the SQLSTATE alone. */
  query(place: Place, text: string, values?: readonly string[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** A server that sends none of these lets whoever comes in, with whatever password (`trust`), or looks at something else (`cert`, `peer`). */
const ASKS = ['authenticationCleartextPassword', 'authenticationMD5Password', 'authenticationSASL'] as const;

/** What the driver has and its types leave out. */
interface Wire {
  readonly stream: { destroy(): void; getProtocol?(): string | null };
  on(event: (typeof ASKS)[number], listener: () => void): void;
}

function failureOf(error: unknown, place: Place, role: Role): RotatorError {
  const state = codeOf(error);
  if (state !== undefined && /^[0-9A-Z]{5}$/.test(state) && error instanceof Error && 'severity' in error) return new RotatorError(STATES[state] ?? 'server-error', place, { detail: state, role });
  const known = transportError(error, place, role);
  if (known) return known;
  // The driver's own words, which carry no code.
  const message = error instanceof Error ? error.message : '';
  if (message === 'The server does not support SSL connections') return new RotatorError('tls-missing', 'tls', { role });
  if (message === 'There was an error establishing an SSL connection') return new RotatorError('answer-malformed', 'tls', { role });
  return new RotatorError(/^(?:Connection terminated|Client has encountered a connection error)/.test(message) ? 'connection-lost' : 'answer-malformed', place, { role });
}

/** Logs in with the value of `role`, which proves its password. RotatorError; `method-unsupported` at a server that asks for none. */
export async function openPostgres(context: Context, role: Role): Promise<PostgresConnection> {
  const { username, password, dbname } = context.value(role);
  const dialled = await context.dial(role);
  const { socket, tls } = dialled;
  // It is connected; the driver waits to be told so.
  socket.connect = () => {
    setImmediate(() => socket.emit('connect'));
    return socket;
  };
  // `host` is what the driver has the certificate be for; it resolves nothing.
  const client = new Client({ host: tls?.host ?? 'localhost', port: 5432, user: username, password, database: dbname ?? 'postgres', ssl: tls ?? false, stream: () => socket, application_name: 'keystead' });
  const wire = (client as unknown as { readonly connection: Wire }).connection;
  let refused: RotatorError | undefined;
  const refuse = (): void => {
    refused = new RotatorError('method-unsupported', 'login', { role });
    wire.stream.destroy();
  };
  // A server that asks for the password itself, or for a hash that is as good as it, gets neither over an open line.
  if (!tls) for (const asked of ['authenticationCleartextPassword', 'authenticationMD5Password'] as const) wire.on(asked, refuse);
  const login = { isProven: false };
  for (const asked of ASKS) wire.on(asked, () => { login.isProven = true; });
  // Without a listener, a connection that breaks between two statements would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    // Refused, yet over TLS.
    if (tls) dialled.secured(wire.stream.getProtocol?.() ?? null);
    socket.destroy();
    throw refused ?? failureOf(error, 'login', role);
  }
  if (!login.isProven) {
    await client.end().catch(() => undefined);
    socket.destroy();
    throw new RotatorError('method-unsupported', 'login', { role });
  }
  dialled.secured(tls ? (wire.stream.getProtocol?.() ?? null) : 'none');
  return {
    async query(place, text, values) {
      try {
        return (await client.query<Row>(text, values && [...values])).rows;
      } catch (error) {
        throw failureOf(error, place, role);
      }
    },
    async close() {
      await client.end().catch(() => undefined);
      socket.destroy();
    },
  };
}
