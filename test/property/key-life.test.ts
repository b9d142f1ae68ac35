/** The life of a key against a small reference model: random sequences of acts, the same verdicts and states. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, keyIdFrom } from '../../src/shared/model/ids.ts';
import { assertAllows, deletionCancelled, disabled, enabled, isDue, openFor, pendingDeletion, type Act } from '../../src/main/keyring/key.ts';
import type { KeyRecord } from '../../src/main/keyring/ports.ts';

const DAY = 86_400_000;
const fresh: KeyRecord = { keyId: keyIdFrom(new Uint8Array(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'Enabled', description: '', created: instant(0), materials: ['00'] };

/** From AWS's table of key states, written down apart from the code: row = act, column = state. */
const EXPECTED: Record<Act, Record<KeyRecord['state'], string | undefined>> = {
  use: { Enabled: undefined, Disabled: 'DisabledException', PendingDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: 'KMSInvalidStateException' },
  enable: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
  disable: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: 'KMSInvalidStateException', PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
  describe: { Enabled: undefined, Disabled: undefined, PendingDeletion: undefined, PendingImport: undefined, PendingReplicaDeletion: undefined, Unavailable: undefined },
  edit: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: undefined, PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
  name: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: undefined, PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
  scheduleDeletion: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: undefined, PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
  cancelDeletion: { Enabled: 'KMSInvalidStateException', Disabled: 'KMSInvalidStateException', PendingDeletion: undefined, PendingImport: 'KMSInvalidStateException', PendingReplicaDeletion: undefined, Unavailable: 'KMSInvalidStateException' },
  import: { Enabled: undefined, Disabled: undefined, PendingDeletion: 'KMSInvalidStateException', PendingImport: undefined, PendingReplicaDeletion: 'KMSInvalidStateException', Unavailable: undefined },
};

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : 'not a VaultError';
  }
};

describe('the life of a key', () => {
  it('allows and refuses what AWS does, in every state', () => {
    for (const [act, row] of Object.entries(EXPECTED)) {
      for (const [state, code] of Object.entries(row)) {
        expect([act, state, codeOf(() => { assertAllows({ ...fresh, state: state as KeyRecord['state'] }, act as Act); })]).toEqual([act, state, code]);
      }
    }
  });

  it('follows the model through any sequence of acts', () => {
    type Step = { readonly act: 'enable' | 'disable' | 'cancel' | 'use' } | { readonly act: 'schedule'; readonly days: number } | { readonly act: 'wait'; readonly days: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.constantFrom<Step>({ act: 'enable' }, { act: 'disable' }, { act: 'cancel' }, { act: 'use' }),
      fc.integer({ min: 7, max: 30 }).map((days) => ({ act: 'schedule' as const, days })),
      fc.integer({ min: 0, max: 20 }).map((days) => ({ act: 'wait' as const, days })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let key = fresh;
        const model = { state: 'Enabled' as KeyRecord['state'], due: undefined as number | undefined };
        let now = 0;
        for (const one of steps) {
          const pending = model.state === 'PendingDeletion';
          let succeeds = true;
          if (one.act === 'wait') now += one.days * DAY;
          else if (one.act === 'use') succeeds = model.state === 'Enabled';
          else if (one.act === 'cancel') succeeds = pending;
          else succeeds = !pending;
          const run = (): KeyRecord => {
            if (one.act === 'enable') return enabled(key);
            if (one.act === 'disable') return disabled(key);
            if (one.act === 'cancel') return deletionCancelled(key);
            if (one.act === 'schedule') return pendingDeletion(key, one.days, instant(now));
            if (one.act === 'use') openFor(key, 'ENCRYPT_DECRYPT');
            return key;
          };
          const code = codeOf(() => { key = run(); });
          expect(code === undefined).toBe(succeeds);
          if (succeeds && one.act === 'enable') model.state = 'Enabled';
          if (succeeds && (one.act === 'disable' || one.act === 'cancel')) model.state = 'Disabled';
          if (succeeds && one.act === 'cancel') model.due = undefined;
          if (succeeds && one.act === 'schedule') {
            model.state = 'PendingDeletion';
            model.due = now + one.days * DAY;
          }
          expect([key.state, key.deletionDate]).toEqual([model.state, model.due]);
          expect(isDue(key, instant(now))).toBe(model.due !== undefined && model.due <= now);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('gives a handle for the right usage and purpose only', () => {
    expect(codeOf(() => openFor(fresh, 'SIGN_VERIFY'))).toBe('InvalidKeyUsageException');
    for (const purpose of ['ssh', 'envelope', 'checkpoint', 'certificate'] as const) expect(codeOf(() => openFor({ ...fresh, purpose }, 'ENCRYPT_DECRYPT'))).toBe('InvalidKeyUsageException');
    expect(openFor(fresh, 'ENCRYPT_DECRYPT').keyId).toBe(fresh.keyId);
  });
});
