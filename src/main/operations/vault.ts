/** `vault:` handlers: the vault's own life and settings. Slots are in vault-slots.ts. */
import { VaultError } from '../../shared/model/errors.ts';
import type { RequestId } from '../../shared/model/ids.ts';
import type { Principal } from '../kernel/authenticate.ts';
import type { AttemptGate } from '../platform/ports.ts';
import type { VaultSettings } from '../store/port.ts';
import { seconds } from '../../shared/api/operation.ts';
import type { SlotInfo } from '../seal/protocol.ts';
import { readSlotUri } from '../hardware/slot-uri.ts';
import { create } from '../vault/create.ts';
import { unlock } from '../vault/unlock.ts';
import { lock, openOrThrow, phaseOf, type Vault } from '../vault/vault.ts';
import type { HandlersOf } from './rights.ts';
import type { DiagnoseReport } from '../vault/diagnose.ts';

type Names = 'Status' | 'Create' | 'Unlock' | 'Lock' | 'Stop' | 'DescribeSettings' | 'UpdateSettings' | 'Diagnose' | 'Cancel';

export interface VaultControl {
  readonly vault: Vault;
  readonly attempts: AttemptGate;
  readonly version: string;
  readonly throwaway: boolean;
  readonly processId: number;
  readonly startedAt: number;
  /** Ids that may be read from the header without a factor; undefined when it cannot be read. */
  readonly shownHeader: () => Promise<{ readonly vaultId: string; readonly slots: readonly SlotInfo[] } | undefined>;
  readonly locksAt: () => number | undefined;
  /** Writes down what waits in memory; never rejects, and takes no longer than a blink: lock always works. */
  readonly beforeLock: () => Promise<void>;
  /** Ends the process once the answer is out. */
  readonly stopSoon: () => void;
  /** Aborts a request of this principal; false when there is none. */
  readonly cancel: (requestId: RequestId, principal: Principal) => boolean;
  readonly diagnose: () => Promise<DiagnoseReport>;
}

const shownSettings = (settings: VaultSettings) => ({
  Name: settings.name,
  AutoLockMinutes: settings.autoLockMinutes,
  LockOnSuspend: settings.lockOnSuspend,
  LockOnScreenLock: settings.lockOnScreenLock,
});

/** What the header says of its tokens, for whoever is to choose one. */
function tokenSlotsOf(slots: readonly SlotInfo[]): { readonly TokenSlots?: { SlotId: string; Token: string; Serial: string }[] } {
  const shown = slots.flatMap(({ slotId, tokenUri }) => {
    const name = tokenUri === undefined ? undefined : readSlotUri(tokenUri);
    return name ? [{ SlotId: slotId, Token: name.token.label, Serial: name.token.serial }] : [];
  });
  return shown.length === 0 ? {} : { TokenSlots: shown };
}

const problemOf = (problem: string | undefined): { readonly Problem?: string } => (problem === undefined ? {} : { Problem: problem });

export const vaultHandlers = (control: VaultControl): Pick<HandlersOf<'vault'>, `vault:${Names}`> => {
  const { vault, attempts } = control;
  return {
    'vault:Status': async () => {
      const { open } = vault;
      const header = await control.shownHeader();
      const wait = await attempts.remaining();
      const locksAt = control.locksAt();
      return {
        State: phaseOf(vault),
        Folder: vault.ports.folder,
        Version: control.version,
        ProcessId: control.processId,
        StartedAt: seconds(control.startedAt),
        ...(header ? { VaultId: header.vaultId, SlotTypes: [...new Set(header.slots.map(({ type }) => type))], ...tokenSlotsOf(header.slots) } : {}),
        ...(wait > 0 && !open ? { RetryAfterSeconds: Math.ceil(wait / 1000) } : {}),
        ...(open ? { Name: open.settings.name, UnlockedAt: seconds(open.unlockedAt), RecoveryCodeUsed: open.settings.recoveryCodeUsed } : {}),
        ...(open && locksAt !== undefined ? { LocksAt: seconds(locksAt) } : {}),
        ...(control.throwaway ? { Throwaway: true as const } : {}),
        ...problemOf(open?.problem ?? vault.trailProblem),
      };
    },

    'vault:Create': async (input) => {
      const { open, factors, recoveryCode } = await create(vault, {
        password: input.Password,
        factors: input.Factors,
        recoveryCode: input.RecoveryCode,
        name: input.Name,
        region: input.Region,
        account: input.Account,
      });
      return {
        VaultId: open.info.vaultId,
        Name: open.settings.name,
        Region: open.realm.region,
        Account: open.realm.account,
        Factors: factors,
        ...(recoveryCode ? { RecoveryCode: recoveryCode } : {}),
      };
    },

    'vault:Unlock': async (input, call) => {
      const { open, slotId } = await unlock(vault, input, attempts, call.intent, call.signal);
      const slot = open.info.slots.find((one) => one.slotId === slotId);
      if (!slot) throw new VaultError('InternalException', 'the slot that opened the vault is not in its header');
      return {
        VaultId: open.info.vaultId,
        Name: open.settings.name,
        State: phaseOf(vault),
        SlotId: slotId,
        SlotType: slot.type,
        RecoveryCodeUsed: open.settings.recoveryCodeUsed,
        ...problemOf(open.problem),
      };
    },

    'vault:Lock': async () => {
      await control.beforeLock();
      await lock(vault);
      return { State: phaseOf(vault) };
    },

    'vault:Stop': async () => {
      await control.beforeLock();
      await lock(vault);
      control.stopSoon();
      return {};
    },

    'vault:DescribeSettings': async (_input, _call, { reader }) => {
      const settings = await reader.settings();
      return {
        ...shownSettings(settings),
        VaultId: openOrThrow(vault).info.vaultId,
        Region: settings.region,
        Account: settings.account,
        CreationDate: seconds(settings.created),
        RecoveryCodeUsed: settings.recoveryCodeUsed,
      };
    },

    'vault:UpdateSettings': async (input, _call, { writer }) => {
      const before = await writer.settings();
      const settings: VaultSettings = {
        ...before,
        name: input.Name ?? before.name,
        autoLockMinutes: input.AutoLockMinutes ?? before.autoLockMinutes,
        lockOnSuspend: input.LockOnSuspend ?? before.lockOnSuspend,
        lockOnScreenLock: input.LockOnScreenLock ?? before.lockOnScreenLock,
      };
      writer.putSettings(settings);
      return shownSettings(settings);
    },

    'vault:Diagnose': async () => {
      const { checks, uptimeSeconds, nodeVersion } = await control.diagnose();
      return { Version: control.version, NodeVersion: nodeVersion, ProcessId: control.processId, UptimeSeconds: uptimeSeconds, Checks: [...checks] };
    },

    'vault:Cancel': (input, call) => ({ Cancelled: control.cancel(input.RequestId as RequestId, call.principal) }),
  };
};
