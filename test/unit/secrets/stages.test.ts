/** Versions and stages against a model that is written differently: a map from stage to version. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { instant, type KeyId } from '../../../src/shared/model/ids.ts';
import { CURRENT, PENDING, PREVIOUS, type StoredValue, type VersionRecord } from '../../../src/main/secrets/ports.ts';
import { added, announced, moved, pruned, select, staged, type Versions } from '../../../src/main/secrets/stages.ts';

const value: StoredValue = { valueId: 'ab'.repeat(16), kind: 'string', keyId: 'k' as KeyId };
const at = instant(1_000);
const id = (n: number): string => String(n).padStart(32, '0');

type Act = { kind: 'put'; version: number; stages?: string[] } | { kind: 'announce'; version: number } | { kind: 'move'; stage: string; from?: number; to?: number };

const stage = fc.constantFrom(CURRENT, PREVIOUS, PENDING, 'blue', 'green');
const version = fc.integer({ min: 0, max: 5 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), version, stages: maybe(fc.uniqueArray(stage, { minLength: 1, maxLength: 3 })) }) as fc.Arbitrary<Act>,
  fc.record({ kind: fc.constant('announce' as const), version }),
  fc.record({ kind: fc.constant('move' as const), stage, from: maybe(version), to: maybe(version) }) as fc.Arbitrary<Act>,
);

/** The model: which version has each stage, and which have a value. Undefined: refused, nothing changes. */
interface Model {
  readonly at: Map<string, number>;
  readonly values: Set<number>;
  readonly known: Set<number>;
}

function attach(model: Model, name: string, to: number): void {
  const from = model.at.get(name);
  model.at.set(name, to);
  if (name === CURRENT && from !== undefined && from !== to) model.at.set(PREVIOUS, from);
}

function expected(model: Model, action: Act): Model | undefined {
  const next: Model = { at: new Map(model.at), values: new Set(model.values), known: new Set(model.known) };
  if (action.kind === 'put') {
    if (next.values.has(action.version)) return undefined;
    next.values.add(action.version).add(action.version);
    next.known.add(action.version);
    const stages = action.stages ?? [CURRENT];
    if (stages.includes(CURRENT) || !next.at.has(CURRENT)) attach(next, CURRENT, action.version);
    for (const name of stages) if (name !== CURRENT) attach(next, name, action.version);
    return next;
  }
  if (action.kind === 'announce') {
    if (next.at.get(PENDING) === action.version) return next;
    if (next.values.has(action.version)) return undefined;
    next.known.add(action.version);
    next.at.set(PENDING, action.version);
    return next;
  }
  const holder = next.at.get(action.stage);
  if (action.from === undefined && action.to === undefined) return undefined;
  for (const one of [action.from, action.to]) if (one !== undefined && !next.known.has(one)) return undefined;
  if (action.from !== undefined && holder !== action.from) return undefined;
  if (action.to === undefined) {
    if (action.stage === CURRENT) return undefined;
    next.at.delete(action.stage);
    return next;
  }
  if (holder !== undefined && holder !== action.to && action.from === undefined) return undefined;
  if (action.stage === CURRENT && !next.values.has(action.to)) return undefined;
  attach(next, action.stage, action.to);
  return next;
}

function perform(versions: Versions, action: Act): Versions | undefined {
  try {
    if (action.kind === 'announce') return announced(versions, id(action.version), at);
    if (action.kind === 'move') {
      return moved(versions, { stage: action.stage, ...(action.from === undefined ? {} : { from: id(action.from) }), ...(action.to === undefined ? {} : { to: id(action.to) }) });
    }
    // The handler has found a version with a value before it adds one.
    if (versions.some((one) => one.versionId === id(action.version) && one.value)) return undefined;
    return added(versions, { versionId: id(action.version), value, at, ...(action.stages ? { stages: action.stages } : {}) });
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

const asModel = (versions: Versions): [string, string][] => versions.flatMap((one) => one.stages.map((name): [string, string] => [name, one.versionId])).sort();

describe('versions and stages', () => {
  it('follow the model through any acts, and keep their invariants', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        let versions: Versions = [];
        let model: Model = { at: new Map(), values: new Set(), known: new Set() };
        for (const action of acts) {
          const after = perform(versions, action);
          const wanted = expected(model, action);
          expect([action, after === undefined]).toEqual([action, wanted === undefined]);
          if (!after || !wanted) continue;
          versions = after;
          model = wanted;
          expect(asModel(versions)).toEqual([...model.at].map(([name, n]) => [name, id(n)]).sort());
          expect(new Set(versions.map((one) => one.versionId)).size).toBe(versions.length);
          if (model.values.size > 0) expect(staged(versions, CURRENT)?.value).toBeDefined();
          for (const one of versions) expect(one.stages).toEqual([...one.stages].sort());
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('hold at most 20 stages in all', () => {
    const names = Array.from({ length: 19 }, (_, n) => `own-${String(n)}`);
    const full = added([], { versionId: id(1), value, at, stages: names });
    expect(full[0]?.stages).toHaveLength(20);
    expect(() => moved(full, { stage: 'one-more', to: id(1) })).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });

  it('find a version by id, by stage, or by both when they agree', () => {
    const list = added(added([], { versionId: id(1), value, at }), { versionId: id(2), value, at });
    expect(select(list, {}).versionId).toBe(id(2));
    expect(select(list, { stage: PREVIOUS }).versionId).toBe(id(1));
    expect(select(list, { versionId: id(1), stage: PREVIOUS }).versionId).toBe(id(1));
    expect(() => select(list, { versionId: id(1), stage: CURRENT })).toThrow(expect.objectContaining({ code: 'InvalidParameterException' }));
    expect(() => select(list, { stage: PENDING })).toThrow(expect.objectContaining({ code: 'ResourceNotFoundException' }));
    expect(() => select(announced(list, id(3), at), { stage: PENDING })).toThrow(expect.objectContaining({ code: 'ResourceNotFoundException' }));
  });

  it('lose, above 100, the oldest ones without a stage that are over a day old', () => {
    const day = 86_400_000;
    const make = (n: number, stages: string[] = []): VersionRecord => ({ versionId: id(n), created: instant(n), stages, value });
    const list = [make(0, ['kept']), ...Array.from({ length: 103 }, (_, n) => make(n + 1))];
    expect(pruned(list, instant(day + 2)).gone.map((one) => one.versionId)).toEqual([id(1), id(2)]);
    const later = pruned(list, instant(3 * day));
    expect(later.gone.map((one) => one.versionId)).toEqual([id(1), id(2), id(3), id(4)]);
    expect(later.kept).toHaveLength(100);
  });
});
