/**
 * Every operation that names a key, against every state that a key can be in, on a real vault: the table of the AWS KMS Developer Guide,
 * "Key states of AWS KMS keys", with what the API Reference says of later operations. Creating, Updating and Unavailable are not here: a
 * replica is whole and a primary moved when it is answered, and there are no custom key stores.
 */
import { expect, it } from 'vitest';
import { Hardware } from '../../src/main/hardware/hardware.ts';
import { createSoftwareBackend } from '../../src/main/backends/software.ts';
import type { Call } from '../../src/main/kernel/handler.ts';
import { NO_RESOURCE } from '../../src/main/kernel/resolve.ts';
import type { StoredState } from '../../src/main/keyring/ports.ts';
import { UsageTracker } from '../../src/main/keyring/usage.ts';
import { register, type HandlerPorts } from '../../src/main/operations/register.ts';
import { createResolve } from '../../src/main/operations/resolvers.ts';
import { systemRandom } from '../../src/main/platform/random.ts';
import { NAMES, OPERATIONS, type Name } from '../../src/shared/api/index.ts';
import type { Operation } from '../../src/shared/api/operation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, type Realm } from '../../src/shared/model/ids.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { createVault, record, SETTINGS, type TestVault } from '../unit/store/vault.ts';

const REALM: Realm = { account: SETTINGS.account, region: SETTINGS.region };
const NO_HARDWARE = new Hardware({ startHost: () => { throw new Error('no module here'); }, uid: 0, now: () => instant(0), changed: () => undefined });
const handlers = register({ hardware: () => NO_HARDWARE, control: { vault: {} }, vaults: {}, trail: {}, access: {}, window: {}, remotePorts: {}, random: systemRandom, usage: new UsageTracker(() => 0) } as unknown as HandlerPorts);

async function ask(vault: TestVault, name: Name, input: object): Promise<Record<string, unknown>> {
  const registered = handlers.get(name);
  if (!registered) throw new Error(name);
  const operation: Operation = registered.operation;
  const parsed = operation.input.parse(input) as Record<string, unknown>;
  const keys = createSoftwareBackend({ sealer: vault.sealer, random: systemRandom, material: (id) => vault.store.reader.material(id) });
  const resolve = createResolve(() => ({ realm: REALM, reader: vault.store.reader, keys, now: instant(SETTINGS.created), isConnected: () => false }));
  const find = async (rule: Operation['resource']) => (rule ? resolve(rule, parsed, undefined) : NO_RESOURCE);
  const [resource, destination] = [await find(operation.resource), await find(operation.destination)];
  for (const { missing } of [resource, destination]) if (missing) throw missing;
  const fail = (code: 'ValidationException', message: string): never => {
    throw new VaultError(code, message);
  };
  const call = { at: instant(SETTINGS.created), resource, destination, signal: new AbortController().signal, allows: () => true, touched: () => undefined, uses: [], used: () => undefined, fail } as unknown as Call;
  const rights = { realm: REALM, keys, reader: vault.store.reader };
  const run = registered.handler as unknown as (input: object, call: Call, rights: object) => Promise<Record<string, unknown>>;
  if (operation.effect !== 'write') return run(parsed, call, rights);
  const { value, delivered } = await vault.store.write<Record<string, unknown>>(record(), (writer) => run(parsed, call, { ...rights, writer, afterwards: () => undefined, undone: () => undefined }));
  delivered();
  return value;
}
const codeOf = (answer: Promise<unknown>): Promise<string> => answer.then(() => 'ok', (error: unknown) => (error instanceof VaultError ? error.code : String(error)));

type Made = Readonly<Record<'KeySpec' | 'KeyUsage', string>>;
const AES: Made = { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' };
const ECC: Made = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const MAC: Made = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
const ECDH: Made = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
const KEM: Made = { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' };

const ok = 'ok';
const dry = 'DryRunOperationException';
const off = 'DisabledException';
const bad = 'KMSInvalidStateException';
const not = 'UnsupportedOperationException';
/** Cannot be: the spec takes no imported material, or nothing was encrypted yet. */
const none = undefined;

type Verdicts = readonly [Enabled: string, Disabled: string, PendingImport: string | undefined, PendingDeletion: string, PendingReplicaDeletion: string];
const STATES = ['Enabled', 'Disabled', 'PendingImport', 'PendingDeletion', 'PendingReplicaDeletion'] as const satisfies readonly StoredState[];
const USE: Verdicts = [dry, off, bad, bad, bad];
const SEEN: Verdicts = [ok, ok, ok, ok, ok];
const EDIT: Verdicts = [ok, ok, ok, bad, bad];

interface Row {
  readonly made: Made;
  /** `alias`: of the key; `other`: an alias to be moved; `steady`: a key that stays enabled. */
  readonly input: (key: { readonly KeyId: string; readonly alias: string; readonly CiphertextBlob: unknown; readonly other: string; readonly steady: string }) => object;
  readonly verdicts: Verdicts;
}
const row = (made: Made, verdicts: Verdicts, more: object = {}): Row => ({ made, verdicts, input: ({ KeyId }) => ({ KeyId, ...more }) });
const secret = (): SecretBytes => SecretBytes.take(new Uint8Array(8));
const bytes = new Uint8Array(64);
const DryRun = true;

const TABLE: Partial<Record<Name, Row>> = {
  'kms:CancelKeyDeletion': row(AES, [bad, bad, bad, ok, ok]),
  'kms:CreateAlias': { made: AES, verdicts: EDIT, input: ({ KeyId, alias }) => ({ AliasName: `${alias}-2`, TargetKeyId: KeyId }) },
  'kms:UpdateAlias': { made: AES, verdicts: EDIT, input: ({ KeyId, other }) => ({ AliasName: other, TargetKeyId: KeyId }) },
  'kms:DeleteAlias': { made: AES, verdicts: SEEN, input: ({ alias }) => ({ AliasName: alias }) },
  'kms:ListAliases': row(AES, SEEN),
  'kms:DescribeKey': row(AES, SEEN),
  'kms:GetKeyLastUsage': row(AES, SEEN),
  'kms:EnableKey': row(AES, [ok, ok, bad, bad, bad]),
  'kms:DisableKey': row(AES, [ok, ok, bad, bad, bad]),
  'kms:UpdateKeyDescription': row(AES, EDIT, { Description: 'x' }),
  'kms:ScheduleKeyDeletion': row(AES, EDIT),
  'kms:TagResource': row(AES, EDIT, { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  'kms:UntagResource': row(AES, EDIT, { TagKeys: ['a'] }),
  'kms:ListResourceTags': row(AES, SEEN),
  'kms:GetKeyPolicy': row(AES, SEEN),
  'kms:ListKeyPolicies': row(AES, SEEN),
  'kms:EnableKeyRotation': row(AES, [ok, off, not, bad, bad]),
  'kms:DisableKeyRotation': row(AES, [ok, off, not, bad, bad]),
  'kms:GetKeyRotationStatus': row(AES, SEEN),
  'kms:ListKeyRotations': row(AES, SEEN),
  'kms:RotateKeyOnDemand': row(AES, [ok, off, bad, bad, bad]),
  'kms:GetParametersForImport': row(AES, [not, not, ok, not, not], { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }),
  // A token that is none: what is refused before it is looked at is the state's.
  'kms:ImportKeyMaterial': row(AES, [not, not, 'InvalidImportTokenException', not, not], { ImportToken: bytes, EncryptedKeyMaterial: bytes, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }),
  'kms:DeleteImportedKeyMaterial': row(AES, [not, not, ok, not, not]),
  'kms:ReplicateKey': row(AES, [ok, off, bad, bad, bad], { ReplicaRegion: 'ap-south-1' }),
  'kms:UpdatePrimaryRegion': row(AES, [ok, off, bad, bad, bad], { PrimaryRegion: 'eu-west-1' }),
  'kms:Encrypt': { made: AES, verdicts: USE, input: ({ KeyId }) => ({ KeyId, Plaintext: secret(), DryRun }) },
  'kms:Decrypt': { made: AES, verdicts: [dry, off, none, bad, bad], input: ({ CiphertextBlob }) => ({ CiphertextBlob, DryRun }) },
  'kms:ReEncrypt': { made: AES, verdicts: [dry, off, none, bad, bad], input: ({ CiphertextBlob, steady }) => ({ CiphertextBlob, DestinationKeyId: steady, DryRun }) },
  'kms:GenerateDataKey': row(AES, USE, { KeySpec: 'AES_256', DryRun }),
  'kms:GenerateDataKeyWithoutPlaintext': row(AES, USE, { KeySpec: 'AES_256', DryRun }),
  'kms:GenerateDataKeyPair': row(AES, USE, { KeyPairSpec: 'ECC_NIST_P256', DryRun }),
  'kms:GenerateDataKeyPairWithoutPlaintext': row(AES, USE, { KeyPairSpec: 'ECC_NIST_P256', DryRun }),
  'kms:Sign': { made: ECC, verdicts: USE, input: ({ KeyId }) => ({ KeyId, Message: secret(), SigningAlgorithm: 'ECDSA_SHA_256', DryRun }) },
  'kms:Verify': { made: ECC, verdicts: USE, input: ({ KeyId }) => ({ KeyId, Message: secret(), Signature: bytes, SigningAlgorithm: 'ECDSA_SHA_256', DryRun }) },
  'kms:GenerateMac': { made: MAC, verdicts: USE, input: ({ KeyId }) => ({ KeyId, Message: secret(), MacAlgorithm: 'HMAC_SHA_256', DryRun }) },
  'kms:VerifyMac': { made: MAC, verdicts: USE, input: ({ KeyId }) => ({ KeyId, Message: secret(), Mac: bytes, MacAlgorithm: 'HMAC_SHA_256', DryRun }) },
  'kms:DeriveSharedSecret': row(ECDH, USE, { KeyAgreementAlgorithm: 'ECDH', PublicKey: bytes, DryRun }),
  'kms:Encapsulate': row(KEM, [dry, off, none, bad, bad], { EncapsulationAlgorithm: 'ML_KEM', DryRun }),
  'kms:Decapsulate': row(KEM, [dry, off, none, bad, bad], { EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: bytes, DryRun }),
  'kms:GetPublicKey': row(ECC, [ok, off, bad, bad, bad]),
};

it('knows every operation that names a key', () => {
  const naming = NAMES.filter((name) => name.startsWith('kms:') && OPERATIONS[name].doors.some((door) => door === 'cli') && (OPERATIONS[name] as Operation).resource !== undefined);
  expect(Object.keys(TABLE).sort()).toEqual([...naming].sort());
});

it('allows and refuses in every state what AWS does', { timeout: 120_000 }, async () => {
  const vault = await createVault();
  let count = 0;
  const make = async (made: Made, state: StoredState) => {
    count += 1;
    const alias = `alias/k${String(count)}`;
    const external = state === 'PendingImport' ? { Origin: 'EXTERNAL' } : {};
    const { KeyId } = (await ask(vault, 'kms:CreateKey', { ...made, ...external, MultiRegion: true }))['KeyMetadata'] as { KeyId: string };
    await ask(vault, 'kms:CreateAlias', { AliasName: alias, TargetKeyId: KeyId });
    return { KeyId, alias };
  };
  const enter: Record<StoredState, (KeyId: string) => Promise<unknown>> = {
    Enabled: (KeyId) => ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' }),
    Disabled: (KeyId) => ask(vault, 'kms:DisableKey', { KeyId }),
    PendingImport: () => Promise.resolve(),
    PendingDeletion: (KeyId) => ask(vault, 'kms:ScheduleKeyDeletion', { KeyId }),
    PendingReplicaDeletion: async (KeyId) => {
      await ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' });
      await ask(vault, 'kms:ScheduleKeyDeletion', { KeyId });
    },
  };
  const { alias: other } = await make(AES, 'Enabled');
  const { KeyId: steady } = await make(AES, 'Enabled');
  let asked = 0;
  for (const [name, { made, input, verdicts }] of Object.entries(TABLE) as [Name, Row][]) {
    for (const [at, state] of STATES.entries()) {
      const verdict = verdicts[at];
      if (verdict === undefined) continue;
      const key = await make(made, state);
      const CiphertextBlob = made === AES && state !== 'PendingImport' ? (await ask(vault, 'kms:Encrypt', { KeyId: key.KeyId, Plaintext: secret() }))['CiphertextBlob'] : undefined;
      await enter[state](key.KeyId);
      expect([name, state, await codeOf(ask(vault, name, input({ ...key, CiphertextBlob, other, steady })))]).toEqual([name, state, verdict]);
      asked += 1;
    }
  }
  expect(asked).toBe(Object.keys(TABLE).length * STATES.length - 4);
});
