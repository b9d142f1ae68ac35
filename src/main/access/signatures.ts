/**
 * Who signed a request: the door has put it into its canonical form, here it is held against the access keys of the clients.
 *
 * Defends against: a signature by another key, for another day, region or service, too old, or repeated; and an answer that tells whether
 * an access key exists (an unknown one is held against a key of its own kind, and both are refused in the same words); and many guesses at one
 * access key: their refusals come slowly (`wrongs.ts`), while who signs rightly is not held up by them.
 * Does not: look at the request itself: what was signed is what the door says was signed. Nor hide by its time that an access key exists:
 * the first request of one for a scope asks the sealer, and that of an unknown one does not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
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
import { Wrongs } from './wrongs.ts';

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
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: Random;
  /** Resolves after so many milliseconds. Default: a timer. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

const SERVICES: ReadonlySet<string> = new Set(['kms', 'secretsmanager']);
/** Each is one client's key of one day, region and service, kept once a signature with it was right; the one unused for longest goes. */
const MOST_KEYS = 256;

const locked = (): VaultError => new VaultError('VaultLockedException', 'the vault is locked; unlock it with `keystead unlock`');
const unknown = (): VaultError =>
  new VaultError('UnrecognizedClientException', 'this access key is not known here, or its signature does not fit the request; see `keystead aws list-clients`');

interface Known {
  readonly name: string;
  readonly entry: ClientEntry;
}

export function createSignatures({ open, clock, random, pause = sleep }: SignaturePorts): Signatures {
  const keys = new Map<string, Uint8Array>();
  const used = new Map<string, number>();
  const dummy = random.bytes(SIGNATURE_LENGTH);
  // Not forgotten at a lock: a signature lives longer than that may take. It holds hashes, and no secret.
  const replays = new Replays();
  const wrongs = new Wrongs();
  let byKey: ReadonlyMap<string, Known> = new Map();
  let seen: { readonly of: OpenAccess['clients']; readonly revision: number } | undefined;

  const dropKeys = (): void => {
    for (const key of keys.values()) wipe(key);
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

  /** The day's key of a client, from the sealer; the caller's to wipe or to `keep`. */
  async function derive({ clients, signingKey }: OpenAccess, { name }: Known, { accessKeyId, scope }: Signed): Promise<Uint8Array> {
    const record = await clients.get(name);
    const sealed = record && base64ToBytes(record.sealed);
    // Renamed, rotated or deleted since it was looked up: then nobody.
    return sealed && record.accessKeyId === accessKeyId ? signingKey(accessKeyId, sealed, scope) : random.bytes(SIGNATURE_LENGTH);
  }

  /** INVARIANT: only what a signature was right with: who signs with nothing could push out everybody's keys with made-up regions. */
  function keep(place: string, key: Uint8Array): void {
    const held = keys.get(place);
    if (held && held !== key) wipe(held);
    keys.delete(place);
    for (const [oldest, other] of keys) {
      if (keys.size < MOST_KEYS) break;
      keys.delete(oldest);
      wipe(other);
    }
    keys.set(place, key);
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
      const { revision } = access.clients;
      const place = `${signed.accessKeyId}/${scopeText(signed.scope)}`;
      const held = client && keys.get(place);
      const key = held ?? (client ? await derive(access, client, signed) : undefined);
      const expected = signatureOf(key ?? dummy, signed.stringToSign);
      // INVARIANT: compared before anything is concluded from `client`, so that both refusals take the same way.
      const fits = constantTimeEqual(expected, signed.signature);
      wipe(expected);
      if (!fits || !client || !key) {
        if (key && key !== held) wipe(key);
        const wait = wrongs.wait(signed.accessKeyId, clock.monotonic());
        if (wait > 0) await pause(wait);
        return unknown();
      }
      // While it was derived the vault may have been locked, or its clients changed: then it is of this request alone.
      if (open()?.clients === access.clients && access.clients.revision === revision) keep(place, key);
      else wipe(key);
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
