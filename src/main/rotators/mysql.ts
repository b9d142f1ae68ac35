/**
 * MySQL and MariaDB, one user or two by turns, as AWS's rotation functions do it (SecretsManagerRDSMariaDBRotationSingleUser, …MultiUser):
 * pending first, then current, then previous; the second user gets the grants of the first anew with every turn, also its TLS rules.
 *
 * What the server's log sees: of MariaDB a hash made here (mysql_native_password, ed25519). MySQL lets a user change its own password by
 * the password alone and writes `<secret>` into its logs in its place, unless it was started with --log-raw: that is noted.
 */
import type { Role } from '../egress/port.ts';
import { type Account, type PasswordPlugin, accountOf, grantFor, mayManageUsers, pluginOf, quoteAccount, quoteText } from './mysql-accounts.ts';
import { type MysqlConnection, openMysql } from './mysql-connection.ts';
import { ed25519Hash, nativeHash } from './mysql-passwords.ts';
import { RotatorError } from './rotator-error.ts';
import { type Context, type EngineRotator, during, firstLogin, ownRoles, unlessRefused } from './rotator.ts';
import { alternateOf } from './value.ts';

const HASH: Readonly<Record<PasswordPlugin, (password: string) => string>> = { mysql_native_password: nativeHash, ed25519: ed25519Hash };
const RANDOM_LENGTH = 32;

interface Standing {
  readonly account: Account;
  /** MariaDB's: how its user logs in. Absent: MySQL. */
  readonly plugin?: PasswordPlugin;
}

/** Whom the connection is logged in as, at a server that can be written to. */
async function standingOf(context: Context, connection: MysqlConnection, role: Role): Promise<Standing> {
  const [row] = await connection.query('check', 'SELECT VERSION(), @@GLOBAL.read_only, CURRENT_USER()');
  const [version, readOnly, who] = row ?? [];
  if (readOnly !== '0' && readOnly !== 'OFF') throw new RotatorError('read-only', 'check', { role });
  const account = accountOf(who);
  // An anonymous account, or a proxied one: not the user of the secret.
  if (account?.user !== context.value(role).username) throw new RotatorError('value-mismatch', 'check', { role });
  if (!(version ?? '').includes('MariaDB')) return { account };
  const [created] = await connection.query('check', 'SHOW CREATE USER CURRENT_USER()');
  const plugin = pluginOf(created?.[0] ?? '');
  if (!plugin) throw new RotatorError('method-unsupported', 'check', { role });
  return { account, plugin };
}

const accidental = (context: Context): string => Buffer.from(context.random.bytes(RANDOM_LENGTH)).toString('base64');

/** Whether the account is the user's own, and lets nobody in with another password: only then is a login proof of one. RotatorError. */
async function openProven(context: Context, role: Role): Promise<MysqlConnection> {
  const connection = await openMysql(context, role);
  try {
    const [row] = await connection.query('check', 'SELECT CURRENT_USER()');
    if (accountOf(row?.[0])?.user !== context.value(role).username) throw new RotatorError('value-mismatch', 'check', { role });
    const any = await unlessRefused(openMysql(context, role, accidental(context)));
    await any?.close();
    if (any) throw new RotatorError('method-unsupported', 'login', { role });
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function change(context: Context, connection: MysqlConnection, statement: string): Promise<void> {
  context.uncertain(true);
  await connection.query('change', statement).catch((error: unknown) => {
    if (error instanceof RotatorError && error.code !== 'connection-lost') context.uncertain(false);
    throw error;
  });
  context.uncertain(false);
}

/** How a statement says the password: as a hash where the server is MariaDB. */
const identified = (plugin: PasswordPlugin | undefined, password: string): string => (plugin ? `IDENTIFIED VIA ${plugin} USING '${HASH[plugin](password)}'` : `IDENTIFIED BY ${quoteText(password)}`);

async function setSingle(context: Context): Promise<void> {
  const { password } = context.value('pending');
  const { role, connection } = await firstLogin(ownRoles(context), (one) => openMysql(context, one));
  await during(connection, async () => {
    const { plugin } = await standingOf(context, connection, role);
    await change(context, connection, plugin ? `SET PASSWORD = '${HASH[plugin](password)}'` : `ALTER USER CURRENT_USER() ${identified(undefined, password)}`);
    if (!plugin) context.note('log-may-show-password');
  });
  if (role === 'previous') context.note('logged-in-with-previous');
}

async function setAlternating(context: Context): Promise<void> {
  const { username, password } = context.value('pending');
  // Against a confused deputy: the current password has to be right before the master acts for it.
  const { account, plugin } = await during(await openMysql(context, 'current'), (current) => standingOf(context, current, 'current'));
  const other: Account = { user: username, host: account.host };
  await during(await openMysql(context, 'master'), async (master) => {
    await standingOf(context, master, 'master').catch((error: unknown) => {
      // The master may log in however it likes; its own password is not changed.
      if (!(error instanceof RotatorError && error.code === 'method-unsupported')) throw error;
    });
    const name = quoteAccount(other);
    const found = await master.query('check', `SELECT 1 FROM mysql.user WHERE User = ${quoteText(other.user)} AND Host = ${quoteText(other.host)}`);
    const grants = (await master.query('check', `SHOW GRANTS FOR ${quoteAccount(account)}`)).map(([line]) => grantFor(line ?? '', other));
    // Somebody's who rules over users, and not one that a rotation has made.
    if (found.length > 0 && mayManageUsers((await master.query('check', `SHOW GRANTS FOR ${name}`)).map(([line]) => line ?? ''))) throw new RotatorError('value-mismatch', 'check', { role: 'pending' });
    if (grants.includes(undefined)) throw new RotatorError('answer-malformed', 'check', { role: 'master' });
    // The password last: whoever logs in with it finds every right in place, also when the server dies in between.
    if (found.length === 0) {
      await change(context, master, `CREATE USER IF NOT EXISTS ${name} ${identified(plugin, accidental(context))}`);
      context.note('clone-created');
    }
    for (const grant of grants) if (grant !== undefined) await change(context, master, grant);
    await change(context, master, `ALTER USER ${name} ${identified(plugin, password)}`);
    if (!plugin) context.note('log-may-show-password');
  });
}

export const mysql: EngineRotator = {
  async set(context) {
    const already = context.anew ? undefined : await unlessRefused(openProven(context, 'pending'));
    await already?.close();
    if (already) context.note('already-set');
    else await (context.strategy === 'single' ? setSingle(context) : setAlternating(context));
  },
  test: async (context) => during(await openProven(context, 'pending'), async (connection) => void (await connection.query('prove', 'SELECT 1'))),
  async probe(context) {
    await during(await openMysql(context, 'current'), (current) => standingOf(context, current, 'current'));
    if (context.strategy === 'single') return;
    await during(await openMysql(context, 'master'), async (master) => {
      const [row] = await master.query('check', 'SELECT @@GLOBAL.read_only');
      if (row?.[0] !== '0' && row?.[0] !== 'OFF') throw new RotatorError('read-only', 'check', { role: 'master' });
      const lines = (await master.query('check', 'SHOW GRANTS')).map(([line]) => line ?? '');
      if (!mayManageUsers(lines)) throw new RotatorError('rights-missing', 'check', { role: 'master' });
      await master.query('check', `SELECT 1 FROM mysql.user WHERE User = ${quoteText(alternateOf(context.value('current').username))}`);
    });
  },
  finish: async (context) => { context.note('nothing-to-finish'); },
};
