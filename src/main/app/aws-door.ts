/**
 * The door for AWS clients in the running program: open where the settings say so, with a certificate of the vault's own authority.
 *
 * Once open it stays open while the vault is locked, and says so to whoever comes; its port and certificate are those of the settings as
 * they were last read. The private key of that certificate is this process's own, made anew whenever the door opens, and never stored.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { VaultError } from '../../shared/model/errors.ts';
import { instant } from '../../shared/model/ids.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { base64ToBytes, bytesToBase64 } from '../../shared/wire/base64.ts';
import { authorityName, certificatePem, makeAuthority, makeDoorCertificate, type SignCertificate } from '../access/certificate.ts';
import { AWS_DOOR_AUTHORITY, type AuthorityRecord } from '../access/client.ts';
import { AUTHORITIES, CLIENTS } from '../access/kinds.ts';
import { createSignatures, type Signatures } from '../access/signatures.ts';
import type { Scope } from '../crypto/sigv4.ts';
import { LOOPBACK, openAwsDoor, type AwsDoor, type Identity } from '../doors/aws/server.ts';
import type { DoorPort } from '../doors/port.ts';
import { DEFAULT_DOOR, endpointOf, type AwsDoorControl, type DoorSettings } from '../operations/access.ts';
import { writeFileAtomic } from '../platform/files.ts';
import type { Log } from '../platform/log.ts';
import type { Clock, Random } from '../platform/ports.ts';
import type { Sealer } from '../seal/protocol.ts';
import { openOrThrow, type OpenVault, type Vault } from '../vault/vault.ts';
import type { Events } from './events.ts';

const CLOSE_MS = 3000;
const AUTHORITY_FILE = 'aws-ca.pem';

export interface AwsDoorPorts {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events: Events;
  readonly fault: (error: unknown) => void;
}

export interface RunningAwsDoor {
  readonly control: AwsDoorControl;
  readonly signatures: Signatures;
  /** From now on the door follows the settings. */
  follow(door: DoorPort): void;
  close(graceMs: number): Promise<void>;
  /** Where it is, when it is open. */
  endpoint(): string | undefined;
}

const bytes = (text: string): Uint8Array => {
  const decoded = base64ToBytes(text);
  if (!decoded) throw new VaultError('VaultTamperedException', 'a certificate is not well formed, restore the vault\'s folder from a copy');
  return decoded;
};

export function createAwsDoor({ vault, clock, random, log, events, fault }: AwsDoorPorts): RunningAwsDoor {
  const signatures = createSignatures({ open: accessOf(vault), clock, random });
  let doorPort: DoorPort | undefined;
  let open: { readonly door: AwsDoor; readonly settings: DoorSettings } | undefined;
  let problem: string | undefined;
  let turn: Promise<void> = Promise.resolve();
  let closing = false;

  const shut = async (graceMs = CLOSE_MS): Promise<void> => {
    const door = open?.door;
    open = undefined;
    await door?.close(graceMs);
    if (door) log.event('door.closed', { door: 'aws' });
  };

  /** Brings the door to what the settings say. While locked they cannot be read, and the door stays as it is. */
  const reconcile = async (): Promise<void> => {
    const wanted = vault.open?.settings.awsDoor ?? (vault.open ? DEFAULT_DOOR : undefined);
    if (!wanted || !doorPort || closing) return;
    if (wanted.open && open?.settings.port === wanted.port && open.settings.tls === wanted.tls) return;
    await shut();
    problem = undefined;
    if (!wanted.open) return;
    try {
      const identity = wanted.tls ? await identityOf(vault, openOrThrow(vault), clock, random) : undefined;
      const door = await openAwsDoor({ port: wanted.port, door: doorPort, clock, uid: uidToAsk(), ...(identity ? { identity } : {}) });
      open = { door, settings: wanted };
      log.event('door.opened', { door: 'aws' });
    } catch (error) {
      fault(error);
      problem = error instanceof VaultError ? error.message : 'the door could not be opened; see the diagnostic log';
    }
  };
  const settle = (): Promise<void> =>
    (turn = turn.then(reconcile, reconcile).then(() => events.emit({ event: 'door.changed' })));

  return {
    signatures,
    follow(port) {
      doorPort = port;
      events.subscribe(({ event }) => {
        if (event === 'vault.locked') signatures.forget();
        if (event === 'vault.unlocked' || event === 'settings.changed') void settle();
      });
      if (vault.open) void settle();
    },
    async close(graceMs) {
      closing = true;
      await turn;
      await shut(graceMs);
      signatures.forget();
    },
    endpoint: () => (open ? endpointOf(open.settings) : undefined),
    control: {
      signatures,
      async newAccessKey(accessKeyId, given) {
        const { sealer } = openOrThrow(vault);
        const { sealed, secret } = await (given ? given.borrow((bytes) => sealer.call('newAccessKey', { accessKeyId, secret: bytes })) : sealer.call('newAccessKey', { accessKeyId }));
        return { sealed: bytesToBase64(sealed), secret: SecretBytes.take(secret) };
      },
      newAuthority: () => newAuthority(openOrThrow(vault), clock, random),
      async checkPort(port) {
        await turn;
        if (open?.settings.port !== port) await tryPort(port);
      },
      async state() {
        await turn;
        if (open) return { state: 'open' };
        return problem === undefined ? { state: 'closed' } : { state: 'failed', problem };
      },
      async authority() {
        const record = await openOrThrow(vault).store.reader.of(AUTHORITIES).get(AWS_DOOR_AUTHORITY);
        return record && { pem: certificatePem(bytes(record.certificate)), file: join(vault.ports.folder, AUTHORITY_FILE) };
      },
      recent: (limit) => open?.door.recent(limit) ?? [],
    },
  };
}

/** Where the kernel tells whose a loopback connection is. */
const uidToAsk = (): number | undefined => (process.platform === 'linux' ? process.geteuid?.() : undefined);

function accessOf(vault: Vault) {
  return () => {
    const { open } = vault;
    if (!open) return undefined;
    return {
      realm: open.realm,
      clients: open.store.reader.of(CLIENTS),
      signingKey: async (accessKeyId: string, sealed: Uint8Array, scope: Scope) =>
        (await open.sealer.call('signingKey', { accessKeyId, sealed, scope })).key,
    };
  };
}

async function newAuthority({ sealer, info }: OpenVault, clock: Clock, random: Random): Promise<AuthorityRecord> {
  const name = AWS_DOOR_AUTHORITY;
  const { sealed, publicKey } = await sealer.call('newCertificateKey', { name });
  const now = clock.now();
  const certificate = await makeAuthority({ publicKey, serial: random.bytes(16), now }, authorityName(info.vaultId.slice(0, 8)), signedBy(sealer, name, sealed, publicKey));
  return { name, certificate: bytesToBase64(certificate), publicKey: bytesToBase64(publicKey), sealed: bytesToBase64(sealed), created: instant(now) };
}

const signedBy =
  (sealer: Sealer, name: string, sealed: Uint8Array, publicKey: Uint8Array): SignCertificate =>
  async (certificate) =>
    (await sealer.call('signCertificate', { name, sealed, publicKey, certificate })).signature;

/** A fresh key and certificate for the door, and the authority's own certificate where clients find it. */
async function identityOf(vault: Vault, { store, sealer, info }: OpenVault, clock: Clock, random: Random): Promise<Identity> {
  const authority = await store.reader.of(AUTHORITIES).get(AWS_DOOR_AUTHORITY);
  if (!authority) throw new VaultError('InternalException', 'the door has no certificate authority; close and open it again');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', publicKeyEncoding: { type: 'spki', format: 'der' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const issuer = { name: authorityName(info.vaultId.slice(0, 8)), publicKey: bytes(authority.publicKey) };
  const certificate = await makeDoorCertificate({ publicKey, serial: random.bytes(16), now: clock.now() }, issuer, signedBy(sealer, authority.name, bytes(authority.sealed), issuer.publicKey));
  await writeFileAtomic(join(vault.ports.folder, AUTHORITY_FILE), new TextEncoder().encode(certificatePem(bytes(authority.certificate))));
  return { key: privateKey, certificate: certificatePem(certificate) };
}

/** Rejects with PortUnavailableException. */
function tryPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new VaultError('PortUnavailableException', `port \`${String(port)}\` is taken by another program; choose another port`)));
    probe.listen({ port, host: LOOPBACK, exclusive: true }, () => probe.close(() => resolve()));
  });
}
