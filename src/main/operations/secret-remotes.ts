/** `secretsmanager:` handlers of remotes: declared by the owner, asked for nothing but a test. */
import { seconds } from '../../shared/api/operation.ts';
import { MOST_REMOTES } from '../../shared/api/secret-remotes.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Realm } from '../../shared/model/ids.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { authorityDigest, isPem, NO_PEM } from '../secrets/authority.ts';
import { REMOTES, SECRETS, type RemoteEntry } from '../secrets/kinds.ts';
import type { RemoteRecord, Remotes } from '../secrets/remote-port.ts';
import type { Reader } from '../store/port.ts';
import type { HandlersOf } from './rights.ts';
import { arnOf } from './secret-store.ts';

type Names = 'PutRemote' | 'ListRemotes' | 'DescribeRemote' | 'DeleteRemote' | 'TestRemote';

export interface RemotePorts {
  readonly remotes: Remotes;
  /** Seals a remote's secret access key, and the session token of a temporary one, so that only the sealer opens them; base64. They stay the caller's. */
  readonly keepRemoteKey: (remote: Pick<RemoteRecord, 'name' | 'accessKeyId'>, secret: SecretBytes, sessionToken: SecretBytes | undefined) => Promise<Pick<RemoteRecord, 'sealed' | 'sealedToken'>>;
}

const nowhere = (name: string): VaultError => new VaultError('ResourceNotFoundException', `remote \`${name}\` does not exist; see \`keystead secret list-remotes\``);

async function remoteNow(name: string, reader: Reader): Promise<RemoteRecord> {
  const remote = await reader.of(REMOTES).get(name);
  if (!remote) throw nowhere(name);
  return remote;
}

const shown = (name: string, { url, region, accessKeyId, hasCa, isTemporary, created, changed }: RemoteEntry) => ({ Name: name, Endpoint: url, RemoteRegion: region, AccessKeyId: accessKeyId, Temporary: isTemporary, OwnAuthority: hasCa, CreatedDate: seconds(created), LastChangedDate: seconds(changed) });

/** What an HTTP header carries as it stands. */
const isVisible = (bytes: Uint8Array): boolean => bytes.every((byte) => byte > 0x20 && byte < 0x7f);

/** ARNs of the secrets that are replicated there. */
async function replicatedTo(name: string, reader: Reader, realm: Realm): Promise<string[]> {
  const places: string[] = [];
  for (const [place, { replicas }] of await reader.of(SECRETS).entries()) if (replicas.includes(name)) places.push(place);
  const secrets = await Promise.all(places.map((place) => reader.of(SECRETS).get(place)));
  return secrets.flatMap((secret) => (secret ? [arnOf(realm, secret)] : [])).sort();
}

export const secretRemoteHandlers = ({ remotes, keepRemoteKey }: RemotePorts): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:PutRemote': async (input, call, { writer }) => {
    const kept = writer.of(REMOTES);
    const before = await kept.get(input.Name);
    const { Name: name, AccessKeyId: accessKeyId, CertificateAuthority: ca } = input;
    const url = new URL(input.Endpoint).origin;
    if (ca !== undefined && !isPem(ca)) return call.fail('InvalidParameterException', NO_PEM);
    // A key that was given for one host is used at no other.
    const same = before?.accessKeyId === accessKeyId && before.url === url ? before : undefined;
    if (!input.SecretAccessKey && !same) return call.fail('InvalidParameterException', 'give `SecretAccessKey` too: none is kept for this endpoint and access key');
    if (input.SessionToken && !input.SecretAccessKey) return call.fail('InvalidParameterException', 'give `SecretAccessKey` too: a session token belongs to the secret access key that it came with');
    if (input.SessionToken?.borrow(isVisible) === false) return call.fail('InvalidParameterException', 'a `SessionToken` is one word of visible ASCII characters; copy it without spaces and line ends');
    if (!before && [...(await kept.entries())].length >= MOST_REMOTES) return call.fail('LimitExceededException', `there are ${String(MOST_REMOTES)} remotes, which is the limit; delete one with \`keystead secret delete-remote\``);
    const { sealed, sealedToken }: Pick<RemoteRecord, 'sealed' | 'sealedToken'> = input.SecretAccessKey ? await keepRemoteKey({ name, accessKeyId }, input.SecretAccessKey, input.SessionToken) : (same ?? { sealed: '' });
    const record: RemoteRecord = { name, url, region: input.RemoteRegion, accessKeyId, sealed, ...(sealedToken === undefined ? {} : { sealedToken }), ...(ca === undefined ? {} : { ca }), created: before?.created ?? call.at, changed: call.at };
    call.changed('CertificateAuthority', authorityDigest(before?.ca), authorityDigest(ca));
    if (before) kept.update(record);
    else kept.insert(record);
    return { Name: name };
  },

  'secretsmanager:ListRemotes': async (_input, _call, { reader }) => ({
    Remotes: Array.from(await reader.of(REMOTES).entries(), ([name, entry]) => shown(name, entry)).sort((a, b) => (a.Name < b.Name ? -1 : 1)),
  }),

  'secretsmanager:DescribeRemote': async (input, _call, { reader, realm }) => {
    const remote = await remoteNow(input.Name, reader);
    return { ...shown(remote.name, { ...remote, hasCa: remote.ca !== undefined, isTemporary: remote.sealedToken !== undefined }), ...(remote.ca === undefined ? {} : { CertificateAuthority: remote.ca }), ReplicatedARNs: await replicatedTo(remote.name, reader, realm) };
  },

  'secretsmanager:DeleteRemote': async (input, call, { writer, realm }) => {
    const { name, ca } = await remoteNow(input.Name, writer);
    const [first, ...others] = await replicatedTo(name, writer, realm);
    if (first !== undefined) return call.fail('InvalidRequestException', `\`${first}\`${others.length === 0 ? '' : ` and ${String(others.length)} more`} is replicated to it; take those away first with \`keystead secret remove-regions\`, or leave the copies with \`keystead secret release-replica\``);
    call.changed('CertificateAuthority', authorityDigest(ca), undefined);
    writer.of(REMOTES).remove(name);
    return {};
  },

  'secretsmanager:TestRemote': async (input, call, { reader }) => {
    const session = remotes.open(await remoteNow(input.Name, reader), call.signal);
    try {
      const answer = await session.run({ kind: 'probe' });
      return { Ok: answer.ok, ...(answer.ok ? {} : { Code: answer.failure.code, Reason: answer.failure.message }), Connections: [...session.connections] };
    } finally {
      await session.close();
    }
  },
});
