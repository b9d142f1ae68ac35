/** Tokens that join, leave, go and come back while keys are made and deleted: what a cluster plans against what the tokens then hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connected, failed, isDue, judge, nextOf, waitAfter, type Health } from '../../src/main/hardware/health.ts';
import { planLevel, type Standing } from '../../src/main/hardware/level-plan.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant } from '../../src/shared/model/ids.ts';

interface Token {
  readonly name: string;
  up: boolean;
  readonly holds: Set<string>;
  readonly reachedFrom: string[];
}

/** Tokens as they are; what a cluster knows is `keys` and `gone`. */
class World {
  readonly tokens: Token[] = [{ name: 't0', up: true, holds: new Set(), reachedFrom: [] }];
  readonly keys = new Set<string>();
  gone: string[] = [];
  made = 0;

  standings(): Standing[] {
    return this.tokens.map(({ name, up, holds, reachedFrom }) => ({ token: name, connected: up, holds: up ? new Set(holds) : new Set(), reachedFrom: [...reachedFrom] }));
  }

  /** Runs at most `most` steps, as a process that is killed then. */
  level(most = Infinity): void {
    const { steps, left } = planLevel([...this.keys], this.gone, this.standings());
    const at = (name: string): Token => this.tokens.find((token) => token.name === name) as Token;
    for (const step of steps.slice(0, most)) {
      if (step.act === 'remove') {
        // INVARIANT: nothing is removed that was not deleted.
        expect(this.keys.has(step.key)).toBe(false);
        expect(at(step.at).holds.delete(step.key)).toBe(true);
        continue;
      }
      expect([at(step.from).holds.has(step.key), at(step.to).holds.has(step.key), at(step.to).reachedFrom.includes(step.from), at(step.to).up, at(step.from).up]).toEqual([true, false, true, true, true]);
      at(step.to).holds.add(step.key);
    }
    if (most < steps.length) return;
    // Whoever answers holds every key, but those that are named as left.
    for (const { name, up, holds } of this.tokens) {
      const without = left.filter((one) => one.token === name).map((one) => one.key);
      if (!up) expect(without).toEqual([undefined]);
      else expect([...this.keys].filter((key) => !holds.has(key)).sort()).toEqual(without.map((key) => key ?? '').sort());
    }
    if (this.tokens.every(({ up }) => up)) this.gone = [];
  }
}

const act = fc.oneof(
  fc.record({ do: fc.constant('create' as const), on: fc.nat() }),
  fc.record({ do: fc.constant('delete' as const), key: fc.nat() }),
  fc.record({ do: fc.constant('join' as const), through: fc.nat() }),
  fc.record({ do: fc.constant('leave' as const), token: fc.nat() }),
  fc.record({ do: fc.constant('pull' as const), token: fc.nat() }),
  fc.record({ do: fc.constant('put' as const), token: fc.nat() }),
  fc.record({ do: fc.constant('level' as const), most: fc.option(fc.nat({ max: 4 }), { nil: undefined }) }),
);

describe('a cluster that is brought level', () => {
  it('holds every key in every token that answers, removes deleted keys only, and goes on after it was cut off', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const world = new World();
        const { tokens, keys } = world;
        const pick = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)];
        for (const one of acts) {
          if (one.do === 'create') {
            const token = pick(tokens.filter(({ up }) => up), one.on);
            if (token) {
              const key = `k${String((world.made += 1))}`;
              keys.add(key);
              token.holds.add(key);
            }
          } else if (one.do === 'delete') {
            const key = pick([...keys], one.key);
            if (key !== undefined && keys.delete(key)) world.gone.push(key);
          } else if (one.do === 'join') {
            const through = pick(tokens.filter(({ up }) => up), one.through);
            if (!through || tokens.length >= 5) continue;
            const name = `t${String(tokens.length)}-${String((world.made += 1))}`;
            // Its wrapping key goes to those that answer; theirs comes from one.
            for (const other of tokens) if (other.up) other.reachedFrom.push(name);
            tokens.push({ name, up: true, holds: new Set(), reachedFrom: [through.name] });
          } else if (one.do === 'leave') {
            const token = pick(tokens, one.token);
            const others = tokens.filter((other) => other !== token && other.up);
            if (token && others.length > 0 && [...keys].every((key) => others.some(({ holds }) => holds.has(key)))) tokens.splice(tokens.indexOf(token), 1);
          } else if (one.do === 'level') world.level(one.most);
          else {
            const token = pick(tokens, one.token);
            if (token) token.up = one.do === 'put';
          }
          // No act loses a key.
          for (const key of keys) expect(tokens.some(({ holds }) => holds.has(key))).toBe(true);
        }
        for (const token of tokens) token.up = true;
        world.level(1);
        world.level();
        expect(tokens.flatMap(({ holds }) => [...holds]).every((key) => keys.has(key))).toBe(true);
        // One after the other, each further token joined through one that is there: with nobody gone, all are reached.
        if (tokens.every(({ reachedFrom }, at) => at === 0 || tokens.slice(0, at).some(({ name }) => reachedFrom.includes(name))) && tokens.slice(1).every(({ name }, at) => tokens[at]?.reachedFrom.includes(name) === true)) {
          for (const { holds } of tokens) expect([...holds].sort()).toEqual([...keys].sort());
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a token’s health', () => {
  const error = { error: 'CLUSTER_NOT_FOUND' as const, message: 'gone', waits: false };

  it('fails since the first failure, waits twice as long after each, a minute at most, and is whole after one success', () => {
    let health: Health = connected(undefined, instant(0));
    let at = 1000;
    for (let tries = 1; tries <= 20; tries += 1) {
      health = failed(health, instant(at), error);
      expect(health).toMatchObject({ state: 'failing', since: 1000, tries, nextTry: at + Math.min(60_000, 1000 * 2 ** (tries - 1)) });
      expect([isDue(health, instant(at + waitAfter(tries) - 1)), isDue(health, instant(at + waitAfter(tries)))]).toEqual([false, true]);
      at += waitAfter(tries);
    }
    expect(connected(health, instant(at))).toEqual({ state: 'connected', since: at });
  });

  it('waits for a PIN for ever', () => {
    expect(isDue(failed(undefined, instant(0), { ...error, waits: true }), instant(Number.MAX_SAFE_INTEGER))).toBe(false);
  });

  it('gives each request to one that answers and has least to do, and never twice to one', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ up: fc.boolean(), inFlight: fc.nat({ max: 3 }) }), { maxLength: 6 }), fc.nat({ max: 50 }), (given, turn) => {
        const members = given.map(({ up, inFlight }) => ({ inFlight, health: up ? connected(undefined, instant(0)) : failed(undefined, instant(0), error) }));
        const tried = new Set<(typeof members)[number]>();
        for (let next = nextOf(members, tried, turn); next; next = nextOf(members, tried, turn)) {
          const { inFlight } = next;
          expect([tried.has(next), next.health.state, members.some((other) => !tried.has(other) && other.health.state === 'connected' && other.inFlight < inFlight)]).toEqual([false, 'connected', false]);
          tried.add(next);
        }
        expect(tried.size).toBe(given.filter(({ up }) => up).length);
      }),
    );
  });

  it('is judged by what the token says: the caller’s own mistakes go to no other token', () => {
    expect((['ValidationException', 'InvalidKeyUsageException', 'UnsupportedOperationException', 'VaultLockedException'] as const).map((code) => judge(new VaultError(code, 'x')))).toEqual(['answer', 'answer', 'answer', 'answer']);
    expect((['KMSInternalException', 'KeyUnavailableException', 'ThrottlingException', 'InvalidCiphertextException'] as const).map((code) => judge(new VaultError(code, 'x')))).toEqual(['failed', 'lacks', 'busy', 'doubt']);
    expect(judge(new Error('x'))).toBe('answer');
  });
});
