/** `window.keystead` for looking at the window in a plain browser: believable answers, no vault behind them. Never shipped. */
import { fakeOpened, fakePreview } from './fake-imports.ts';
import { fakeClients, fakeEvents, fakeKeys, fakeRequests, fakeSecrets, manyKeys, type FakeKey, type FakeSecret } from './fake-data.ts';
import { fakeHardware, tokenLogsOut } from './fake-hardware.ts';
import { fakeRemotes, fakeReplicas } from './fake-replication.ts';
import { fakeRotation, previewed } from './fake-rotation.ts';

type Fields = Readonly<Record<string, unknown>>;

const query = new URLSearchParams(location.search);
const at = (): number => Date.now() / 1000;
let phase = query.get('state') ?? 'unlocked';
const events = fakeEvents(at());
const many = Number(query.get('keys') ?? 0);
const keys = query.get('empty') === null ? [...fakeKeys(at()), ...manyKeys(at(), many)] : [];
const byId = new Map(keys.map((key) => [key.KeyId, key]));
let secrets = query.get('empty') === null ? fakeSecrets(at(), query.has('marks')) : [];
let commands = query.has('marks') ? [{ Name: 'rotate-app', Path: '/usr/local/bin/rotate-app', Arguments: ['--in', 'eu west'], Sha256: '5e1f'.repeat(16) }] : [];
const TOKEN_SLOTS = [{ SlotId: '9d'.repeat(16), Token: 'office', Serial: '7b1e22c4d0f1a2b3' }, { SlotId: '4c'.repeat(16), Token: 'safe', Serial: '0a55e1f29c3b7d18' }];
const listeners = new Set<(event: unknown) => void>();
const push = (event: Fields): void => { for (const listener of listeners) listener(event); };
const b64 = (length: number, seed = 7): string => btoa(String.fromCharCode(...Array.from({ length }, (_, i) => (i * 73 + seed * 41 + ((i * i) % 97)) % 256)));
const arnOf = (id: string): string => `arn:aws:kms:us-east-1:318204775610:key/${id}`;
const find = (reference: unknown): FakeKey => byId.get(String(reference)) ?? keys.find((key) => key.alias === reference) ?? fail('NotFoundException', `\`${String(reference)}\` does not exist`);
function fail(code: string, message: string, details?: Fields): never {
  throw Object.assign(new Error(message), { code, details });
}
const paged = (field: string, { Limit = 1000, Marker = '0' }: Fields, item: (key: FakeKey) => readonly Fields[]): Fields => {
  const end = Number(Marker) + Number(Limit);
  const items = keys.slice(Number(Marker), end).flatMap(item);
  return end < keys.length ? { [field]: items, Truncated: true, NextMarker: String(end) } : { [field]: items, Truncated: false };
};
const secretArn = (name: string): string => `arn:aws:secretsmanager:us-east-1:318204775610:secret:${name}-Ab3dE9`;
const secret = (name: unknown): FakeSecret => secrets.find(({ Name }) => Name === name) ?? fail('ResourceNotFoundException', `secret \`${String(name)}\` does not exist`);
const changeSecret = (name: unknown, change: Partial<FakeSecret>): Fields => {
  secrets = secrets.map((one) => (one.Name === name ? { ...secret(name), LastChangedDate: at(), ...change } : one));
  push({ event: 'secret.changed' });
  return { ARN: secretArn(String(name)), Name: name };
};
let rotation = fakeRotation(query.get('rotation') ?? 'idle', at());
const rotates = (name: unknown): boolean => query.get('rotation') !== null && name === 'prod/orders/postgres';
const changeRotation = (name: unknown, state: string): Fields => {
  rotation = fakeRotation(state, at());
  return changeSecret(name, {});
};
const stagesOf = ({ versions }: FakeSecret): Fields => Object.fromEntries(versions.filter(({ stages }) => stages.length > 0).map(({ id, stages }) => [id, stages]));
const known0 = ({ versions: _versions, ...one }: FakeSecret): Fields => ({ ...one, ARN: secretArn(one.Name) });
const put = (name: unknown, value: string): Fields => {
  const id = `${String(calls).padStart(8, '0')}-77aa-4c0e-9d11-0f2f6f7b1c09`;
  const older = secret(name).versions.map((one) => ({ ...one, stages: one.stages.includes('AWSCURRENT') ? ['AWSPREVIOUS'] : one.stages.filter((stage) => stage !== 'AWSPREVIOUS') }));
  return { ...changeSecret(name, { versions: [{ id, stages: ['AWSCURRENT'], made: at(), value: atob(value) }, ...older] }), VersionId: id, VersionStages: ['AWSCURRENT'] };
};
const awsDoor = { Open: query.get('closed') === null, Port: 5998, Tls: true };
let awsClients = query.get('empty') === null ? fakeClients(at()) : [];
let wrong = 0;
let known = ['personal', 'acme-staging', 'old-laptop'];
const settings = { Name: 'acme-dev', AutoLockMinutes: 15, LockOnSuspend: true, LockOnScreenLock: true };
const windowSettings = { Theme: query.get('theme') ?? 'system', ClipboardSeconds: 30, Notifications: true, SingleLetterKeys: true };
let slots = [
  { SlotId: 'a'.repeat(32), Type: 'password', Factors: ['password', 'device'], CreationDate: at() - 90 * 86400, Kdf: { MemoryKiB: 65536, Passes: 3, Lanes: 4 } },
  { SlotId: 'b'.repeat(32), Type: 'recovery', Factors: ['code'], CreationDate: at() - 90 * 86400 },
  ...(query.get('slots')?.includes('token') ? TOKEN_SLOTS.map(({ SlotId, Token, Serial }) => ({ SlotId, Type: 'token', Factors: ['token'], CreationDate: at() - 9 * 86400, TokenUri: `pkcs11:token=${Token};serial=${Serial}` })) : []),
];
const CODE = btoa('7KQ2-M4XR-09TB-HZ5C-V8NE-3WJP-D6YA');
const unlockTo = (state: string): void => { phase = state; push({ event: 'vault.unlocked' }); };

/** Keys in the token are as its key store is. */
const hardwareIs = query.get('hardware') ?? (query.get('empty') === null ? 'ready' : 'none');
const isAway = ({ Origin }: FakeKey): boolean => Origin === 'AWS_CLOUDHSM' && /pin|last|locked|missing|crashed/.test(hardwareIs);
const metadata = ({ alias: _alias, ...key }: FakeKey): Fields => ({ ...key, ...(isAway(key as FakeKey) ? { KeyState: 'Unavailable' } : {}), AWSAccountId: '318204775610', Arn: arnOf(key.KeyId), Enabled: key.KeyState === 'Enabled', Origin: key.Origin ?? 'AWS_KMS', KeyManager: 'CUSTOMER', CustomerMasterKeySpec: key.KeySpec, MultiRegion: key.MultiRegion === true, ...(key.MultiRegion ? { MultiRegionConfiguration: { MultiRegionKeyType: 'PRIMARY', PrimaryKey: { Arn: arnOf(key.KeyId), Region: 'us-east-1' }, ReplicaKeys: [{ Arn: '', Region: 'eu-west-1' }, { Arn: '', Region: 'ap-south-1' }] } } : {}) });
/** The key as it stands in a region: of a multi-Region key, all but the vault's own are replicas. */
const inRegion = (key: Fields, region = 'us-east-1'): Fields =>
  region === 'us-east-1' ? key : { ...key, Arn: String(key['Arn']).replace('us-east-1', region), Description: 'For the shop in Dublin', MultiRegionConfiguration: { ...(key['MultiRegionConfiguration'] as Fields), MultiRegionKeyType: 'REPLICA' } };
const tagsOf = new Map<string, readonly object[]>();
const rotationsOf = (key: FakeKey): readonly Fields[] =>
  key.Origin === 'EXTERNAL'
    ? []
    : ['4d1f0a97c2b8e653', '9be0275f13c4d8a6', 'e27c61d50f98ab34'].map((id, i) => ({ KeyId: arnOf(key.KeyId), KeyMaterialId: id.padEnd(64, '0'), KeyMaterialState: i === 2 ? 'CURRENT' : 'NON_CURRENT', ...(i === 0 ? {} : { RotationDate: at() - (3 - i) * 243 * 86400, RotationType: i === 1 ? 'AUTOMATIC' : 'ON_DEMAND' }) }));
const ENVELOPE = JSON.stringify({ payload: btoa(JSON.stringify({ headerHash: '00' })).repeat(6), payloadType: 'application/vnd.keystead.checkpoint+json', signatures: [{ keyid: '', sig: btoa('s'.repeat(64)) }] });
let checkpointKey: Fields = query.get('notary') === null ? {} : { KeyId: arnOf(keys.find(({ alias }) => alias.endsWith('codesign-hsm'))?.KeyId ?? ''), Exists: query.get('notary') !== 'gone' };
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const cancelled = new Set<unknown>();

/** A token's PIN as a factor: which of the two, the file that somebody vouches for, and the last try, as the real one asks for them. */
function byToken(input: Fields): void {
  if (input['TokenPin'] === undefined) return;
  if (input['TokenSlotId'] === undefined) fail('SlotNotFoundException', '2 tokens open this vault; name one with `--token-slot-id`');
  const file = query.get('module');
  if (input['ModuleSha256'] === undefined && file !== null) {
    const sha256 = '9c1f6a0e5d7b3428f0c6e19d84a72b53d1e08f6c29ab7540fe3d61c8b2975a04';
    if (file === 'changed') fail('ModuleRefusedException', 'module `/usr/lib/softhsm/libsofthsm2.so` is another file than when the token slot was made, and was not loaded; unlock another way, agree to the module, and add the slot again', { sha256 });
    fail('ModuleRefusedException', 'module `/opt/vendor/pkcs11.so` was not loaded: others than root can put a file there (folder `/opt/vendor` is writable by group 1000), and a locked vault cannot know which is yours', { sha256, vouch: 'true' });
  }
  const { Token } = TOKEN_SLOTS.find(({ SlotId }) => SlotId === input['TokenSlotId']) ?? { Token: '' };
  if (query.get('last') === Token && input['LastTry'] !== true) fail('PinLockedException', `token \`${Token}\` says that one more wrong PIN locks it; if you are sure of yours, insist`, { pin: 'user', token: 'cluster-a', tries: 'last' });
}

const OPERATIONS: Readonly<Record<string, (input: Fields, call: number) => Fields | Promise<Fields>>> = {
  ...fakeHardware({ at, how: hardwareIs, push, fail, wait, slow: query.get('slow') !== null }, keys.filter(({ Origin }) => Origin === 'AWS_CLOUDHSM').map(({ KeyId }) => KeyId)),
  'vault:Status': () => ({
    State: phase, Folder: '/home/ada/.local/share/keystead/vaults/acme-dev', Version: '0.1.0', ProcessId: 41877, StartedAt: at() - 9000,
    ...(phase === 'absent' ? {} : { VaultId: '5f1e9c2ab87d4036a1c6e2f09b3d7754', SlotTypes: query.get('slots')?.split(',') ?? ['password', 'recovery'], ...(query.get('slots')?.includes('token') ? { TokenSlots: TOKEN_SLOTS } : {}) }),
    ...(phase === 'unlocked' || phase === 'readOnly' ? { Name: settings.Name, UnlockedAt: 1_790_000_000, LocksAt: at() + 11.5 * 60, RecoveryCodeUsed: false } : {}),
    ...(phase === 'trailBroken' ? { Problem: '`trail.key` is damaged: nothing was changed, compare the vault\'s folder with a copy' } : {}),
    ...(phase === 'readOnly' ? { Problem: 'the trail is behind what the vault knows of it' } : {}),
  }),
  'vault:Unlock': async (input) => {
    await wait(query.get('slow') === null ? 150 : 60_000);
    if (input['Password'] === btoa('wrong password')) {
      wrong += 1;
      fail('IncorrectPasswordException', 'the password does not open this vault; try again', wrong > 1 ? { retryAfterSeconds: '4' } : undefined);
    }
    byToken(input);
    unlockTo('unlocked');
    return { VaultId: '5f', Name: settings.Name, State: 'unlocked', SlotId: 'a', SlotType: 'password', RecoveryCodeUsed: false };
  },
  'vault:Create': async () => { await wait(100); unlockTo('unlocked'); return { VaultId: '5f', Name: 'acme-dev', Region: 'us-east-1', Account: '318204775610', Factors: 'password', RecoveryCode: CODE }; },
  'vault:ListVaults': () => ({
    Vaults: [
      { Folder: '/home/ada/.local/share/keystead/vaults/acme-dev', Current: true, Found: true },
      ...known.map((name) => ({ Folder: `/home/ada/.local/share/keystead/vaults/${name}`, Current: false, Found: name !== 'old-laptop' })),
    ],
    NewIn: '/home/ada/.local/share/keystead/vaults',
  }),
  'vault:SwitchVault': () => fail('VaultInUseException', 'another process (41902) has this vault open; close it there first'),
  'vault:NewVault': async () => { await wait(1e9); return {}; },
  'vault:ForgetVault': (input) => { known = known.filter((name) => !String(input['Folder']).endsWith(name)); return {}; },
  'vault:Lock': () => { phase = 'locked'; push({ event: 'vault.locked' }); return { State: 'locked' }; },
  'vault:DescribeSettings': () => ({ ...settings, VaultId: '5f1e9c2ab87d4036a1c6e2f09b3d7754', Region: 'us-east-1', Account: '318204775610', CreationDate: at() - 90 * 86400, RecoveryCodeUsed: false }),
  'vault:UpdateSettings': (input) => Object.assign(settings, input),
  'window:DescribeSettings': () => ({ ...windowSettings, Host: 'chromium', Copies: query.get('bare') === null, Picks: query.get('bare') === null, Notifies: query.get('bare') === null }),
  'window:UpdateSettings': (input) => Object.assign(windowSettings, input),
  'window:CopyValue': () => ({ Encoding: 'text', Size: 50, ClearsAt: at() + windowSettings.ClipboardSeconds }),
  'window:CopyOutput': () => ({ Encoding: 'text', Size: 50, ClearsAt: at() + windowSettings.ClipboardSeconds }),
  'window:ClearClipboard': () => ({ Cleared: true }),
  'window:PickFile': () => ({ Path: '/home/ada/release-1.4.0.tar.gz', Name: 'release-1.4.0.tar.gz', Size: 734_003_200 }),
  'file:GenerateCertificateRequest': (input) => ((input['DnsNames'] as string[]).includes('a..b') ? fail('ValidationException', '`a..b` is no DNS name; write one that is not ASCII in its `xn--` form, and an address among the addresses') : { KeyId: input['KeyId'], SigningAlgorithm: input['SigningAlgorithm'], CertificateRequest: `-----BEGIN CERTIFICATE REQUEST-----\n${'MIIBIjCByQIBADAtMQswCQYDVQQGEwJERTEeMBwGA1UEAwwVYnVpbGQuYWNtZS5l\n'.repeat(7)}-----END CERTIFICATE REQUEST-----\n` }),
  'file:Sign': (input) => ({ Signature: b64(256), KeyId: arnOf(find(input['KeyId']).KeyId), SigningAlgorithm: input['SigningAlgorithm'], MessageType: 'DIGEST', Digest: '00', Size: 734_003_200 }),
  'window:SaveFile': (input) => ({ Path: `/home/ada/${String(input['SuggestedName'])}` }),
  'vault:ListSlots': () => ({ Slots: slots }),
  'vault:AddSlot': async () => { await wait(100); return { Slot: slots[1], RecoveryCode: CODE }; },
  'vault:RemoveSlot': (input) => { byToken(input); slots = slots.filter((slot) => slot.SlotId !== input['SlotId']); return { SlotId: input['SlotId'], How: input['How'], Slots: slots }; },
  'vault:ChangePassword': async () => { await wait(100); return { Slot: slots[0] }; },
  'access:DescribeAwsDoor': () => ({ State: awsDoor.Open ? 'open' : 'closed', ...awsDoor, Endpoint: `${awsDoor.Tls ? 'https' : 'http'}://127.0.0.1:${String(awsDoor.Port)}`, Region: 'us-east-1', Account: '318204775610', CertificateAuthorityFile: '/home/ada/.local/share/keystead/vaults/acme-dev/aws-ca.pem' }),
  'access:UpdateAwsDoor': (input) => {
    if (input['Port'] === 6000) fail('PortUnavailableException', 'port `6000` is taken by another program; choose another port');
    Object.assign(awsDoor, input);
    push({ event: 'door.changed' });
    return {};
  },
  'access:ListClients': () => ({ Clients: awsClients }),
  'access:CreateClient': (input) => ({ Name: input['Name'], Role: input['Role'], Arn: `arn:aws:iam::318204775610:user/${String(input['Name'])}`, AccessKeyId: 'AKIAQ5VJ2Z7NMD3KTX4R', SecretAccessKey: btoa('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') }),
  'access:RotateClientKey': (input) => ({ Name: input['Name'], Role: 'user', Arn: `arn:aws:iam::318204775610:user/${String(input['Name'])}`, AccessKeyId: 'AKIAQ5VJ2Z7NMD3KTX4R', SecretAccessKey: btoa('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') }),
  'access:DeleteClient': (input) => { awsClients = awsClients.filter(({ Name }) => Name !== input['Name']); return {}; },
  'access:UpdateClient': (input) => { awsClients = awsClients.map((one) => (one.Name === input['Name'] ? { ...one, Role: input['Role'] as typeof one.Role } : one)); return {}; },
  'access:ListAwsRequests': () => ({ Requests: awsDoor.Open ? fakeRequests(at()) : [] }),
  'kms:ListKeys': (input) => paged('Keys', input, ({ KeyId }) => [{ KeyId, KeyArn: arnOf(KeyId) }]),
  'kms:ListAliases': (input) => paged('Aliases', input, ({ KeyId, alias }) => (alias === '' ? [] : [{ AliasName: alias, AliasArn: arnOf(KeyId).replace(/key\/.*$/, alias), TargetKeyId: KeyId, CreationDate: 0, LastUpdatedDate: 0 }])),
  'kms:DescribeKey': (input) => ({ KeyMetadata: inRegion(metadata(find(input['KeyId'])), input['region'] as string | undefined) }),
  'kms:GetKeyLastUsage': (input) => ({ KeyId: input['KeyId'], KeyLastUsage: find(input['KeyId']).KeyState === 'Enabled' ? { Operation: find(input['KeyId']).KeyUsage === 'SIGN_VERIFY' ? 'Sign' : 'Decrypt', Timestamp: at() - 9700 } : {}, TrackingStartDate: find(input['KeyId']).CreationDate, KeyCreationDate: find(input['KeyId']).CreationDate }),
  'kms:ListResourceTags': (input) => ({ Tags: tagsOf.get(String(input['KeyId'])) ?? [{ TagKey: 'team', TagValue: 'orders' }, { TagKey: 'stage', TagValue: 'prod' }], Truncated: false }),
  'kms:TagResource': (input) => { tagsOf.set(String(input['KeyId']), input['Tags'] as object[]); return {}; },
  'kms:UntagResource': (input) => { tagsOf.set(String(input['KeyId']), []); return {}; },
  'kms:GetKeyRotationStatus': (input) => ({ KeyId: input['KeyId'], KeyRotationEnabled: find(input['KeyId']).Origin !== 'EXTERNAL', ...(find(input['KeyId']).Origin === 'EXTERNAL' ? {} : { RotationPeriodInDays: 365, NextRotationDate: at() + 122 * 86400 }) }),
  'kms:ListKeyRotations': (input) => ({ Rotations: rotationsOf(find(input['KeyId'])), Truncated: false }),
  'kms:EnableKeyRotation': () => ({}),
  'kms:DisableKeyRotation': () => ({}),
  'kms:RotateKeyOnDemand': (input) => ({ KeyId: input['KeyId'] }),
  'kms:GetParametersForImport': (input) => ({ KeyId: input['KeyId'], ImportToken: b64(4300), PublicKey: b64(550), ParametersValidTo: at() + 86400 }),
  'kms:ImportKeyMaterial': () => fail('InvalidCiphertextException', 'the ciphertext does not open: check that it is whole, its key, and the encryption context that it was made with'),
  'kms:ReplicateKey': () => fail('AlreadyExistsException', 'key `mrk-7c1e` has a replica in `eu-west-1` already'),
  'kms:CreateKey': (input) => {
    const key = { ...fakeKeys(at())[0], ...input, KeyId: `9${String(keys.length).padStart(7, '0')}-5d0b-4f5e-9a53-0b6d2f81c9e4`, alias: '', KeyState: 'Enabled' } as FakeKey;
    keys.push(key);
    byId.set(key.KeyId, key);
    return { KeyMetadata: metadata(key) };
  },
  'kms:CreateAlias': (input) => { Object.assign(find(input['TargetKeyId']), { alias: input['AliasName'] }); return {}; },
  'kms:DeleteAlias': (input) => { Object.assign(find(input['AliasName']), { alias: '' }); return {}; },
  'kms:UpdateKeyDescription': (input) => { Object.assign(find(input['KeyId']), { Description: input['Description'] }); return {}; },
  'kms:DisableKey': (input) => { Object.assign(find(input['KeyId']), { KeyState: 'Disabled' }); return {}; },
  'kms:EnableKey': (input) => { Object.assign(find(input['KeyId']), { KeyState: 'Enabled' }); return {}; },
  'kms:ScheduleKeyDeletion': (input) => { Object.assign(find(input['KeyId']), { KeyState: 'PendingDeletion', DeletionDate: at() + 30 * 86400 }); return { KeyId: input['KeyId'] }; },
  'kms:CancelKeyDeletion': (input) => { Object.assign(find(input['KeyId']), { KeyState: 'Disabled' }); return { KeyId: input['KeyId'] }; },
  'file:Encrypt': async (input, call) => {
    if (String(input['Path']).includes('missing')) fail('FileNotReadableException', `file \`${String(input['Path'])}\` does not exist`);
    const total = 734_003_200;
    for (let done = 0; done < total && !cancelled.has(call); done += total / 40) {
      push({ event: 'progress', call, progress: { done, total, unit: 'bytes' } });
      await wait(query.get('slow') === null ? 5 : 150);
    }
    if (cancelled.has(call)) fail('CancelledException', 'cancelled; no file was written');
    return { OutputPath: input['OutputPath'], KeyId: '', Size: total, OutputSize: total + 29_000 };
  },
  'file:Decrypt': () => fail('InvalidCiphertextException', 'the ciphertext does not open: check that it is whole, its key, and the encryption context that it was made with'),
  'kms:Sign': (input) => find(input['KeyId']).Origin === 'AWS_CLOUDHSM' && query.get('gone') !== null ? (tokenLogsOut(), fail('KMSInvalidStateException', 'token `release-hsm` is logged out; connect its key store again with `keystead kms connect-custom-key-store`')) : ({ KeyId: '', Signature: b64(71), SigningAlgorithm: 'ECDSA_SHA_256' }),
  'kms:Verify': (input) => (input['Signature'] === b64(71) ? { KeyId: '', SignatureValid: true, SigningAlgorithm: 'ECDSA_SHA_256' } : fail('KMSInvalidSignatureException', 'the signature does not fit this message, key and algorithm')),
  'kms:Encrypt': () => ({ CiphertextBlob: b64(184), KeyId: '', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }),
  'kms:Decrypt': () => ({ Plaintext: btoa('postgres://orders:correct-horse@db.internal/orders'), KeyId: '', EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }),
  'kms:GenerateDataKey': () => ({ CiphertextBlob: b64(184), Plaintext: b64(32), KeyId: '' }),
  'kms:GenerateMac': () => ({ Mac: b64(32), MacAlgorithm: 'HMAC_SHA_256', KeyId: '' }),
  'kms:VerifyMac': () => ({ MacValid: true }),
  'kms:GetPublicKey': () => ({ PublicKey: b64(91), KeyId: '' }),
  'secretsmanager:ListSecrets': (input) => {
    const words = ((input['Filters'] as readonly { readonly Values: readonly string[] }[] | undefined)?.[0]?.Values[0] ?? '').toLowerCase();
    return { SecretList: secrets.filter((one) => `${one.Name} ${one.Description ?? ''}`.toLowerCase().includes(words)).map((one) => ({ ...known0(one), SecretVersionsToStages: stagesOf(one) })) };
  },
  'secretsmanager:DescribeRotation': (input) => {
    const { Name, versions } = secret(input['SecretId']);
    return { ARN: secretArn(Name), Name, ...(versions[0]?.value.includes('"engine":"postgres"') === true ? { Engine: 'postgres' } : {}), ...(rotates(Name) ? rotation : { RotationEnabled: false, Windows: [], Ended: [], Consumers: [] }) };
  },
  'secretsmanager:ListRotations': () => ({
    Rotations: secrets.slice(0, 5).flatMap(({ Name }, i) => {
      const State = rotates(Name) ? { running: 'rotating', waiting: 'retrying', failed: 'failed' }[query.get('rotation') ?? ''] : query.has('marks') ? ['failed', 'retrying', 'overdue', 'rotating', 'failed'][i] : undefined;
      return State === undefined ? [] : [{ ARN: secretArn(Name), Name, State, Since: at() - 600 }];
    }),
  }),
  'vault:ListCommands': () => ({ Commands: commands }),
  'vault:AllowCommand': async (input) => {
    await wait(150);
    if (input['Password'] === btoa('wrong password')) fail('IncorrectPasswordException', 'the password does not open this vault; try again');
    if (input['Path'] !== '/usr/local/bin/rotate-app') fail('FileNotReadableException', `\`${String(input['Path'])}\` cannot be read: there is no such file`);
    const made = { Name: String(input['Name']), Path: input['Path'], Arguments: input['Arguments'] as string[], Sha256: '5e'.repeat(32) };
    commands = [...commands, made];
    return made;
  },
  'vault:DisallowCommand': (input) => {
    commands = commands.filter(({ Name }) => Name !== input['Name']);
    return {};
  },
  'secretsmanager:DescribeReplication': (input) => {
    const { Name } = secret(input['SecretId']);
    const Replicas = Name.endsWith('postgres') ? fakeReplicas(query.get('replication'), at()) : [];
    return { ARN: secretArn(Name), Name, IsReplica: false, ...(Replicas.length > 0 ? { PrimaryRegion: 'us-east-1' } : {}), Replicas };
  },
  'secretsmanager:ReplicateSecretToRegions': () => fail('InvalidParameterException', 'the secret itself is in `us-east-1`; name another region'),
  'secretsmanager:AdoptReplicaVersion': (input) => ({ ARN: '', Name: input['SecretId'] }),
  'secretsmanager:ReleaseReplica': (input) => ({ ARN: '', Name: input['SecretId'] }),
  'secretsmanager:RemoveRegionsFromReplication': () => ({ ARN: '', ReplicationStatus: [] }),
  'secretsmanager:ListRemotes': () => ({ Remotes: query.get('empty') === null ? fakeRemotes(at()) : [] }),
  'secretsmanager:DescribeRemote': (input) => ({ ...fakeRemotes(at()).find(({ Name }) => Name === input['Name']), CertificateAuthority: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', ReplicatedARNs: [] }),
  'secretsmanager:PutRemote': (input) => ({ Name: input['Name'] }),
  'secretsmanager:DeleteRemote': () => fail('InvalidRequestException', `\`${secretArn('prod/orders/postgres')}\` is replicated to it; take those away first, or leave the copies`),
  'secretsmanager:TestRemote': async (input) => {
    await wait(150);
    return input['Name'] === 'team-vault' ? { Ok: false, Code: 'tls-untrusted', Reason: 'the server\'s certificate is not from a trusted authority, or has expired: give the authority\'s certificate, or renew the server\'s', Connections: ['vault.acme.internal:5998 41 ms'] } : { Ok: true, Connections: ['secretsmanager.eu-west-1.amazonaws.com:443 tls 96 ms'] };
  },
  'secretsmanager:PreviewRotation': (input) => {
    const { ScheduleExpression: expression = '' } = input['RotationRules'] as { ScheduleExpression?: string };
    return /^(rate\(\d+ days\)|cron\(0 3 )/.test(expression) ? previewed(at()) : fail('InvalidParameterException', 'the schedule is neither `rate(…)` nor `cron(…)`; give something like `rate(10 days)` or `cron(0 16 1,15 * ? *)`');
  },
  'secretsmanager:TestRotator': async (input) => {
    await wait(150);
    return input['Rotator'] === 'postgres' ? { Ok: false, Code: 'ECONNREFUSED', Reason: 'nobody answers at db-1.acme.internal: start the server, or mend the host in the value', Connections: ['db-1.acme.internal:5432 12 ms'] } : { Ok: true, Connections: [] };
  },
  'secretsmanager:SetRotator': (input) => changeSecret(input['SecretId'], {}),
  'secretsmanager:RotateSecret': (input) => changeRotation(input['SecretId'], 'running'),
  'secretsmanager:CancelRotateSecret': (input) => changeRotation(input['SecretId'], 'idle'),
  'secretsmanager:StopRotation': (input) => changeRotation(input['SecretId'], 'idle'),
  'secretsmanager:PauseRotation': (input) => changeRotation(input['SecretId'], 'paused'),
  'secretsmanager:ResumeRotation': (input) => changeRotation(input['SecretId'], 'idle'),
  'secretsmanager:DescribeSecret': (input) => ({ ...(rotates(input['SecretId']) ? { RotationEnabled: true } : {}), ...known0(secret(input['SecretId'])), VersionIdsToStages: stagesOf(secret(input['SecretId'])) }),
  'secretsmanager:ListSecretVersionIds': (input) => ({ Name: input['SecretId'], ARN: '', Versions: secret(input['SecretId']).versions.map(({ id, stages, made }) => ({ VersionId: id, ...(stages.length > 0 ? { VersionStages: stages } : {}), CreatedDate: made, KmsKeyIds: ['DefaultEncryptionKey'] })) }),
  'secretsmanager:GetSecretValue': (input) => {
    const { Name, versions } = secret(input['SecretId']);
    const found = versions.find(({ id, stages }) => (input['VersionId'] === undefined ? stages.includes('AWSCURRENT') : id === input['VersionId'])) ?? fail('ResourceNotFoundException', 'there is no such version');
    return { ARN: secretArn(Name), Name, VersionId: found.id, SecretString: btoa(found.value), VersionStages: found.stages, CreatedDate: found.made };
  },
  'secretsmanager:OpenImport': (input) => fakeOpened(input),
  'secretsmanager:PreviewImport': (input) => fakePreview(input),
  'secretsmanager:ImportSecrets': async (input) => {
    await wait(query.get('slow') === null ? 50 : 5000);
    return { Results: (input['Rows'] as { Row: number }[]).map(({ Row }) => ({ Row, ARN: '', Name: '', Outcome: 'Created' })) };
  },
  'secretsmanager:CloseImport': () => ({}),
  'secretsmanager:EraseImportedFile': (input) => ({ Path: input['Path'], Size: 214, Certain: false }),
  'secretsmanager:CreateSecret': (input) => {
    if (secrets.some(({ Name }) => Name === input['Name'])) fail('ResourceExistsException', `secret \`${String(input['Name'])}\` exists already`);
    const text = input['SecretString'];
    secrets = [...secrets, { Name: String(input['Name']), Tags: [], CreatedDate: at(), LastChangedDate: at(), versions: typeof text === 'string' ? [{ id: 'a'.repeat(36), stages: ['AWSCURRENT'], made: at(), value: atob(text) }] : [] }];
    return changeSecret(input['Name'], {});
  },
  'secretsmanager:PutSecretValue': (input) => put(input['SecretId'], String(input['SecretString'])),
  'secretsmanager:UpdateSecret': (input) => changeSecret(input['SecretId'], { Description: String(input['Description']) }),
  'secretsmanager:TagResource': () => ({}),
  'secretsmanager:UntagResource': () => ({}),
  'secretsmanager:UpdateSecretVersionStage': (input) =>
    changeSecret(input['SecretId'], {
      versions: secret(input['SecretId']).versions.map((one) => {
        const others = one.stages.filter((stage) => stage !== 'AWSCURRENT' && stage !== 'AWSPREVIOUS');
        return { ...one, stages: one.id === input['MoveToVersionId'] ? ['AWSCURRENT', ...others] : one.id === input['RemoveFromVersionId'] ? ['AWSPREVIOUS', ...others] : others };
      }),
    }),
  'secretsmanager:DeleteSecret': (input) => changeSecret(input['SecretId'], { DeletedDate: at() + Number(input['RecoveryWindowInDays']) * 86_400 }),
  'secretsmanager:RestoreSecret': (input) => {
    const { DeletedDate: _gone, ...rest } = secret(input['SecretId']);
    secrets = secrets.map((one) => (one.Name === input['SecretId'] ? rest : one));
    return changeSecret(input['SecretId'], {});
  },
  'secretsmanager:GetOneTimeCode': () => ({ Code: btoa('471903'), Digits: 6, Period: 30, ExpirationDate: at() + 21 }),
  'secretsmanager:GetRandomPassphrase': () => ({ RandomPassphrase: btoa('planet-crumble-otter-velvet-anchor-mosaic') }),
  'secretsmanager:GetRandomPassword': () => ({ RandomPassword: b64(24) }),
  'trail:LookupEvents': (input) => {
    const limit = input['Limit'] as number;
    const matching = events.filter((event) => event.Index < ((input['Before'] as number | undefined) ?? Infinity) && (input['Result'] === undefined || event.Result === input['Result']));
    const page = matching.slice(0, limit);
    return { Events: page, ...(matching.length > limit ? { NextBefore: page.at(-1)?.Index } : {}) };
  },
  'trail:StartNewChain': async (input) => {
    await wait(150);
    if (input['Password'] === btoa('wrong password')) fail('IncorrectPasswordException', 'the password does not open this vault; try again');
    const seen = { State: phase, Broken: { Segment: 7, Index: 18_199, Offset: 40_188, What: 'next-key' }, Records: 18_199, Segments: 7 };
    if (input['DryRun'] === true) return seen;
    unlockTo('unlocked');
    return { ...seen, State: 'unlocked', SetAside: '/home/ada/.local/share/keystead/vaults/acme-dev/trail-set-aside-00000001', FirstIndex: 1_018_205 };
  },
  'trail:DescribeCheckpointKey': () => checkpointKey,
  'trail:SetCheckpointKey': (input) => { checkpointKey = input['KeyId'] === undefined ? {} : { KeyId: `arn:aws:kms:us-east-1:318204775610:key/${input['KeyId'] as string}`, Exists: true }; return checkpointKey; },
  'trail:ExportCheckpoint': () => ({ Checkpoint: btoa(ENVELOPE), PublicKey: btoa('key'), Index: 18_204, Hash: 'ab'.repeat(32) }),
  'trail:SignCheckpoint': (input) => (hardwareIs === 'ready' ? { Checkpoint: input['Checkpoint'], KeyId: input['KeyId'], SigningAlgorithm: 'ECDSA_SHA_256', PublicKey: btoa('key') } : fail('KMSInvalidStateException', 'key store `release` is not connected; connect it with `keystead kms connect-custom-key-store`')),
  'trail:VerifyCheckpoint': () => ({ Relation: query.get('relation') ?? 'contained', SignatureValid: true, SecondSignatureValid: true, Index: 17_950, Hash: 'ab'.repeat(32), Created: at() - 3 * 86_400 }),
  'trail:ExportEvidence': (input) => ({ Folder: input['Folder'], Files: 7, ...(phase === 'trailBroken' ? {} : { Records: 18_199 }) }),
  'trail:VerifyTrail': async (_input, call) => {
    for (let done = 0; done < 10; done++) {
      push({ event: 'progress', call, progress: { done: done * 1820, total: 18_205, unit: 'records' } });
      await wait(query.get('slow') === null ? 40 : 500);
      if (cancelled.has(call)) fail('CancelledException', 'cancelled');
    }
    const broken = query.get('broken') === null ? {} : { Broken: { Segment: 7, Index: 18_199, Offset: 40_188, What: 'mac' } };
    const Requests = Array.from({ length: 88 }, (_, bin) => Math.round(60 + 160 * Math.abs(Math.sin(bin * 12.9898) * Math.cos(bin * 4.1))));
    const Timeline = { Start: at() - 325 * 86400, BinSeconds: 319_000, Requests, Checkpoints: Requests.map((_, bin) => (bin % 7 === 5 ? 12 : 0)) };
    return { Timeline, Intact: query.get('broken') === null, Records: 18_205, Segments: 7, LastIndex: 18_204, LastHash: '00', Unfinished: [], ...broken };
  },
};

let calls = 0;
Object.defineProperty(window, 'keystead', {
  value: Object.freeze({
    async invoke(operation: string, input: Fields = {}, region?: string) {
      const call = ++calls;
      if (operation === 'call:Cancel') { cancelled.add(input['Call']); return { ok: true, requestId: '', output: {} }; }
      await wait(query.get('hang') === operation ? 1e9 : 5);
      const requestId = '6f0a2c1e-7d1b-4c55-9a53-0b6d2f81c9e4';
      if (query.get('lost') !== null) return { ok: false, requestId: '', error: { code: 'InternalException', message: 'the vault cannot be reached' } };
      try {
        const handler = OPERATIONS[operation] ?? fail('UnknownOperationException', `no \`${operation}\` in the fake`);
        return { ok: true, requestId, output: await handler(region === undefined ? input : { ...input, region }, call) };
      } catch (error) {
        const { code, message, details } = error as { code: string; message: string; details?: Fields };
        return { ok: false, requestId, error: { code, message, ...(details ? { details } : {}) } };
      }
    },
    on(listener: (event: unknown) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  }),
});
