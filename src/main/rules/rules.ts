/**
 * Request rules: the ordered list that is asked before any input is parsed. The first rule that applies speaks; when none
 * does, the request goes on to policy.
 *
 * Defends against: use of a locked or read-only vault, an operation at a door that it was not declared for, floods.
 * Does not: know the resource or the input (hostile bytes are still unread here), nor grant anything.
 */
import type { DoorName, Effect, Needs } from '../../shared/api/operation.ts';
import type { VaultPhase } from '../../shared/api/vault.ts';
import type { ErrorCode } from '../../shared/model/errors.ts';

/** Everything that a rule may look at. */
export interface Facts {
  readonly door: DoorName;
  readonly principal: string;
  readonly operation: string;
  readonly effect: Effect;
  readonly needs: Needs;
  readonly doors: readonly DoorName[];
  readonly lockState: VaultPhase;
  /** A recovery code was used to unlock and no new one has been made. */
  readonly recoveryCodeUsed: boolean;
  /** Units left in the named bucket after this request took its own; below zero means over the limit. */
  readonly left: (bucket: string) => number;
}

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly lockState: readonly VaultPhase[] }
  | { readonly needs: readonly Needs[] }
  | { readonly effect: readonly Effect[] }
  | { readonly service: readonly string[] }
  | { readonly door: readonly DoorName[] }
  | { readonly offeredHere: boolean }
  | { readonly recoveryCodeUsed: boolean }
  | { readonly over: string };

export type Verdict =
  | { readonly then: 'refuse'; readonly code: ErrorCode; readonly message: string }
  | { readonly then: 'ask'; readonly message: string };

export interface Rule {
  readonly id: string;
  readonly when: Condition;
  readonly verdict: Verdict;
}

type Tests = { readonly [K in Kinds]: (value: Extract<Condition, Record<K, unknown>>[K & keyof Extract<Condition, Record<K, unknown>>], facts: Facts) => boolean };
type Kinds = Condition extends infer C ? (C extends C ? keyof C : never) : never;

const TESTS: Tests = {
  all: (conditions, facts) => conditions.every((condition) => holds(condition, facts)),
  any: (conditions, facts) => conditions.some((condition) => holds(condition, facts)),
  not: (condition, facts) => !holds(condition, facts),
  lockState: (states, facts) => states.includes(facts.lockState),
  needs: (needs, facts) => needs.includes(facts.needs),
  effect: (effects, facts) => effects.includes(facts.effect),
  service: (services, facts) => services.includes(facts.operation.split(':')[0] ?? ''),
  door: (doors, facts) => doors.includes(facts.door),
  offeredHere: (expected, facts) => facts.doors.includes(facts.door) === expected,
  recoveryCodeUsed: (expected, facts) => facts.recoveryCodeUsed === expected,
  over: (bucket, facts) => facts.left(bucket) < 0,
};

/** Throws TypeError on a condition of an unknown kind; `firstVerdict` turns that into a refusal. */
function holds(condition: Condition, facts: Facts): boolean {
  const [kind, ...more] = Object.keys(condition);
  if (kind === undefined || more.length > 0 || !Object.hasOwn(TESTS, kind)) throw new TypeError('a rule has a condition that is not known');
  const test = TESTS[kind as Kinds] as (value: unknown, facts: Facts) => boolean;
  return test((condition as Record<string, unknown>)[kind], facts);
}

export type Spoken = Verdict & { readonly rule: string };

/** The first rule that applies, or undefined. A rule that cannot be evaluated refuses. */
export function firstVerdict(rules: readonly Rule[], facts: Facts): Spoken | undefined {
  for (const rule of rules) {
    try {
      if (holds(rule.when, facts)) return { ...rule.verdict, rule: rule.id };
    } catch {
      return { then: 'refuse', code: 'AccessDeniedException', message: `rule \`${rule.id}\` cannot be evaluated; mend or remove it`, rule: rule.id };
    }
  }
  return undefined;
}
