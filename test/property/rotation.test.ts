/** Rotation: its plan against a reference model, its operations on a real vault, and that what was encrypted before it decrypts for ever. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSoftwareBackend } from '../../src/main/backends/software.ts';
import type { Call } from '../../src/main/kernel/handler.ts';
import { deletionCancelled, disabled, enabled, openFor, pendingDeletion } from '../../src/main/keyring/key.ts';
import type { KeyBackend, KeyRecord } from '../../src/main/keyring/ports.ts';
import { isRotationDue, rotatedOnDemand, rotatedOnSchedule, rotationDisabled, rotationEnabled } from '../../src/main/keyring/rotation.ts';
import { kmsRotationHandlers } from '../../src/main/operations/kms-rotation.ts';
import { systemRandom } from '../../src/main/platform/random.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, keyIdFrom } from '../../src/shared/model/ids.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { close, codeOf, createVault, record, reopen, SETTINGS, unseal, type TestVault } from '../unit/store/vault.ts';

const DAY = 86_400_000;
const fresh: KeyRecord = { keyId: keyIdFrom(new Uint8Array(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['m0'] };

const codeFrom = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : 'not a VaultError';
  }
};

describe('the plan of rotations', () => {
  type Step =
    | { readonly act: 'enable' | 'disable' | 'schedule' | 'cancel' | 'off' | 'now' | 'clock' }
    | { readonly act: 'on' | 'wait'; readonly days: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constantFrom<Step>({ act: 'enable' }, { act: 'disable' }, { act: 'schedule' }, { act: 'cancel' }, { act: 'off' }, { act: 'now' }, { act: 'clock' }, { act: 'clock' }),
    fc.record({ act: fc.constant('on' as const), days: fc.integer({ min: 90, max: 2560 }) }),
    fc.record({ act: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 1000 }) }),
  );

  it('follows the model through any sequence of acts', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let key = fresh;
        let now = 0;
        const model = { state: 'Enabled', period: 0, next: Infinity, demanded: 0, materials: 1 };
        for (const one of steps) {
          const usable = model.state === 'Enabled' ? undefined : model.state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException';
          const pending = model.state === 'PendingDeletion';
          const id = `m${String(model.materials)}`;
          let expected: string | undefined;
          let run: () => KeyRecord = () => key;
          switch (one.act) {
            case 'wait':
              now += one.days * DAY;
              break;
            case 'on':
              expected = usable;
              run = () => rotationEnabled(key, one.days, instant(now));
              if (!expected) Object.assign(model, { period: one.days * DAY, next: now + one.days * DAY });
              break;
            case 'off':
              expected = usable;
              run = () => rotationDisabled(key);
              if (!expected) Object.assign(model, { period: 0, next: Infinity });
              break;
            case 'now':
              expected = usable ?? (model.demanded === 25 ? 'LimitExceededException' : undefined);
              run = () => rotatedOnDemand(key, id, instant(now));
              if (!expected) Object.assign(model, { demanded: model.demanded + 1, materials: model.materials + 1 });
              break;
            case 'clock': {
              const due = model.state === 'Enabled' && model.next <= now;
              expect(isRotationDue(key, instant(now))).toBe(due);
              if (!due) break;
              run = () => rotatedOnSchedule(key, id, instant(now));
              // However many dates were missed: one rotation, and the next date lies ahead.
              Object.assign(model, { materials: model.materials + 1, next: model.next + model.period > now ? model.next + model.period : now + model.period });
              break;
            }
            case 'enable':
              expected = pending ? 'KMSInvalidStateException' : undefined;
              run = () => enabled(key);
              if (!expected) model.state = 'Enabled';
              break;
            case 'disable':
              expected = pending ? 'KMSInvalidStateException' : undefined;
              run = () => disabled(key);
              if (!expected) model.state = 'Disabled';
              break;
            case 'schedule':
              expected = pending ? 'KMSInvalidStateException' : undefined;
              run = () => pendingDeletion(key, 7, instant(now));
              if (!expected) model.state = 'PendingDeletion';
              break;
            case 'cancel':
              expected = pending ? undefined : 'KMSInvalidStateException';
              run = () => deletionCancelled(key);
              if (!expected) model.state = 'Disabled';
              break;
          }
          expect([one.act, codeFrom(() => { key = run(); })]).toEqual([one.act, expected]);
          expect([key.state, key.rotation?.next ?? Infinity, key.materials]).toEqual([model.state, model.next, Array.from({ length: model.materials }, (_, at) => `m${String(at)}`)]);
          expect(key.rotations?.length ?? 0).toBe(model.materials - 1);
          if (key.rotation) expect(isRotationDue(key, instant(now)) || key.state !== 'Enabled' || key.rotation.next > now).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused to keys that have none', () => {
    for (const spec of ['RSA_2048', 'HMAC_256', 'ECC_NIST_P256'] as const) {
      const key: KeyRecord = { ...fresh, spec };
      expect(codeFrom(() => rotationEnabled(key, 90, instant(0)))).toBe('UnsupportedOperationException');
      expect(codeFrom(() => rotationDisabled(key))).toBe('UnsupportedOperationException');
      expect(codeFrom(() => rotatedOnDemand(key, 'm1', instant(0)))).toBe('UnsupportedOperationException');
    }
  });
});

const realm = { account: SETTINGS.account, region: SETTINGS.region };
const backend = ({ sealer, store }: TestVault): KeyBackend => createSoftwareBackend({ sealer, random: systemRandom, material: (id) => store.reader.material(id) });
const handlers = kmsRotationHandlers();
type Handlers = typeof handlers;

const callFor = (key: KeyRecord | undefined, at: number): Call =>
  ({
    at: instant(at),
    resource: { subject: key },
    fail: (code: 'ValidationException', message: string) => {
      throw new VaultError(code, message);
    },
  }) as unknown as Call;

/** Runs a handler as the one path does: reading on the committed records, writing in a unit. */
async function run<N extends keyof Handlers>(vault: TestVault, name: N, input: object, at: number): Promise<Record<string, unknown>> {
  const { KeyId } = input as { readonly KeyId?: string };
  const key = KeyId === undefined ? undefined : await vault.store.reader.key(KeyId as KeyRecord['keyId']);
  const handler = handlers[name] as unknown as (input: object, call: Call, rights: object) => Promise<Record<string, unknown>>;
  const keys = backend(vault);
  if (name === 'kms:GetKeyRotationStatus' || name === 'kms:ListKeyRotations') return Promise.resolve().then(() => handler(input, callFor(key, at), { realm, keys, reader: vault.store.reader }));
  const { value, delivered } = await vault.store.write<Record<string, unknown>>(record(), (writer) => handler(input, callFor(key, at), { realm, keys, reader: vault.store.reader, writer }));
  delivered();
  return value;
}

async function symmetricKey(vault: TestVault): Promise<KeyRecord> {
  const keyId = keyIdFrom(systemRandom.bytes(16));
  const { material } = await backend(vault).generate({ spec: 'SYMMETRIC_DEFAULT', keyId, purpose: 'kms' });
  const key: KeyRecord = { ...fresh, keyId, materials: [material.materialId] };
  (await vault.store.write(record(), (writer) => Promise.resolve(writer.insertKey(key, material)))).delivered();
  return key;
}

const now = async (vault: TestVault, { keyId }: KeyRecord): Promise<KeyRecord> => {
  const key = await vault.store.reader.key(keyId);
  if (!key) throw new Error('gone');
  return key;
};

describe('rotation on a real vault', () => {
  it('lists each material once, and stops at the limit', { timeout: 60_000 }, async () => {
    const vault = await createVault();
    const key = await symmetricKey(vault);
    for (let at = 1; at <= 25; at++) await run(vault, 'kms:RotateKeyOnDemand', { KeyId: key.keyId }, at * 1000);
    expect(await codeOf(run(vault, 'kms:RotateKeyOnDemand', { KeyId: key.keyId }, 1))).toBe('LimitExceededException');
    const seen: unknown[] = [];
    for (let marker: unknown; ; ) {
      const page = await run(vault, 'kms:ListKeyRotations', { KeyId: key.keyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 7, ...(marker === undefined ? {} : { Marker: marker }) }, 0);
      seen.push(...(page['Rotations'] as unknown[]));
      expect(page['Truncated']).toBe(page['NextMarker'] !== undefined);
      if (page['NextMarker'] === undefined) break;
      marker = page['NextMarker'];
    }
    const { materials } = await now(vault, key);
    expect(seen.map((one) => (one as { readonly KeyMaterialId: string }).KeyMaterialId)).toEqual(materials.map((id) => id.padEnd(64, '0')));
    expect(seen.map((one) => (one as { readonly RotationDate?: number }).RotationDate)).toEqual([undefined, ...Array.from({ length: 25 }, (_, at) => at + 1)]);
    expect(seen.filter((one) => (one as { readonly KeyMaterialState: string }).KeyMaterialState === 'CURRENT')).toEqual([seen.at(-1)]);
    expect(((await run(vault, 'kms:ListKeyRotations', { KeyId: key.keyId, IncludeKeyMaterial: 'ROTATIONS_ONLY', Limit: 100 }, 0))['Rotations'] as unknown[]).length).toBe(25);
    for (const Marker of ['r0', 'x', 'r-1', 'r1e9', '1']) {
      expect(await codeOf(run(vault, 'kms:ListKeyRotations', { KeyId: key.keyId, IncludeKeyMaterial: 'ROTATIONS_ONLY', Limit: 1, Marker }, 0))).toBe('InvalidMarkerException');
    }
  });

  it('takes place once for all dates that were missed, of enabled keys only, also after a restart', async () => {
    let vault = await createVault();
    const [one, two, three] = [await symmetricKey(vault), await symmetricKey(vault), await symmetricKey(vault)];
    for (const { keyId } of [one, two]) await run(vault, 'kms:EnableKeyRotation', { KeyId: keyId, RotationPeriodInDays: 90 }, 0);
    expect(await vault.store.reader.next('rotation')).toBe(90 * DAY);
    (await vault.store.write(record(), async (writer) => { const key = await writer.key(two.keyId); if (key) writer.updateKey(disabled(key)); })).delivered();
    expect(await run(vault, 'kms:RotateDueKeys', {}, 90 * DAY - 1)).toEqual({ KeyArns: [] });
    await close(vault);
    vault = await reopen(vault);
    expect(await vault.store.reader.next('rotation')).toBe(90 * DAY);
    const late = 1000 * DAY;
    expect((await run(vault, 'kms:RotateDueKeys', {}, late))['KeyArns']).toHaveLength(1);
    expect(await run(vault, 'kms:RotateDueKeys', {}, late)).toEqual({ KeyArns: [] });
    expect((await now(vault, one)).materials).toHaveLength(2);
    expect((await now(vault, one)).rotation?.next).toBe(late + 90 * DAY);
    expect((await now(vault, three)).materials).toHaveLength(1);
    // Enabled again, the date that it missed is met.
    (await vault.store.write(record(), async (writer) => { const key = await writer.key(two.keyId); if (key) writer.updateKey(enabled(key)); })).delivered();
    expect(await vault.store.reader.next('rotation')).toBe(90 * DAY);
    expect((await run(vault, 'kms:RotateDueKeys', {}, late))['KeyArns']).toHaveLength(1);
    expect(await run(vault, 'kms:GetKeyRotationStatus', { KeyId: two.keyId }, late)).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90, NextRotationDate: (late + 90 * DAY) / 1000 });
    await run(vault, 'kms:DisableKeyRotation', { KeyId: two.keyId }, late);
    expect(await run(vault, 'kms:GetKeyRotationStatus', { KeyId: two.keyId }, late)).toEqual({ KeyId: expect.stringContaining(two.keyId) as unknown, KeyRotationEnabled: false });
  });

  it('keeps every ciphertext decrypting: through rotations, a restart, and the re-encryption after a compromise', { timeout: 60_000 }, async () => {
    const context = { app: 'test' };
    let vault = await createVault();
    const key = await symmetricKey(vault);
    const made: { readonly blob: Uint8Array; readonly text: string }[] = [];
    const encrypt = async (text: string): Promise<void> => {
      using plaintext = SecretBytes.take(new TextEncoder().encode(text));
      made.push({ text, blob: await backend(vault).encrypt(openFor(await now(vault, key), 'ENCRYPT_DECRYPT'), { algorithm: 'SYMMETRIC_DEFAULT', plaintext, context }) });
    };
    const all = async (): Promise<void> => {
      const keys = backend(vault);
      for (const { blob, text } of made) {
        using plain = await keys.decrypt(openFor(await now(vault, key), 'ENCRYPT_DECRYPT'), { algorithm: 'SYMMETRIC_DEFAULT', ciphertext: blob, context });
        expect(plain.borrow((bytes) => new TextDecoder().decode(bytes))).toBe(text);
      }
      const located = await Promise.all(made.map(({ blob }) => keys.locate(blob)));
      expect(located).toEqual((await now(vault, key)).materials.slice(0, made.length));
    };
    await encrypt('before');
    for (let at = 1; at <= 3; at++) {
      await run(vault, 'kms:RotateKeyOnDemand', { KeyId: key.keyId }, at);
      await encrypt(`after ${String(at)}`);
      await all();
    }
    await close(vault);
    vault = await reopen(vault);
    await all();

    const first = (await vault.sealer.call('checkFactors', { type: 'recovery', factors: { code: Uint8Array.from(vault.code) } })).slotId;
    const added = await vault.sealer.call('addSlot', { slot: { type: 'recovery', factors: {}, created: 1 } });
    await vault.store.changeHeader(added.header, { intent: record().intent, headerEpoch: added.info.headerEpoch });
    const removed = await vault.sealer.call('compromiseSlot', { slotId: first });
    await vault.store.changeHeader(removed.header, { intent: record().intent, headerEpoch: removed.info.headerEpoch });
    await vault.store.changeTerm({ intent: record().intent });
    await all();
    const code = added.recoveryCode ?? new Uint8Array(0);
    await close(vault);
    expect(await codeOf(unseal(vault.folder, vault.code))).not.toBe('resolved');
    vault = await reopen({ folder: vault.folder, code });
    await run(vault, 'kms:RotateKeyOnDemand', { KeyId: key.keyId }, 9);
    await encrypt('at last');
    await all();
  });
});
