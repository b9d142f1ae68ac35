/** Which key on a token is this vault's own, what levelling may take off a token, and which join comes to nothing. */
import { expect, it } from 'vitest';
import { textIn } from '../../../src/main/backends/pkcs11/templates.ts';
import type { Stated } from '../../../src/main/backends/pkcs11/protocol.ts';
import { withJoined, type Joined } from '../../../src/main/hardware/join.ts';
import type { ClusterRecord, MemberRecord } from '../../../src/main/hardware/kinds.ts';
import { planLevel } from '../../../src/main/hardware/level-plan.ts';
import { isOwnTokenKey, newTokenKeyId } from '../../../src/main/hardware/token-names.ts';

const VAULT = '3cd196208bf1e487b9714103400339a3';
const KEY = '56be93d0-af98-4fc4-8ba7-fd636e45000a';
const RANDOM = '0123456789abcdef';
const guarded: Stated = { sensitive: true, extractable: false, alwaysSensitive: true, neverExtractable: true, local: true };
const clustered: Stated = { sensitive: true, extractable: true, trustedOnly: true, local: false };

it('knows a key that the vault made by its id, its label and what the token says of it', () => {
  const id = newTokenKeyId(VAULT, KEY, RANDOM);
  expect(isOwnTokenKey(VAULT, { id, label: KEY, stated: guarded })).toBe(true);
  expect(isOwnTokenKey(VAULT, { id, label: KEY, stated: clustered })).toBe(true);
  expect(isOwnTokenKey('00'.repeat(16), { id, label: KEY, stated: guarded })).toBe(false);
  expect(isOwnTokenKey(VAULT, { id: id.replace(/.$/, (last) => (last === '0' ? '1' : '0')), label: KEY, stated: guarded })).toBe(false);
});

it('takes for its own no key that somebody wrote there, whatever its id', () => {
  const id = newTokenKeyId(VAULT, KEY, RANDOM);
  for (const stated of [{ ...guarded, local: false }, { ...guarded, alwaysSensitive: false }, { ...guarded, sensitive: false }, { ...guarded, extractable: true }, {}]) expect(isOwnTokenKey(VAULT, { id, label: KEY, stated }), JSON.stringify(stated)).toBe(false);
  for (const label of ['x', '', `${KEY}x`, 'mrk-x', '../etc']) expect(isOwnTokenKey(VAULT, { id: newTokenKeyId(VAULT, label, RANDOM), label, stated: guarded }), label).toBe(false);
});

it('takes off a token what was deleted, and not what was adopted since', () => {
  const at = { token: 'one', connected: true, holds: new Set(['a', 'b']), reachedFrom: [] };
  expect(planLevel(['a'], ['a', 'b'], [at]).steps).toEqual([{ act: 'remove', key: 'b', at: 'one' }]);
});

it('lets nothing come of a join while which a member left that has the newcomer’s wrapping key', () => {
  const member = (wrapper: string): MemberRecord => ({ serial: wrapper, label: wrapper, module: 'm', wrapper, opens: [], transport: { id: wrapper, modulus: '', exponent: '' } }) as unknown as MemberRecord;
  const cluster: ClusterRecord = { members: [member('one'), member('two')], mechanism: 1, specs: [], gone: [] };
  const joined: Joined = { host: undefined, guest: { ...member('three'), opens: ['one'] }, reached: ['one', 'two'], mechanism: 1, specs: [] };
  expect(withJoined(cluster, joined)?.members.map(({ wrapper }) => wrapper)).toEqual(['one', 'two', 'three']);
  expect(withJoined({ ...cluster, members: [member('one')] }, joined)).toBeUndefined();
  expect(withJoined({ ...cluster, members: [member('two')] }, { ...joined, reached: ['two'] })).toBeUndefined();
});

it('shows nothing of a label that would be obeyed', () => {
  expect(textIn(Buffer.from('a\u202etxet\u009b2J\n'))).toBe('a\ufffdtxet\ufffd2J\ufffd');
});
