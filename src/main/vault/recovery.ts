/** Settings that change outside of a unit of work: that the recovery code has been used up, which a restart must not forget, and what a factor was asked for. */
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
  await changeSettings(vault, open, { reason: used ? 'recovery-code:used' : 'recovery-code:renewed', intent, change: (settings) => ({ ...settings, recoveryCodeUsed: used }) });
}

export interface SettingsChange {
  /** What the note in the trail says. */
  readonly reason: string;
  readonly intent: Position | undefined;
  /** Pure; what it throws is thrown, and nothing is written. */
  readonly change: (settings: VaultSettings) => VaultSettings;
}

/** Writes the settings in a unit of its own, with a note in the trail. */
export async function changeSettings(vault: Vault, open: OpenVault, { reason, intent, change }: SettingsChange): Promise<void> {
  const note = (epoch: number): Uint8Array => encodeRecord({ time: vault.ports.clock.now(), phase: 'note', operation: 'vault:UpdateSettings', reasons: [reason], epoch });
  const { value, outcome, delivered } = await open.store.write<VaultSettings>({ intent: positionOr(vault, intent), outcome: (_value, epoch) => note(epoch) }, async (writer) => {
    const settings = change(await writer.settings());
    writer.putSettings(settings);
    return settings;
  });
  open.settings = value;
  await vault.trail?.append(outcome);
  delivered();
}
