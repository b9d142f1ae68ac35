/**
 * AWS's rotation contract over HTTP, whole: a function of somebody else's behind HTTPS, written as those for AWS Lambda are, which gets and puts
 * its values with the real `@aws-sdk/client-secrets-manager` at the vault's own door, as a client of the vault. One of its steps fails at first.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { DescribeSecretCommand, GetRandomPasswordCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAuthority, type Authority } from './support/authority.ts';
import { openDoor } from './support/aws.ts';
import { base64, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { until } from './support/processes.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

interface Event {
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
}

const home = temporaryFolder();
let vault: VaultProcess;
let authority: Authority;
let secrets: SecretsManagerClient;
let server: Server;
let url = '';
const events: Event[] = [];
/** What the function looks after: the one password that is taken there. */
let outside = 'first';
let failures = 1;

const valueOf = async (SecretId: string, which: { readonly VersionId?: string; readonly VersionStage?: string }): Promise<string | undefined> => (await secrets.send(new GetSecretValueCommand({ SecretId, ...which }))).SecretString;

const STEPS: Readonly<Record<Event['Step'], (event: Event) => Promise<unknown>>> = {
  async createSecret({ SecretId, ClientRequestToken }) {
    // A rotation that is tried again begins with this step, and finds what it has put.
    if ((await valueOf(SecretId, { VersionId: ClientRequestToken, VersionStage: 'AWSPENDING' }).catch(() => undefined)) !== undefined) return;
    const { RandomPassword } = await secrets.send(new GetRandomPasswordCommand({ PasswordLength: 24 }));
    await secrets.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString: RandomPassword, VersionStages: ['AWSPENDING'] }));
  },
  async setSecret({ SecretId, ClientRequestToken }) {
    outside = (await valueOf(SecretId, { VersionId: ClientRequestToken, VersionStage: 'AWSPENDING' })) ?? '';
  },
  async testSecret({ SecretId }) {
    if (failures-- > 0) throw new Error('not there yet');
    if ((await valueOf(SecretId, { VersionStage: 'AWSPENDING' })) !== outside) throw new Error('another password is taken');
  },
  async finishSecret({ SecretId, ClientRequestToken }) {
    const { VersionIdsToStages } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    const [current] = Object.entries(VersionIdsToStages ?? {}).find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
    return secrets.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId: ClientRequestToken, RemoveFromVersionId: current }));
  },
};

beforeAll(async () => {
  const folder = join(home, 'vault');
  await makeVault(folder);
  vault = await startVault(folder, { home: join(home, 'own') });
  await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
  const door = await openDoor(vault.client, { name: 'rotator' });
  secrets = new SecretsManagerClient({ endpoint: door.endpoint, region: door.region, credentials: door, requestHandler: { httpsAgent: new Agent({ ca: door.authority }) } });
  authority = makeAuthority(join(home, 'ca'));
  const files = authority.issue('function', ['DNS:localhost'], 0);
  server = createServer({ key: readFileSync(files.key), cert: readFileSync(files.certificate) }, (request, response) => {
    const answer = async (): Promise<void> => {
      const event = (await json(request)) as Event;
      events.push(event);
      await STEPS[event.Step](event);
    };
    // As AWS Lambda answers: 200, and a function's error in a header and in the body.
    answer().then(() => response.end('null'), (error: unknown) => { response.setHeader('X-Amz-Function-Error', 'Unhandled').end(JSON.stringify({ errorType: 'Error', errorMessage: String(error) })); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', () => { resolve(); }); });
  const at = server.address();
  url = `https://localhost:${String(typeof at === 'object' && at ? at.port : 0)}/rotate`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  secrets.destroy();
  await vault.stop();
  remove(home);
});

it('is called for each step, tries one again that failed, and what it has put is current', { timeout: 120_000 }, async () => {
  const SecretId = 'app/function';
  const { ARN } = await vault.client.ok('secretsmanager:CreateSecret', { Name: SecretId, SecretString: base64(outside) });
  const rotator = { SecretId, Rotator: 'lambda', Url: url };
  const described = async (): Promise<Json> => vault.client.ok('secretsmanager:DescribeRotation', { SecretId });
  const ended = async (): Promise<Json> => {
    let shown: Json = {};
    await until(async () => {
      shown = await described();
      const run = shown['Run'] as Json | undefined;
      // Asked again, what waits for its next attempt is done at once.
      if (run?.['Until'] !== undefined) await vault.client.call('secretsmanager:RotateSecret', { SecretId, ClientRequestToken: run['VersionId'] });
      return run === undefined;
    }, 'the rotation ends', 60_000);
    return (shown['Ended'] as readonly Json[])[0] ?? {};
  };

  // Nobody vouches for its certificate yet: nothing reaches it.
  await vault.client.ok('secretsmanager:SetRotator', rotator);
  await vault.client.ok('secretsmanager:RotateSecret', { SecretId });
  let why = '';
  await until(async () => {
    const { Run } = (await described()) as { readonly Run?: { readonly Steps: readonly { readonly Code?: string }[] } };
    why = Run?.Steps.at(-1)?.Code ?? '';
    return why !== '';
  }, 'the first step fails', 60_000);
  expect([why, events]).toEqual(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', []]);
  await vault.client.ok('secretsmanager:CancelRotateSecret', { SecretId });

  await vault.client.ok('secretsmanager:SetRotator', { ...rotator, CertificateAuthority: authority.ca });
  expect((await described())['CertificateAuthority']).toBe(authority.ca);
  const { VersionId } = await vault.client.ok('secretsmanager:RotateSecret', { SecretId });
  const last = await ended();
  expect(last).toMatchObject({ Result: 'rotated', VersionId });
  expect((last['Steps'] as readonly Json[]).filter((step) => step['Reason'] !== undefined).map(({ Step }) => Step)).toEqual(['testSecret']);
  expect(new Set(events.map(({ SecretId: arn, ClientRequestToken }) => `${arn} ${ClientRequestToken}`))).toEqual(new Set([`${String(ARN)} ${String(VersionId)}`]));
  expect([...new Set(events.map(({ Step }) => Step))]).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
  expect(await valueOf(SecretId, { VersionStage: 'AWSCURRENT' })).toBe(outside);
  expect(outside).toHaveLength(24);
  expect(await valueOf(SecretId, { VersionStage: 'AWSPREVIOUS' })).toBe('first');
  // The trail says whom it trusts from when on, by the digest of the file; saved once more as it was, nothing has changed.
  await vault.client.ok('secretsmanager:SetRotator', { ...rotator, CertificateAuthority: authority.ca.trim() });
  await vault.client.ok('secretsmanager:SetRotator', { SecretId, Rotator: 'generic' });
  const digest = createHash('sha256').update(readFileSync(authority.caFile)).digest('hex');
  const { Events } = (await vault.client.ok('trail:LookupEvents', { Operation: 'secretsmanager:SetRotator', Result: 'ok', Limit: 50 })) as { readonly Events: readonly { readonly Note?: string }[] };
  const changes = Events.map(({ Note }) => Note?.split(', ').filter((reason) => reason.startsWith('changed:')).join());
  expect(changes).toEqual([`changed:CertificateAuthority:${digest}:none`, '', `changed:CertificateAuthority:none:${digest}`, '']);
  expect(JSON.stringify(Events)).not.toContain(authority.ca.split('\n')[1]);
});
