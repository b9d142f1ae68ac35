/**
 * The algebra of slots against a model: after any sequence of adding, retiring, replacing, compromising and restarting, exactly the
 * factors of the slots that are left open the vault, and the records are readable.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type * as kdf from '../../src/main/crypto/kdf.ts';
import type { Factors, NewSlot, Sealer, SlotType } from '../../src/main/seal/protocol.ts';
import { createSealer } from '../../src/main/sealer/sealer.ts';
import { fixedRandom } from '../fakes/fixed-random.ts';
import { MOMENT, RAM, VAULT_ID, packed, rowId, sha256, text } from '../unit/sealer/vault-fixture.ts';

// Argon2id itself is tested elsewhere; at its floor it would take a minute here.
vi.mock('../../src/main/crypto/kdf.ts', async (original) => ({
  ...(await original<typeof kdf>()),
  argon2id: (password: Uint8Array, salt: Uint8Array) => Promise.resolve(new Uint8Array(createHash('sha256').update(salt).update(password).digest())),
}));

interface ModelSlot {
  readonly slotId: string;
  readonly type: SlotType;
  readonly factors: Factors;
}
interface Model {
  slots: ModelSlot[];
  /** Slots that were removed or replaced. */
  gone: ModelSlot[];
}
interface Real {
  sealer: Sealer;
  header: Uint8Array;
  stateBody: Uint8Array;
  version: number;
  row: Uint8Array;
  restarts: number;
}

type Draft = { readonly type: 'password' | 'recovery' | 'keychain'; readonly secret: number; readonly device: boolean };
const KDF = { memory: 64 * 1024, passes: 3, lanes: 1 };
const device = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const factorsOf = (draft: Draft): Factors => {
  if (draft.type === 'keychain') return { device: device(draft.secret) };
  if (draft.type === 'recovery') return {};
  return { password: text(`password ${String(draft.secret)}`), ...(draft.device ? { device: device(200) } : {}) };
};
const newSlot = (draft: Draft): NewSlot => ({ type: draft.type, factors: factorsOf(draft), ...(draft.type === 'password' ? { kdf: KDF } : {}), created: 1 });
const modelSlot = (draft: Draft, slotId: string, code: Uint8Array | undefined): ModelSlot => ({ slotId, type: draft.type, factors: code ? { code } : factorsOf(draft) });

/** Seals a unit without rows, with or without a header's hash in it. */
async function unit(real: Real, header?: { prepare: Uint8Array } | { current: Uint8Array; headerEpoch: number }): Promise<void> {
  const reply = await real.sealer.call('sealUnit', { changes: [], stateRowVersion: real.version + 1, ...MOMENT, ...(header ? { header } : {}) });
  await real.sealer.call('confirmUnit', { epoch: reply.epoch });
  real.version += 1;
  real.stateBody = reply.stateBody;
}

async function write(real: Real, made: { header: Uint8Array; info: { headerEpoch: number } }): Promise<void> {
  await unit(real, { prepare: sha256(made.header) });
  real.header = made.header;
  await real.sealer.call('adoptHeader', { header: made.header });
  await unit(real, { current: sha256(made.header), headerEpoch: made.info.headerEpoch });
}

const open = async (header: Uint8Array, slot: ModelSlot, seed: string): Promise<{ sealer: Sealer; slotId: string }> => {
  const sealer = createSealer({ random: fixedRandom(seed) });
  const { slotId } = await sealer.call('unseal', { header, factors: slot.factors, type: slot.type, ramBytes: RAM });
  return { sealer, slotId };
};

async function check(sealer: Sealer, real: Real): Promise<void> {
  await sealer.call('checkBegin', {});
  await sealer.call('checkRows', { packed: packed(0, rowId(1), 1, real.row.subarray(-16)) });
  await sealer.call('checkFinish', { stateBody: real.stateBody, stateRowVersion: real.version, headerHash: sha256(real.header), complete: true });
  const { plain } = await sealer.call('openRows', { rows: [{ table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: real.row }] });
  expect(plain[0]).toEqual(text('the record'));
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
/** Whether these factors open that slot: of its type, and with everything that it asks for; more does no harm. */
const opens = (factors: ModelSlot, slot: ModelSlot): boolean =>
  factors.type === slot.type && (['password', 'device', 'code'] as const).every((name) => slot.factors[name] === undefined || sameBytes(slot.factors[name], factors.factors[name]));

/** Exactly the right factors open. */
async function verify(model: Model, real: Real): Promise<void> {
  expect((await real.sealer.call('readHeader', { header: real.header })).slots.map(({ slotId }) => slotId)).toEqual(model.slots.map(({ slotId }) => slotId));
  for (const slot of model.slots) {
    const { sealer, slotId } = await open(real.header, slot, 'verify');
    expect(opens(slot, model.slots.find((candidate) => candidate.slotId === slotId)!)).toBe(true);
    await check(sealer, real);
  }
  for (const slot of model.gone) {
    if (model.slots.some((candidate) => opens(slot, candidate))) continue;
    await expect(open(real.header, slot, 'verify')).rejects.toMatchObject({ code: expect.stringMatching(/^(IncorrectPassword|IncorrectRecoveryCode|KeychainUnavailable|SlotNotFound)Exception$/) as string });
  }
}

type Command = fc.AsyncCommand<Model, Real>;
const command = (name: string, ready: (model: Model) => boolean, act: (model: Model, real: Real) => Promise<void>): Command => ({
  check: (model) => ready(model),
  run: async (model, real) => {
    await act(model, real);
    await verify(model, real);
  },
  toString: () => name,
});

const draft: fc.Arbitrary<Draft> = fc.record({ type: fc.constantFrom('password', 'recovery', 'keychain'), secret: fc.nat(4), device: fc.boolean() });
const pick = fc.nat(15);

const commands = [
  draft.map((slot) =>
    command(`add ${JSON.stringify(slot)}`, (model) => model.slots.length < 6, async (model, real) => {
      const made = await real.sealer.call('addSlot', { slot: newSlot(slot) });
      await write(real, made);
      model.slots.push(modelSlot(slot, made.slotId, made.recoveryCode));
    }),
  ),
  pick.map((n) =>
    command(`retire ${String(n)}`, (model) => model.slots.length > 1, async (model, real) => {
      const [slot] = model.slots.splice(n % model.slots.length, 1);
      await write(real, await real.sealer.call('retireSlot', { slotId: slot!.slotId }));
      model.gone.push(slot!);
    }),
  ),
  fc.tuple(pick, draft).map(([n, slot]) =>
    command(`replace ${String(n)} by ${JSON.stringify(slot)}`, () => true, async (model, real) => {
      const index = n % model.slots.length;
      const made = await real.sealer.call('replaceSlot', { slotId: model.slots[index]!.slotId, slot: newSlot(slot) });
      await write(real, made);
      const [old] = model.slots.splice(index, 1, modelSlot(slot, made.slotId, made.recoveryCode));
      model.gone.push(old!);
    }),
  ),
  pick.map((n) =>
    command(`compromise ${String(n)}`, (model) => model.slots.length > 1, async (model, real) => {
      const [slot] = model.slots.splice(n % model.slots.length, 1);
      await write(real, await real.sealer.call('compromiseSlot', { slotId: slot!.slotId }));
      model.gone.push(slot!);
      const { changes } = await real.sealer.call('resealRows', { rows: [{ table: 'keys', rowId: rowId(1), version: 1, schema: 1, body: real.row }] });
      const state = await real.sealer.call('resealState', { ...MOMENT, rowVersion: real.version + 1 });
      real.row = changes[0]!.body!;
      real.version += 1;
      real.stateBody = state.stateBody;
      await write(real, await real.sealer.call('finishTerm', {}));
    }),
  ),
  pick.map((n) =>
    command(`restart with ${String(n)}`, () => true, async (model, real) => {
      await real.sealer.stop();
      real.restarts += 1;
      real.sealer = (await open(real.header, model.slots[n % model.slots.length]!, `restart ${String(real.restarts)}`)).sealer;
      await check(real.sealer, real);
    }),
  ),
  pick.map((n) =>
    command(`abandon the removal of ${String(n)}`, (model) => model.slots.length > 1, async (model, real) => {
      await real.sealer.call('compromiseSlot', { slotId: model.slots[n % model.slots.length]!.slotId });
    }),
  ),
];

let vaults = 0;
async function setup(): Promise<{ model: Model; real: Real }> {
  vaults += 1;
  const sealer = createSealer({ random: fixedRandom(`vault ${String(vaults)}`) });
  const first: Draft = { type: 'password', secret: 0, device: true };
  const { header, info } = await sealer.call('createHeader', { vaultId: VAULT_ID, slots: [newSlot(first)] });
  await sealer.call('createState', { headerHash: sha256(header), ...MOMENT });
  const reply = await sealer.call('sealUnit', { changes: [{ kind: 'put', table: 'keys', rowId: rowId(1), version: 1, schema: 1, plain: text('the record') }], stateRowVersion: 2, ...MOMENT });
  await sealer.call('confirmUnit', { epoch: reply.epoch });
  return {
    model: { slots: [modelSlot(first, info.slots[0]!.slotId, undefined)], gone: [] },
    real: { sealer, header, stateBody: reply.stateBody, version: 2, row: reply.rows[0]!.body!, restarts: 0 },
  };
}

it('holds after any sequence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 12 }), async (sequence) => {
      await fc.asyncModelRun(setup, sequence);
    }),
    { numRuns: 40 },
  );
}, 120_000);
