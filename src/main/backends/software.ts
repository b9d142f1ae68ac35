/**
 * The software backend: keys whose material only the sealer opens.
 *
 * Defends against: plaintext key material in main (it sees sealed rows only), a material used for another key.
 * Does not: decide who may use a key or in which state; the keyring and policy have done that.
 */
import { hex } from '../crypto/bytes.ts';
import { createDataKeyBatches } from './data-key-batches.ts';
import type { EncryptionUse, KeyBackend, KeyHandle, MaterialRow } from '../keyring/ports.ts';
import type { Random } from '../platform/ports.ts';
import type { Loaded, MaterialRef, Sealer } from '../seal/protocol.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';

export interface SoftwarePorts {
  readonly sealer: Sealer;
  readonly random: Random;
  /** The sealed row of a material (8 bytes, hex); undefined when it was destroyed. */
  readonly material: (materialId: string) => Promise<MaterialRow | undefined>;
}

/** Where each known material stands, so that a sealer that has it in memory need not be sent the row again. */
const KNOWN_LIMIT = 16_384;

export function createSoftwareBackend({ sealer, random, material }: SoftwarePorts): KeyBackend {
  const known = new Map<string, MaterialRef>();
  const dataKey = createDataKeyBatches();

  const remember = (materialId: string, ref: MaterialRef): void => {
    if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value ?? '');
    known.set(materialId, { rowId: ref.rowId, version: ref.version });
  };

  /** Where each material stands; undefined unless all are known. */
  function knownRefs(materialIds: readonly string[]): readonly MaterialRef[] | undefined {
    const refs = materialIds.flatMap((materialId) => known.get(materialId) ?? []);
    return refs.length === materialIds.length ? refs : undefined;
  }

  async function sealedRow(materialId: string): Promise<MaterialRef> {
    const row = await material(materialId);
    if (!row) throw new VaultError('KMSInternalException', 'the key has lost its material; verify the vault with `keystead doctor`');
    return { rowId: row.rowId, version: row.version, body: row.body };
  }

  /** Runs a call with references, in the order given; when the sealer has not all materials, again with the sealed rows. */
  async function withMaterials<T extends object>(materialIds: readonly string[], run: (...refs: readonly MaterialRef[]) => Promise<Loaded<T>>): Promise<T> {
    const short = knownRefs(materialIds);
    if (short) {
      const first = await run(...short);
      if (!first.missing) {
        materialIds.forEach((materialId, at) => { if (short[at]?.body) remember(materialId, short[at]); });
        return first;
      }
    }
    const refs = await Promise.all(materialIds.map(sealedRow));
    const answer = await run(...refs);
    if (answer.missing) throw new VaultError('KMSInternalException', 'the sealer could not load the key');
    materialIds.forEach((materialId, at) => { remember(materialId, refs[at] as MaterialRef); });
    return answer;
  }

  const withMaterial = <T extends object>(materialId: string, run: (ref: MaterialRef) => Promise<Loaded<T>>): Promise<T> => withMaterials([materialId], (ref) => run(ref));

  const newest = (key: { readonly materials: readonly string[] }): string => {
    const last = key.materials[key.materials.length - 1];
    if (last === undefined) throw new VaultError('KMSInternalException', 'the key has no material');
    return last;
  };

  const publicKeyOf = (key: Pick<KeyHandle<'SIGN_VERIFY'>, 'publicKey'>): Uint8Array => {
    if (!key.publicKey) throw new VaultError('KMSInternalException', 'the key has no public key');
    return key.publicKey;
  };

  const locate = async (ciphertext: Uint8Array): Promise<string> => hex((await sealer.call('locate', { ciphertext })).materialId);

  /** The material that a ciphertext names, as one of this key's. IncorrectKeyException. */
  function ownMaterial({ keyId, materials }: KeyHandle<'ENCRYPT_DECRYPT'>, materialId: string): string {
    if (!materials.includes(materialId)) throw new VaultError('IncorrectKeyException', `the ciphertext was not made by key \`${keyId}\``);
    return materialId;
  }

  return {
    async generate({ spec, keyId, purpose }) {
      const rowId = random.bytes(16);
      const materialId = random.bytes(8);
      const { body, tag, publicKey } = await sealer.call('generateMaterial', { rowId, spec, keyId, materialId, purpose });
      const id = hex(materialId);
      remember(id, { rowId, version: 1 });
      // With its row, until it is first used: that may be before the unit that makes the key is committed.
      known.set(id, { rowId, version: 1, body: Uint8Array.from(body) });
      return { material: { materialId: id, rowId, body, tag }, ...(publicKey ? { publicKey } : {}) };
    },
    importParameters: ({ arn, algorithm, spec, validTo }) => sealer.call('importParameters', { binding: arn, algorithm, spec, validTo }),
    async importMaterial({ arn, token, wrapped, spec, keyId, purpose, now }) {
      const rowId = random.bytes(16);
      const { identity, body, tag, publicKey } = await sealer.call('importMaterial', { rowId, binding: arn, token, now, wrapped, spec, keyId, purpose });
      return { material: { materialId: hex(identity.subarray(0, 8)), rowId, body, tag }, identity: hex(identity), ...(publicKey ? { publicKey } : {}) };
    },
    async sign(key, { algorithm, message, digest }) {
      const { signature } = await withMaterial(newest(key), (ref) => lend(message, (bytes) => sealer.call('sign', { key: ref, purpose: key.purpose, algorithm, message: bytes, digest })));
      return signature;
    },
    async verify(key, { algorithm, message, digest, signature }) {
      const { valid } = await lend(message, (bytes) => sealer.call('verify', { publicKey: publicKeyOf(key), spec: key.spec, algorithm, message: bytes, digest, signature }));
      return valid;
    },
    async encrypt(key, { algorithm, plaintext, context }) {
      const { ciphertext } = await withMaterial(newest(key), (ref) => lend(plaintext, (bytes) => sealer.call('encrypt', { key: ref, keyId: key.keyId, algorithm, plaintext: bytes, context })));
      return ciphertext;
    },
    async decrypt(key, { algorithm, ciphertext, context }) {
      const under = (materialId: string) => withMaterial(materialId, (ref) => sealer.call('decrypt', { key: ref, keyId: key.keyId, algorithm, ciphertext, context }));
      // Most of what is decrypted is of the newest: asking first which it names would be one more way to the sealer and back for each.
      const first = await under(newest(key));
      const { plaintext } = first.other ? await under(ownMaterial(key, hex(first.other))) : first;
      if (!plaintext) throw new VaultError('KMSInternalException', 'the sealer could not decide which material a ciphertext names');
      return SecretBytes.take(plaintext);
    },
    async generateDataKey(key, { length, context }) {
      const materialId = newest(key);
      const { plaintext, ciphertext } = await dataKey(`${key.keyId}/${materialId}/${String(length)}`, context, async (contexts) => (await withMaterial(materialId, (ref) => sealer.call('generateDataKeys', { key: ref, keyId: key.keyId, length, contexts }))).keys);
      return { plaintext: SecretBytes.take(plaintext), ciphertext };
    },
    async generateDataKeyWithoutPlaintext(key, { length, context }) {
      const { ciphertext } = await withMaterial(newest(key), (ref) => sealer.call('generateDataKey', { key: ref, keyId: key.keyId, length, context, reveal: false }));
      return ciphertext;
    },
    async generateDataKeyPair(key, { spec, context, reveal }) {
      const { privateKey, ciphertext, publicKey } = await withMaterial(newest(key), (ref) => sealer.call('generateDataKeyPair', { key: ref, keyId: key.keyId, spec, context, reveal }));
      return { ...(privateKey ? { privateKey: SecretBytes.take(privateKey) } : {}), ciphertext, publicKey };
    },
    async reEncrypt(source, ciphertext, destination) {
      // An RSA key has one only.
      const from = source.algorithm === 'SYMMETRIC_DEFAULT' ? ownMaterial(source.key, await locate(ciphertext)) : newest(source.key);
      const use = ({ key, algorithm, context }: EncryptionUse, ref: MaterialRef) => ({ key: ref, keyId: key.keyId, algorithm, context });
      const answer = await withMaterials([from, newest(destination.key)], (one, other) => sealer.call('reEncrypt', { source: use(source, one), ciphertext, destination: use(destination, other) }));
      return answer.ciphertext;
    },
    async deriveSharedSecret(key, publicKey) {
      const { secret } = await withMaterial(newest(key), (ref) => sealer.call('deriveSharedSecret', { key: ref, publicKey }));
      return SecretBytes.take(secret);
    },
    async encapsulate(key) {
      const { secret, ciphertext } = await sealer.call('encapsulate', { publicKey: publicKeyOf(key), spec: key.spec });
      return { secret: SecretBytes.take(secret), ciphertext };
    },
    async decapsulate(key, ciphertext) {
      const { secret } = await withMaterial(newest(key), (ref) => sealer.call('decapsulate', { key: ref, ciphertext }));
      return SecretBytes.take(secret);
    },
    async mac(key, { algorithm, message }) {
      const { mac } = await withMaterial(newest(key), (ref) => lend(message, (bytes) => sealer.call('mac', { key: ref, algorithm, message: bytes })));
      return mac;
    },
    async verifyMac(key, { algorithm, message, mac }) {
      const { valid } = await withMaterial(newest(key), (ref) => lend(message, (bytes) => sealer.call('verifyMac', { key: ref, algorithm, message: bytes, mac })));
      return valid;
    },
    locate,
    async random(length) {
      return SecretBytes.take((await sealer.call('random', { length })).bytes);
    },
    async forget(materials) {
      for (const materialId of materials) {
        const ref = known.get(materialId);
        known.delete(materialId);
        if (ref) await sealer.call('forget', { rowId: ref.rowId });
      }
    },
  };
}

const lend = <T>(message: SecretBytes | Uint8Array, use: (bytes: Uint8Array) => T): T => (message instanceof SecretBytes ? message.borrow(use) : use(message));

