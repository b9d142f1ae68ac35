/** The whole handler map: exhaustive by type, then erased for dispatch. */
import { NAMES, OPERATIONS, type Name } from '../../shared/api/index.ts';
import type { Registered } from '../kernel/handler.ts';
import type { UsageTracker } from '../keyring/usage.ts';
import type { SecretAccess } from '../secrets/access.ts';
import type { Rotator } from '../secrets/rotator-port.ts';
import type { Hardware } from '../hardware/hardware.ts';
import type { TokenSlots } from '../hardware/token-slots.ts';
import type { CipherFile, HashFile, Random } from '../platform/ports.ts';
import { accessHandlers, type AccessPorts } from './access.ts';
import { certificateRequestHandlers } from './certificate-request.ts';
import { commandHandlers } from './commands.ts';
import { fileEncryptionHandlers } from './file-encryption.ts';
import { fileHandlers } from './file.ts';
import { hardwareHandlers } from './hardware.ts';
import type { JoinNotes } from '../hardware/unfinished.ts';
import { findUnrecorded } from './hardware-keys.ts';
import type { PinSeal } from './hardware-pins.ts';
import { kmsAgreementHandlers } from './kms-agreement.ts';
import { kmsAliasHandlers } from './kms-aliases.ts';
import { kmsDataKeyHandlers } from './kms-data-keys.ts';
import { kmsImportHandlers } from './kms-import.ts';
import { kmsKeyStoreHandlers, type GiveSealedPin } from './kms-key-stores.ts';
import { kmsKeyHandlers } from './kms-keys.ts';
import { kmsLastUsageHandlers } from './kms-last-usage.ts';
import { kmsRegionHandlers } from './kms-regions.ts';
import { kmsRotationHandlers } from './kms-rotation.ts';
import { kmsPolicyHandlers } from './kms-policies.ts';
import { kmsTagHandlers } from './kms-tags.ts';
import { kmsUseHandlers } from './kms-use.ts';
import type { HandlersOf } from './rights.ts';
import { secretImportHandlers, type ImportPorts } from './secret-import.ts';
import { secretRemoteHandlers, type RemotePorts } from './secret-remotes.ts';
import { secretReplicationHandlers } from './secret-replication.ts';
import { secretReplicationStepHandlers } from './secret-replication-steps.ts';
import { secretRotationHandlers } from './secret-rotation.ts';
import { secretRotationStepHandlers } from './secret-rotation-steps.ts';
import { secretValueHandlers } from './secret-values.ts';
import { secretHandlers } from './secrets.ts';
import { trailHandlers, type TrailControl } from './trail.ts';
import { slotHandlers } from './vault-slots.ts';
import { vaultHandlers, type VaultControl } from './vault.ts';
import { vaultsHandlers, type VaultsControl } from './vaults.ts';
import { windowHandlers, type WindowControl } from './window.ts';

export interface HandlerPorts {
  readonly control: VaultControl;
  readonly vaults: VaultsControl;
  readonly trail: TrailControl;
  readonly access: AccessPorts['door'];
  readonly window: WindowControl;
  readonly random: Random;
  readonly hashFile: HashFile;
  readonly cipherFile: CipherFile;
  /** Of the opening in which the request began. */
  readonly hardware: () => Hardware;
  readonly tokenSlots: TokenSlots;
  readonly pins: PinSeal;
  readonly giveSealedPin: GiveSealedPin;
  readonly joins: JoinNotes;
  /** Modules that are registered on this computer: paths. */
  readonly registeredModules: () => readonly string[];
  readonly usage: UsageTracker;
  readonly accesses: UsageTracker<SecretAccess>;
  readonly rotator: Rotator;
  readonly imports: Omit<ImportPorts, 'random'>;
  readonly remotePorts: RemotePorts;
}

type AllHandlers = HandlersOf<'vault' | 'kms' | 'secretsmanager' | 'file' | 'hardware' | 'access' | 'trail' | 'window'>;

export function register({ control, vaults, trail, access, window, random, hashFile, cipherFile, hardware, tokenSlots, pins, giveSealedPin, joins, registeredModules, usage, accesses, rotator, imports, remotePorts }: HandlerPorts): ReadonlyMap<string, Registered> {
  const handlers: AllHandlers = {
    ...vaultHandlers(control),
    ...vaultsHandlers(vaults),
    ...slotHandlers({ ...control, hardware, tokenSlots }),
    ...commandHandlers(control, hashFile),
    ...kmsKeyHandlers(random, hardware),
    ...kmsKeyStoreHandlers(hardware, random, giveSealedPin, findUnrecorded, joins),
    ...hardwareHandlers({ now: hardware, random, pins, joins, registered: registeredModules }),
    ...kmsRotationHandlers(),
    ...kmsImportHandlers(),
    ...kmsLastUsageHandlers(usage, () => control.vault.open?.unlockedAt ?? 0),
    ...kmsRegionHandlers(),
    ...kmsTagHandlers(),
    ...kmsPolicyHandlers(),
    ...kmsAliasHandlers(),
    ...kmsUseHandlers(),
    ...kmsDataKeyHandlers(hardware),
    ...kmsAgreementHandlers(),
    ...secretHandlers(random),
    ...secretValueHandlers(random, accesses),
    ...accessHandlers({ door: access, random, throwaway: control.throwaway }),
    ...secretImportHandlers({ random, ...imports }),
    ...secretReplicationHandlers(random),
    ...secretReplicationStepHandlers(random, remotePorts.remotes),
    ...secretRemoteHandlers(remotePorts),
    ...secretRotationHandlers(random),
    ...secretRotationStepHandlers(random, rotator),
    ...fileHandlers(hashFile),
    ...certificateRequestHandlers(),
    ...fileEncryptionHandlers(cipherFile),
    ...trailHandlers(trail),
    ...windowHandlers(window),
  };
  const one = (name: Name): Registered => ({ operation: OPERATIONS[name], handler: handlers[name] as unknown as Registered['handler'] });
  return new Map(NAMES.map((name) => [name, one(name)]));
}
