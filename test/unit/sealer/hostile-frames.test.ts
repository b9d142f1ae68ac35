/** A sealer that is sent anything at all answers with an error, and works afterwards. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { METHODS, decodeMessage, encodeRequest } from '../../../src/main/seal/wire.ts';
import { createSealerHost } from '../../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../../fakes/fixed-random.ts';
import { RECOVERY, VAULT_ID } from './vault-fixture.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function host() {
  const answers: { id: number; kind: string; body: unknown }[] = [];
  const { receive, wipe } = createSealerHost({ random: fixedRandom('host'), send: (frame) => void answers.push(decodeMessage(frame, () => 'copies')) });
  receive(encodeRequest(1, 'createHeader', { vaultId: VAULT_ID, slots: [RECOVERY] }));
  for (let i = 0; i < 100 && answers.length === 0; i += 1) await settle();
  expect(answers.pop()).toMatchObject({ id: 1, kind: 'reply' });
  return { answers, receive, wipe };
}

const anything = fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.integer(), fc.boolean(), fc.string(), fc.constant([]), fc.constant({}), fc.constant(undefined));
const fields = ['header', 'cost', 'slot', 'slots', 'slotId', 'type', 'factors', 'rows', 'packed', 'changes', 'stateBody', 'stateRowVersion', 'headerHash', 'rowId', 'key', 'keyId', 'algorithm', 'plaintext', 'ciphertext', 'context', 'message', 'digest', 'length', 'value', 'table', 'epoch', 'publicKey', 'spec', 'signature', 'payload', 'segment', 'bytes', 'keyBlock', 'vaultId', 'purpose', 'mac', 'materialId'];

describe('hostile frames', () => {
  it('are answered with an error, 20,000 of them', async () => {
    const { answers, receive } = await host();
    const valid = encodeRequest(5, 'blind', { table: 'keys', value: 'x' });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(valid.byteLength), (noise, cut) => {
        receive(Uint8Array.from([...valid.subarray(0, cut), ...noise]));
      }),
      { numRuns: 20_000 },
    );
    await settle();
    expect(answers.length).toBeGreaterThan(19_000);
    expect(answers.filter(({ kind, body }) => kind !== 'error' && !(kind === 'reply' && 'blind' in (body as object)) && kind !== 'wiped')).toEqual([]);
  });

  it('and requests of the wrong shape, for every call', async () => {
    const { answers, receive } = await host();
    const requests = fc.record({ method: fc.constantFrom(...METHODS.filter((method) => method !== 'measureKdf')), body: fc.dictionary(fc.constantFrom(...fields), anything, { maxKeys: 6, noNullPrototype: true }) });
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(requests, async ({ method, body }) => {
        sent += 1;
        receive(encodeRequest(sent, method, body as never));
        for (let i = 0; i < 1000 && !answers.some(({ id }) => id === sent); i += 1) await settle();
        const answer = answers.find(({ id }) => id === sent);
        answers.length = 0;
        expect(answer).toBeDefined();
      }),
      { numRuns: 5000 },
    );
    receive(encodeRequest(7, 'blind', { table: 'keys', value: 'x' }));
    expect(answers.pop()).toMatchObject({ id: 7, kind: 'reply' });
  });

  it('never make an error quote what it failed on', async () => {
    const { answers, receive } = await host();
    const secret = new TextEncoder().encode('zebra quartz oxide lagoon');
    for (const method of METHODS) {
      receive(encodeRequest(9, method, { header: secret, factors: { password: secret, code: secret }, type: 'recovery', ramBytes: 1, plaintext: secret, rows: [{ body: secret, rowId: secret }], slot: { type: 'password', factors: { password: secret } } } as never));
      await settle();
    }
    expect(answers.length).toBeGreaterThan(30);
    expect(JSON.stringify(answers)).not.toMatch(/zebra|quartz|oxide|lagoon/);
  });

  it('do not undo a wipe', async () => {
    const { answers, receive, wipe } = await host();
    wipe();
    receive(encodeRequest(3, 'blind', { table: 'keys', value: 'x' }));
    receive(encodeRequest(4, 'createHeader', { vaultId: VAULT_ID, slots: [RECOVERY] }));
    await settle();
    expect(answers).toMatchObject([{ id: 3, kind: 'error', body: { code: 'VaultLockedException' } }, { id: 4, kind: 'error', body: { code: 'InternalException' } }]);
  });
});

it('a key that was being made when the vault was locked does not come out', async () => {
  const { answers, receive, wipe } = await host();
  receive(encodeRequest(8, 'generateMaterial', { rowId: VAULT_ID, spec: 'RSA_2048', keyId: 'k', materialId: new Uint8Array(8), purpose: 'kms' }));
  wipe();
  await vi.waitFor(() => { expect(answers).toHaveLength(1); }, { timeout: 20_000 });
  expect(answers).toMatchObject([{ id: 8, kind: 'error', body: { code: 'VaultLockedException' } }]);
});

it('requests are wiped once they are answered', async () => {
  const { receive } = await host();
  const frame = encodeRequest(3, 'blind', { table: 'keys', value: 'x' });
  receive(frame);
  expect(frame.every((byte) => byte === 0)).toBe(true);
});
