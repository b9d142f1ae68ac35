/** Whether the recovery code has been used up: kept sealed in the settings, so that a restart does not forget it. */
import { encodeRecord } from '../trail/record.ts';
import type { Position } from '../trail/port.ts';
import { openOrThrow, positionOr, type Vault } from './vault.ts';

/** Writes the setting in a unit of its own, with a note in the trail. Does nothing when it stands so already. */
export async function setRecoveryCodeUsed(vault: Vault, used: boolean, intent: Position | undefined): Promise<void> {
  const open = openOrThrow(vault);
  if (open.settings.recoveryCodeUsed === used) return;
  const settings = { ...open.settings, recoveryCodeUsed: used };
  const note = (epoch: number): Uint8Array => encodeRecord({ time: vault.ports.clock.now(), phase: 'note', operation: 'vault:UpdateSettings', reasons: [used ? 'recovery-code:used' : 'recovery-code:renewed'], epoch });
  const { outcome, delivered } = await open.store.write({ intent: positionOr(vault, intent), outcome: (_value, epoch) => note(epoch) }, (writer) => {
    writer.putSettings(settings);
    return Promise.resolve();
  });
  open.settings = settings;
  await vault.trail?.append(outcome);
  delivered();
}
