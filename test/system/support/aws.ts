/** The door for AWS clients of a running vault, opened on a free port, and what a client of it is told. */
import { createServer } from 'node:net';
import { Agent } from 'node:https';
import * as sdk from '@aws-sdk/client-kms';
import type { Client, Json } from './client.ts';

export interface OpenDoor {
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly account: string;
  /** PEM, with TLS. */
  readonly authority?: string;
  readonly authorityFile?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

const text = (value: unknown): string => Buffer.from(value as string, 'base64').toString('utf8');

export async function makeClient(client: Client, name: string, role: 'user' | 'administrator'): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const { AccessKeyId, SecretAccessKey } = await client.ok('access:CreateClient', { Name: name, Role: role });
  return { accessKeyId: AccessKeyId as string, secretAccessKey: text(SecretAccessKey) };
}

export async function openDoor(client: Client, { tls = true, role = 'administrator', name = `test-${role}` }: { readonly tls?: boolean; readonly role?: 'user' | 'administrator'; readonly name?: string } = {}): Promise<OpenDoor> {
  const port = await freePort();
  const keys = await makeClient(client, name, role);
  await client.ok('access:UpdateAwsDoor', { Open: true, Port: port, Tls: tls });
  const door: Json = await client.ok('access:DescribeAwsDoor');
  if (door['State'] !== 'open') throw new Error(`the door is ${String(door['State'])}: ${String(door['Problem'])}`);
  return {
    endpoint: door['Endpoint'] as string,
    port,
    region: door['Region'] as string,
    account: door['Account'] as string,
    ...(tls ? { authority: door['CertificateAuthority'] as string, authorityFile: door['CertificateAuthorityFile'] as string } : {}),
    ...keys,
  };
}

type Keys = Pick<OpenDoor, 'accessKeyId' | 'secretAccessKey'>;

/** For Debian's own tools of AWS, whatever else is installed. */
export const toolEnvironment = ({ accessKeyId, secretAccessKey, region, authorityFile }: OpenDoor, home: string): NodeJS.ProcessEnv => ({
  PATH: '/usr/bin:/bin',
  HOME: home,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_DEFAULT_REGION: region,
  AWS_CA_BUNDLE: authorityFile,
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** The real SDK, pointed at the door as a developer would. */
export function sdkClient({ endpoint, region, authority, accessKeyId, secretAccessKey }: Omit<OpenDoor, 'port' | 'account'> & Keys, config: sdk.KMSClientConfig = {}): sdk.KMS {
  return new sdk.KMS({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    ...(authority === undefined ? {} : { requestHandler: { httpsAgent: new Agent({ ca: authority, keepAlive: true, maxSockets: 50 }) } }),
    ...config,
  });
}

/** The name of the error that this rejects with, or `ok`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}
