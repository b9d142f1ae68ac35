/** `access:` handlers: clients, and the door that they come in by. */
import { DEFAULT_PORT, MOST_CLIENTS, type ClientRole } from '../../shared/api/access.ts';
import { seconds } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { accessKeyIdFrom, clientArn, type AccessKeyId, type Realm } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { AWS_DOOR_AUTHORITY, type AuthorityRecord, type ClientRecord } from '../access/client.ts';
import { AUTHORITIES, CLIENTS } from '../access/kinds.ts';
import type { Signatures } from '../access/signatures.ts';
import type { Random } from '../platform/ports.ts';
import type { VaultSettings, Writer } from '../store/port.ts';
import type { HandlersOf } from './rights.ts';

export type DoorSettings = NonNullable<VaultSettings['awsDoor']>;
export const DEFAULT_DOOR: DoorSettings = { open: false, port: DEFAULT_PORT, tls: true };

export const endpointOf = ({ tls, port }: Pick<DoorSettings, 'tls' | 'port'>): string => `${tls ? 'https' : 'http'}://127.0.0.1:${String(port)}`;

export interface DoorRequest {
  readonly time: number;
  readonly requestId: string;
  readonly operation?: string;
  readonly resource?: string;
  readonly accessKeyId?: string;
  readonly status: number;
  readonly error?: string;
  readonly milliseconds: number;
}

/** What the running program has of the door. */
export interface AwsDoorControl {
  /** Draws a secret access key and seals it for this access key. `secret` is the caller's to dispose of. */
  newAccessKey(accessKeyId: AccessKeyId, given?: SecretBytes): Promise<{ readonly sealed: string; readonly secret: SecretBytes }>;
  newAuthority(): Promise<AuthorityRecord>;
  /** Rejects with PortUnavailableException where the door is not listening there itself. */
  checkPort(port: number): Promise<void>;
  /** As it is once everything that was asked for has been done, or has failed. */
  state(): Promise<{ readonly state: 'closed' | 'open' | 'failed'; readonly problem?: string }>;
  authority(): Promise<{ readonly pem: string; readonly file: string } | undefined>;
  readonly signatures: Pick<Signatures, 'lastUsed' | 'nameOf'>;
  recent(limit: number): readonly DoorRequest[];
}

export interface AccessPorts {
  readonly door: AwsDoorControl;
  readonly random: Random;
  /** Of a test suite or a demonstration: what it guards is worth nothing. */
  readonly throwaway: boolean;
}

/** Bytes of a secret that is not drawn here: a shorter one could be guessed from one signed request. */
const SHORTEST_SECRET = 16;

const nobody = (name: string): VaultError => new VaultError('NotFoundException', `client \`${name}\` does not exist; see \`keystead aws list-clients\``);

const shown = (realm: Realm, { name, role, accessKeyId }: ClientRecord, secret: SecretBytes) => ({ Name: name, Arn: clientArn(realm, name), Role: role, AccessKeyId: accessKeyId, SecretAccessKey: secret });

async function clientNow(writer: Writer, name: string): Promise<ClientRecord> {
  const client = await writer.of(CLIENTS).get(name);
  if (!client) throw nobody(name);
  return client;
}

export const accessHandlers = ({ door, random, throwaway }: AccessPorts): HandlersOf<'access'> => {
  const withKey = async (name: string, role: ClientRole, created: number, at: number, given?: { readonly id: AccessKeyId; readonly secret: SecretBytes }): Promise<{ readonly record: ClientRecord; readonly secret: SecretBytes }> => {
    const accessKeyId = given?.id ?? accessKeyIdFrom(random.bytes(16));
    const { sealed, secret } = await door.newAccessKey(accessKeyId, given?.secret);
    return { record: { name, role, created: created as ClientRecord['created'], accessKeyId, sealed, keyCreated: at as ClientRecord['created'] }, secret };
  };

  return {
    'access:CreateClient': async (input, call, { writer, realm }) => {
      const clients = writer.of(CLIENTS);
      if ((await clients.get(input.Name)) !== undefined) return call.fail('AlreadyExistsException', `client \`${input.Name}\` exists; choose another name, or give it a new key with \`keystead aws rotate-client-key\``);
      const others = [...(await clients.entries())];
      if (input.AccessKeyId !== undefined && others.some(([, { accessKeyId }]) => accessKeyId === input.AccessKeyId)) return call.fail('AlreadyExistsException', `access key \`${input.AccessKeyId}\` is another client's; choose another, or leave it out`);
      if (others.length >= MOST_CLIENTS) return call.fail('LimitExceededException', `there are ${String(MOST_CLIENTS)} clients, which is the limit; delete one with \`keystead aws delete-client\``);
      const given = input.AccessKeyId !== undefined && input.SecretAccessKey ? { id: input.AccessKeyId, secret: input.SecretAccessKey } : undefined;
      if (given && !throwaway && given.secret.length < SHORTEST_SECRET) return call.fail('ValidationException', `\`SecretAccessKey\` must be at least ${String(SHORTEST_SECRET)} bytes long; leave it and \`AccessKeyId\` out, and both are drawn`);
      const { record, secret } = await withKey(input.Name, input.Role, call.at, call.at, given);
      clients.insert(record);
      return shown(realm, record, secret);
    },

    'access:ListClients': async (_input, _call, { reader, realm }) => {
      const clients = Array.from(await reader.of(CLIENTS).entries(), ([name, { role, created, accessKeyId, keyCreated }]) => {
        const used = door.signatures.lastUsed(accessKeyId);
        return {
          Name: name,
          Arn: clientArn(realm, name),
          Role: role,
          AccessKeyId: accessKeyId,
          CreationDate: seconds(created),
          KeyCreationDate: seconds(keyCreated),
          ...(used === undefined ? {} : { LastUsedDate: seconds(used) }),
        };
      });
      return { Clients: clients.sort((a, b) => (a.Name < b.Name ? -1 : 1)) };
    },

    'access:UpdateClient': async (input, _call, { writer }) => {
      writer.of(CLIENTS).update({ ...(await clientNow(writer, input.Name)), role: input.Role });
      return {};
    },

    'access:RotateClientKey': async (input, call, { writer, realm }) => {
      const before = await clientNow(writer, input.Name);
      const { record, secret } = await withKey(before.name, before.role, before.created, call.at);
      writer.of(CLIENTS).update(record);
      return shown(realm, record, secret);
    },

    'access:DeleteClient': async (input, _call, { writer }) => {
      writer.of(CLIENTS).remove((await clientNow(writer, input.Name)).name);
      return {};
    },

    'access:DescribeAwsDoor': async (_input, _call, { reader, realm }) => {
      const { state, problem } = await door.state();
      const { open, port, tls } = (await reader.settings()).awsDoor ?? DEFAULT_DOOR;
      const authority = await door.authority();
      return {
        State: state,
        Open: open,
        Port: port,
        Tls: tls,
        Endpoint: endpointOf({ tls, port }),
        Region: realm.region,
        Account: realm.account,
        ...(authority ? { CertificateAuthority: authority.pem, CertificateAuthorityFile: authority.file } : {}),
        ...(problem === undefined ? {} : { Problem: problem }),
      };
    },

    'access:UpdateAwsDoor': async (input, _call, { writer }) => {
      const settings = await writer.settings();
      const before = settings.awsDoor ?? DEFAULT_DOOR;
      const awsDoor: DoorSettings = { open: input.Open ?? before.open, port: input.Port ?? before.port, tls: input.Tls ?? before.tls };
      if (awsDoor.open) await door.checkPort(awsDoor.port);
      const authorities = writer.of(AUTHORITIES);
      if (awsDoor.open && awsDoor.tls && (await authorities.get(AWS_DOOR_AUTHORITY)) === undefined) authorities.insert(await door.newAuthority());
      writer.putSettings({ ...settings, awsDoor });
      return {};
    },

    'access:ListAwsRequests': (input) => ({
      Requests: door.recent(input.Limit).map(({ time, requestId, operation, resource, accessKeyId, status, error, milliseconds }) => {
        const client = accessKeyId === undefined ? undefined : door.signatures.nameOf(accessKeyId);
        return {
          Time: seconds(time),
          RequestId: requestId,
          ...(operation === undefined ? {} : { Operation: operation }),
          ...(resource === undefined ? {} : { Resource: resource }),
          ...(accessKeyId === undefined ? {} : { AccessKeyId: accessKeyId }),
          ...(client === undefined ? {} : { Client: client }),
          Status: status,
          ...(error === undefined ? {} : { Error: error }),
          Milliseconds: milliseconds,
        };
      }),
    }),
  };
};
