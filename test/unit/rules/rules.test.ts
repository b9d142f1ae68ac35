import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../../src/main/rules/defaults.ts';
import { firstVerdict, type Condition, type Facts, type Rule } from '../../../src/main/rules/rules.ts';

const facts: Facts = { door: 'cli', principal: 'owner', operation: 'kms:Sign', effect: 'use', needs: 'unlocked', doors: ['cli'], lockState: 'unlocked', recoveryCodeUsed: false, left: () => 1 };
const rule = (id: string, when: Condition): Rule => ({ id, when, verdict: { then: 'refuse', code: 'AccessDeniedException', message: id } });

describe('firstVerdict', () => {
  it('is the first rule that applies, in order', () => {
    const always: Condition = { not: { any: [] } };
    expect(firstVerdict([rule('no', { any: [] }), rule('yes', always), rule('late', always)], facts)?.rule).toBe('yes');
    expect(firstVerdict([rule('no', { any: [] })], facts)).toBeUndefined();
  });
  it('refuses when a rule cannot be evaluated', () => {
    for (const odd of [{}, { unknown: 1 }, { door: ['cli'], effect: ['use'] }, { toString: 1 }]) {
      expect(firstVerdict([rule('odd', odd as unknown as Condition)], facts)).toMatchObject({ then: 'refuse', code: 'AccessDeniedException', rule: 'odd' });
    }
  });
  it('combines by and, or, not as logic does', () => {
    const leaf: fc.Arbitrary<Condition> = fc.constantFrom<Condition>({ door: ['cli'] }, { door: ['ipc'] }, { effect: ['use'] }, { lockState: ['locked'] });
    const tree = fc.letrec<{ node: Condition }>((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('node'), { maxLength: 3 }).map((all) => ({ all })), fc.array(tie('node'), { maxLength: 3 }).map((any) => ({ any })), tie('node').map((not) => ({ not }))),
    })).node;
    const truth = (condition: Condition): boolean => {
      if ('all' in condition) return condition.all.map(truth).reduce((a, b) => a && b, true);
      if ('any' in condition) return condition.any.map(truth).reduce((a, b) => a || b, false);
      if ('not' in condition) return !truth(condition.not);
      return 'effect' in condition || ('door' in condition && condition.door[0] === 'cli');
    };
    fc.assert(fc.property(tree, (condition) => { expect(firstVerdict([rule('r', condition)], facts) !== undefined).toBe(truth(condition)); }), { numRuns: 2000 });
  });
});

describe('default rules', () => {
  it.each<[Partial<Facts>, string | undefined]>([
    [{}, undefined],
    [{ doors: ['ipc'] }, 'AccessDeniedException'],
    [{ lockState: 'absent' }, 'VaultNotFoundException'],
    [{ lockState: 'locked' }, 'VaultLockedException'],
    [{ lockState: 'locked', needs: 'any' }, undefined],
    [{ needs: 'absent' }, 'VaultExistsException'],
    [{ needs: 'absent', lockState: 'absent' }, undefined],
    [{ lockState: 'readOnly' }, 'VaultReadOnlyException'],
    [{ lockState: 'readOnly', effect: 'read' }, undefined],
    [{ recoveryCodeUsed: true }, 'AccessDeniedException'],
    [{ recoveryCodeUsed: true, effect: 'read' }, undefined],
    [{ recoveryCodeUsed: true, operation: 'vault:UpdateSettings', effect: 'write' }, undefined],
    [{ left: () => -1 }, 'ThrottlingException'],
    [{ left: () => -1, operation: 'vault:Lock' }, undefined],
  ])('%j → %s', (more, code) => {
    const verdict = firstVerdict(DEFAULT_RULES, { ...facts, ...more });
    expect(verdict?.then === 'refuse' ? verdict.code : undefined).toBe(code);
  });
});
