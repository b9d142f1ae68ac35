/** Regions as name spaces and the lives of multi-Region keys: a reference model of random sequences, and a real vault. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSoftwareBackend } from '../../src/main/backends/software.ts';
import type { Call } from '../../src/main/kernel/handler.ts';
import { NO_RESOURCE } from '../../src/main/kernel/resolve.ts';
import { deletionCancelled, disabled, enabled, openFor } from '../../src/main/keyring/key.ts';
import { metadata } from '../../src/main/keyring/metadata.ts';
import type { KeyRecord, KeyState } from '../../src/main/keyring/ports.ts';
import { deletionScheduled, inRegion, merged, primaryMoved, primaryRegion, replicated, withoutDue } from '../../src/main/keyring/regions.ts';
import { UsageTracker } from '../../src/main/keyring/usage.ts';
import { kmsAliasHandlers } from '../../src/main/operations/kms-aliases.ts';
import { Hardware } from '../../src/main/hardware/hardware.ts';
import { kmsKeyHandlers } from '../../src/main/operations/kms-keys.ts';
import { kmsLastUsageHandlers } from '../../src/main/operations/kms-last-usage.ts';
import { kmsRegionHandlers } from '../../src/main/operations/kms-regions.ts';
import { kmsRotationHandlers } from '../../src/main/operations/kms-rotation.ts';
import { kmsUseHandlers } from '../../src/main/operations/kms-use.ts';
import { createResolve } from '../../src/main/operations/resolvers.ts';
import { systemRandom } from '../../src/main/platform/random.ts';
import { OPERATIONS, type Name } from '../../src/shared/api/index.ts';
import type { Operation } from '../../src/shared/api/operation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, keyArn, multiRegionIdFrom, realmIn, type Realm } from '../../src/shared/model/ids.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';
import { close, codeOf, createVault, record, reopen, SETTINGS, type TestVault } from '../unit/store/vault.ts';

const DAY = 86_400_000;
const HOME: Realm = { account: SETTINGS.account, region: SETTINGS.region };
const REGIONS = [HOME.region, 'eu-west-1', 'ap-south-1'] as const;
const at = (region: string): Realm => realmIn(HOME, region);

const verdictOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : String(error);
  }
};

describe('a multi-Region key by model', () => {
  const fresh: KeyRecord = { keyId: multiRegionIdFrom(new Uint8Array(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['m0'], replicas: [] };

  type Step = { readonly act: 'replicate' | 'move' | 'enable' | 'disable' | 'schedule' | 'cancel'; readonly region: string; readonly to: string } | { readonly act: 'wait'; readonly days: number };
  const region = fc.constantFrom(...REGIONS);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constantFrom('replicate' as const, 'replicate' as const, 'move' as const, 'move' as const, 'enable' as const, 'enable' as const, 'disable' as const, 'schedule' as const, 'cancel' as const), region, to: region }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 10 }) }) },
  );

  interface Place {
    state: KeyState;
    due?: number | undefined;
  }

  it('has in each region the state of that region, in one record', () => {
    let moved = 0;
    let waited = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        let stored: KeyRecord | undefined = fresh;
        let now = 0;
        let primary: string = HOME.region;
        const places = new Map<string, Place>([[primary, { state: 'Enabled' }]]);
        for (const one of steps) {
          if (stored === undefined) break;
          if (one.act === 'wait') {
            now += one.days * DAY;
            const { key, gone } = withoutDue(stored, HOME, instant(now));
            const expected = [...places].filter(([, { due }]) => due !== undefined && due <= now).map(([name]) => name);
            expect([...gone].sort()).toEqual([...expected].sort());
            for (const name of expected) places.delete(name);
            const first = places.get(primary);
            if (first?.state === 'PendingReplicaDeletion' && places.size === 1) {
              Object.assign(first, { state: 'PendingDeletion', due: now + 7 * DAY });
              waited += 1;
            }
            stored = key;
            expect(stored === undefined).toBe(places.size === 0);
            continue;
          }
          const realm = at(one.region);
          const view = inRegion(stored, realm);
          const place = places.get(one.region);
          expect(view?.state).toBe(place?.state);
          if (!view || !place) continue;
          const before: KeyRecord = stored;
          const isPrimary = one.region === primary;
          const usable = place.state === 'Enabled' ? undefined : place.state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException';
          const pending = place.state === 'PendingDeletion' || place.state === 'PendingReplicaDeletion';
          const attempt = (run: () => KeyRecord, expected: string | undefined): boolean => {
            let next: KeyRecord | undefined;
            expect([one, verdictOf(() => { next = run(); })]).toEqual([one, expected]);
            if (next) stored = next;
            return expected === undefined;
          };
          switch (one.act) {
            case 'replicate':
              if (
                attempt(
                  () => merged(before, replicated(view, realm, { region: one.to, description: one.to, created: instant(now) }), realm),
                  !isPrimary ? 'UnsupportedOperationException' : one.to === one.region ? 'ValidationException' : (usable ?? (places.has(one.to) ? 'AlreadyExistsException' : undefined)),
                )
              ) {
                places.set(one.to, { state: 'Enabled' });
              }
              break;
            case 'move': {
              const target = places.get(one.to);
              const there = target?.state === 'Enabled' ? undefined : target?.state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException';
              const verdict = !isPrimary ? 'UnsupportedOperationException' : one.to === one.region ? 'ValidationException' : (usable ?? (target === undefined ? 'NotFoundException' : there));
              if (attempt(() => primaryMoved(before, view, realm, one.to), verdict)) {
                primary = one.to;
                moved += 1;
              }
              break;
            }
            case 'enable':
              if (attempt(() => merged(before, enabled(view), realm), pending ? 'KMSInvalidStateException' : undefined)) place.state = 'Enabled';
              break;
            case 'disable':
              if (attempt(() => merged(before, disabled(view), realm), pending ? 'KMSInvalidStateException' : undefined)) place.state = 'Disabled';
              break;
            case 'schedule':
              if (attempt(() => merged(before, deletionScheduled(view, realm, 7, instant(now)), realm), pending ? 'KMSInvalidStateException' : undefined)) {
                const waits = isPrimary && places.size > 1;
                Object.assign(place, waits ? { state: 'PendingReplicaDeletion', due: undefined } : { state: 'PendingDeletion', due: now + 7 * DAY });
              }
              break;
            case 'cancel':
              if (attempt(() => merged(before, deletionCancelled(view), realm), pending ? undefined : 'KMSInvalidStateException')) Object.assign(place, { state: 'Disabled', due: undefined });
              break;
          }
          expect(primaryRegion(stored, HOME)).toBe(primary);
          for (const name of REGIONS) {
            const seen = inRegion(stored, at(name));
            expect(seen?.state).toBe(places.get(name)?.state);
            expect(seen?.deletionDate).toBe(places.get(name)?.due);
            if (!seen) continue;
            expect(seen.keyId).toBe(fresh.keyId);
            expect(verdictOf(() => openFor(seen, 'ENCRYPT_DECRYPT')) === undefined).toBe(seen.state === 'Enabled');
            const said = metadata(seen, at(name));
            expect(said.Arn).toBe(keyArn(at(name), fresh.keyId));
            expect(said.MultiRegionConfiguration).toMatchObject({ MultiRegionKeyType: name === primary ? 'PRIMARY' : 'REPLICA', PrimaryKey: { Region: primary } });
            expect(said.MultiRegionConfiguration?.ReplicaKeys.map(({ Region }) => Region).sort()).toEqual([...places.keys()].filter((other) => other !== primary).sort());
          }
        }
      }),
      { numRuns: 1000 },
    );
    expect(moved).toBeGreaterThan(30);
    expect(waited).toBeGreaterThan(5);
  });
});

/** No key here is in a token. */
const NO_HARDWARE = new Hardware({ startHost: () => { throw new Error('no module here'); }, uid: 0, now: () => instant(0), changed: () => undefined });

describe('in a vault', () => {
  const usage = new UsageTracker(() => 0);
  const handlers = { ...kmsKeyHandlers(systemRandom, () => NO_HARDWARE), ...kmsRegionHandlers(), ...kmsAliasHandlers(), ...kmsRotationHandlers(), ...kmsUseHandlers(), ...kmsLastUsageHandlers(usage, () => 1000) };

  /** Resolves and runs as the one path does. */
  async function ask(vault: TestVault, name: keyof typeof handlers & Name, input: object, region: string = HOME.region, now = SETTINGS.created): Promise<Record<string, unknown>> {
    const operation = OPERATIONS[name] as Operation;
    const parsed = operation.input.parse(input) as Record<string, unknown>;
    const keys = createSoftwareBackend({ sealer: vault.sealer, random: systemRandom, material: (id) => vault.store.reader.material(id) });
    const resolve = createResolve(() => ({ realm: HOME, reader: vault.store.reader, keys, now: instant(now), isConnected: () => false }));
    const resource = operation.resource ? await resolve(operation.resource, parsed, region) : NO_RESOURCE;
    if (resource.missing) throw resource.missing;
    const fail = (code: 'ValidationException', message: string): never => {
      throw new VaultError(code, message);
    };
    const call = { at: instant(now), region, resource, destination: NO_RESOURCE, signal: new AbortController().signal, fail } as unknown as Call;
    const handler = handlers[name] as unknown as (input: object, call: Call, rights: object) => Promise<Record<string, unknown>>;
    const rights = { realm: at(region), keys, reader: vault.store.reader };
    if (operation.effect !== 'write') return handler(parsed, call, rights);
    const { value, delivered } = await vault.store.write<Record<string, unknown>>(record(), (writer) => handler(parsed, call, { ...rights, writer, afterwards: (act: () => void) => { act(); } }));
    delivered();
    return value;
  }
  const made = async (vault: TestVault, input: object, region?: string): Promise<string> => ((await ask(vault, 'kms:CreateKey', input, region))['KeyMetadata'] as { KeyId: string }).KeyId;
  const plain = async (answer: Promise<Record<string, unknown>>): Promise<string> => {
    using secret = (await answer)['Plaintext'] as SecretBytes;
    return secret.borrow((bytes) => new TextDecoder().decode(bytes));
  };
  const text = (value: string): SecretBytes => SecretBytes.take(new TextEncoder().encode(value));

  it('a key and its name answer in their own region only', async () => {
    const vault = await createVault();
    const here = await made(vault, {});
    const there = await made(vault, {}, 'eu-west-1');
    await ask(vault, 'kms:CreateAlias', { AliasName: 'alias/app', TargetKeyId: here });
    await ask(vault, 'kms:CreateAlias', { AliasName: 'alias/app', TargetKeyId: there }, 'eu-west-1');
    for (const [region, own, other] of [[HOME.region, here, there], ['eu-west-1', there, here]] as const) {
      expect((await ask(vault, 'kms:DescribeKey', { KeyId: 'alias/app' }, region))['KeyMetadata']).toMatchObject({ KeyId: own, Arn: keyArn(at(region), own as KeyRecord['keyId']) });
      expect(await codeOf(ask(vault, 'kms:DescribeKey', { KeyId: other }, region))).toBe('NotFoundException');
      expect(await codeOf(ask(vault, 'kms:CreateAlias', { AliasName: 'alias/x', TargetKeyId: other }, region))).toBe('NotFoundException');
      expect(((await ask(vault, 'kms:ListKeys', {}, region))['Keys'] as { KeyId: string }[]).map(({ KeyId }) => KeyId)).toEqual([own]);
      expect(((await ask(vault, 'kms:ListAliases', {}, region))['Aliases'] as { TargetKeyId: string }[]).map(({ TargetKeyId }) => TargetKeyId)).toEqual([own]);
      const { CiphertextBlob } = await ask(vault, 'kms:Encrypt', { KeyId: own, Plaintext: text('x') }, region);
      expect(await plain(ask(vault, 'kms:Decrypt', { CiphertextBlob }, region))).toBe('x');
      expect(await codeOf(ask(vault, 'kms:Decrypt', { CiphertextBlob }, region === HOME.region ? 'eu-west-1' : HOME.region))).toBe('InvalidCiphertextException');
    }
    expect((await ask(vault, 'kms:ListKeys', {}, 'ap-south-1'))['Keys']).toEqual([]);
    expect(await codeOf(ask(vault, 'kms:ReplicateKey', { KeyId: here, ReplicaRegion: 'eu-west-1' }))).toBe('UnsupportedOperationException');
  });

  it('what one region encrypts another decrypts, across rotation, a new primary and a restart; each has its own state, tags and aliases', async () => {
    const vault = await createVault();
    const KeyId = await made(vault, { MultiRegion: true, Description: 'first' });
    expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
    const replica = (await ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1', Description: 'second', Tags: [{ TagKey: 'a', TagValue: 'b' }] }))['ReplicaKeyMetadata'];
    expect(replica).toMatchObject({ KeyId, KeyState: 'Enabled', Description: 'second', MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' } });
    await ask(vault, 'kms:CreateAlias', { AliasName: 'alias/both', TargetKeyId: KeyId }, 'eu-west-1');
    const { CiphertextBlob: before } = await ask(vault, 'kms:Encrypt', { KeyId, Plaintext: text('before') });
    expect(await codeOf(ask(vault, 'kms:RotateKeyOnDemand', { KeyId }, 'eu-west-1'))).toBe('UnsupportedOperationException');
    await ask(vault, 'kms:RotateKeyOnDemand', { KeyId });
    const { CiphertextBlob: after } = await ask(vault, 'kms:Encrypt', { KeyId: 'alias/both', Plaintext: text('after') }, 'eu-west-1');
    expect((await ask(vault, 'kms:ListKeyRotations', { KeyId }, 'eu-west-1'))['Rotations']).toHaveLength(1);
    await ask(vault, 'kms:UpdatePrimaryRegion', { KeyId, PrimaryRegion: 'eu-west-1' });
    await ask(vault, 'kms:DisableKey', { KeyId });
    await close(vault);
    const again = await reopen(vault);
    expect((await ask(again, 'kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ KeyState: 'Disabled', Description: 'first', MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Region: 'eu-west-1' } } });
    expect(await plain(ask(again, 'kms:Decrypt', { CiphertextBlob: before }, 'eu-west-1'))).toBe('before');
    expect(await plain(ask(again, 'kms:Decrypt', { CiphertextBlob: after }, 'eu-west-1'))).toBe('after');
    expect(await codeOf(ask(again, 'kms:Decrypt', { CiphertextBlob: after }))).toBe('DisabledException');
    expect(await codeOf(ask(again, 'kms:DescribeKey', { KeyId: 'alias/both' }))).toBe('NotFoundException');
  });

  it('a primary waits for its replicas, and what named a replica goes with it', async () => {
    const vault = await createVault();
    const KeyId = await made(vault, { MultiRegion: true });
    await ask(vault, 'kms:ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' });
    await ask(vault, 'kms:CreateAlias', { AliasName: 'alias/r', TargetKeyId: KeyId }, 'eu-west-1');
    await ask(vault, 'kms:CreateAlias', { AliasName: 'alias/r', TargetKeyId: KeyId });
    const { CiphertextBlob } = await ask(vault, 'kms:Encrypt', { KeyId, Plaintext: text('kept') });
    expect(await ask(vault, 'kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })).toEqual({ KeyId: keyArn(HOME, KeyId as KeyRecord['keyId']), KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 });
    expect((await ask(vault, 'kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ PendingDeletionWindowInDays: 7 });
    expect(await codeOf(ask(vault, 'kms:Encrypt', { KeyId, Plaintext: text('x') }))).toBe('KMSInvalidStateException');
    await ask(vault, 'kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 8 }, 'eu-west-1');
    let now = SETTINGS.created + 8 * DAY;
    expect((await ask(vault, 'kms:DeleteDueKeys', {}, HOME.region, now))['KeyArns']).toEqual([keyArn(at('eu-west-1'), KeyId as KeyRecord['keyId'])]);
    expect(await codeOf(ask(vault, 'kms:DescribeKey', { KeyId }, 'eu-west-1'))).toBe('NotFoundException');
    expect((await ask(vault, 'kms:ListAliases', {}, 'eu-west-1'))['Aliases']).toEqual([]);
    expect((await ask(vault, 'kms:ListAliases', {}))['Aliases']).toHaveLength(1);
    expect((await ask(vault, 'kms:DescribeKey', { KeyId }))['KeyMetadata']).toMatchObject({ KeyState: 'PendingDeletion' });
    await ask(vault, 'kms:CancelKeyDeletion', { KeyId });
    await ask(vault, 'kms:EnableKey', { KeyId });
    expect(await plain(ask(vault, 'kms:Decrypt', { CiphertextBlob }))).toBe('kept');
    await ask(vault, 'kms:ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }, HOME.region, now);
    now += 7 * DAY;
    await ask(vault, 'kms:DeleteDueKeys', {}, HOME.region, now);
    expect((await ask(vault, 'kms:ListKeys', {}))['Keys']).toEqual([]);
    expect(await codeOf(ask(vault, 'kms:Decrypt', { CiphertextBlob }))).toBe('InvalidCiphertextException');
  });
});
