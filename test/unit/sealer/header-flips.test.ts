/** Every bit of a header, flipped, against a slot that needs no Argon2id. */
import { expect, it } from 'vitest';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { RAM, RECOVERY, deviceSecret, keychainSlot, newVault } from './vault-fixture.ts';

const NAMED = ['HeaderRefusedException', 'VaultTooNewException', 'VaultTamperedException', 'IncorrectRecoveryCodeException', 'SlotNotFoundException'];

it('accepts none of them, and names an error for each', async () => {
  const { header, code } = await newVault('flips', [RECOVERY, keychainSlot(deviceSecret(1))]);
  const counts = new Map<string, number>();
  for (let bit = 0; bit < header.byteLength * 8; bit += 1) {
    const flipped = Uint8Array.from(header);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const sealer = createSealer({ random: fixedRandom('flip') });
    const verdict = await sealer.call('unseal', { header: flipped, factors: { code }, type: 'recovery', ramBytes: RAM }).then(
      () => 'accepted',
      (error: unknown) => (error as { code: string }).code,
    );
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  expect([...counts.keys()].filter((verdict) => !NAMED.includes(verdict))).toEqual([]);
  expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(header.byteLength * 8);
}, 120_000);

it('refuses a slot of another vault, and slots in another order', async () => {
  const one = await newVault('one', [RECOVERY, keychainSlot(deviceSecret(1))]);
  const two = await newVault('two', [RECOVERY, keychainSlot(deviceSecret(1))]);
  const start = 8 + 2 + 16 + 8 + 4 + 32 + 8 + 32 + 1;
  const lengthOf = (header: Uint8Array, offset: number): number => 2 + new DataView(header.buffer, header.byteOffset).getUint16(offset);
  const first = lengthOf(one.header, start);
  const second = lengthOf(one.header, start + first);
  const unseal = (header: Uint8Array, code: Uint8Array) =>
    createSealer({ random: fixedRandom('x') }).call('unseal', { header, factors: { code }, type: 'recovery', ramBytes: RAM });
  const implanted = Uint8Array.from(one.header);
  implanted.set(two.header.subarray(start, start + first), start);
  await expect(unseal(implanted, two.code)).rejects.toMatchObject({ code: 'VaultTamperedException' });
  await expect(unseal(implanted, one.code)).rejects.toMatchObject({ code: 'IncorrectRecoveryCodeException' });
  const swapped = Uint8Array.from(one.header);
  swapped.set(one.header.subarray(start + first, start + first + second), start);
  swapped.set(one.header.subarray(start, start + first), start + second);
  await expect(unseal(swapped, one.code)).rejects.toMatchObject({ code: 'VaultTamperedException' });
});
