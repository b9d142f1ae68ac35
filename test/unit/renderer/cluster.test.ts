/** A key store that spans several tokens, in words. */
import { describe, expect, it } from 'vitest';
import { askedFor, tokensFor } from '../../../src/renderer/hardware/connect.ts';
import type { Token } from '../../../src/renderer/hardware/data.ts';
import { insistsAfter, wrongPin } from '../../../src/renderer/hardware/span-tries.ts';
import { clusterSaid, leaveWords, leftWords, memberNext, memberState, unleavable, unsealable, type Member } from '../../../src/renderer/hardware/cluster-words.ts';

const member = (more: Partial<Member> = {}): Member => ({ CloudHsmClusterId: 'cluster-a', Serial: '1', Label: 'one', Module: '/m.so', JoinedDate: 0, Health: 'connected', InFlight: 0, Answered: 0, FailedOver: 0, Keys: 3, Missing: 0, Deleted: 0, ReachedFrom: [], ...more });

describe('a token of a cluster', () => {
  it('is connected only where it holds what it should, and nothing else', () => {
    expect(memberState(member())).toEqual(['Connected', 'ok']);
    expect(memberState(member({ Missing: 1 }))).toEqual(['Behind', 'warn']);
    expect(memberState(member({ Deleted: 1 }))).toEqual(['Behind', 'warn']);
    expect(memberState(member({ Health: 'failing', Failure: 'CLUSTER_NOT_FOUND' }))).toEqual(['Token missing', 'danger']);
    expect(memberState(member({ Health: 'failing', Failure: 'INVALID_CREDENTIALS' }))).toEqual(['PIN needed', 'warn']);
    expect(memberState(member({ Health: 'failing' }))).toEqual(['The module stopped', 'danger']);
    expect(memberState(member({ Health: 'disconnected', Missing: 1 }))).toEqual(['Not connected', 'plain']);
  });
  it('says that others serve only where one does', () => {
    const gone = member({ Health: 'failing', Failure: 'CLUSTER_NOT_FOUND' });
    expect(memberNext(gone, [gone, member()])).toContain('Requests go to the others');
    expect(memberNext(gone, [gone, member({ Health: 'disconnected' })])).toContain('cannot be used now');
    expect(memberNext(member(), [member()])).toBeUndefined();
    expect(memberNext(member({ Missing: 2 }), [])).toContain('Bring the cluster level');
  });
});

describe('a cluster', () => {
  it('counts those that answer, and claims the seal only where it is', () => {
    expect(clusterSaid({ State: 'open', Members: [member(), member({ Health: 'failing' })] })).toBe('1 of 2 tokens answer');
    expect(clusterSaid({ State: 'sealed', Members: [member(), member()] })).toBe('2 of 2 tokens answer; no token can join');
  });
  it('is not offered to be sealed while a token is away or behind', () => {
    expect(unsealable([member(), member()])).toBeUndefined();
    expect(unsealable([member({ Health: 'failing' }), member({ Missing: 1 })])).toContain('one does not answer');
    expect(unsealable([member(), member({ Label: 'two', Missing: 1 })])).toContain('two is behind');
    expect(unsealable([member(), member({ Label: 'two', Deleted: 1 })])).toContain('two is behind');
  });
});

describe('a token that leaves', () => {
  const two = member({ CloudHsmClusterId: 'cluster-b', Label: 'two' });
  it('is not let go where it may hold what no other has', () => {
    expect(unleavable({ Members: [two] }, two)).toContain('only token');
    expect(unleavable({ Members: [member({ Health: 'failing' }), two] }, two)).toContain('No other token answers');
    expect(unleavable({ Members: [member({ Missing: 2 }), two] }, two)).toContain('Bring the cluster level');
    expect(unleavable({ Members: [member(), two] }, two)).toBeUndefined();
    // One that is away can go: what the others hold is what counts.
    expect(unleavable({ Members: [member(), member({ CloudHsmClusterId: 'cluster-b', Health: 'failing' })] }, two)).toBeUndefined();
  });
  it('is said to keep its keys, and to open later copies where it is away', () => {
    for (const State of ['open', 'sealed'] as const) {
      for (const leaving of [two, { ...two, Health: 'failing' as const, Keys: undefined }]) {
        const words = leaveWords({ Members: [member(), leaving], State }, leaving).join(' ');
        expect(words).toMatch(/stay on it/);
        expect(words.includes('It is asked now to delete')).toBe(leaving.Health === 'connected');
        expect(words.includes('could open that there')).toBe(leaving.Health === 'failing');
        expect(words.includes('extractable')).toBe(State === 'open');
        expect(words.includes('does not answer')).toBe(leaving.Health === 'failing');
        expect(words).toContain('in one token then');
      }
    }
    // An attempt: nothing is claimed of a token before it has answered.
    expect(leaveWords({ Members: [member(), two], State: 'open' }, two).join(' ')).not.toContain('is taken off');
    expect(leaveWords({ Members: [member(), member(), two], State: 'open' }, two).join(' ')).not.toContain('in one token');
  });
});

describe('what was not removed when a token left', () => {
  const two = member({ CloudHsmClusterId: 'cluster-b', Label: 'two' });
  const left = (more: object) => ({ CloudHsmClusterId: 'cluster-b', Token: 'two', Id: 'aa', Label: 'keystead', Kind: 'copyOfWrappingKey' as const, Reason: 'token `two` failed', ...more });
  it('is said of the token that has it, with what it can still open only where that is so', () => {
    expect(leftWords([], two)).toEqual([]);
    expect(leftWords([left({})], two)).toEqual([expect.stringMatching(/^two keeps wrapping keys.*Erase it/), 'What was said: token two failed.']);
    expect(leftWords([left({ Kind: 'transportKey' })], two)[0]).toMatch(/^two keeps 1 object/);
    expect(leftWords([left({ CloudHsmClusterId: 'cluster-a', Token: 'one', Kind: 'publicTransportKey' })], two)).toEqual([expect.stringMatching(/^one still trusts its keys/), expect.anything()]);
  });
});

describe('a last try when a token joins', () => {
  const tokens = { guest: 'cluster-b', host: 'cluster-a' };
  const last = (pin: string, token: string) => ({ code: 'PinLockedException' as const, details: { pin, token, tries: 'last' } });
  it('is insisted on for each officer that it was said of, until a PIN was wrong', () => {
    const host = insistsAfter([], last('securityOfficer', 'cluster-a'), tokens);
    expect(host).toEqual(['host']);
    expect(insistsAfter(host, last('securityOfficer', 'cluster-b'), tokens)).toEqual(['guest', 'host']);
    expect(insistsAfter(host, { code: 'IncorrectPinException', details: { pin: 'securityOfficer', token: 'cluster-a', tries: 'last' } }, tokens)).toEqual([]);
    expect(insistsAfter(host, { code: 'PinLockedException', details: { pin: 'securityOfficer', token: 'cluster-a', tries: 'locked' } }, tokens)).toEqual([]);
  });
  it('of a user’s PIN is no officer’s', () => {
    expect(insistsAfter([], last('user', 'cluster-b'), tokens)).toEqual([]);
    expect(wrongPin(last('user', 'cluster-b'), tokens)).toBe('user');
    expect(wrongPin(last('securityOfficer', 'cluster-a'), tokens)).toBe('host');
    expect(wrongPin({}, tokens)).toBeUndefined();
  });
});

describe('a key store whose first token is away', () => {
  const token = (CloudHsmClusterId: string, more: Partial<Token> = {}): Token => ({ CloudHsmClusterId, Label: CloudHsmClusterId, LoggedIn: false, PinSet: true, PinState: 'ok', ...more }) as Token;
  it('asks for another token’s PIN only where its own is not there or takes none', () => {
    const [own, other] = [token('a'), token('b')];
    const failed = (code: 'KMSInvalidStateException' | 'CustomKeyStoreInvalidStateException' | 'KeyUnavailableException' | 'PinLockedException') => ({ is: 'failed', error: { code, message: 'x' } }) as const;
    expect(askedFor({ is: 'pin' }, { own, other })).toBe(own);
    expect(askedFor({ is: 'pin' }, { own: undefined, other })).toBe(other);
    expect(askedFor({ is: 'pin' }, { own: token('a', { PinState: 'locked' }), other })).toBe(other);
    for (const code of ['KMSInvalidStateException', 'CustomKeyStoreInvalidStateException'] as const) expect(askedFor(failed(code), { own, other })).toBeUndefined();
    for (const code of ['KeyUnavailableException', 'PinLockedException'] as const) expect(askedFor(failed(code), { own, other })).toBe(other);
  });
  it('is connected through another of its tokens that waits for its PIN, and through no stranger', () => {
    expect(tokensFor('a', ['a', 'b'], [token('b'), token('c')])).toMatchObject({ own: undefined, other: { Label: 'b' } });
    expect(tokensFor('a', ['a'], [token('b')])).toEqual({ own: undefined, other: undefined });
    expect(tokensFor('a', ['a', 'b'], [token('a'), token('b', { PinState: 'locked' })])).toMatchObject({ own: { Label: 'a' }, other: undefined });
    expect(tokensFor(undefined, [], [{ ...token('a'), CloudHsmClusterId: undefined }])).toEqual({ own: undefined, other: undefined });
  });
});
