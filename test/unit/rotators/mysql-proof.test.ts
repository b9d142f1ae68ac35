/** A login is proof of a password only where another one is refused, and the account is the user's own. */
import { describe, expect, it, vi } from 'vitest';
import type { Note, Role } from '../../../src/main/egress/port.ts';
import type { MysqlConnection } from '../../../src/main/rotators/mysql-connection.ts';
import { RotatorError } from '../../../src/main/rotators/rotator-error.ts';
import type { Context } from '../../../src/main/rotators/rotator.ts';

/** A server of one account: which passwords it lets in, and as whom. */
const server = vi.hoisted(() => ({ lets: (_password: string): boolean => true, account: 'app@%', open: 0, statements: [] as string[] }));
vi.mock('../../../src/main/rotators/mysql-connection.ts', () => ({
  openMysql: async (context: Context, role: Role, other?: string): Promise<MysqlConnection> => {
    if (!server.lets(other ?? context.value(role).password)) throw new RotatorError('login-refused', 'login', { role });
    server.open += 1;
    return {
      async query(_place, statement) {
        server.statements.push(statement);
        return statement === 'SELECT CURRENT_USER()' ? [[server.account]] : [];
      },
      async close() { server.open -= 1; },
    };
  },
}));
const { mysql } = await import('../../../src/main/rotators/mysql.ts');

const asked = async (action: 'set' | 'test', lets: (password: string) => boolean, account = 'app@%'): Promise<readonly string[]> => {
  Object.assign(server, { lets, account, open: 0, statements: [] });
  const notes: Note[] = [];
  const value = (role: Role) => ({ engine: 'mysql' as const, host: 'db', port: 3306, username: 'app', password: `${role}-Passwort`, tls: true });
  const context: Context = { strategy: 'single', anew: false, random: { bytes: (length: number) => new Uint8Array(length).fill(7) }, value, has: () => true, dial: () => Promise.reject(new Error('no way out')), note: (note) => { notes.push(note); }, uncertain: () => undefined };
  const ended = await mysql[action](context).then(() => ['ok', ...notes], (error: unknown) => [error instanceof RotatorError ? error.code : 'other']);
  // Nothing was changed, and nothing stays open.
  expect([server.open, server.statements.filter((one) => !one.startsWith('SELECT'))]).toEqual([0, []]);
  return ended;
};

describe.each(['set', 'test'] as const)('%s', (action) => {
  it('takes a login as proof where the pending password alone logs in', async () => {
    expect(await asked(action, (password) => password === 'pending-Passwort')).toEqual(action === 'set' ? ['ok', 'already-set'] : ['ok']);
  });
  it('takes none where any password logs in', async () => {
    expect(await asked(action, () => true)).toEqual(['method-unsupported']);
  });
  it.each(['@%', '@localhost', 'other@%', ''])('takes none as the account %j', async (account) => {
    expect(await asked(action, (password) => password === 'pending-Passwort', account)).toEqual(['value-mismatch']);
  });
});
