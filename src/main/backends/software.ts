/**
 * The software backend: keys whose material only the sealer opens.
 *
 * Defends against: plaintext key material in main (it sees sealed rows only), a material used for another key.
 * Does not: decide who may use a key or in which state; the keyring and policy have done that.
 */
import { hex } from '../crypto/bytes.ts';
import type { KeyBackend, KeyHandle, MaterialRow } from '../keyring/ports.ts';
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

  const remember = (materialId: string, ref: MaterialRef): void => {
    if (known.size >= KNOWN_LIMIT) known.delete(known.keys().next().value ?? '');
    known.set(materialId, { rowId: ref.rowId, version: ref.version });
  };

  /** Runs a call with a reference; when the sealer has not the material, again with the sealed row. */
  async function withMaterial<T extends object>(materialId: string, run: (ref: MaterialRef) => Promise<Loaded<T>>): Promise<T> {
    const short = known.get(materialId);
    if (short) {
      const first = await run(short);
      if (!first.missing) return first;
    }
    const row = await material(materialId);
    if (!row) throw new VaultError('KMSInternalException', 'the key has lost its material; verify the vault with `keystead doctor`');
    const ref = { rowId: row.rowId, version: row.version, body: row.body };
    const answer = await run(ref);
    if (answer.missing) throw new VaultError('KMSInternalException', 'the sealer could not load the key');
    remember(materialId, ref);
    return answer;
  }

  const newest = (key: { readonly materials: readonly string[] }): string => {
    const last = key.materials[key.materials.length - 1];
    if (last === undefined) throw new VaultError('KMSInternalException', 'the key has no material');
    return last;
  };

  const publicKeyOf = (key: KeyHandle<'SIGN_VERIFY'>): Uint8Array => {
    if (!key.publicKey) throw new VaultError('KMSInternalException', 'the key has no public key');
    return key.publicKey;
  };

  return {
    async generate({ spec, keyId, purpose }) {
      const rowId = random.bytes(16);
      const materialId = random.bytes(8);
      const { body, tag, publicKey } = await sealer.call('generateMaterial', { rowId, spec, keyId, materialId, purpose });
      const id = hex(materialId);
      remember(id, { rowId, version: 1 });
      return { material: { materialId: id, rowId, body, tag }, ...(publicKey ? { publicKey } : {}) };
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
      const materialId = algorithm === 'SYMMETRIC_DEFAULT' ? await this.locate(ciphertext) : newest(key);
      if (!key.materials.includes(materialId)) throw new VaultError('IncorrectKeyException', `the ciphertext was not made by key \`${key.keyId}\``);
      const { plaintext } = await withMaterial(materialId, (ref) => sealer.call('decrypt', { key: ref, keyId: key.keyId, algorithm, ciphertext, context }));
      return SecretBytes.take(plaintext);
    },
    async generateDataKey(key, { length, context }) {
      const { plaintext, ciphertext } = await withMaterial(newest(key), (ref) => sealer.call('generateDataKey', { key: ref, keyId: key.keyId, length, context }));
      return { plaintext: SecretBytes.take(plaintext), ciphertext };
    },
    async mac(key, { algorithm, message }) {
      const { mac } = await withMaterial(newest(key), (ref) => lend(message, (bytes) => sealer.call('mac', { key: ref, algorithm, message: bytes })));
      return mac;
    },
    async verifyMac(key, { algorithm, message, mac }) {
      const { valid } = await withMaterial(newest(key), (ref) => lend(message, (bytes) => sealer.call('verifyMac', { key: ref, algorithm, message: bytes, mac })));
      return valid;
    },
    async locate(ciphertext) {
      return hex((await sealer.call('locate', { ciphertext })).materialId);
    },
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
