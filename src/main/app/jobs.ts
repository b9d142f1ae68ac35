/** The vault's own clockwork: locks itself when nobody uses it, destroys keys and secrets whose waiting time is over and imported materials that expire, rotates keys and secrets whose date has come. */
import { instant, type Instant } from '../../shared/model/ids.ts';
import type { Due, Job } from '../doors/schedule.ts';
import type { Clock } from '../platform/ports.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import type { UsageTracker } from '../keyring/usage.ts';
import type { SecretAccess } from '../secrets/access.ts';
import type { Vault } from '../vault/vault.ts';

export interface Jobs {
  readonly list: readonly Job[];
  /** When the vault locks itself if nothing is asked of it; undefined: locked, or never. */
  readonly locksAt: () => Instant | undefined;
  /** When keys are destroyed, and secrets; when what secrets hold expires. Ascending; none while locked. */
  readonly dates: () => Readonly<Record<'keyDeletions' | 'secretDeletions' | 'expiries', readonly Instant[]>>;
  /** To be called when keys or secrets may have changed. */
  refresh(): Promise<void>;
}

export interface JobPorts {
  readonly usage: UsageTracker;
  readonly accesses: UsageTracker<SecretAccess>;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Boot-time milliseconds. */
  readonly lastActivity: () => number;
}

export const USAGE_JOB = { name: 'key-usage', operation: 'kms:RecordKeyUsage', input: {} } as const;
export const ACCESS_JOB = { name: 'secret-access', operation: 'secretsmanager:RecordSecretAccess', input: {} } as const;

const MINUTE = 60_000;
/** Wall clock against the clock that nobody can set. */
const CLOCK_TOLERANCE = 5 * MINUTE;

const NO_DATES: ReturnType<Jobs['dates']> = { keyDeletions: [], secretDeletions: [], expiries: [] };
const ascending = (a: Instant, b: Instant): number => a - b;

export function vaultJobs({ vault, clock, lastActivity, usage, accesses }: JobPorts): Jobs {
  let dates = NO_DATES;
  let nextRotation: Instant | undefined;
  let nextExpiry: Instant | undefined;
  let nextTurn: Instant | undefined;
  let offset = clock.now() - clock.boottime();

  const lockDue = (): Due | undefined => {
    const minutes = vault.open?.settings.autoLockMinutes ?? 0;
    return minutes === 0 ? undefined : { boot: lastActivity() + minutes * MINUTE };
  };

  /**
   * A wall clock that was moved, forward or back, while the vault was open, or that is behind what the vault has seen,
   * must not destroy a key or a secret: deletions wait until the vault is unlocked with a clock that runs on.
   */
  const clockIsSteady = (): boolean => {
    const seen = vault.open?.store.state.clock ?? 0;
    return Math.abs(clock.now() - clock.boottime() - offset) <= CLOCK_TOLERANCE && clock.now() >= seen - CLOCK_TOLERANCE;
  };

  return {
    list: [
      { name: 'auto-lock', operation: 'vault:Lock', input: {}, due: lockDue },
      {
        name: 'key-deletion',
        operation: 'kms:DeleteDueKeys',
        input: {},
        due: () => (vault.open && vault.open.problem === undefined && dates.keyDeletions[0] !== undefined && clockIsSteady() ? { wall: dates.keyDeletions[0] } : undefined),
      },
      {
        name: 'secret-deletion',
        operation: 'secretsmanager:DeleteDueSecrets',
        input: {},
        due: () => (vault.open && vault.open.problem === undefined && dates.secretDeletions[0] !== undefined && clockIsSteady() ? { wall: dates.secretDeletions[0] } : undefined),
      },
      {
        name: 'key-rotation',
        operation: 'kms:RotateDueKeys',
        input: {},
        // Also with a clock that was moved: a rotation too early takes nothing away.
        due: () => (vault.open && vault.open.problem === undefined && nextRotation !== undefined ? { wall: nextRotation } : undefined),
      },
      {
        name: 'secret-rotation',
        operation: 'secretsmanager:RotateDueSecrets',
        input: {},
        // As above.
        due: () => (vault.open && vault.open.problem === undefined && nextTurn !== undefined ? { wall: nextTurn } : undefined),
      },
      {
        ...USAGE_JOB,
        due: () => (vault.open && vault.open.problem === undefined && usage.writeAt !== undefined ? { boot: usage.writeAt } : undefined),
      },
      {
        ...ACCESS_JOB,
        due: () => (vault.open && vault.open.problem === undefined && accesses.writeAt !== undefined ? { boot: accesses.writeAt } : undefined),
      },
      {
        name: 'key-material-expiry',
        operation: 'kms:ExpireDueKeyMaterials',
        input: {},
        // It is out of use from its date on, whatever the clock; that it is destroyed waits for a steady one.
        due: () => (vault.open && vault.open.problem === undefined && nextExpiry !== undefined && clockIsSteady() ? { wall: nextExpiry } : undefined),
      },
    ],
    dates: () => dates,
    locksAt() {
      const due = lockDue();
      return due && 'boot' in due ? instant(Math.round(clock.now() + due.boot - clock.boottime())) : undefined;
    },
    async refresh() {
      if (!vault.open) {
        dates = NO_DATES;
        nextRotation = undefined;
        nextExpiry = undefined;
        nextTurn = undefined;
        offset = clock.now() - clock.boottime();
        return;
      }
      const { reader } = vault.open.store;
      const keyDeletions = (await reader.pendingDeletion()).flatMap(({ deletionDate }) => (deletionDate === undefined ? [] : [deletionDate])).sort(ascending);
      nextRotation = await reader.next('rotation');
      nextExpiry = await reader.next('expiry');
      const [secretDeletions, expiries]: [Instant[], Instant[]] = [[], []];
      for (const [, { due, expires }] of await reader.of(SECRETS).entries()) {
        if (due !== undefined) secretDeletions.push(due);
        else if (expires !== undefined) expiries.push(expires);
      }
      dates = { keyDeletions, secretDeletions: secretDeletions.sort(ascending), expiries: expiries.sort(ascending) };
      let turn: Instant | undefined;
      for (const [, { wake }] of await reader.of(ROTATIONS).entries()) if (typeof wake === 'number' && (turn === undefined || wake < turn)) turn = wake;
      nextTurn = turn;
    },
  };
}
