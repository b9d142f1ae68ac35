/** `secretsmanager:` operations on remotes: other Secrets Managers that secrets are replicated to. Keystead's own. */
import { z } from 'zod';
import { isRegion, isRemoteName } from '../model/ids.ts';
import { operation, secretText, timestamp } from './operation.ts';
import { authority } from './secret-fields.ts';

export const MOST_REMOTES = 50;

const name = z.string().max(63).refine(isRemoteName, { error: 'must be up to 63 of a-z, 0-9 and -, begin with a letter, and be no region’s name' });
/** `https:` to anywhere, `http:` to this machine; no path, no credentials. */
const endpoint = z
  .string()
  .max(2048)
  .refine((text) => URL.canParse(text) && isEndpoint(new URL(text)), { error: 'must be like `https://secretsmanager.eu-west-1.amazonaws.com`, without path or credentials; `http://` to this machine only' });
const isEndpoint = ({ protocol, hostname, username, password, pathname, search, hash }: URL): boolean =>
  (protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))) && username + password + search + hash === '' && pathname === '/';

const remote = z.strictObject({
  Name: z.string(),
  Endpoint: z.string(),
  RemoteRegion: z.string(),
  AccessKeyId: z.string(),
  Temporary: z.boolean().describe('Whether the access key is a temporary one, with a session token'),
  OwnAuthority: z.boolean().describe('Whether it has a certificate authority of its own'),
  CreatedDate: timestamp(),
  LastChangedDate: timestamp(),
});

const OWN = { needs: 'unlocked', doors: ['ipc', 'cli'] } as const;

export const putRemote = operation({
  name: 'secretsmanager:PutRemote',
  summary: 'Declare another Secrets Manager (AWS’s, or another Keystead’s door) as a place that secrets can be replicated to, or change one',
  input: () => z.strictObject({
    Name: name.describe('What `AddReplicaRegions` calls it'),
    Endpoint: endpoint.describe('For example https://secretsmanager.eu-west-1.amazonaws.com'),
    RemoteRegion: z.string().max(32).refine(isRegion, { error: 'must look like `us-east-1`' }).describe('The region there'),
    AccessKeyId: z.string().regex(/^\w{1,128}$/),
    SecretAccessKey: secretText({ min: 1, max: 128 }).optional().describe('Kept sealed and never shown; left out: the one that is kept, of the same AccessKeyId and Endpoint'),
    SessionToken: secretText({ min: 1, max: 8192 }).optional().describe('Of a temporary access key (ASIA…); kept sealed and never shown, and left out with SecretAccessKey only'),
    CertificateAuthority: authority.optional(),
  }),
  output: () => z.strictObject({ Name: z.string() }),
  errors: ['InvalidParameterException', 'LimitExceededException'],
  effect: 'write',
  audited: ['Name', 'Endpoint', 'RemoteRegion', 'AccessKeyId'],
  command: { alias: 'secret put-remote' },
  ...OWN,
});

export const listRemotes = operation({
  name: 'secretsmanager:ListRemotes',
  summary: 'List the remotes that secrets can be replicated to',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Remotes: z.array(remote) }),
  errors: [],
  effect: 'read',
  audited: [],
  command: { alias: 'secret list-remotes' },
  ...OWN,
});

export const describeRemote = operation({
  name: 'secretsmanager:DescribeRemote',
  summary: 'Show a remote and the secrets that are replicated to it',
  input: () => z.strictObject({ Name: name }),
  output: () => z.strictObject({ ...remote.shape, CertificateAuthority: z.string().optional(), ReplicatedARNs: z.array(z.string()).describe('Of the secrets that are replicated there') }),
  errors: ['ResourceNotFoundException'],
  effect: 'read',
  audited: ['Name'],
  command: { alias: 'secret describe-remote' },
  ...OWN,
});

export const deleteRemote = operation({
  name: 'secretsmanager:DeleteRemote',
  summary: 'Forget a remote that no secret is replicated to',
  input: () => z.strictObject({ Name: name }),
  output: () => z.strictObject({}),
  errors: ['ResourceNotFoundException', 'InvalidRequestException'],
  effect: 'write',
  audited: ['Name'],
  command: { alias: 'secret delete-remote' },
  ...OWN,
});

export const testRemote = operation({
  name: 'secretsmanager:TestRemote',
  summary: 'Connect to a remote and see whether it accepts the access key; changes nothing',
  input: () => z.strictObject({ Name: name }),
  output: () => z.strictObject({ Ok: z.boolean(), Code: z.string().optional(), Reason: z.string().optional(), Connections: z.array(z.string()) }),
  errors: ['ResourceNotFoundException'],
  effect: 'use',
  audited: ['Name'],
  command: { alias: 'secret test-remote' },
  ...OWN,
});
