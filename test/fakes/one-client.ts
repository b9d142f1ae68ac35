/** The signatures of a vault that has one client for AWS, whose secret the test knows. */
import { createSignatures, type OpenAccess, type Signatures } from '../../src/main/access/signatures.ts';
import { utf8 } from '../../src/main/crypto/bytes.ts';
import { signingKey } from '../../src/main/crypto/sigv4.ts';
import { instant, type AccessKeyId, type AccountId } from '../../src/shared/model/ids.ts';
import { fakeClock } from './fake-clock.ts';
import { fixedRandom } from './fixed-random.ts';

export interface OneClient {
  readonly clock: ReturnType<typeof fakeClock>;
  readonly signatures: Signatures;
  /** The client is deleted, and made again with the same access key id. */
  remake(secretAccessKey: string): void;
  /** How long whom was made to wait, milliseconds. */
  readonly paused: readonly number[];
  /** How often the sealer would have been asked. */
  derived(): number;
}

export interface OneClientOptions {
  readonly now: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly locked?: boolean;
}

/** Who is found when it signed rightly. */
export const FOUND = { name: 'app', arn: 'arn:aws:iam::123456789012:user/app', role: 'user' };

export function oneClient({ now, accessKeyId, secretAccessKey, locked = false }: OneClientOptions): OneClient {
  const clock = fakeClock(now);
  const entry = { role: 'user', created: instant(0), accessKeyId: accessKeyId as AccessKeyId, keyCreated: instant(0) } as const;
  const clients = {
    revision: 1,
    entries: () => Promise.resolve([['app', entry]] as const),
    get: (name: string) => Promise.resolve({ name, ...entry, sealed: 'AAAA' }),
  } as unknown as OpenAccess['clients'];
  let derived = 0;
  let secret = secretAccessKey;
  const access: OpenAccess = {
    realm: { region: 'us-east-1', account: '123456789012' as AccountId },
    clients,
    signingKey: (_id, _sealed, scope) => {
      derived += 1;
      return Promise.resolve(signingKey(utf8(secret), scope));
    },
  };
  const paused: number[] = [];
  const signatures = createSignatures({ open: () => (locked ? undefined : access), clock, random: fixedRandom('dummy'), pause: (ms) => Promise.resolve(paused.push(ms)) });
  return {
    clock,
    signatures,
    remake: (another) => {
      secret = another;
      Object.assign(clients, { revision: clients.revision + 1 });
    },
    paused,
    derived: () => derived,
  };
}
