/** One action at a database: its values parsed and compared before anything is connected to, then its rotator. */
import type { Random } from '../platform/ports.ts';
import { RotatorError } from '../rotators/rotator-error.ts';
import type { Context } from '../rotators/rotator.ts';
import { ROTATORS } from '../rotators/table.ts';
import { type Credentials, checkValues, credentialsOf } from '../rotators/value.ts';
import { type Dialler, tlsFor } from './dial.ts';
import { type Action, type DatabaseOrder, type Note, ROLES, type Role } from './port.ts';
import type { Given } from './protocol.ts';

/** What each action cannot do without. */
const NEEDS: Readonly<Record<Action, readonly Role[]>> = { set: ['current', 'pending'], test: ['current', 'pending'], finish: ['current', 'pending'], probe: ['current'] };

export interface Progress {
  readonly notes: Set<Note>;
  uncertain: boolean;
}

/** Rejects with RotatorError. */
export async function runDatabase(order: DatabaseOrder, given: Given, dialler: Dialler, random: Random, progress: Progress): Promise<void> {
  const { action, engine, strategy } = order;
  const values: Partial<Record<Role, Credentials>> = {};
  for (const role of ROLES) {
    const bytes = given[role];
    if (bytes) values[role] = credentialsOf(bytes, engine, role);
  }
  checkValues(strategy, values);
  const value = (role: Role): Credentials => {
    const found = values[role];
    if (!found) throw new RotatorError('value-malformed', 'prepare', { role });
    return found;
  };
  for (const role of [...NEEDS[action], ...(strategy === 'alternating' && (action === 'set' || action === 'probe') ? (['master'] as const) : [])]) value(role);
  const context: Context = {
    strategy,
    anew: order.anew === true && strategy === 'single',
    random,
    value,
    has: (role) => values[role] !== undefined,
    async dial(role) {
      const { host, port, tls, ca } = value(role);
      const { socket, secured } = await dialler.dial(host, port, role);
      if (!tls) progress.notes.add('no-tls');
      return { socket, secured, ...(tls ? { tls: tlsFor(host, order.ca ?? ca) } : {}) };
    },
    note: (note) => { progress.notes.add(note); },
    uncertain: (may) => { progress.uncertain = may; },
  };
  await ROTATORS[engine][action](context);
}
