/** What `keystead doctor` asks of a running vault: one line a check, no values, and the one line to type. */
import { access, constants, stat, statfs } from 'node:fs/promises';
import { counted } from '../../shared/model/counted.ts';
import { hardened } from '../platform/harden.ts';
import { usesKeychain } from './anchor.ts';
import { phaseOf, type Vault } from './vault.ts';

interface DiagnoseCheck {
  readonly Name: string;
  readonly Ok: boolean;
  readonly Message: string;
  readonly Fix?: string;
}

export interface DiagnoseReport {
  readonly checks: readonly DiagnoseCheck[];
  readonly uptimeSeconds: number;
  readonly nodeVersion: string;
}

type Check = (vault: Vault) => Promise<Omit<DiagnoseCheck, 'Name'>>;

/** Below this much room writes may fail soon. */
const LOW_SPACE = 64 * 1024 * 1024;

const CHECKS: Readonly<Record<string, Check>> = {
  async folder({ ports: { folder } }) {
    const found = await stat(folder).catch(() => undefined);
    if (!found) return { Ok: false, Message: `\`${folder}\` does not exist`, Fix: 'keystead init' };
    const open = (found.mode & 0o077) !== 0;
    if (open) return { Ok: false, Message: `\`${folder}\` can be reached by other users`, Fix: `chmod 700 '${folder}'` };
    const writable = await access(folder, constants.W_OK).then(() => true, () => false);
    return writable ? { Ok: true, Message: `\`${folder}\` is private and writable` } : { Ok: false, Message: `\`${folder}\` cannot be written`, Fix: `chmod 700 '${folder}'` };
  },
  async disk({ ports: { folder } }) {
    const found = await statfs(folder).catch(() => undefined);
    if (!found) return { Ok: false, Message: 'the free space cannot be told', Fix: `df -h '${folder}'` };
    const free = found.bavail * found.bsize;
    const words = `${String(Math.floor(free / 1024 / 1024))} MiB free`;
    return free < LOW_SPACE ? { Ok: false, Message: `${words}: free some space, or writes will soon fail`, Fix: `df -h '${folder}'` } : { Ok: true, Message: words };
  },
  async keychain({ ports: { keychain }, open }) {
    const answer = await keychain.probe();
    if (answer.available) return { Ok: true, Message: 'the keychain can be used' };
    // Not a problem for a vault that does without it.
    return { Ok: open !== undefined && !usesKeychain(open.info), Message: answer.reason };
  },
  memory() {
    const { undumpable, noCore, problems } = hardened();
    if (undumpable && noCore) return Promise.resolve({ Ok: true, Message: 'memory is hidden from other programs of this user, and no core is written' });
    return Promise.resolve({ Ok: false, Message: `memory of this process is not hidden from other programs: ${problems.join('; ')}` });
  },
  trail(vault) {
    const { trail } = vault;
    if (trail) return Promise.resolve({ Ok: true, Message: `${counted(trail.head.index + 1, 'record')} in ${counted(trail.segments().length, 'segment')}; \`keystead trail verify\` checks them` });
    return Promise.resolve(phaseOf(vault) === 'absent' ? { Ok: true, Message: 'there is no vault yet' } : { Ok: false, Message: 'the trail is not open, so nothing can be done with this vault' });
  },
  vault({ open }) {
    if (!open) return Promise.resolve({ Ok: true, Message: 'locked: the database is checked at the next unlock' });
    return Promise.resolve(open.problem === undefined ? { Ok: true, Message: `unlocked, epoch ${String(open.store.state.epoch)}` } : { Ok: false, Message: open.problem });
  },
};

export async function diagnose(vault: Vault): Promise<DiagnoseReport> {
  const checks = await Promise.all(Object.entries(CHECKS).map(async ([name, check]) => ({ Name: name, ...(await check(vault)) })));
  return { checks, uptimeSeconds: Math.floor(process.uptime()), nodeVersion: process.version };
}
