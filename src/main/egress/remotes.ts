/** Replication's port, over the process that opens outward connections: one process for each try, gone when it is over. */
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { RemoteAct, RemoteAnswer, RemoteRecord, RemoteSession, Remotes } from '../secrets/remote-port.ts';
import { connectionLine } from '../secrets/rotator-port.ts';
import { portOfUrl } from './http.ts';
import type { Connection, Egress } from './port.ts';
import { hostAndPort } from './target.ts';

export interface RemotesOptions {
  readonly egress: Egress;
  readonly now: () => number;
  /** The day's signing key of a remote's access key, 32 bytes, and the session token of a temporary one; the caller's to wipe. The secret access key stays in the sealer. */
  readonly signingKey: (remote: RemoteRecord, scope: { readonly date: string; readonly region: string; readonly service: string }) => Promise<{ readonly key: Uint8Array; readonly sessionToken?: Uint8Array }>;
  /** Of one act, milliseconds. */
  readonly timeMs?: number;
}

const TIME_MS = 30_000;
const MOST_SHOWN = 8;

const line = ({ tls, ...rest }: Connection): string => connectionLine({ ...rest, ...(tls === undefined ? {} : { tls: tls !== 'none' }) });
/** ISO 8601's basic form, as AWS signs it. */
const timeOf = (now: number): string => new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');

export function createRemotes({ egress, now, signingKey, timeMs = TIME_MS }: RemotesOptions): Remotes {
  return {
    open(remote, signal): RemoteSession {
      const session = egress.open();
      const connections: string[] = [];
      const { url, region, accessKeyId, ca } = remote;
      return {
        connections,
        async run(act: RemoteAct, value): Promise<RemoteAnswer> {
          const at = URL.canParse(url) ? new URL(url) : undefined;
          const time = timeOf(now());
          const signing = await signingKey(remote, { date: time.slice(0, 8), region, service: 'secretsmanager' });
          using signer = SecretBytes.take(signing.key);
          using token = signing.sessionToken && SecretBytes.take(signing.sessionToken);
          const allow = at ? [hostAndPort(at.hostname, portOfUrl(at))] : [];
          const order = { kind: 'remote', act, url, region, accessKeyId, time, ...(value ? { valueKind: value.kind } : {}), allow, ...(ca === undefined ? {} : { ca }), timeMs } as const;
          const answer = await session.run(order, { signer, ...(token ? { token } : {}), ...(value ? { value: value.bytes } : {}) }, { signal });
          connections.push(...answer.connections.map(line));
          connections.splice(0, connections.length - MOST_SHOWN);
          if (answer.ok) return { ok: true, ...(answer.theirs ? { theirs: answer.theirs } : {}), ...(answer.value ? { value: answer.value } : {}) };
          const { code, message } = answer.failure;
          if (code === 'cancelled') throw new VaultError('CancelledException', 'the replication was cancelled');
          return { ok: false, failure: { code, message } };
        },
        close: () => session.close(),
      };
    },
  };
}
