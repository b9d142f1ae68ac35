/** Whether the recovery code has been used up: kept sealed in the settings, so that a restart does not forget it. */
import type { VaultSettings } from '../store/port.ts';
import { encodeRecord } from '../trail/record.ts';
import type { Position } from '../trail/port.ts';
import { positionOr, type OpenVault, type Vault } from './vault.ts';

/**
 * Writes the setting in a unit of its own, with a note in the trail. Does nothing when it stands so already, or when nothing may be
 * written. `open` need not be the vault's yet: at unlock the code counts as used before anybody can use what it opened.
 */
export async function setRecoveryCodeUsed(vault: Vault, open: OpenVault, used: boolean, intent: Position | undefined): Promise<void> {
  if (open.problem !== undefined || open.settings.recoveryCodeUsed === used) return;
  const note = (epoch: number): Uint8Array => encodeRecord({ time: vault.ports.clock.now(), phase: 'note', operation: 'vault:UpdateSettings', reasons: [used ? 'recovery-code:used' : 'recovery-code:renewed'], epoch });
  const { value, outcome, delivered } = await open.store.write<VaultSettings>({ intent: positionOr(vault, intent), outcome: (_value, epoch) => note(epoch) }, async (writer) => {
    const settings = { ...(await writer.settings()), recoveryCodeUsed: used };
    writer.putSettings(settings);
    return settings;
  });
  open.settings = value;
  await vault.trail?.append(outcome);
  delivered();
}
