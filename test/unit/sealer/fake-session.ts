/**
 * An unsealed session without a vault. Rows are "sealed" by XChaCha20-Poly1305 under a key of this session with the row id and version
 * as AAD, so that a swapped or changed body does not open, as in the product.
 */
import { openXChaCha, sealXChaCha } from '../../../src/main/crypto/aead.ts';
import { type Bytes, allocate, concat, fromHex, u64 } from '../../../src/main/crypto/bytes.ts';
import type { Random } from '../../../src/main/platform/ports.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import type { KeyPurpose, MaterialRef, ReplyOf } from '../../../src/main/seal/protocol.ts';
import { keyCalls } from '../../../src/main/sealer/key-calls.ts';
import { encodeMaterial } from '../../../src/main/sealer/material-format.ts';
import type { Session } from '../../../src/main/sealer/session.ts';
import type { KeySpec } from '../../../src/shared/model/algorithms.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

/** Bytes that count up from 0, going on from call to call: for golden files. */
export function countingRandom(): Random {
  let next = 0;
  return {
    bytes(length) {
      const out = allocate(length);
      for (let i = 0; i < length; i += 1) out[i] = next++ & 0xff;
      return out;
    },
  };
}

/** In the place of a row's version: tokens are in no row. */
const TOKEN = 0xffff;
const rowAad = (rowId: Uint8Array, version: number): Bytes => concat(rowId, u64(version));

export interface FakeSession extends Session {
  /** How many bodies were opened. */
  opened(): number;
}

export function fakeSession(random: Random = systemRandom, vaultId = '00'.repeat(16)): FakeSession {
  const rowKey = systemRandom.bytes(32);
  let opened = 0;
  return {
    random,
    opened: () => opened,
    unsealed: {
      vaultId: fromHex(vaultId),
      locatorKey: fromHex('a1'.repeat(32)),
      checkpointSeed: fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
      checkpointSeeds: [fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')],
      trailPublicKeys: [],
      trailPrivateKey: () => undefined,
      openMaterial({ rowId, version, body }) {
        opened += 1;
        const plain = openXChaCha(rowKey, body.subarray(0, 24), rowAad(rowId, version), body.subarray(24));
        if (!plain) throw new VaultError('VaultTamperedException', 'row does not open');
        return plain;
      },
      sealToken(rowId, plain) {
        const nonce = systemRandom.bytes(24);
        return concat(nonce, sealXChaCha(rowKey, nonce, rowAad(rowId, TOKEN), plain));
      },
      openToken: (rowId, body) => (body.byteLength < 24 ? undefined : openXChaCha(rowKey, body.subarray(0, 24), rowAad(rowId, TOKEN), body.subarray(24))),
      sealMaterial(rowId, plain) {
        const nonce = systemRandom.bytes(24);
        const body = concat(nonce, sealXChaCha(rowKey, nonce, rowAad(rowId, 1), plain));
        return { body, tag: body.subarray(body.byteLength - 16) };
      },
    },
  };
}

export const lockedSession: Session = {
  random: systemRandom,
  get unsealed(): never {
    throw new VaultError('VaultLockedException', 'locked');
  },
};

/** A key of which the bytes are given: for vectors by others. */
export function givenKey(session: Session, spec: KeySpec, key: Uint8Array, keyId = KEY_ID, purpose: KeyPurpose = 'kms'): MaterialRef {
  const rowId = systemRandom.bytes(16);
  const { body } = session.unsealed.sealMaterial(rowId, encodeMaterial({ spec, purpose, keyId, materialId: MATERIAL_ID, key }));
  return { rowId, version: 1, body };
}

export const KEY_ID = '11111111-2222-4333-8444-555555555555';
export const MATERIAL_ID = fromHex('0102030405060708');

export interface MadeKey {
  readonly ref: MaterialRef;
  readonly publicKey: Uint8Array;
}

export async function makeKey(session: Session, spec: KeySpec, purpose: KeyPurpose = 'kms', keyId = KEY_ID, materialId: Uint8Array = MATERIAL_ID): Promise<MadeKey> {
  const rowId = systemRandom.bytes(16);
  const made = await keyCalls.generateMaterial(session, { rowId, spec, keyId, materialId, purpose });
  return { ref: { rowId, version: 1, body: made.body }, publicKey: made.publicKey ?? new Uint8Array() };
}

type Answer = ReplyOf<'encrypt' | 'decrypt' | 'generateDataKey' | 'generateDataKeys' | 'generateDataKeyPair' | 'reEncrypt' | 'deriveSharedSecret' | 'encapsulate' | 'decapsulate' | 'sign' | 'mac' | 'verifyMac'>;

type Whole<T> = Exclude<T, { readonly missing: true } | { readonly other: Uint8Array }>;

/** The reply, when the material was there and the one that was named. */
export async function loaded<T extends Answer>(reply: T | Promise<T>): Promise<Whole<T>> {
  const answer = await reply;
  if ('missing' in answer || 'other' in answer) throw new Error('the material was missing, or another was named');
  return answer as Whole<T>;
}

/** The code of the VaultError that this throws or rejects with; `none` when it does neither. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
    return 'none';
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}
