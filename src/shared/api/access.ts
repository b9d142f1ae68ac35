/** `access:` operations: who may use the vault over AWS's protocol, and the door that such programs come in by. */
import { z } from 'zod';
import { isAccessKeyId, isClientName } from '../model/ids.ts';
import * as f from './fields.ts';
import { operation, secretText, timestamp } from './operation.ts';

/** Lowest port that no privilege is needed for, on the systems where one is. */
const LOWEST_PORT = 1024;
export const DEFAULT_PORT = 5998;
export const MOST_CLIENTS = 100;
/** How many of the last requests the door keeps in memory. */
export const MOST_REQUESTS = 200;

const clientName = z
  .string()
  .max(64)
  .refine(isClientName, { error: 'must be up to 64 of a-z, A-Z, 0-9 and + = , . @ _ -' })
  .describe('Name of the client');

/** Bytes: what clients take is longer still. */
const SECRET_ACCESS_KEY = 128;

/** user: uses keys, reads secrets, and looks at both. administrator: makes, changes and deletes them, too. */
const role = z.enum(['user', 'administrator']);
export type ClientRole = z.output<typeof role>;

const client = z.strictObject({
  Name: z.string(),
  Arn: z.string().describe('Who it is in the trail and in policies'),
  Role: role,
  AccessKeyId: z.string(),
  CreationDate: timestamp(),
  KeyCreationDate: timestamp().describe('When its access key was made'),
  LastUsedDate: timestamp().optional().describe('Of its access key, since the vault was unlocked'),
});

const accessKey = {
  AccessKeyId: z.string(),
  SecretAccessKey: secretText({ min: 1, max: SECRET_ACCESS_KEY }).describe('Shown this once'),
};

export const createClient = operation({
  name: 'access:CreateClient',
  summary: 'Let a program use the keys of this vault over AWS’s protocol, with an access key of its own',
  input: () => z
    .strictObject({
      Name: clientName,
      Role: role.default('user').describe('user: uses every key and reads the value of every secret; administrator: makes, changes and deletes them, too'),
      AccessKeyId: z.string().refine(isAccessKeyId, { error: 'must be up to 128 of a-z, A-Z, 0-9 and _' }).optional().describe('One that the program has already; drawn if left out'),
      SecretAccessKey: secretText({ min: 1, max: SECRET_ACCESS_KEY }).optional().describe('Goes with AccessKeyId; at least 16 bytes, but for a throwaway vault of `serve --ephemeral`'),
    })
    .superRefine((input, issues) => {
      if ((input.AccessKeyId === undefined) !== (input.SecretAccessKey === undefined)) issues.addIssue({ code: 'custom', path: ['SecretAccessKey'], message: 'goes with `AccessKeyId`: give both or neither' });
    }),
  output: () => z.strictObject({ Name: z.string(), Arn: z.string(), Role: role, ...accessKey }),
  errors: ['AlreadyExistsException', 'LimitExceededException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name', 'Role'],
  command: { alias: 'aws create-client' },
});

export const listClients = operation({
  name: 'access:ListClients',
  summary: 'List the programs that may use this vault over AWS’s protocol',
  input: () => z.strictObject({}),
  output: () => z.strictObject({ Clients: z.array(client) }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'aws list-clients' },
});

export const updateClient = operation({
  name: 'access:UpdateClient',
  summary: 'Change what a client may do',
  input: () => z.strictObject({ Name: clientName, Role: role }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name', 'Role'],
  command: { alias: 'aws update-client' },
});

export const rotateClientKey = operation({
  name: 'access:RotateClientKey',
  summary: 'Give a client a new access key; the old one is refused from then on',
  input: () => z.strictObject({ Name: clientName }),
  output: () => z.strictObject({ Name: z.string(), Arn: z.string(), Role: role, ...accessKey }),
  errors: ['NotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name'],
  command: { alias: 'aws rotate-client-key' },
});

export const deleteClient = operation({
  name: 'access:DeleteClient',
  summary: 'Forget a client; its access key is refused from then on',
  input: () => z.strictObject({ Name: clientName }),
  output: () => z.strictObject({}),
  errors: ['NotFoundException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Name'],
  command: { alias: 'aws delete-client' },
});

export const describeAwsDoor = operation({
  name: 'access:DescribeAwsDoor',
  summary: 'Show whether the door for AWS clients is open, and what such a client has to be told',
  input: () => z.strictObject({}),
  output: () => z.strictObject({
    State: z.enum(['closed', 'open', 'failed']),
    Open: z.boolean().describe('Whether it is to be open'),
    Port: z.int(),
    Tls: z.boolean(),
    Endpoint: z.string().describe('What AWS_ENDPOINT_URL_KMS is set to'),
    Region: z.string(),
    Account: z.string(),
    CertificateAuthority: z.string().optional().describe('PEM of the vault’s own certificate authority, once there is one'),
    CertificateAuthorityFile: z.string().optional().describe('Where it is on this machine'),
    Problem: z.string().optional().describe('Why it could not be opened'),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'aws status' },
});

export const updateAwsDoor = operation({
  name: 'access:UpdateAwsDoor',
  summary: 'Open or close the door for AWS clients on this machine',
  input: () => z.strictObject({
    Open: z.boolean().optional().describe('Whether AWS clients of this machine can come in'),
    Port: z.int().min(LOWEST_PORT).max(65_535).optional().describe(`Port on 127.0.0.1; ${String(DEFAULT_PORT)} at first`),
    Tls: z.boolean().optional().describe('TLS with a certificate of the vault’s own authority; without it whatever can listen on this machine’s loopback sees plaintexts'),
  }),
  output: () => z.strictObject({}),
  errors: ['PortUnavailableException'],
  effect: 'write',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: ['Open', 'Port', 'Tls'],
  command: { alias: 'aws door' },
});

export const listAwsRequests = operation({
  name: 'access:ListAwsRequests',
  summary: 'Show the last requests at the door for AWS clients; the trail has all that came in',
  input: () => z.strictObject({ Limit: f.pageLimit.max(MOST_REQUESTS).default(50).describe('At most this many, newest first') }),
  output: () => z.strictObject({
    Requests: z.array(
      z.strictObject({
        Time: timestamp(),
        RequestId: z.string(),
        Operation: z.string().optional().describe('As asked for; absent where it was refused before'),
        Resource: z.string().optional().describe('ARN of the key or secret that was asked for, where there is one'),
        AccessKeyId: z.string().optional().describe('As claimed: proven only where the answer is not about the signature'),
        Client: z.string().optional().describe('Name, where the access key is a client’s'),
        Status: z.int().describe('Of HTTP'),
        Error: z.string().optional(),
        Milliseconds: z.number(),
      }),
    ),
  }),
  errors: [],
  effect: 'read',
  needs: 'unlocked',
  doors: ['ipc', 'cli'],
  audited: [],
  command: { alias: 'aws requests' },
  recorded: false,
});
