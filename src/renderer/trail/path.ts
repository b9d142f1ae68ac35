/** The way of a request through what may stop it, read from what was recorded of it. Pure. */
import type { TrailEvent } from '../keys/data.ts';
import { doorWords } from './words.tsx';

/** `notReached`: something before it stopped the request. `notAsked`: nothing asked for it. */
export type GateState = 'ok' | 'stopped' | 'notReached' | 'notAsked';

export interface Gate {
  readonly name: string;
  readonly state: GateState;
  /** One sentence without its full stop. */
  readonly about: string;
}

const RULES: Readonly<Record<string, string>> = {
  'door-offers-operation': 'This door does not offer the operation',
  'vault-is-absent': 'There was no vault yet',
  'vault-exists': 'There was a vault already',
  'trail-is-broken': 'The trail was broken',
  'vault-is-locked': 'The vault was locked',
  'vault-is-read-only': 'The vault was open for reading only',
  'recovery-code-was-used': 'The recovery code was used and not yet replaced',
  'rate': 'Too many requests in a short time',
};

const statementWords = (at: string): string => {
  const [policy = '', statement] = at.split('/');
  return statement === undefined ? `Policy ${policy}` : `Statement ${statement} of policy ${policy}`;
};

const POLICY: Readonly<Record<string, (at: string) => Pick<Gate, 'state' | 'about'>>> = {
  'allowed': (at) => ({ state: 'ok', about: `${statementWords(at)} allows it` }),
  'denied': (at) => ({ state: 'stopped', about: `${statementWords(at)} denies it` }),
  'nothing-allows': () => ({ state: 'stopped', about: 'No policy allows it' }),
  'policy-error': () => ({ state: 'stopped', about: 'A policy could not be read, so it denies' }),
};

const reasonsOf = ({ Note }: TrailEvent): readonly (readonly [kind: string, rest: string])[] =>
  (Note?.split(', ') ?? []).map((reason) => {
    const [kind = '', rest = ''] = reason.split(/:(.*)/s);
    return [kind, rest] as const;
  });

export interface Change {
  readonly setting: string;
  /** SHA-256 in hex; undefined: there was, or is, none. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** What is too long to be recorded and was changed, by its digests; of a request that was done only. */
export function changesOf(event: TrailEvent): readonly Change[] {
  if (event.Result !== 'ok') return [];
  const shown = (digest: string | undefined): string | undefined => (digest === 'none' ? undefined : digest);
  return reasonsOf(event).flatMap(([kind, rest]) => {
    const [setting = '', from, to] = rest.split(':');
    return kind === 'changed' ? [{ setting, from: shown(from), to: shown(to) }] : [];
  });
}

/**
 * Undefined for a record that is not the end of a request. `done`: the operation in words ("decrypt with billing-pii").
 * A reason that is not known here leaves its gate as if it had not been asked: `Note` is still shown as it was recorded.
 */
export function gatesOf(event: TrailEvent, done: string): readonly Gate[] | undefined {
  if (event.Kind !== 'outcome' || event.Result === undefined) return undefined;
  const reasons = reasonsOf(event);
  const of = (...kinds: readonly string[]): readonly [kind: string, rest: string] | undefined => reasons.findLast(([kind]) => kinds.includes(kind));
  const rule = of('rule');
  const policy = of(...Object.keys(POLICY));
  const approval = of('approved', 'not-approved');
  const wellFormed = policy !== undefined || rule !== undefined || event.Result === 'ok';

  const gates: Gate[] = [{ name: 'Door and identity', state: 'ok', about: `${doorWords(event.Door)}${event.Principal === undefined ? '' : `, as ${event.Principal}`}` }];
  const isStopped = (): boolean => gates.some(({ state }) => state === 'stopped');
  const add = (name: string, gate: Pick<Gate, 'state' | 'about'>): void => {
    gates.push(isStopped() ? { name, state: 'notReached', about: 'Not reached' } : { name, ...gate });
  };
  add('Request rules', rule ? { state: 'stopped', about: RULES[rule[1]] ?? `Rule ${rule[1]} stops it` } : { state: 'ok', about: 'None stops it' });
  if (!wellFormed) add('Form of the request', { state: 'stopped', about: 'What was given does not fit the operation, or names nothing that is here' });
  add('Policy', policy ? (POLICY[policy[0]]?.(policy[1]) ?? { state: 'notAsked', about: 'Not asked' }) : { state: 'notAsked', about: 'Not asked' });
  if (approval) add('Approval', approval[0] === 'approved' ? { state: 'ok', about: `Given, as rule ${approval[1]} asks` } : { state: 'stopped', about: `Not given, as rule ${approval[1]} asks` });
  if (isStopped()) gates.push({ name: done, state: 'notReached', about: 'Not reached, so nothing was done' });
  else gates.push(event.Result === 'ok' ? { name: done, state: 'ok', about: 'Done' } : { name: done, state: 'stopped', about: `It could not be done: ${event.Error ?? 'failed'}` });
  return gates;
}
