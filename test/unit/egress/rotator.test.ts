/** The rotations' port: what it orders of the process, and what it makes of its answers. */
import { describe, expect, it } from 'vitest';
import type { EgressAnswer, EgressOrder, Values } from '../../../src/main/egress/port.ts';
import { decodeToChild, encodeOrder } from '../../../src/main/egress/protocol.ts';
import { createRotator } from '../../../src/main/egress/rotator.ts';
import type { RotatorRequest, RotatorTarget } from '../../../src/main/secrets/rotator-port.ts';
import type { Arn } from '../../../src/shared/model/ids.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf' as Arn;
const secret = (value: object): SecretBytes => SecretBytes.copy(Buffer.from(JSON.stringify(value)));
const { signal } = new AbortController();

function setUp(answer: EgressAnswer = { ok: true, notes: [], connections: [] }) {
  const orders: { readonly order: EgressOrder; readonly roles: string[] }[] = [];
  let open = 0;
  const rotator = createRotator({
    egress: {
      open() {
        open += 1;
        return {
          async run(order: EgressOrder, values: Values) {
            orders.push({ order, roles: Object.keys(values) });
            // What the process would refuse as no message is no order.
            expect(decodeToChild(encodeOrder(order, {}))?.message).toEqual({ kind: 'order', order, lengths: {} });
            return answer;
          },
          async close() { open -= 1; },
        };
      },
      begin: () => undefined,
      endAll: async () => undefined,
    },
    // More members than an order has, as a record of the store does.
    command: (name) => (name === 'mine' ? Object.assign({ path: '/p', args: ['-x'], sha256: 'a'.repeat(64) }, { name }) : undefined),
    endpoint: () => 'https://127.0.0.1:5998',
  });
  const request = (target: RotatorTarget): RotatorRequest => ({ target, secretArn: ARN, token: 't'.repeat(32), current: secret({ host: 'DB', port: '6000', password: 'x' }), pending: secret({}), master: secret({}), signal });
  return { rotator, orders, request, open: () => open };
}

describe('the rotator', () => {
  it('allows the host that the current value names, and the owner’s', async () => {
    const { rotator, orders, request, open } = setUp();
    await rotator.set(request({ kind: 'mysql', strategy: 'single', hosts: ['other', 'third:1'] }));
    expect(orders[0]).toMatchObject({ order: { kind: 'database', action: 'set', engine: 'mysql', allow: ['db:6000', 'other:3306', 'third:1'] }, roles: ['current', 'pending', 'master'] });
    await rotator.set({ ...request({ kind: 'mysql', strategy: 'single' }), anew: true });
    expect(orders.pop()).toMatchObject({ order: { action: 'set', anew: true } });
    const { pending: _pending, token: _token, ...checked } = request({ kind: 'redis', strategy: 'alternating' });
    await rotator.check({ ...checked, current: SecretBytes.copy(Buffer.from('no JSON')) });
    expect(orders[1]).toMatchObject({ order: { action: 'probe', strategy: 'alternating', allow: [] }, roles: ['current', 'master'] });
    expect(open()).toBe(0);
  });

  it('finishes where something is left to finish', async () => {
    const { rotator, orders, request } = setUp();
    expect(await rotator.finish(request({ kind: 'postgres', strategy: 'single' }))).toEqual({ ok: true, connections: [] });
    expect(orders).toEqual([]);
    await rotator.finish(request({ kind: 'redis', strategy: 'single' }));
    expect(orders).toMatchObject([{ order: { action: 'finish' } }]);
  });

  it('says when a change may still come', async () => {
    const { rotator, request } = setUp({ ok: false, failure: { code: 'timed-out', message: 'words', place: 'run', retry: true, uncertain: true }, connections: [] });
    expect(await rotator.set(request({ kind: 'postgres', strategy: 'single' }))).toMatchObject({ failure: { code: 'timed-out', uncertain: true } });
  });

  it('calls an allowed command or a function with the event, and no other', async () => {
    const { rotator, orders, request } = setUp();
    const event = { Step: 'testSecret', SecretId: ARN, ClientRequestToken: 't'.repeat(32) };
    await rotator.invoke('testSecret', request({ kind: 'command', strategy: 'single', command: 'mine' }));
    expect(orders[0]).toMatchObject({ order: { kind: 'command', path: '/p', args: ['-x'], sha256: 'a'.repeat(64), endpoint: 'https://127.0.0.1:5998', event }, roles: [] });
    await rotator.invoke('testSecret', request({ kind: 'lambda', strategy: 'single', url: 'https://Fn.example/2015-03-31/functions/function/invocations', ca: 'pem' }));
    expect(orders[1]).toMatchObject({ order: { kind: 'lambda', url: 'https://fn.example/2015-03-31/functions/function/invocations', allow: ['fn.example:443'], ca: 'pem', event }, roles: [] });
    for (const target of [{ kind: 'command', strategy: 'single', command: 'other' }, { kind: 'command', strategy: 'single' }, { kind: 'lambda', strategy: 'single', url: 'x' }, { kind: 'redis', strategy: 'single' }] as const) expect(await rotator.invoke('testSecret', request(target))).toMatchObject({ ok: false });
    expect(orders).toHaveLength(2);
  });

  it('names a failure by the server’s code, and rejects for its own process only', async () => {
    const failing = (code: 'rights-missing' | 'stopped' | 'cancelled') => {
      const { rotator, request } = setUp({ ok: false, failure: { code, message: 'words', place: 'change', detail: '42501', retry: false, uncertain: false }, connections: [{ host: 'db', port: 1, tls: 'TLSv1.3', ms: 2 }, { host: 'db', port: 1, tls: 'none', ms: 3 }] });
      return rotator.test(request({ kind: 'postgres', strategy: 'single' }));
    };
    expect(await failing('rights-missing')).toEqual({ ok: false, failure: { code: '42501', message: 'words' }, connections: [{ host: 'db', port: 1, tls: true, ms: 2 }, { host: 'db', port: 1, tls: false, ms: 3 }] });
    await expect(failing('stopped')).rejects.toMatchObject({ code: 'InternalException' });
    await expect(failing('cancelled')).rejects.toMatchObject({ code: 'CancelledException' });
  });
});
