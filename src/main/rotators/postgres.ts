/**
 * PostgreSQL, one user or two by turns, as AWS's rotation functions do it (SecretsManagerRDSPostgreSQLRotationSingleUser, …MultiUser):
 * pending first, then current, then previous; the second user is a member of the first and has its rights by that. What differs: the
 * server gets a SCRAM-SHA-256 verifier and never the password; TLS is not given up silently.
 *
 * What the second user creates belongs to the second user: give such objects to a common role, as AWS's guide says too.
 */
import type { Role } from '../egress/port.ts';
import { openPostgres, type PostgresConnection } from './postgres-connection.ts';
import { RotatorError } from './rotator-error.ts';
import { type Context, type EngineRotator, during, firstLogin, ownRoles, unlessRefused } from './rotator.ts';
import { SALT_LENGTH, scramVerifier } from './scram.ts';
import { alternateOf } from './value.ts';

/** The first version that knows SCRAM; an older one would take the verifier for the password. */
const WITH_SCRAM = 100_000;

/** SQL syntax, section 4.1.1. Names hold no NUL: `value.ts` refuses control characters. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function verifierOf(context: Context, role: Role): string {
  const verifier = scramVerifier(context.value(role).password, context.random.bytes(SALT_LENGTH));
  if (verifier === undefined) throw new RotatorError('password-unsuitable', 'prepare', { role });
  return verifier;
}

/** A primary that knows SCRAM. */
async function checkServer(connection: PostgresConnection, role: Role): Promise<void> {
  const [row] = await connection.query('check', "SELECT pg_catalog.current_setting('server_version_num') AS version, pg_catalog.pg_is_in_recovery() AS recovering");
  if (!(Number(row?.['version']) >= WITH_SCRAM)) throw new RotatorError('method-unsupported', 'check', { role });
  if (row?.['recovering'] !== false) throw new RotatorError('read-only', 'check', { role });
}

/** All or nothing; a dry run does it all and takes it back. */
async function change(context: Context, connection: PostgresConnection, statements: readonly string[], { dry }: { readonly dry: boolean }): Promise<void> {
  const place = dry ? 'check' : 'change';
  await connection.query(place, 'BEGIN');
  // A user whose transactions are read-only by default may still change its own password.
  await connection.query(place, 'SET TRANSACTION READ WRITE');
  for (const statement of statements) await connection.query(place, statement);
  context.uncertain(!dry);
  await connection.query(place, dry ? 'ROLLBACK' : 'COMMIT');
  context.uncertain(false);
}

const ownChange = (username: string, verifier: string): readonly string[] => [`ALTER ROLE ${quoteIdentifier(username)} WITH PASSWORD '${verifier}'`];

/** What the master does for the user whose turn it is; more than one statement: the user is new. */
async function masterChange(master: PostgresConnection, user: string, verifier: string): Promise<readonly string[]> {
  const [there] = await master.query('check', 'SELECT rolsuper OR rolcreaterole OR rolreplication AS rules FROM pg_catalog.pg_roles WHERE rolname = $1', [user]);
  // Somebody's who is more than a user of data, and not one that a rotation has made.
  if (there && there['rules'] !== false) throw new RotatorError('value-mismatch', 'check', { role: 'pending' });
  if (there) return ownChange(user, verifier);
  return [`CREATE ROLE ${quoteIdentifier(user)} WITH LOGIN PASSWORD '${verifier}'`, `GRANT ${quoteIdentifier(alternateOf(user))} TO ${quoteIdentifier(user)}`];
}

async function setSingle(context: Context): Promise<void> {
  const verifier = verifierOf(context, 'pending');
  const { role, connection } = await firstLogin(ownRoles(context), (one) => openPostgres(context, one));
  await during(connection, async () => {
    await checkServer(connection, role);
    await change(context, connection, ownChange(context.value('pending').username, verifier), { dry: false });
  });
  if (role === 'previous') context.note('logged-in-with-previous');
}

async function setAlternating(context: Context): Promise<void> {
  const verifier = verifierOf(context, 'pending');
  // Against a confused deputy: the current password has to be right before the master acts for it.
  await (await openPostgres(context, 'current')).close();
  await during(await openPostgres(context, 'master'), async (master) => {
    await checkServer(master, 'master');
    const statements = await masterChange(master, context.value('pending').username, verifier);
    await change(context, master, statements, { dry: false });
    if (statements.length > 1) context.note('clone-created');
  });
}

export const postgres: EngineRotator = {
  async set(context) {
    const already = context.anew ? undefined : await unlessRefused(openPostgres(context, 'pending'));
    await already?.close();
    if (already) context.note('already-set');
    else await (context.strategy === 'single' ? setSingle(context) : setAlternating(context));
  },
  test: async (context) => during(await openPostgres(context, 'pending'), async (connection) => void (await connection.query('prove', 'SELECT 1'))),
  async probe(context) {
    const { username } = context.value('current');
    // Of the current password: were the dry run kept after all, nothing would have changed.
    const verifier = verifierOf(context, 'current');
    const single = context.strategy === 'single';
    await during(await openPostgres(context, 'current'), async (current) => {
      await checkServer(current, 'current');
      if (single) await change(context, current, ownChange(username, verifier), { dry: true });
    });
    if (single) return;
    await during(await openPostgres(context, 'master'), async (master) => {
      await checkServer(master, 'master');
      await change(context, master, await masterChange(master, alternateOf(username), verifier), { dry: true });
    });
  },
  finish: async (context) => { context.note('nothing-to-finish'); },
};
