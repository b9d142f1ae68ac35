/** A connection to MySQL or MariaDB through the driver `mysql2`, over a socket that was dialled already. */
import { isIP } from 'node:net';
import { authPlugins, type AuthPlugin } from 'mysql2';
import { createConnection } from 'mysql2/promise';
import type { FailureCode, Place, Role } from '../egress/port.ts';
import { ed25519Sign } from './mysql-passwords.ts';
import { RotatorError } from './rotator-error.ts';
import type { Context } from './rotator.ts';
import { codeOf, transportError } from './transport-errors.ts';

/** MySQL and MariaDB, "Error Reference". */
const NUMBERS: Readonly<Record<number, FailureCode>> = {
  1045: 'login-refused', 1698: 'login-refused', 3118: 'login-refused', 4151: 'login-refused', 1044: 'rights-missing', 1142: 'rights-missing', 1227: 'rights-missing', 1370: 'rights-missing', 1410: 'rights-missing', 1290: 'read-only', 1836: 'read-only',
  1040: 'busy', 1203: 'busy', 1205: 'busy', 1213: 'busy', 1226: 'busy', 1129: 'busy', 1021: 'disk-failed', 1026: 'disk-failed', 1114: 'disk-failed', 1053: 'connection-lost', 1819: 'password-unsuitable', 1251: 'method-unsupported', 1275: 'method-unsupported', 1524: 'method-unsupported', 4019: 'method-unsupported',
};

/** OpenSSL's own words: the driver replaces its codes by one. */
const UNTRUSTED = /self-signed|unable to (?:get|verify)|certificate (?:has expired|is not yet valid|signature)|invalid CA/;

/**
 * MySQL's own methods (MySQL, "Caching SHA-2 Pluggable Authentication", "SHA-256 Pluggable Authentication") ask for the password itself where
 * the server has no hash of it at hand: over TLS as it is, else encrypted under a key that the server sends. Over an open line that key is
 * whoever's is on the way, so it is not used: what remains there is the scramble of a password that the server has cached.
 */
const noKey = (): never => {
  throw new Error('a key that came over an open line');
};
const careful = (plugin: AuthPlugin): AuthPlugin => (metadata) => {
  const answer = plugin(metadata);
  // In a promise, so that the driver hears of what is thrown. It may be null, which its types leave out.
  return (data) => Promise.resolve().then(() => answer(data)) as Promise<Buffer>;
};
const OPEN_LINE = {
  caching_sha2_password: careful(authPlugins.caching_sha2_password({ onServerPublicKey: noKey })),
  sha256_password: careful(authPlugins.sha256_password({ onServerPublicKey: noKey })),
};

export interface MysqlConnection {
  /** Each row as a list of texts. Errors are RotatorError, with the server's number alone. */
  query(place: Place, statement: string): Promise<readonly (readonly (string | null)[])[]>;
  close(): Promise<void>;
}

function failureOf(error: unknown, place: Place, role: Role): RotatorError {
  const number = typeof error === 'object' && error !== null && 'errno' in error ? error.errno : undefined;
  const fromServer = typeof error === 'object' && error !== null && 'sqlState' in error;
  if (fromServer && typeof number === 'number' && number > 0 && number < 65_536) {
    const failure = NUMBERS[number] ?? 'server-error';
    // Later, "access denied" is about what the user may do (MariaDB says so of a role that it may not pass on).
    return new RotatorError(failure === 'login-refused' && place !== 'login' ? 'rights-missing' : failure, place, { detail: String(number), role });
  }
  const code = codeOf(error);
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return new RotatorError('tls-missing', 'tls', { role });
  if (code === 'HANDSHAKE_SSL_ERROR' || code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const isName = typeof error === 'object' && error !== null && 'cert' in error;
    return new RotatorError(isName ? 'tls-name' : error instanceof Error && UNTRUSTED.test(error.message) ? 'tls-untrusted' : 'tls-failed', 'tls', { role });
  }
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR' || code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED') return new RotatorError('method-unsupported', 'login', { role });
  if (error instanceof Error && error.message.includes('unknown plugin')) return new RotatorError('method-unsupported', 'login', { role });
  return transportError(error, place, role) ?? new RotatorError('answer-malformed', place, { role });
}

/** Logs in with the value of `role`, or with another password. RotatorError. */
export async function openMysql(context: Context, role: Role, other?: string): Promise<MysqlConnection> {
  const { username, password: own, dbname } = context.value(role);
  const password = other ?? own;
  const dialled = await context.dial(role);
  const { socket, tls } = dialled;
  // The driver checks a name and knows no way to check an address: an address would be checked as `localhost`.
  if (tls && isIP(tls.host) !== 0) {
    socket.destroy();
    throw new RotatorError('tls-name', 'prepare', { role });
  }
  let connection;
  try {
    connection = await createConnection({
      user: username, password, stream: () => socket, host: tls?.host ?? 'localhost', connectTimeout: 3_600_000, charset: 'utf8mb4', disableEval: true, dateStrings: true, flags: ['-LOCAL_FILES'], enableCleartextPlugin: false,
      ...(dbname === undefined ? {} : { database: dbname }),
      ...(tls ? { ssl: { ...(tls.ca === undefined ? {} : { ca: tls.ca }), minVersion: tls.minVersion, rejectUnauthorized: true, verifyIdentity: true } } : {}),
      authPlugins: { ...(tls ? {} : OPEN_LINE), client_ed25519: () => (nonce: Buffer) => ed25519Sign(password, nonce.subarray(0, 32)) },
    });
  } catch (error) {
    socket.destroy();
    throw failureOf(error, 'login', role);
  }
  const open = connection;
  // Without a listener, a connection that breaks between two statements would end the process.
  open.on('error', () => undefined);
  const made: MysqlConnection = {
    async query(place, statement) {
      try {
        const [rows] = await open.query({ sql: statement, rowsAsArray: true });
        return Array.isArray(rows) ? (rows as unknown[][]).map((row) => row.map((cell) => (cell === null || cell === undefined ? null : String(cell as string | number)))) : [];
      } catch (error) {
        throw failureOf(error, place, role);
      }
    },
    async close() {
      await open.end().catch(() => undefined);
      socket.destroy();
    },
  };
  try {
    // How text is quoted (`quoteText`) depends on it.
    await made.query('login', "SET SESSION sql_mode = ''");
    const [row] = tls ? await made.query('login', "SHOW SESSION STATUS LIKE 'Ssl_version'") : [[null, 'none']];
    dialled.secured(row?.[1] ?? null);
  } catch (error) {
    await made.close();
    throw error;
  }
  return made;
}
