/** Suspend and the screen's lock become requests of the vault's own clock, where the settings want it. */
import { asSchedule } from '../doors/as-schedule.ts';
import type { DoorPort } from '../doors/port.ts';
import type { Log } from '../platform/log.ts';
import type { LeaveReason } from '../platform/bus-signal.ts';
import { watchPresence, type Presence } from '../platform/presence.ts';
import type { VaultSettings } from '../store/port.ts';
import type { Vault } from '../vault/vault.ts';

const WANTED: Readonly<Record<LeaveReason, (settings: VaultSettings) => boolean>> = {
  suspend: ({ lockOnSuspend }) => lockOnSuspend,
  'screen-lock': ({ lockOnScreenLock }) => lockOnScreenLock,
};

export function startPresence({ vault, door, log }: { readonly vault: Vault; readonly door: DoorPort; readonly log: Log }): Presence {
  return watchPresence({
    clock: vault.ports.clock,
    log,
    onLeave(reason) {
      if (!vault.open || !WANTED[reason](vault.open.settings)) return;
      void asSchedule(door, reason, 'vault:Lock');
    },
  });
}
