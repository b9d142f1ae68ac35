/** `hardware:` handlers that look at keys on tokens, and the making and unmaking of keys there. */
import { keySpecOf, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { keyArn, keyIdFrom, type Realm } from '../../shared/model/ids.ts';
import type { Output } from '../../shared/api/index.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { bytesToBase64 } from '../../shared/wire/base64.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { lacks, mechanismName, usable } from '../backends/pkcs11/mechanisms.ts';
import { isClusterKey, isGuarded, keyOf, type KeyFacts, type Stated } from '../backends/pkcs11/protocol.ts';
import { hex } from '../crypto/bytes.ts';
import { assertStore } from '../hardware/connection.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { answering, generateInCluster, removeEverywhere } from '../hardware/cluster-keys.ts';
import { KEY_STORES, tokensOf, type KeyStoreRecord } from '../hardware/kinds.ts';
import { answers } from '../hardware/live-cluster.ts';
import { clusterIdOf, isOwnTokenKey, keyUri, newTokenKeyId } from '../hardware/token-names.ts';
import type { Attempt, HardwareRef, KeyRecord } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { Writer } from '../store/port.ts';
import { ownOf } from './hardware-erase.ts';
import { keyMetadata } from './key-metadata.ts';
import { findToken, keysIn, keyStoresIn, placeOfStore, storeOf, type Stored } from './kms-key-stores.ts';
import { provePair } from './prove-pair.ts';
import { keyOf as keyRecordOf } from './resolvers.ts';
import { once } from './once.ts';
import type { HandlersOf } from './rights.ts';
import { certificatesAt, certificatesOf, placesFor } from './shown-certificates.ts';
import { createTokenKeyNotes } from './token-key-notes.ts';

type TokenKeyState = Output<'hardware:ListTokenKeys'>['Keys'][number]['State'];
type Names = 'ListTokenKeys' | 'DescribeTokenKey' | 'AdoptKey' | 'DeleteTokenKey';

/** `forPin`: the token is given a PIN. `module`: the path of the one that is asked, and no other. */
export const byName = (hardware: Hardware, reader: Stored, serial: string, label: string | undefined, { forPin = false, module }: { readonly forPin?: boolean; readonly module?: string | undefined } = {}): Promise<Place> =>
  findToken(
    hardware,
    reader,
    (token) => token.serial === serial && (label === undefined || token.label === label),
    {
      none: () => new VaultError('KeyUnavailableException', `no token has the serial number \`${serial}\`${label === undefined ? '' : ` and the label \`${label}\``}; see \`keystead hardware list-tokens\``),
      many: () => new VaultError('KeyUnavailableException', `more than one token has the serial number \`${serial}\`; give \`Label\` too, or \`Module\` where two modules show one token`),
    },
    forPin,
    module,
  );

export const shownStated = ({ sensitive, extractable, alwaysSensitive, neverExtractable, local, trustedOnly }: Stated) => ({
  ...(sensitive === undefined ? {} : { Sensitive: sensitive }),
  ...(extractable === undefined ? {} : { Extractable: extractable }),
  ...(alwaysSensitive === undefined ? {} : { AlwaysSensitive: alwaysSensitive }),
  ...(neverExtractable === undefined ? {} : { NeverExtractable: neverExtractable }),
  ...(local === undefined ? {} : { Local: local }),
  ...(trustedOnly === true ? { TrustedOnly: true } : {}),
});

/** A key made on a connected store's token. Its object's label is the key id. UnsupportedOperationException, CustomKeyStoreInvalidStateException. */
export async function generateOnToken(hardware: Hardware, reader: Stored, random: Random, request: { readonly store: string; readonly spec: KeySpec; readonly usage: KeyUsage; readonly keyId: string; readonly vaultId: string; readonly attempted?: (attempt: Attempt) => void }): Promise<{ readonly ref: HardwareRef; readonly publicKey?: Uint8Array; readonly materialId: string }> {
  const store = await storeOf(reader, request.store);
  assertStore(store.name, hardware.connection(store.id).state, 'createKey');
  const newId = (): string => newTokenKeyId(request.vaultId, request.keyId, hex(random.bytes(8)));
  if (store.cluster) {
    const { spec, usage, keyId, attempted } = request;
    const { id, publicKey } = await generateInCluster({ hardware, random, store, record: store.cluster }, { spec, usage, label: keyId, newId }, attempted);
    return { ref: { store: store.id, id }, materialId: hex(random.bytes(8)), ...(publicKey ? { publicKey } : {}) };
  }
  const place = hardware.placeOf(store.id);
  const why = lacks(await hardware.offer(place), request.spec, request.usage);
  if (why !== undefined) throw new VaultError('UnsupportedOperationException', `${nameToken(place.token)} ${why}; see \`keystead hardware list-mechanisms\``);
  const id = newId();
  const { parts } = await hardware.ask(place, 'generate', { token: place.token, spec: request.spec, usage: request.usage, id, label: request.keyId });
  const [publicKey] = parts;
  const isPair = !['symmetric', 'hmac'].includes(keySpecOf(request.spec).family);
  if (isPair !== (publicKey !== undefined)) throw new VaultError('KMSInternalException', `${nameToken(place.token)} made a key pair without a public key`);
  return { ref: { store: store.id, id }, materialId: hex(random.bytes(8)), ...(publicKey ? { publicKey } : {}) };
}

/** Random bytes from which on a generator that repeats one byte is known as broken: 120 bits and more. */
const JUDGED = 16;

/** Bytes of a connected token's own generator. KMSInternalException where it is broken, as far as that can be seen. */
export async function randomOfToken(hardware: Hardware, reader: Stored, storeId: string, length: number): Promise<SecretBytes> {
  const store = await storeOf(reader, storeId);
  assertStore(store.name, hardware.connection(store.id).state, 'createKey');
  return hardware.use(store.id, async (place) => {
    const [bytes] = (await hardware.ask(place, 'random', { token: place.token, length })).parts;
    if (bytes?.byteLength !== length) throw new VaultError('KMSInternalException', `${nameToken(place.token)} gave another number of random bytes than it was asked for; do not trust it until you know why`);
    // So much of one byte, again and again, is no accident: a generator that is broken says nothing of it.
    if (length >= JUDGED && bytes.every((byte) => byte === bytes[0])) throw new VaultError('KMSInternalException', `${nameToken(place.token)} gave the same byte ${String(length)} times for random bytes, which were withheld; do not trust it until you know why`);
    return SecretBytes.take(bytes);
  });
}

/** Takes a key's objects off its token, unless it was there before; tried once, and only where the token is there. */
export function destroyOnToken(hardware: Hardware, ref: HardwareRef): void {
  if (ref.adopted) return;
  if (hardware.cluster(ref.store)) return void removeEverywhere({ hardware, store: { id: ref.store } as KeyStoreRecord }, ref.id);
  try {
    const place = hardware.placeOf(ref.store);
    void hardware.ask(place, 'destroy', { token: place.token, id: ref.id }).catch(() => undefined);
  } catch {
    // Not connected: the key stays on the token, where nothing of this vault knows it any more.
  }
}

/** A token of a cluster that does not answer now is rid of the key when it is brought level. */
export async function noteGone(writer: Writer, ref: HardwareRef): Promise<void> {
  const store = await writer.of(KEY_STORES).get(ref.store);
  if (store?.cluster) writer.of(KEY_STORES).update({ ...store, cluster: { ...store.cluster, gone: [...store.cluster.gone, ref.id] } });
}

/** Keys that this vault made there and has no record of: it died in between, or was put back to an older state. */
function noteUnrecorded(hardware: Hardware, place: Place, keys: readonly KeyFacts[], known: readonly KeyRecord[], vaultId: string): void {
  hardware.notRecorded.set(keyOf(place.token), new Set(keys.filter((key) => isOwnTokenKey(vaultId, key) && !alreadyHere(known, key.id)).map(({ id }) => id)));
}

/** Looks for them on a connected store's tokens. What fails is found out when somebody looks at the token. */
export async function findUnrecorded(hardware: Hardware, reader: Stored, store: KeyStoreRecord, vaultId: string): Promise<void> {
  const known = await keysIn(reader, store.id);
  for (const place of store.cluster ? answering({ hardware, store }) : [hardware.placeOf(store.id)]) {
    const keys = await hardware.ask(place, 'keys', { token: place.token }).catch(() => undefined);
    if (keys) noteUnrecorded(hardware, place, keys.reply.keys, known, vaultId);
  }
}

/** The token of a cluster that holds this key. KeyUnavailableException. */
async function holderOf(hardware: Hardware, storeId: string, id: string): Promise<Place> {
  for (const place of answering({ hardware, store: { id: storeId } as KeyStoreRecord })) {
    if ((await hardware.ask(place, 'holds', { token: place.token, ids: [id], halves: false })).reply.held.includes(id)) return place;
  }
  throw new VaultError('KeyUnavailableException', `no token of the key store that answers holds the key \`${id}\`; see \`keystead hardware list-token-keys\``);
}

const alreadyHere = (keys: readonly KeyRecord[], id: string): KeyRecord | undefined => keys.find(({ hardware }) => hardware?.id === id);

export const hardwareKeyHandlers = (now: () => Hardware, random: Random, notes = createTokenKeyNotes(random)): Pick<HandlersOf<'hardware'>, `hardware:${Names}`> => ({
  'hardware:ListTokenKeys': async (input, _call, { reader, realm, vaultId }) => {
    const hardware = now();
    const place = await byName(hardware, reader, input.Serial, input.Label);
    const { reply } = await hardware.ask(place, 'keys', { token: place.token });
    const stores = (await keyStoresIn(reader)).filter((store) => tokensOf(store).some(({ serial, label }) => serial === place.token.serial && label === place.token.label));
    const known = (await Promise.all(stores.map(({ id }) => keysIn(reader, id)))).flat();
    noteUnrecorded(hardware, place, reply.keys, known, vaultId);
    const ofClusters = new Set(stores.flatMap(({ cluster }) => (cluster ? ownOf(cluster, place).map(([id]) => id) : [])));
    const stateOf = (key: KeyFacts): TokenKeyState => (isOwnTokenKey(vaultId, key) ? 'notRecorded' : ofClusters.has(key.id) ? 'cluster' : 'foreign');
    return {
      Keys: reply.keys.map((key) => {
        const { id, label, spec, uses, stated } = key;
        const own = alreadyHere(known, id);
        return { Id: id, Label: label, ...(spec ? { KeySpec: spec } : {}), KeyUsages: [...uses], ...(own ? { KeyId: keyArn(realm, own.keyId) } : {}), State: own ? ('recorded' as const) : stateOf(key), Stated: shownStated(stated) };
      }),
      Certificates: [...(await certificatesAt(hardware, place, known, realm))],
    };
  },

  'hardware:DescribeTokenKey': async (_input, call, { reader, realm }) => {
    const hardware = now();
    const key = keyRecordOf(call.resource);
    if (!key.hardware) return call.fail('UnsupportedOperationException', `key \`${key.keyId}\` is not in a token; see \`keystead kms describe-key\``);
    const store = await storeOf(reader, key.hardware.store);
    const cluster = hardware.cluster(store.id);
    const place = cluster ? hardware.placeOf(store.id) : await placeOfStore(reader, store);
    const { id } = key.hardware;
    const copies = await Promise.all(
      (cluster?.members ?? []).filter(answers).map(async ({ place: at }) => {
        const facts = await hardware.ask(at, 'describe', { token: at.token, id }).catch(() => undefined);
        return facts ? [{ at, shown: { CloudHsmClusterId: clusterIdOf(at.token), Label: at.token.label, Origin: facts.reply.stated.local === true ? ('local' as const) : ('cloned' as const), Stated: shownStated(facts.reply.stated) } }] : [];
      }),
    );
    const { reply } = await hardware.ask(place, 'describe', { token: place.token, id: key.hardware.id });
    const holders = cluster ? copies.flat().map(({ at }) => at) : [place];
    const certificates = await certificatesOf(hardware, cluster ? placesFor(hardware, store) : [place], key, realm);
    const { allowed, refused, unknown } = (await hardware.ask(place, 'wrapTest', { token: place.token, id: key.hardware.id })).reply;
    return {
      KeyId: keyArn(realm, key.keyId),
      CustomKeyStoreId: key.hardware.store,
      Uri: keyUri(place.token, key.hardware.id, reply.class === 'secret' ? 'secret-key' : 'private'),
      Stated: shownStated(reply.stated),
      Tested: { WrapRefused: refused.map(mechanismName), WrapAllowed: allowed.map(mechanismName), WrapUnknown: unknown.map(mechanismName) },
      Adopted: key.hardware.adopted === true,
      ...(cluster ? { Copies: copies.flat().map(({ shown }) => shown) } : {}),
      Certificates: certificates.map(({ certificate }) => certificate),
      Notes: [...(await notes.of(hardware, holders, key)), ...(cluster && reply.stated.local !== true ? [`In ${nameToken(place.token)} the key is cloned, not local: it was made in another token of the cluster`] : [])],
    };
  },

  'hardware:AdoptKey': async (input, call, { writer, realm, vaultId, keys }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const place = store.cluster ? await holderOf(hardware, store.id, input.Id) : hardware.placeOf(store.id);
    const { reply, parts } = await hardware.ask(place, 'describe', { token: place.token, id: input.Id });
    // Outside a cluster the vault makes none that may travel: such a key is somebody's, whatever its id.
    const isOwn = isOwnTokenKey(vaultId, reply) && (store.cluster !== undefined || isGuarded(reply.stated));
    if (store.cluster && !(isOwn && isClusterKey(reply.stated))) return call.fail('UnsupportedOperationException', `key store \`${store.name}\` spans several tokens, and a key that is on one of them already cannot be brought to the others; adopt it in a key store of one token`);
    const own = alreadyHere(await keysIn(writer, store.id), input.Id);
    if (own) return call.fail('AlreadyExistsException', `key \`${own.keyId}\` is this key of the token already`);
    const { spec, uses } = reply;
    if (!spec) return call.fail('UnsupportedOperationException', `the key \`${input.Id}\` is of a kind that KMS does not know`);
    const offer = await hardware.offer(place);
    const fitting = uses.filter((usage) => usable(offer, spec, usage).length > 0);
    const usage = input.KeyUsage ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (usage === undefined) return call.fail('ValidationException', `\`KeyUsage\` must be given: the token lets this key be used for ${fitting.length === 0 ? 'nothing that is offered here' : fitting.map((name) => `\`${name}\``).join(' and ')}`);
    if (!fitting.includes(usage)) return call.fail('UnsupportedOperationException', `${nameToken(place.token)} does not let this key be used for \`${usage}\``);
    const [publicKey] = parts;
    if (reply.class === 'private' && !publicKey) return call.fail('UnsupportedOperationException', `${nameToken(place.token)} has no public key beside the key \`${input.Id}\`, and no certificate that names one; put it there with the tools of its vendor`);
    const record: KeyRecord = {
      // What it was to be called when it was made.
      keyId: isOwn ? (reply.label as KeyRecord['keyId']) : keyIdFrom(random.bytes(16)),
      spec,
      usage,
      purpose: 'kms',
      state: 'Enabled',
      description: input.Description,
      created: call.at,
      materials: [hex(random.bytes(8))],
      origin: 'AWS_CLOUDHSM',
      hardware: { store: store.id, id: input.Id, ...(isOwn ? {} : { adopted: true as const }) },
      ...(publicKey ? { publicKey: bytesToBase64(publicKey) } : {}),
      ...regionOf(realm),
    };
    const [algorithm] = usable(offer, spec, usage);
    if (publicKey && algorithm) await provePair(keys, record, publicKey, algorithm, random);
    writer.insertKey(record);
    // One that was deleted, and that its token has kept: levelling is to take it off no more.
    if (store.cluster?.gone.includes(input.Id)) writer.of(KEY_STORES).update({ ...store, cluster: { ...store.cluster, gone: store.cluster.gone.filter((id) => id !== input.Id) } });
    hardware.notRecorded.get(keyOf(place.token))?.delete(input.Id);
    const certificates = await certificatesOf(hardware, placesFor(hardware, store), record, realm);
    return { KeyMetadata: await keyMetadata(writer, record, realm), Certificates: certificates.map(({ certificate }) => certificate) };
  },

  'hardware:DeleteTokenKey': async (input, call, { writer, vaultId }) => {
    const hardware = now();
    const store = await storeOf(writer, input.CustomKeyStoreId);
    assertStore(store.name, hardware.connection(store.id).state, 'createKey');
    const known = alreadyHere(await keysIn(writer, store.id), input.Id);
    if (known) return call.fail('KMSInvalidStateException', `key \`${known.keyId}\` is a key of this vault; schedule its deletion with \`keystead kms schedule-key-deletion\``);
    await once(call, async () => {
      const place = store.cluster ? await holderOf(hardware, store.id, input.Id) : hardware.placeOf(store.id);
      const { label, stated } = (await hardware.ask(place, 'describe', { token: place.token, id: input.Id })).reply;
      if (!isOwnTokenKey(vaultId, { id: input.Id, label, stated })) return call.fail('UnsupportedOperationException', `this vault did not make the key \`${input.Id}\`; delete it with the tools of the token’s vendor`);
      if (input.Confirm !== label) return call.fail('KMSInvalidStateException', `what it encrypted can never be read afterwards: type the label of the key, \`${label}\`, as \`Confirm\` if you mean it`);
      for (const at of store.cluster ? answering({ hardware, store }) : [place]) {
        await hardware.ask(at, 'discard', { token: at.token, ids: [input.Id] });
        hardware.notRecorded.get(keyOf(at.token))?.delete(input.Id);
      }
    });
    return {};
  },
});

const regionOf = (realm: Realm): Pick<KeyRecord, 'region'> => (realm.home === undefined || realm.home === realm.region ? {} : { region: realm.region });
