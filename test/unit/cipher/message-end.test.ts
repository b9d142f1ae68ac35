/** The end of a message, found in messages of the AWS Encryption SDK's own making, however they are cut into pieces. */
import { randomBytes } from 'node:crypto';
import { AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy, EncryptedDataKey, KeyringNode, KeyringTraceFlag, type NodeDecryptionMaterial, type NodeEncryptionMaterial } from '@aws-crypto/client-node';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEndWatch } from '../../../src/main/cipher/message-end.ts';

/** Any data key, "wrapped" under nothing: only the lengths matter here. */
class Any extends KeyringNode {
  async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    material.setUnencryptedDataKey(new Uint8Array(randomBytes(material.suite.keyLengthBytes)), { keyNamespace: 'n', keyName: 'k', flags: KeyringTraceFlag.WRAPPING_KEY_GENERATED_DATA_KEY });
    for (const length of [1, 2, 300]) material.addEncryptedDataKey(new EncryptedDataKey({ providerId: 'n', providerInfo: 'k'.repeat(length), encryptedDataKey: randomBytes(length + 1) }), KeyringTraceFlag.WRAPPING_KEY_ENCRYPTED_DATA_KEY);
    return material;
  }
  async _onDecrypt(material: NodeDecryptionMaterial): Promise<NodeDecryptionMaterial> {
    return material;
  }
}

const SUITES = [AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY, AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384];
const messages: Uint8Array[] = [];
beforeAll(async () => {
  const { encrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  for (const suiteId of SUITES) {
    for (const size of [0, 1, 99, 100, 101, 1000]) {
      for (const encryptionContext of [{}, { a: 'b', ünïcode: '🔑' }]) messages.push(new Uint8Array((await encrypt(new Any(), randomBytes(size), { suiteId, frameLength: 100, encryptionContext })).result));
    }
  }
});

const feed = (bytes: Uint8Array, cuts: readonly number[]): boolean => {
  const within = createEndWatch();
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.byteLength + 1)).sort((a, b) => a - b), bytes.byteLength];
  return places.slice(1).map((end, i) => within(bytes.subarray(places[i], end))).every(Boolean);
};

describe('the end of a message', () => {
  it('is its last byte, in any pieces, and one byte more is beyond it', () => {
    expect(messages).toHaveLength(24);
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(), { maxLength: 20 }), fc.uint8Array({ minLength: 1, maxLength: 40 }), (which, cuts, more) => {
        const message = messages[which % messages.length]!;
        expect(feed(message, cuts)).toBe(true);
        expect(feed(Uint8Array.of(...message, ...more), cuts)).toBe(false);
      }),
    );
  });

  it('is never before one that is cut short', () => {
    for (const message of messages) for (let length = 0; length < message.byteLength; length += 1) expect(feed(message.subarray(0, length), [])).toBe(true);
  });

  it('takes any bytes without an error, and any version but its own as endless', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => typeof feed(bytes, cuts) === 'boolean'));
    expect(feed(Uint8Array.of(1, ...randomBytes(1000)), [5])).toBe(true);
  });
});
