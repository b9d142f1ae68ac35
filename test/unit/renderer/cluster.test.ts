/** A key store that spans several tokens, in words. */
import { describe, expect, it } from 'vitest';
import { clusterSaid, memberNext, memberState, unsealable, type Member } from '../../../src/renderer/hardware/cluster-words.ts';

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
