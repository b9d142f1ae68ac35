/**
 * Who signed a request: the door has put it into its canonical form, here it is held against the access keys of the clients.
 *
 * Defends against: a signature by another key, for another day, region or service, too old, or repeated; and an answer that tells whether
 * an access key exists (an unknown one is held against a key of its own kind, and both are refused in the same words).
 * Does not: look at the request itself: what was signed is what the door says was signed. Nor hide by its time that an access key exists:
 * the first request of one for a scope asks the sealer, and that of an unknown one does not.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { clientArn, isRegion, type Realm } from '../../shared/model/ids.ts';
import { base64ToBytes } from '../../shared/wire/base64.ts';
import { wipe } from '../crypto/bytes.ts';
import { constantTimeEqual } from '../crypto/equal.ts';
import { scopeText, signatureOf, SIGNATURE_LENGTH, type Scope } from '../crypto/sigv4.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { CollectionReader } from '../store/collection.ts';
import type { ClientRecord } from './client.ts';
import type { ClientEntry } from './kinds.ts';
import { LIFE, Replays } from './replays.ts';

/** What a request claims, and the signature for it. */
export interface Signed {
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Milliseconds since the epoch, a whole second: of the day in the scope. */
  readonly time: number;
  readonly stringToSign: string;
  /** As given: of any length. */
  readonly signature: Uint8Array;
}

/** What is there while the vault is open. */
export interface OpenAccess {
  readonly realm: Realm;
  readonly clients: CollectionReader<ClientRecord, ClientEntry>;
  /** 32 bytes from the sealer, the caller's to wipe. */
  signingKey(accessKeyId: string, sealed: Uint8Array, scope: Scope): Promise<Uint8Array>;
}

export interface Signer {
  readonly name: string;
  readonly arn: string;
  readonly role: ClientRecord['role'];
}

export interface Signatures {
  /** The client, or why it is none. Rejects only for a fault of ours. */
  check(signed: Signed): Promise<Signer | VaultError>;
  /** When this access key was last found right, milliseconds since the epoch; since the vault was unlocked. */
  lastUsed(accessKeyId: string): number | undefined;
  /** The client of an access key, proven or not. */
  nameOf(accessKeyId: string): string | undefined;
  /** Wipes the signing keys: the vault is locked. */
  forget(): void;
}

export interface SignaturePorts {
  /** Undefined while the vault is locked. */
  readonly open: () => OpenAccess | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

const SERVICES: ReadonlySet<string> = new Set(['kms', 'secretsmanager']);
/** Each is one client's key of one day; two days for each client, around midnight. */
const MOST_KEYS = 256;

const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');
const unknown = (): VaultError =>
  new VaultError('UnrecognizedClientException', 'this access key is not known here, or its signature does not fit the request; see `keystead aws list-clients`');

interface Known {
  readonly name: string;
  readonly entry: ClientEntry;
}

export function createSignatures({ open, clock, random }: SignaturePorts): Signatures {
  const keys = new Map<string, Promise<Uint8Array>>();
  const used = new Map<string, number>();
  const dummy = random.bytes(SIGNATURE_LENGTH);
  // Not forgotten at a lock: a signature lives longer than that may take. It holds hashes, and no secret.
  const replays = new Replays();
  let byKey: ReadonlyMap<string, Known> = new Map();
  let seen: { readonly of: OpenAccess['clients']; readonly revision: number } | undefined;

  const drop = (key: Promise<Uint8Array>): void => void key.then((bytes) => wipe(bytes), () => undefined);
  const dropKeys = (): void => {
    for (const key of keys.values()) drop(key);
    keys.clear();
  };

  async function known(clients: OpenAccess['clients'], accessKeyId: string): Promise<Known | undefined> {
    if (seen?.of !== clients || seen.revision !== clients.revision) {
      const entries = await clients.entries();
      const { revision } = clients;
      byKey = new Map(Array.from(entries, ([name, entry]) => [entry.accessKeyId, { name, entry }]));
      seen = { of: clients, revision };
      // A client that was deleted, and made again with another secret, must not answer to the old one.
      dropKeys();
    }
    return byKey.get(accessKeyId);
  }

  /** The day's key of a client, asked of the sealer once. */
  function keyOf(access: OpenAccess, { name }: Known, { accessKeyId, scope }: Signed): Promise<Uint8Array> {
    const place = `${accessKeyId}/${scopeText(scope)}`;
    const held = keys.get(place);
    if (held) return held;
    for (const [oldest, key] of keys) {
      if (keys.size < MOST_KEYS) break;
      keys.delete(oldest);
      drop(key);
    }
    const key = access.clients.get(name).then((record) => {
      const sealed = record && base64ToBytes(record.sealed);
      // Renamed, rotated or deleted since it was looked up: then nobody.
      return sealed && record.accessKeyId === accessKeyId ? access.signingKey(accessKeyId, sealed, scope) : random.bytes(SIGNATURE_LENGTH);
    });
    keys.set(place, key);
    key.catch(() => keys.delete(place));
    return key;
  }

  return {
    async check(signed) {
      const access = open();
      if (!access) return locked();
      const now = clock.now();
      if (Math.abs(now - signed.time) > LIFE) {
        return new VaultError('InvalidSignatureException', `signature expired: its time is more than five minutes from this machine's, which is ${new Date(now).toISOString()}; set the clock and sign again`);
      }
      const { region, service } = signed.scope;
      if (!SERVICES.has(service)) return new VaultError('InvalidSignatureException', 'credential should be scoped to correct service: `kms` or `secretsmanager`');
      if (!isRegion(region)) return new VaultError('InvalidSignatureException', 'credential should be scoped to a valid region, as `us-east-1`');
      const client = await known(access.clients, signed.accessKeyId);
      const expected = signatureOf(client ? await keyOf(access, client, signed) : dummy, signed.stringToSign);
      // INVARIANT: compared before anything is concluded from `client`, so that both refusals take the same way.
      const fits = constantTimeEqual(expected, signed.signature);
      wipe(expected);
      if (!fits || !client) return unknown();
      const verdict = replays.see(signed.signature, signed.time, now);
      if (verdict === 'replayed' || verdict === 'full') return new VaultError('ThrottlingException', verdict === 'full' ? 'too many requests; try again in a moment' : 'this signature was used already; sign the request again');
      used.set(signed.accessKeyId, now);
      return { name: client.name, arn: clientArn(access.realm, client.name), role: client.entry.role };
    },
    lastUsed: (accessKeyId) => used.get(accessKeyId),
    nameOf: (accessKeyId) => byKey.get(accessKeyId)?.name,
    forget() {
      dropKeys();
      used.clear();
      byKey = new Map();
      seen = undefined;
    },
  };
}
