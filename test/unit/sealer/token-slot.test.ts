/** Slots that a token's key opens, held against the construction of docs/architecture.md done anew with node:crypto. */
import { createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NewSlot, Sealer } from '../../../src/main/seal/protocol.ts';
import { encodeDescriptor, parseHeader } from '../../../src/main/seal/header.ts';
import { tokenChallenge } from '../../../src/main/seal/token-factor.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { RAM, VAULT_ID, deviceSecret, text } from './vault-fixture.ts';

const URI = 'pkcs11:token=t;serial=1;id=%01;type=secret-key?module-path=%2Fm.so&x-keystead-module-sha256=00';
const SALT = Uint8Array.from({ length: 32 }, (_, i) => i);
/** A token, as this test has it. */
const KEY = Buffer.alloc(32, 7);
const factor = (): Uint8Array => createHmac('sha256', KEY).update(tokenChallenge(VAULT_ID, SALT)).digest();
const fresh = (): Sealer => createSealer({ random: fixedRandom('fresh') });
const failing = (code: string): unknown => expect.objectContaining({ code });
const slot = (more: Partial<NewSlot> = {}): NewSlot => ({ type: 'token', factors: { token: factor() }, token: { uri: URI, salt: SALT }, created: 1, ...more });
const lp = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);

describe('a token slot', () => {
  it('asks the key for a challenge that never changes', () => {
    expect(Buffer.from(tokenChallenge(VAULT_ID, SALT)).toString('latin1')).toBe(`keystead/token-factor/1${Buffer.from(VAULT_ID).toString('latin1')}${Buffer.from(SALT).toString('latin1')}`);
  });

  it.each([['alone', undefined], ['with a device secret', deviceSecret(1)]])('derives its key from what the token made, %s, as the format says', async (_what, device) => {
    const { header, info } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [slot({ factors: { token: factor(), ...(device ? { device } : {}) } })] });
    const [made] = parseHeader(header).slots;
    if (!made) throw new Error('no slot');
    const material = Buffer.concat([lp(Buffer.alloc(0)), lp(device ?? Buffer.alloc(0)), lp(factor()), lp(Buffer.alloc(0))]);
    const both = Buffer.from(hkdfSync('sha512', material, made.slotId, Buffer.concat([Buffer.from('keystead/slot-kek/1'), VAULT_ID, encodeDescriptor(made)]), 64));
    expect(Buffer.from(made.commit)).toEqual(both.subarray(32));
    expect(info.slots).toEqual([expect.objectContaining({ type: 'token', factors: device ? ['device', 'token'] : ['token'], tokenUri: URI, salt: SALT })]);
  });

  it('opens with that and nothing else', async () => {
    const { header } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [slot({ factors: { token: factor(), device: deviceSecret(1) } })] });
    const unseal = (factors: { token?: Uint8Array; device?: Uint8Array; password?: Uint8Array }) => fresh().call('unseal', { header, factors, type: 'token', ramBytes: RAM });
    expect(await unseal({ token: factor(), device: deviceSecret(1) })).toMatchObject({ pendingTerm: false });
    await expect(unseal({ token: factor().map((byte, i) => (i === 31 ? byte ^ 1 : byte)), device: deviceSecret(1) })).rejects.toEqual(failing('KeyUnavailableException'));
    await expect(unseal({ token: factor(), device: deviceSecret(2) })).rejects.toEqual(failing('KeyUnavailableException'));
    await expect(unseal({ token: factor() })).rejects.toEqual(failing('KeychainUnavailableException'));
    await expect(unseal({ device: deviceSecret(1) })).rejects.toEqual(failing('ValidationException'));
    await expect(unseal({ token: factor().subarray(1), device: deviceSecret(1) })).rejects.toEqual(failing('ValidationException'));
  });

  it('is another once its salt, its URI or its vault is another', async () => {
    const { header } = await fresh().call('createHeader', { vaultId: VAULT_ID, slots: [slot()] });
    const at = Buffer.from(header).indexOf(Buffer.from(SALT));
    for (const place of [at, at + 31, Buffer.from(header).indexOf('pkcs11:') + 13]) {
      const changed = Uint8Array.from(header);
      changed[place] = (changed[place] ?? 0) ^ 1;
      await expect(fresh().call('unseal', { header: changed, factors: { token: factor() }, type: 'token', ramBytes: RAM })).rejects.toEqual(failing('KeyUnavailableException'));
    }
  });

  it('is made of exactly its own factors', async () => {
    const wrong: NewSlot[] = [
      slot({ factors: {} }),
      slot({ factors: { token: factor(), password: text('x') } }),
      slot({ factors: { token: factor(), code: text('x') } }),
      slot({ factors: { token: factor().subarray(1) } }),
      slot({ factors: { token: factor(), device: deviceSecret(1).subarray(1) } }),
      slot({ kdf: { memory: 65_536, passes: 3, lanes: 1 } }),
      slot({ token: { uri: '', salt: SALT } }),
      slot({ token: { uri: 'pkcs11: x', salt: SALT } }),
      slot({ token: { uri: 'x'.repeat(1025), salt: SALT } }),
      slot({ token: { uri: URI, salt: SALT.subarray(1) } }),
      { type: 'token', factors: { token: factor() }, created: 1 },
    ];
    for (const one of wrong) await expect(fresh().call('createHeader', { vaultId: VAULT_ID, slots: [one] })).rejects.toEqual(failing('ValidationException'));
  });
});
