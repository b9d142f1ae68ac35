/** Keys and records for the fake bridge: made up, and the same every time. */
export interface FakeKey {
  readonly KeyId: string;
  readonly alias: string;
  readonly KeySpec: string;
  readonly KeyUsage: string;
  readonly KeyState: string;
  readonly Description: string;
  readonly CreationDate: number;
  readonly DeletionDate?: number;
  readonly Origin?: string;
  readonly CustomKeyStoreId?: string;
  readonly MultiRegion?: boolean;
  readonly [list: `${string}Algorithms`]: readonly string[];
}
export interface FakeEvent {
  readonly Index: number;
  readonly Time: number;
  readonly Kind: string;
  readonly Result?: string;
  readonly [field: string]: unknown;
}

const ECC = ['ECC_NIST_P256', 'SIGN_VERIFY'] as const;
const AES = ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'] as const;
const ROWS: readonly (readonly [alias: string, spec: string, usage: string, state?: string, description?: string])[] = [
  ['billing-pii', ...AES],
  ['ci-cosign', ...ECC],
  ['dev-envelope', 'RSA_3072', 'ENCRYPT_DECRYPT'],
  ['import-2023', 'RSA_2048', 'SIGN_VERIFY', 'PendingDeletion'],
  ['legacy-tokens', ...AES, 'Disabled'],
  ['orders-data', ...AES, 'Enabled', 'Rows of the orders database'],
  ['orders-data-stg', ...AES],
  ['partner-exchange', 'RSA_3072', 'SIGN_VERIFY'],
  ['release-signing', ...ECC, 'Enabled', 'Signs what the release job publishes'],
  ['session-jwt', 'ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
  ['webhook-hmac', 'HMAC_256', 'GENERATE_VERIFY_MAC'],
  ['webhook-hmac-stg', 'HMAC_256', 'GENERATE_VERIFY_MAC'],
  ['git-mira', 'ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
  ['partner-hsm', ...AES, 'PendingImport', 'Its material comes from the partner’s ceremony'],
  ['global-tokens', ...AES],
  ['codesign-hsm', ...ECC, 'Enabled', 'Signs what customers install'],
  ['root-ca-hsm', 'RSA_2048', 'SIGN_VERIFY'],
];
const idOf = (i: number): string => `${(0x7c1e44a2 + i * 0x1f3d5b79).toString(16).slice(-8).padStart(8, '0')}-5d0b-4f5e-9a53-${(0x0b6d2f81c9e4 + i * 0x1234567).toString(16).padStart(12, '0')}`;
const algorithms = (spec: string, usage: string): object =>
  usage === 'SIGN_VERIFY' ? { SigningAlgorithms: spec.startsWith('RSA') ? ['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'] : spec.includes('ED') ? ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] : ['ECDSA_SHA_256'] }
  : usage === 'ENCRYPT_DECRYPT' ? { EncryptionAlgorithms: spec.startsWith('RSA') ? ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] : ['SYMMETRIC_DEFAULT'] }
  : { MacAlgorithms: ['HMAC_SHA_256'] };

export const fakeKeys = (at: number): FakeKey[] =>
  ROWS.map(([name, KeySpec, KeyUsage, KeyState = 'Enabled', Description = ''], i) => ({
    KeyId: idOf(i), alias: `alias/${name}`, KeySpec, KeyUsage, KeyState, Description, CreationDate: at - (i + 3) * 9 * 86_400,
    ...(KeyState === 'PendingDeletion' ? { DeletionDate: at + 11.6 * 86_400 } : {}), ...algorithms(KeySpec, KeyUsage),
    ...(name.endsWith('-hsm') && name !== 'partner-hsm' ? { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-4f20c9d1b7e83a562' } : {}),
    ...(name === 'partner-hsm' ? { Origin: 'EXTERNAL' } : {}), ...(name === 'global-tokens' ? { MultiRegion: true } : {}),
  }));

/** Beyond the believable ones: as many as a figure needs. */
export const manyKeys = (at: number, count: number): FakeKey[] =>
  Array.from({ length: count }, (_, i) => ({
    KeyId: idOf(1000 + i), alias: `alias/large/${String(i)}`, KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled', Description: '', CreationDate: at - i, ...algorithms('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'),
  }));

const USES: Readonly<Record<string, readonly string[]>> = { SIGN_VERIFY: ['kms:Sign', 'kms:Sign', 'kms:Verify', 'kms:GetPublicKey'], ENCRYPT_DECRYPT: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'], GENERATE_VERIFY_MAC: ['kms:GenerateMac', 'kms:VerifyMac'] };

/** Newest first. */
export function fakeEvents(at: number): readonly FakeEvent[] {
  let random = 42;
  const next = (): number => (random = (random * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
  let time = at - 40;
  return Array.from({ length: 900 }, (_, i) => {
    const Index = 18_204 - i;
    time -= next() * next() * 420;
    const row = [8, 8, 5, 5, 0, 9, 10, 12, 1][Math.floor(next() * 9)] ?? 0;
    const uses = USES[ROWS[row]?.[2] ?? ''] ?? [];
    const Door = ['ipc', 'cli', 'cli', 'cli'][Math.floor(next() * 4)];
    const base = { Index, Time: time, RequestId: `${(Index * 7919).toString(16).padStart(8, '0')}-7d1b-4c55-9a53-0b6d2f81c9e4`, Door, Principal: Door === 'ipc' ? 'owner:window' : 'owner:uid-1000' };
    if (i % 41 === 7) return { ...base, Kind: 'outcome', Operation: 'trail:ExportCheckpoint', Result: 'ok', Note: 'allowed:owner/OwnerMayDoAll' };
    if (i % 67 === 9) return { ...base, Kind: 'outcome', Operation: 'vault:Unlock', Result: 'ok', Door: 'ipc', Note: 'allowed:owner/OwnerMayDoAll' };
    if (i % 97 === 30) return { Index, Time: time, Kind: 'note', Operation: 'vault:IdleLock', Note: 'idle for 15 minutes' };
    const denied = i % 23 === 3;
    const failed = i % 37 === 5;
    return {
      ...base, Kind: 'outcome', Operation: uses[Math.floor(next() * uses.length)], Resource: `arn:aws:kms:us-east-1:318204775610:key/${idOf(row)}`,
      Result: denied ? 'denied' : failed ? 'failed' : 'ok', ...(denied ? { Error: 'AccessDeniedException' } : failed ? { Error: 'InvalidCiphertextException' } : {}),
      Input: { KeyId: ROWS[row]?.[0] ?? '', SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'RAW' },
      Note: denied ? 'rule:recovery-code-was-used' : 'allowed:owner/OwnerMayDoAll',
    };
  });
}

export interface FakeSecret {
  readonly Name: string;
  readonly Description?: string;
  readonly Tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly CreatedDate: number;
  readonly LastChangedDate: number;
  readonly DeletedDate?: number;
  readonly KmsKeyId?: string;
  /** Newest first. */
  readonly versions: readonly { readonly id: string; readonly stages: readonly string[]; readonly made: number; readonly value: string; readonly binary?: true }[];
}

const SECRETS: readonly (readonly [name: string, description: string, value: string, before?: string | undefined, more?: Partial<FakeSecret>])[] = [
  ['prod/orders/postgres', 'Orders database, read and write', '{"engine":"postgres","host":"db-1.acme.internal","port":5432,"username":"orders_app","password":"correct-horse-7","dbname":"orders"}', '{"engine":"postgres","host":"db-1.acme.internal","port":5432,"username":"orders_app","password":"battery-staple-6","sslmode":"disable"}', { KmsKeyId: 'alias/orders-data', Tags: [{ Key: 'team', Value: 'orders' }, { Key: 'oncall', Value: '' }] }],
  ['prod/orders/redis', 'Cache of baskets', '{"username":"cache","password":"x-cache"}'],
  ['prod/orders/session-cookie', '', 'q3v1c3b0Zm9vYmFy'],
  ['prod/orders/stripe', 'Payments', '{"publishable":"pk_live_51","secret":"sk_live_51","webhook":"whsec_1"}', '{"publishable":"pk_live_51","secret":"sk_live_50"}'],
  ['prod/web/mailgun', 'Mail out', '{"key":"key-1"}'],
  ['prod/web/recaptcha', '', 'recaptcha-secret', undefined, { DeletedDate: 11.6 }],
  ['prod/web/sentry', 'Errors of the shop', 'https://a@sentry.example/1'],
  ['staging/env', '28 variables of the staging shop', '{"NODE_ENV":"staging"}'],
  ['staging/postgres', 'Staging database', '{"username":"stg","password":"stg-pass","totp":"otpauth://totp/stg?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}'],
  ['github-token', 'Reads issues', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a'],
];

const dateIn = (at: number, days: number): string => new Date((at + days * 86_400) * 1000).toISOString().slice(0, 10);
/** `marks`: two of them with a date on which they expire. */
export const fakeSecrets = (at: number, marks = false): FakeSecret[] =>
  SECRETS.map(([Name, Description, value, before, more = {}], i) => ({
    Name, ...(Description === '' ? {} : { Description }), Tags: [], CreatedDate: at - (i + 2) * 20 * 86_400, LastChangedDate: at - (i + 1) * 1.3 * 86_400, ...more,
    ...(marks && (Name === 'github-token' || Name === 'staging/env') ? { Tags: [{ Key: 'expires', Value: dateIn(at, Name === 'staging/env' ? -3 : 4) }] } : {}),
    ...(more.DeletedDate === undefined ? {} : { DeletedDate: at + more.DeletedDate * 86_400 }),
    versions: [
      { id: `${(0x5b0d3a11 + i).toString(16)}-77aa-4c0e-9d11-0f2f6f7b1c01`, stages: ['AWSCURRENT'], made: at - (i + 1) * 1.3 * 86_400, value },
      ...(before === undefined ? [] : [{ id: `${(0x2c9f4e70 + i).toString(16)}-77aa-4c0e-9d11-0f2f6f7b1c02`, stages: ['AWSPREVIOUS', 'before-migration'], made: at - (i + 20) * 1.3 * 86_400, value: before }, { id: `${(0x19af4e70 + i).toString(16)}-77aa-4c0e-9d11-0f2f6f7b1c03`, stages: [], made: at - (i + 60) * 1.3 * 86_400, value: before }]),
    ],
  }));

export const fakeClients = (at: number) =>
  ([['orders-api', 'user', 'AKIA3VNQ7XWJ5LHB2MTS', 34], ['release-job', 'user', 'AKIAZP4C6YDKR2GQ7NXE', undefined], ['terraform', 'administrator', 'AKIAT7MJ5BWXN3QKV2LC', 5400]] as const).map(([Name, Role, AccessKeyId, used], i) => ({
    Name, Role, AccessKeyId, Arn: `arn:aws:iam::318204775610:user/${Name}`, CreationDate: at - (i + 2) * 17 * 86_400, KeyCreationDate: at - (i + 1) * 11 * 86_400, ...(used === undefined ? {} : { LastUsedDate: at - used }),
  }));

const ASKED: readonly (readonly [operation: string | undefined, client: string | undefined, status: number, error?: string])[] = [
  ['kms:Decrypt', 'orders-api', 200], ['kms:GenerateDataKey', 'orders-api', 200], ['kms:Decrypt', 'orders-api', 400, 'InvalidCiphertextException'], ['secretsmanager:GetSecretValue', 'orders-api', 200],
  ['kms:ScheduleKeyDeletion', 'orders-api', 400, 'AccessDeniedException'], ['kms:ListKeys', undefined, 400, 'UnrecognizedClientException'], [undefined, undefined, 403, 'AccessDeniedException'], ['kms:DescribeKey', 'terraform', 200], ['kms:CreateKey', 'terraform', 200],
];
export const fakeRequests = (at: number) =>
  ASKED.map(([Operation, Client, Status, error], i) => ({
    Time: at - 4 - i * i * 7, RequestId: `0b6d2f81-c9e4-4${String(i)}aa-9a53-7c1e44a25d0b`, Status, Milliseconds: 1.2 + ((i * 37) % 23) / 10,
    ...(Operation === undefined ? {} : { Operation, ...(Operation.includes('Secret') ? { Resource: 'arn:aws:secretsmanager:us-east-1:318204775610:secret:prod/orders/postgres-aB3dE6' } : {}), AccessKeyId: Client === undefined ? 'AKIAOLDOLDOLDOLDOLDO' : 'AKIA3VNQ7XWJ5LHB2MTS' }), ...(Client === undefined ? {} : { Client }), ...(error === undefined ? {} : { Error: error }),
  }));
