import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, matches, type PolicyDocument, type Question, type Statement } from '../../../src/main/policy/decide.ts';
import { principalPolicy } from '../../../src/main/policy/defaults.ts';

const allow = (more: Partial<Statement> = {}): Statement => ({ sid: 'a', effect: 'Allow', actions: ['*'], ...more });
const deny = (more: Partial<Statement> = {}): Statement => ({ sid: 'd', effect: 'Deny', actions: ['*'], ...more });
const policy = (...statements: Statement[]): PolicyDocument => ({ id: 'p', statements });
const question: Question = { principal: 'owner', action: 'kms:Sign', resource: 'arn:aws:kms:us-east-1:111122223333:key/1' };

describe('decide', () => {
  it('denies what nothing allows', () => {
    expect(decide(question, { principal: policy() })).toEqual({ allowed: false, reasons: [{ kind: 'nothing-allows' }] });
  });
  it('allows by the principal or by the resource, with the statement as reason', () => {
    expect(decide(question, { principal: policy(allow()) })).toEqual({ allowed: true, reasons: [{ kind: 'allowed', policy: 'p', statement: 'a' }] });
    expect(decide(question, { principal: policy(), resource: policy(allow({ principals: ['owner'] })) }).allowed).toBe(true);
    expect(decide(question, { principal: policy(), resource: policy(allow({ principals: ['other'] })) }).allowed).toBe(false);
  });
  it('lets an explicit deny win, wherever it stands', () => {
    for (const policies of [{ principal: policy(allow(), deny()) }, { principal: policy(deny(), allow()) }, { principal: policy(allow()), resource: policy(deny()) }]) {
      expect(decide(question, policies).allowed).toBe(false);
    }
  });
  it('denies when a policy has an element that it does not know', () => {
    const odd = { ...allow(), conditions: { x: 1 } } as Statement;
    expect(decide(question, { principal: policy(allow(), odd) })).toEqual({ allowed: false, reasons: [{ kind: 'policy-error', policy: 'p' }] });
  });
  it('does not apply a statement on resources to a request without one', () => {
    const { resource: _, ...bare } = question;
    expect(decide(bare, { principal: policy(allow({ resources: ['*'] })) }).allowed).toBe(false);
    expect(decide(bare, { principal: policy(allow()) }).allowed).toBe(true);
  });
});

describe('defaults', () => {
  it('let the owner do all, the clock its jobs, and others nothing', () => {
    const may = (kind: string, action: string) => decide({ principal: kind, action }, { principal: principalPolicy(kind) }).allowed;
    expect(may('owner', 'kms:Sign')).toBe(true);
    expect(may('schedule', 'vault:Lock')).toBe(true);
    expect(may('schedule', 'kms:Decrypt')).toBe(false);
    for (const kind of ['nobody', '__proto__', 'constructor', '']) expect(may(kind, 'vault:Status')).toBe(false);
  });
});

describe('matches', () => {
  it('agrees with a regular expression of the same meaning', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '/'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '/', '*'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        const meaning = new RegExp(`^${p.replaceAll('*', '.*')}$`, 's');
        expect(matches(p, t)).toBe(meaning.test(t));
      }),
      { numRuns: 5000 },
    );
  });
});

/** An independent evaluator: the truth table of AWS's evaluation logic, written as sets. */
describe('against an independent evaluator', () => {
  const words = ['kms:Sign', 'kms:Decrypt', 'vault:Lock'];
  const statement = fc.record({ sid: fc.constant('s'), effect: fc.constantFrom('Allow' as const, 'Deny' as const), actions: fc.subarray(words), principals: fc.subarray(['owner', 'guest']) });
  it('gives the same answer', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 5 }), fc.array(statement, { maxLength: 5 }), fc.constantFrom(...words), fc.constantFrom('owner', 'guest'), (own, resource, action, principal) => {
        const hits = [...own, ...resource].filter((s) => new Set(s.actions).has(action) && new Set(s.principals).has(principal));
        const expected = hits.length > 0 && hits.every(({ effect }) => effect === 'Allow');
        expect(decide({ principal, action }, { principal: { id: 'a', statements: own }, resource: { id: 'b', statements: resource } }).allowed).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
