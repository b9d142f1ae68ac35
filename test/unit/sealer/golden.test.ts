/** The formats are frozen: these bytes were written by the first version, and every later one writes and reads the same. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { NewSlot } from '../../../src/main/seal/protocol.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { decodeState, encodeState } from '../../../src/main/sealer/state.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { MOMENT, RAM, RECOVERY, VAULT_ID, deviceSecret, keychainSlot, sha256, text } from './vault-fixture.ts';

const fixture = (name: string): Uint8Array => Uint8Array.from(Buffer.from(readFileSync(new URL(`../../fixtures/seal/${name}.hex`, import.meta.url), 'utf8').trim(), 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const PASSWORD: NewSlot = {
  type: 'password',
  factors: { password: text('correct horse'), device: deviceSecret(5) },
  kdf: { memory: 64 * 1024, passes: 3, lanes: 4 },
  created: 1_700_000_000_002,
};
const make = async () => {
  const sealer = createSealer({ random: fixedRandom('golden') });
  const made = await sealer.call('createHeader', { vaultId: VAULT_ID, slots: [PASSWORD, RECOVERY, keychainSlot(deviceSecret(6))] });
  return { sealer, ...made };
};

describe('golden header', () => {
  it('is written the same', async () => {
    const { sealer, header, recoveryCodes } = await make();
    const { stateBody } = await sealer.call('createState', { headerHash: sha256(header), ...MOMENT });
    expect(new TextDecoder().decode(recoveryCodes[0])).toBe(new TextDecoder().decode(fixture('recovery-code')));
    expect(hex(header)).toBe(hex(fixture('header')));
    expect(hex(stateBody)).toBe(hex(fixture('state-record')));
  });

  it.each([
    ['password', { password: text('correct horse'), device: deviceSecret(5) }],
    ['recovery', { code: fixture('recovery-code') }],
    ['keychain', { device: deviceSecret(6) }],
  ] as const)('opens by its %s slot, with the same keys behind it', async (type, factors) => {
    const header = fixture('header');
    const sealer = createSealer({ random: fixedRandom('another') });
    await sealer.call('unseal', { header, factors, type, ramBytes: RAM });
    await sealer.call('checkBegin', {});
    const { state } = await sealer.call('checkFinish', { stateBody: fixture('state-record'), stateRowVersion: 1, headerHash: sha256(header), complete: true });
    expect(state).toMatchObject({ epoch: 1, headerEpoch: 1, trailIndex: 0, clock: MOMENT.clock });
    expect(hex((await sealer.call('blind', { table: 'aliases', value: 'alias/é' })).blind)).toBe(hex(fixture('blind')));
  });
});

describe('state', () => {
  const state = { epoch: 2 ** 40, setHash: deviceSecret(1), header: deviceSecret(2), preparedHeader: deviceSecret(3), headerEpoch: 9, trailIndex: 77, trailHash: deviceSecret(4), clock: 1_700_000_000_000 };

  it('has the frozen bytes', () => {
    expect(hex(encodeState(state))).toBe(hex(fixture('state')));
    expect(decodeState(fixture('state'))).toEqual(state);
  });

  it('is refused when anything is missing, added or out of range', () => {
    const bytes = encodeState(state);
    for (let length = 0; length < bytes.byteLength; length += 1) expect(decodeState(bytes.subarray(0, length))).toBeUndefined();
    expect(decodeState(Uint8Array.from([...bytes, 0]))).toBeUndefined();
    const other = Uint8Array.from(bytes);
    other[0] = 2;
    expect(decodeState(other)).toBeUndefined();
    const { preparedHeader: _none, ...unprepared } = state;
    const hidden = encodeState(unprepared);
    hidden[8 + 1 + 32 + 32 + 5] = 1;
    expect(decodeState(hidden)).toBeUndefined();
    expect(decodeState(encodeState({ ...unprepared, trailIndex: -1 }))).toEqual({ ...unprepared, trailIndex: -1 });
  });
});
