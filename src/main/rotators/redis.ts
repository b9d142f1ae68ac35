/**
 * Redis users (Redis 6 and later, "ACL"). One user: the new password stands beside the current one, as AWS's function for ElastiCache does it;
 * both log in until `finish` leaves the new one alone, or until the next `set`. Whoever may run ACL SETUSER does it, the master where
 * there is one, else the user itself. Two users by turns: the master
 * gives the other one the first one's rules and the new password. The server gets SHA-256 of the password, which is what it keeps.
 *
 * The list is kept by ACL SAVE or CONFIG REWRITE where the server has a file and the user may; else a restart forgets the change,
 * which is noted. A file that cannot be written (a full disk) is a failure. Lists are not replicated: each server of a cluster is a secret of its own.
 */
import type { Role } from '../egress/port.ts';
import { RotatorError } from './rotator-error.ts';
import { type RedisConnection, openRedis } from './redis-connection.ts';
import { isPlainName, passwordHash, passwordsOf, rulesOf } from './redis-rules.ts';
import { type Context, type EngineRotator, during, firstLogin, ownRoles, unlessRefused } from './rotator.ts';
import { alternateOf } from './value.ts';

const RULES_ALL = /^\+(?:@all|@admin|@dangerous|acl(?:\|setuser)?)$/;

/** Who may change the list, when it is not the user itself. */
const changer = (context: Context, self: Role): Role => (context.has('master') ? 'master' : self);

/** A replica takes the change and its primary does not. A user that may not ask goes on. */
async function checkPrimary(connection: RedisConnection, role: Role): Promise<void> {
  const reply = await connection.attempt('check', 'ROLE');
  if (Array.isArray(reply) && reply[0] === 'slave') throw new RotatorError('read-only', 'check', { role });
}

/** Whether there is a file for the list of users. Of a server that may not be asked it is not known. */
async function hasFile(connection: RedisConnection): Promise<boolean> {
  const reply = await connection.attempt('check', 'CONFIG', 'GET', 'aclfile');
  const [, path] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  return typeof path === 'string' && path !== '';
}

/** `unwritten`: the server has a file for its list, and could not write it. */
async function kept(connection: RedisConnection): Promise<'kept' | 'in-memory' | 'unwritten'> {
  const refused = await connection.send('change', 'ACL', 'SAVE').then(() => undefined, (error: unknown) => {
    // With a word of the server's: it has answered.
    if (error instanceof RotatorError && error.detail !== undefined) return error.code;
    throw error;
  });
  if (refused === undefined) return 'kept';
  if (refused === 'server-error' && (await hasFile(connection))) return 'unwritten';
  return (await connection.attempt('change', 'CONFIG', 'REWRITE')) === 'OK' ? 'kept' : 'in-memory';
}

/** `before`: the rules that make the user what it was; undefined: there was none. */
async function setUser(context: Context, connection: RedisConnection, username: string, rules: readonly string[], before: readonly string[] | undefined): Promise<void> {
  const change = async (...words: readonly string[]): Promise<void> => {
    context.uncertain(true);
    await connection.send('change', 'ACL', ...words).catch((error: unknown) => {
      if (error instanceof RotatorError && error.code !== 'connection-lost') context.uncertain(false);
      throw error;
    });
    context.uncertain(false);
  };
  await change('SETUSER', username, ...rules);
  const how = await kept(connection);
  if (how === 'in-memory') context.note('acl-not-saved');
  if (how !== 'unwritten') return;
  // Once it is started again the server would know the old password alone: so it is as it was, and the file is right.
  await (before ? change('SETUSER', username, ...before) : change('DELUSER', username));
  throw new RotatorError('disk-failed', 'change');
}

interface Passwords {
  readonly hashes: readonly string[];
  readonly open: boolean;
}

const passwordRules = ({ hashes, open }: Passwords): readonly string[] => ['resetpass', ...(open ? ['nopass'] : []), ...hashes.map((one) => `#${one}`)];

async function passwordsAt(connection: RedisConnection, username: string): Promise<Passwords> {
  const found = passwordsOf(await connection.send('check', 'ACL', 'GETUSER', username));
  if (!found) throw new RotatorError('value-mismatch', 'check');
  return found;
}

/** Whether this password is one of the user's: of a user without one, any would log in. */
const isAmong = ({ hashes, open }: Passwords, password: string): boolean => !open && hashes.includes(passwordHash(password));

async function isSet(connection: RedisConnection, context: Context, role: Role): Promise<boolean> {
  const { username, password } = context.value(role);
  return isAmong(await passwordsAt(connection, username), password);
}

async function setSingle(context: Context): Promise<void> {
  const { username, password } = context.value('pending');
  const { role, connection } = await firstLogin(context.anew ? ownRoles(context) : ['pending' as const, ...ownRoles(context)], (one) => openRedis(context, one));
  await connection.close();
  await during(await openRedis(context, changer(context, role)), async (change) => {
    await checkPrimary(change, changer(context, role));
    const before = await passwordsAt(change, username);
    if (!context.anew && isAmong(before, password)) context.note('already-set');
    // One command, so that there is no moment without a password. No older one than these stays.
    else await setUser(context, change, username, ['resetpass', ...[password, context.value('current').password, context.value(role).password].map((one) => `#${passwordHash(one)}`)], passwordRules(before));
  });
  context.note('old-still-valid');
  if (role === 'previous') context.note('logged-in-with-previous');
}

async function setAlternating(context: Context): Promise<void> {
  const [{ username }, pending] = [context.value('current'), context.value('pending')];
  if (!isPlainName(username)) throw new RotatorError('method-unsupported', 'prepare', { role: 'current' });
  // Against a confused deputy: the current password has to be right before the master acts for it.
  await (await openRedis(context, 'current')).close();
  await during(await openRedis(context, 'master'), async (master) => {
    await checkPrimary(master, 'master');
    const lines = await master.send('check', 'ACL', 'LIST');
    const rules = Array.isArray(lines) ? rulesOf(lines as readonly unknown[], username) : undefined;
    if (!rules) throw new RotatorError('answer-malformed', 'check', { role: 'master' });
    const there = (await master.attempt('check', 'ACL', 'GETUSER', pending.username)) ?? null;
    // Who may change the list, and the first user does not: somebody's, and not one that a rotation has made.
    const before = rulesOf(lines as readonly unknown[], pending.username) ?? [];
    if (pending.username === 'default' || (there !== null && before.some((rule) => RULES_ALL.test(rule)) && !rules.some((rule) => RULES_ALL.test(rule)))) throw new RotatorError('value-mismatch', 'check', { role: 'pending' });
    // One command, so all or nothing.
    const had = passwordsOf(there);
    await setUser(context, master, pending.username, ['reset', ...rules, `#${passwordHash(pending.password)}`], had && ['reset', ...before, ...passwordRules(had)]);
    if (there === null) context.note('clone-created');
  });
}

export const redis: EngineRotator = {
  async set(context) {
    if (context.strategy === 'single') return setSingle(context);
    const already = await unlessRefused(openRedis(context, 'pending'));
    await already?.close();
    // With the master's eyes: a user without a password lets any in.
    const really = already !== undefined && (await during(await openRedis(context, 'master'), (master) => isSet(master, context, 'pending')));
    if (really) context.note('already-set');
    else await setAlternating(context);
  },
  // PING is denied to few, and its denial is an answer to one who has logged in.
  test: async (context) => during(await openRedis(context, 'pending'), async (connection) => void (await connection.attempt('prove', 'PING'))),
  async probe(context) {
    await (await openRedis(context, 'current')).close();
    const role = changer(context, 'current');
    const { username } = context.value('current');
    await during(await openRedis(context, role), async (connection) => {
      await checkPrimary(connection, role);
      await passwordsAt(connection, username);
      // Changes nothing: a user's rules with none added. An older server without DRYRUN is asked this way, too.
      const target = context.strategy === 'single' ? username : alternateOf(username);
      if (context.strategy === 'single' || (await connection.attempt('check', 'ACL', 'GETUSER', target)) !== null) await connection.send('check', 'ACL', 'SETUSER', target);
      if (context.strategy === 'alternating') await connection.send('check', 'ACL', 'LIST');
    });
  },
  async finish(context) {
    if (context.strategy === 'alternating') {
      context.note('nothing-to-finish');
      return;
    }
    const { username, password } = context.value('pending');
    await (await openRedis(context, 'pending')).close();
    await during(await openRedis(context, changer(context, 'pending')), async (connection) => {
      await checkPrimary(connection, changer(context, 'pending'));
      const { hashes, open } = await passwordsAt(connection, username);
      if (!open && hashes.length === 1 && hashes[0] === passwordHash(password)) context.note('already-set');
      // One command, so that there is no moment without a password.
      else await setUser(context, connection, username, ['resetpass', `#${passwordHash(password)}`], passwordRules({ hashes, open }));
    });
  },
};
