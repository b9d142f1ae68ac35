/** The life of a key whose material is imported against a reference model: which material it takes, when it goes, what the key is then. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asOf, imported, importDeleted, validTo } from '../../src/main/keyring/import.ts';
import { deletionCancelled, disabled, enabled, isWhole, openFor, pendingDeletion } from '../../src/main/keyring/key.ts';
import { metadata } from '../../src/main/keyring/metadata.ts';
import type { KeyRecord } from '../../src/main/keyring/ports.ts';
import { rotatedOnDemand, rotationDisabled, rotationEnabled } from '../../src/main/keyring/rotation.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, keyIdFrom, parseAccountId } from '../../src/shared/model/ids.ts';

const DAY = 86_400_000;
const REALM = { region: 'us-east-1', account: parseAccountId('123456789012') };
const fresh: KeyRecord = { keyId: keyIdFrom(new Uint8Array(16)), spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', purpose: 'kms', state: 'PendingImport', description: '', created: instant(0), materials: [], origin: 'EXTERNAL' };
const identity = (n: number): string => String(n).padStart(16, '0').padEnd(64, 'f');
const idOf = (n: number): string => identity(n).slice(0, 16);

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof VaultError ? error.code : String(error);
  }
};

type Step =
  | { readonly act: 'enable' | 'disable' | 'schedule' | 'cancel' | 'rotate' | 'clock' }
  | { readonly act: 'wait'; readonly days: number }
  | { readonly act: 'import'; readonly n: number; readonly type?: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined; readonly days?: number | undefined; readonly named?: number | undefined }
  | { readonly act: 'delete'; readonly n?: number | undefined };

const material = fc.integer({ min: 1, max: 4 });
const act = (...acts: ('enable' | 'disable' | 'schedule' | 'cancel' | 'rotate' | 'clock')[]) => fc.constantFrom(...acts.map((name): Step => ({ act: name })));
/** Weighted so that keys are whole and in use for a good part of their lives. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: act('enable', 'enable', 'disable', 'clock') },
  { weight: 2, arbitrary: act('schedule', 'cancel', 'cancel', 'cancel') },
  { weight: 4, arbitrary: act('rotate') },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 40 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('import' as const),
      n: material,
      type: fc.constantFrom(undefined, 'NEW_KEY_MATERIAL' as const, 'EXISTING_KEY_MATERIAL' as const),
      days: fc.constantFrom(undefined, undefined, 1, 20, 60),
      named: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, 1, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('delete' as const), n: fc.option(material, { nil: undefined }) }) },
);

/** What is true of the key, written down apart from the code. */
interface Model {
  chosen: 'Enabled' | 'Disabled' | 'PendingDeletion';
  readonly permanent: number[];
  waiting: number | undefined;
  /** Materials that are here, and until when. */
  readonly here: Map<number, number>;
  rotations: number;
}

const whole = (model: Model): boolean => model.permanent.length > 0 && model.permanent.every((n) => model.here.has(n));

function importVerdict(model: Model, one: Extract<Step, { act: 'import' }>): string | undefined {
  if (model.chosen === 'PendingDeletion') return 'KMSInvalidStateException';
  if (one.type === 'NEW_KEY_MATERIAL' && one.named !== undefined) return 'ValidationException';
  if (one.named !== undefined && one.named !== one.n) return 'IncorrectKeyMaterialException';
  const known = model.permanent.includes(one.n) || model.waiting === one.n;
  const type = one.type ?? (model.permanent.length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL');
  if (type === 'EXISTING_KEY_MATERIAL') return known ? undefined : 'IncorrectKeyMaterialException';
  if (known) return 'IncorrectKeyMaterialException';
  return model.waiting === undefined || model.permanent.length === 0 ? undefined : 'KMSInvalidStateException';
}

describe('the life of an imported key', () => {
  it('follows the model through any sequence of acts', () => {
    let usable = 0;
    let rotated = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        let stored = fresh;
        let now = 0;
        const model: Model = { chosen: 'Enabled', permanent: [], waiting: undefined, here: new Map(), rotations: 0 };
        for (const one of steps) {
          const key = asOf(stored, instant(now)).key;
          const state = model.chosen === 'PendingDeletion' ? 'PendingDeletion' : whole(model) ? model.chosen : 'PendingImport';
          expect(key.state).toBe(state);
          let expected: string | undefined;
          let next = key;
          const attempt = (run: () => KeyRecord, verdict: string | undefined): boolean => {
            expected = verdict;
            expect([one, codeOf(() => { next = run(); })]).toEqual([one, expected]);
            return expected === undefined;
          };
          switch (one.act) {
            case 'wait':
              now += one.days * DAY;
              for (const [n, until] of model.here) if (until <= now) forget(model, n);
              continue;
            case 'clock': {
              // The schedule's pass: what it leaves is what everybody has seen since the date.
              next = key;
              break;
            }
            case 'enable':
              if (attempt(() => enabled(key), state === 'Enabled' || state === 'Disabled' ? undefined : 'KMSInvalidStateException')) model.chosen = 'Enabled';
              break;
            case 'disable':
              if (attempt(() => disabled(key), state === 'Enabled' || state === 'Disabled' ? undefined : 'KMSInvalidStateException')) model.chosen = 'Disabled';
              break;
            case 'schedule':
              if (attempt(() => pendingDeletion(key, 7, instant(now)), state === 'PendingDeletion' ? 'KMSInvalidStateException' : undefined)) model.chosen = 'PendingDeletion';
              break;
            case 'cancel':
              if (attempt(() => deletionCancelled(key), state === 'PendingDeletion' ? undefined : 'KMSInvalidStateException')) model.chosen = whole(model) ? 'Disabled' : 'Enabled';
              break;
            case 'rotate': {
              const verdict = state === 'Disabled' ? 'DisabledException' : state !== 'Enabled' || model.waiting === undefined ? 'KMSInvalidStateException' : model.rotations === 25 ? 'LimitExceededException' : undefined;
              if (attempt(() => rotatedOnDemand(key, 'unused', instant(now)), verdict) && model.waiting !== undefined) {
                model.permanent.push(model.waiting);
                model.waiting = undefined;
                model.rotations += 1;
                rotated += 1;
              }
              break;
            }
            case 'import': {
              const claim = { type: one.type, ...(one.named === undefined ? {} : { keyMaterialId: identity(one.named) }), ...(one.days === undefined ? {} : { validTo: instant(now + one.days * DAY) }) };
              const wasPending = state === 'PendingImport';
              if (attempt(() => imported(key, identity(one.n), claim), importVerdict(model, one))) {
                if (model.permanent.length === 0) model.permanent.push(one.n);
                else if (!model.permanent.includes(one.n)) model.waiting = one.n;
                model.here.set(one.n, one.days === undefined ? Infinity : now + one.days * DAY);
                if (wasPending && whole(model)) model.chosen = 'Enabled';
              }
              break;
            }
            case 'delete': {
              const meant = one.n ?? model.permanent.at(-1);
              const known = meant !== undefined && (model.permanent.includes(meant) || model.waiting === meant);
              if (attempt(() => importDeleted(key, one.n === undefined ? undefined : identity(one.n)).key, one.n !== undefined && !known ? 'NotFoundException' : undefined) && known) forget(model, meant);
              break;
            }
          }
          stored = next;
          const seen = asOf(stored, instant(now)).key;
          expect(seen.materials).toEqual(model.permanent.map(idOf));
          expect(seen.awaiting).toBe(model.waiting === undefined ? undefined : idOf(model.waiting));
          expect((seen.imports ?? []).filter(({ held }) => held).map(({ materialId }) => materialId).sort()).toEqual([...model.here.keys()].map(idOf).sort());
          expect(isWhole(seen)).toBe(whole(model));
          const dates = [...model.here].flatMap(([n, until]) => (model.permanent.includes(n) && until !== Infinity ? [until] : []));
          expect(validTo(seen)).toBe(dates.length === 0 ? undefined : Math.min(...dates));
          const canUse = codeOf(() => openFor(seen, 'ENCRYPT_DECRYPT')) === undefined;
          expect(canUse).toBe(model.chosen === 'Enabled' && whole(model));
          if (canUse) usable += 1;
          expect(metadata(seen, REALM).ExpirationModel !== undefined).toBe(model.permanent.some((n) => model.here.has(n)));
          expect(codeOf(() => rotationEnabled(seen, 90, instant(now)))).toBe('UnsupportedOperationException');
          expect(codeOf(() => rotationDisabled(seen))).toBe('UnsupportedOperationException');
        }
      }),
      { numRuns: 800 },
    );
    expect(usable).toBeGreaterThan(500);
    expect(rotated).toBeGreaterThan(200);
  });

  const forget = (model: Model, n: number): void => {
    model.here.delete(n);
    if (model.waiting === n) model.waiting = undefined;
    // Whoever brings it back wants the key, as after a first import.
    else if (model.chosen === 'Disabled') model.chosen = 'Enabled';
  };

  it('takes one material for ever where the key cannot rotate', () => {
    for (const [spec, usage] of [['HMAC_256', 'GENERATE_VERIFY_MAC'], ['RSA_2048', 'SIGN_VERIFY'], ['ECC_NIST_P256', 'SIGN_VERIFY']] as const) {
      const key = imported({ ...fresh, spec, usage }, identity(1), {});
      expect(key.state).toBe('Enabled');
      expect(codeOf(() => imported(key, identity(2), {}))).toBe('IncorrectKeyMaterialException');
      expect(codeOf(() => imported(key, identity(2), { type: 'NEW_KEY_MATERIAL' }))).toBe('ValidationException');
      expect(codeOf(() => imported(key, identity(1), { description: 'x' }))).toBe('ValidationException');
      expect(imported(importDeleted(key, undefined).key, identity(1), {}).state).toBe('Enabled');
    }
  });

  it('takes none where the material was made here', () => {
    const { origin: _, ...own } = fresh;
    const key: KeyRecord = { ...own, state: 'Enabled', materials: [idOf(1)] };
    expect(codeOf(() => imported(key, identity(1), {}))).toBe('UnsupportedOperationException');
    expect(codeOf(() => importDeleted(key, undefined))).toBe('UnsupportedOperationException');
  });
});
