/**
 * What the sealer's calls share while the vault is unsealed. One session per process; lock ends the process.
 * All bytes handed out are off-heap. `Unsealed` parts throw VaultLockedException before `unseal`/`createHeader`.
 */
import type { Random } from '../platform/ports.ts';
import type { ReplyOf, RequestOf, SealerMethod } from '../seal/protocol.ts';

export interface Session {
  readonly random: Random;
  readonly unsealed: Unsealed;
}

export interface Unsealed {
  /** 16 bytes. */
  readonly vaultId: Uint8Array;
  /** Opens one `key_materials` row (schema 1). The caller owns the bytes and wipes them. VaultTamperedException. */
  openMaterial(row: { readonly rowId: Uint8Array; readonly version: number; readonly body: Uint8Array }): Uint8Array<ArrayBuffer>;
  /** Seals row 1 of a new material. */
  sealMaterial(rowId: Uint8Array, plain: Uint8Array): { readonly body: Uint8Array; readonly tag: Uint8Array };
  /** Seals the plaintext of an import token as if in row `rowId` (16), which is nowhere. */
  sealToken(rowId: Uint8Array, plain: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The caller's to wipe; undefined when it does not open. */
  openToken(rowId: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
  /** k_loc (32): never rotates. */
  readonly locatorKey: Uint8Array;
  /** X25519 private key (32) for a trail public key, also of earlier terms. */
  trailPrivateKey(publicKey: Uint8Array): Uint8Array | undefined;
  /** Every trail key pair of this vault, newest last. */
  readonly trailPublicKeys: readonly Uint8Array[];
  /** Ed25519 seed (32) of the checkpoint key. */
  readonly checkpointSeed: Uint8Array;
  /** Those of earlier terms too, newest last: what they signed stays true. */
  readonly checkpointSeeds: readonly Uint8Array[];
}

/** A part of the sealer's call table. The whole table in `sealer.ts` is checked to be complete by its type. */
export type Handlers<M extends SealerMethod> = {
  readonly [K in M]: (session: Session, request: RequestOf<K>) => ReplyOf<K> | Promise<ReplyOf<K>>;
};
