/** What a demo vault holds, and what was done with it in the day before. Names only; every key and signature is real. */
type Input = Readonly<Record<string, unknown>>;

interface DemoKey {
  readonly alias: string;
  readonly input: Input;
  /** After the day's uses. */
  readonly then?: { readonly operation: string; readonly input: Input };
}

export const DEMO_KEYS: readonly DemoKey[] = [
  { alias: 'release-signing', input: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Description: 'Signs what the release job publishes' } },
  { alias: 'ci-cosign', input: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Description: 'Container images of the main branch' } },
  { alias: 'git-mira', input: { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY', Description: 'Commits and tags' } },
  { alias: 'session-jwt', input: { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', Description: 'Session tokens of the staging API' } },
  { alias: 'orders-data', input: { Description: 'Order records at rest' } },
  { alias: 'orders-data-stg', input: { Description: 'The same for staging' } },
  { alias: 'billing-pii', input: { Description: 'Names and addresses on invoices' } },
  { alias: 'webhook-hmac', input: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Description: 'Outgoing webhooks' } },
  { alias: 'partner-exchange', input: { KeySpec: 'RSA_3072', KeyUsage: 'ENCRYPT_DECRYPT', Description: 'Files from the logistics partner' } },
  { alias: 'legacy-tokens', input: { Description: 'Replaced by session-jwt' }, then: { operation: 'kms:DisableKey', input: {} } },
  { alias: 'import-2023', input: { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', Description: 'Of the old import job' }, then: { operation: 'kms:ScheduleKeyDeletion', input: { PendingWindowInDays: 12 } } },
];

interface Use {
  readonly operation: string;
  readonly input: Input;
  /** Asked for to be refused, so that there is one to look into. */
  readonly refused?: true;
}

const text = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

const secret = (Name: string, Description: string, value: object | string, more: Input = {}): Use => ({ operation: 'secretsmanager:CreateSecret', input: { Name, Description, SecretString: text(typeof value === 'string' ? value : JSON.stringify(value)), ...more } });
const DATABASE = { engine: 'postgres', host: 'db-1.acme.example', port: 5432, username: 'orders_app', password: 'not-a-real-password-1', dbname: 'orders' };

/** Made before the day's uses: secrets, one of them with versions and one with a plan to rotate, and programs that may ask. */
export const MAKING: readonly Use[] = [
  secret('prod/orders/postgres', 'Orders database, read and write', DATABASE),
  { operation: 'secretsmanager:PutSecretValue', input: { SecretId: 'prod/orders/postgres', SecretString: text(JSON.stringify({ ...DATABASE, password: 'not-a-real-password-2' })) } },
  secret('prod/orders/redis', 'Cache of baskets', { username: 'cache', password: 'not-a-real-password-3' }),
  secret('prod/web/mailgun', 'Mail out', { key: 'not-a-real-key' }, { Tags: [{ Key: 'team', Value: 'web' }] }),
  secret('prod/web/session', 'Signs session cookies', { password: 'not-a-real-password-4' }),
  { operation: 'secretsmanager:SetRotator', input: { SecretId: 'prod/web/session', Rotator: 'generic' } },
  { operation: 'secretsmanager:RotateSecret', input: { SecretId: 'prod/web/session', RotationRules: { AutomaticallyAfterDays: 30 }, RotateImmediately: false } },
  secret('team/registry', 'Login of the package registry, with its one-time codes', { username: 'acme', password: 'not-a-real-password-5', totp: 'otpauth://totp/registry:acme?secret=JBSWY3DPEHPK3PXP&issuer=registry' }),
  secret('github-token', 'Reads issues', 'ghp_not_a_real_token'),
  { operation: 'access:CreateClient', input: { Name: 'orders-api', Role: 'user' } },
  { operation: 'access:CreateClient', input: { Name: 'terraform', Role: 'administrator' } },
];

/** In the order of the day; `ids`: alias → key id. */
export function USES(ids: ReadonlyMap<string, string>): readonly Use[] {
  const KeyId = (alias: string): string => ids.get(alias) ?? '';
  const sign = (alias: string, SigningAlgorithm: string, message: string): Use => ({ operation: 'kms:Sign', input: { KeyId: KeyId(alias), SigningAlgorithm, Message: text(message) } });
  const uses: Use[] = [];
  for (let round = 0; round < 18; round += 1) {
    uses.push({ operation: 'kms:Encrypt', input: { KeyId: KeyId('orders-data'), Plaintext: text(`order ${String(18_200 + round)}`), EncryptionContext: { table: 'orders' } } });
    uses.push({ operation: 'kms:GenerateMac', input: { KeyId: KeyId('webhook-hmac'), MacAlgorithm: 'HMAC_SHA_256', Message: text(`event ${String(round)}`) } });
    if (round % 2 === 0) uses.push(sign('git-mira', 'ED25519_SHA_512', `commit ${String(round)}`));
    if (round % 3 === 0) uses.push(sign('ci-cosign', 'ECDSA_SHA_256', `image ${String(round)}`));
    if (round % 4 === 1) uses.push(sign('session-jwt', 'RSASSA_PSS_SHA_256', `session ${String(round)}`));
    if (round % 5 === 2) uses.push({ operation: 'kms:GenerateDataKey', input: { KeyId: KeyId('billing-pii'), KeySpec: 'AES_256' } });
    if (round % 6 === 3) uses.push({ operation: 'kms:GetPublicKey', input: { KeyId: KeyId('partner-exchange') } });
    if (round % 6 === 1) uses.push({ operation: 'secretsmanager:GetSecretValue', input: { SecretId: 'prod/orders/postgres' } });
    // Only the vault's own clock may do this: the door refuses.
    if (round % 9 === 4) uses.push({ operation: 'kms:DeleteDueKeys', input: {}, refused: true });
    if (round === 8) uses.push({ operation: 'trail:ExportCheckpoint', input: {} });
  }
  uses.push(sign('release-signing', 'ECDSA_SHA_256', 'release 1.4.0'));
  return uses;
}
