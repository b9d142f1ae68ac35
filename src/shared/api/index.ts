/** The one list of everything that can be asked of a vault. An operation that is not here does not exist. */
import * as access from './access.ts';
import * as commands from './commands.ts';
import { generateCertificateRequest } from './certificate-request.ts';
import * as fileEncryption from './file-encryption.ts';
import * as file from './file.ts';
import * as hardware from './hardware.ts';
import * as hardwarePins from './hardware-pins.ts';
import * as cluster from './hardware-cluster.ts';
import * as erase from './hardware-erase.ts';
import * as agreement from './kms-agreement.ts';
import * as dataKeys from './kms-data-keys.ts';
import * as imports from './kms-import.ts';
import * as keyStores from './kms-key-stores.ts';
import * as keys from './kms-keys.ts';
import * as lastUsage from './kms-last-usage.ts';
import * as policies from './kms-policies.ts';
import * as regions from './kms-regions.ts';
import * as rotation from './kms-rotation.ts';
import * as tags from './kms-tags.ts';
import * as use from './kms-use.ts';
import { actionsOf, type ErrorOf, type InputOf, type Operation, type OperationName, type OutputOf } from './operation.ts';
import * as secrets from './secrets.ts';
import * as secretPolicies from './secret-policies.ts';
import * as secretImport from './secret-import.ts';
import * as remotes from './secret-remotes.ts';
import * as replication from './secret-replication.ts';
import * as secretRotation from './secret-rotation.ts';
import * as values from './secret-values.ts';
import * as slots from './slots.ts';
import * as trail from './trail.ts';
import * as vault from './vault.ts';
import * as vaults from './vaults.ts';
import * as window from './window.ts';

const ALL = [
  vault.status,
  vault.create,
  vault.unlock,
  vault.lock,
  vault.stop,
  vault.describeSettings,
  vault.updateSettings,
  vault.diagnose,
  vault.cancel,
  vaults.listVaults,
  vaults.switchVault,
  vaults.newVault,
  vaults.forgetVault,
  slots.listSlots,
  slots.addSlot,
  slots.removeSlot,
  slots.changePassword,
  keys.createKey,
  keys.describeKey,
  keys.listKeys,
  keys.enableKey,
  keys.disableKey,
  keys.updateKeyDescription,
  keys.createAlias,
  keys.updateAlias,
  keys.deleteAlias,
  keys.listAliases,
  keys.scheduleKeyDeletion,
  keys.cancelKeyDeletion,
  keys.deleteDueKeys,
  rotation.enableKeyRotation,
  rotation.disableKeyRotation,
  rotation.getKeyRotationStatus,
  rotation.listKeyRotations,
  rotation.rotateKeyOnDemand,
  rotation.rotateDueKeys,
  regions.replicateKey,
  regions.updatePrimaryRegion,
  lastUsage.getKeyLastUsage,
  lastUsage.recordKeyUsage,
  imports.getParametersForImport,
  imports.importKeyMaterial,
  imports.deleteImportedKeyMaterial,
  imports.expireDueKeyMaterials,
  tags.tagResource,
  tags.untagResource,
  tags.listResourceTags,
  policies.getKeyPolicy,
  policies.listKeyPolicies,
  use.encrypt,
  use.decrypt,
  dataKeys.reEncrypt,
  dataKeys.generateDataKey,
  dataKeys.generateDataKeyWithoutPlaintext,
  dataKeys.generateDataKeyPair,
  dataKeys.generateDataKeyPairWithoutPlaintext,
  dataKeys.generateRandom,
  use.sign,
  use.verify,
  use.generateMac,
  use.verifyMac,
  agreement.deriveSharedSecret,
  agreement.encapsulate,
  agreement.decapsulate,
  use.getPublicKey,
  keyStores.createCustomKeyStore,
  keyStores.connectCustomKeyStore,
  keyStores.disconnectCustomKeyStore,
  keyStores.describeCustomKeyStores,
  keyStores.updateCustomKeyStore,
  keyStores.deleteCustomKeyStore,
  secrets.createSecret,
  secrets.describeSecret,
  secretPolicies.getResourcePolicy,
  secrets.listSecrets,
  secrets.updateSecret,
  secrets.deleteSecret,
  secrets.restoreSecret,
  secrets.tagResource,
  secrets.untagResource,
  values.getSecretValue,
  values.batchGetSecretValue,
  values.putSecretValue,
  values.listSecretVersionIds,
  values.updateSecretVersionStage,
  values.getRandomPassword,
  values.getRandomPassphrase,
  values.getOneTimeCode,
  secretImport.openImport,
  secretImport.previewImport,
  secretImport.importSecrets,
  secretImport.closeImport,
  secretImport.eraseImportedFile,
  secretRotation.rotateSecret,
  secretRotation.cancelRotateSecret,
  secretRotation.setRotator,
  secretRotation.describeRotation,
  secretRotation.listRotations,
  secretRotation.previewRotation,
  secretRotation.pauseRotation,
  secretRotation.resumeRotation,
  secretRotation.stopRotation,
  secretRotation.testRotator,
  secretRotation.rotateDueSecrets,
  secretRotation.runRotationStep,
  secretRotation.recordRotationStep,
  replication.replicateSecretToRegions,
  replication.removeRegionsFromReplication,
  replication.stopReplicationToReplica,
  replication.describeReplication,
  replication.releaseReplica,
  replication.adoptReplicaVersion,
  remotes.putRemote,
  remotes.listRemotes,
  remotes.describeRemote,
  remotes.deleteRemote,
  remotes.testRemote,
  replication.replicateToRegion,
  replication.recordReplicationFailure,
  replication.beginReplication,
  replication.runReplication,
  replication.recordReplication,
  commands.allowCommand,
  commands.listCommands,
  commands.disallowCommand,
  secrets.deleteDueSecrets,
  values.recordSecretAccess,
  hardware.addModule,
  hardware.inspectModule,
  hardware.restartModule,
  hardware.updateModule,
  hardware.removeModule,
  hardware.listModules,
  hardware.listTokens,
  hardware.listMechanisms,
  hardware.initializeToken,
  hardwarePins.setPin,
  hardwarePins.resetPin,
  hardwarePins.unlockToken,
  hardwarePins.forgetPin,
  hardwarePins.beginSealedPin,
  hardwarePins.useSealedPin,
  hardware.listTokenKeys,
  hardware.describeTokenKey,
  hardware.exportCertificate,
  hardware.adoptKey,
  hardware.deleteTokenKey,
  erase.listKeyStoreObjects,
  erase.eraseKeyStore,
  cluster.describeCluster,
  cluster.addTokenToKeyStore,
  cluster.removeTokenFromKeyStore,
  cluster.beginJoin,
  cluster.takeBackJoins,
  cluster.levelCluster,
  cluster.sealCluster,
  hardware.testToken,
  access.createClient,
  access.listClients,
  access.updateClient,
  access.rotateClientKey,
  access.deleteClient,
  access.describeAwsDoor,
  access.updateAwsDoor,
  access.listAwsRequests,
  file.signFile,
  file.verifyFile,
  generateCertificateRequest,
  fileEncryption.encryptFile,
  fileEncryption.decryptFile,
  trail.verifyTrail,
  trail.exportCheckpoint,
  trail.signCheckpoint,
  trail.setCheckpointKey,
  trail.describeCheckpointKey,
  trail.verifyCheckpoint,
  trail.lookupEvents,
  trail.startNewChain,
  trail.exportEvidence,
  window.describeSettings,
  window.updateSettings,
  window.copyValue,
  window.copyOutput,
  window.clearClipboard,
  window.pickFile,
  window.saveFile,
] as const;

type Declared = (typeof ALL)[number];
export type Name = Declared['name'];
export type OperationNamed<N extends Name> = Extract<Declared, { readonly name: N }>;
export type Operations = { readonly [N in Name]: OperationNamed<N> };

export const OPERATIONS = Object.fromEntries(ALL.map((declaration) => [declaration.name, declaration])) as unknown as Operations;

export type Input<N extends Name> = InputOf<OperationNamed<N>>;
export type Output<N extends Name> = OutputOf<OperationNamed<N>>;
export type Failure<N extends Name> = ErrorOf<OperationNamed<N>>;

/** The declaration without its particular types, for code that treats all alike. */
export const declarationOf = (name: Name): Operation => OPERATIONS[name];

/** In the order of help and reference. */
export const NAMES: readonly Name[] = ALL.map((declaration) => declaration.name);
/** Policy actions: an operation's own name, or what its resources are asked by (`kms:ReEncryptFrom`, `kms:ReEncryptTo`). */
export const ACTIONS: readonly OperationName[] = NAMES.flatMap((name) => actionsOf(declarationOf(name))).sort();

export const isOperationName = (name: string): name is Name => Object.hasOwn(OPERATIONS, name);
