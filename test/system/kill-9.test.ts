/**
 * SIGKILL at random moments of a random write load, against the built program. After each: the vault opens for writing, every
 * acknowledged write is there, each unanswered one is there wholly or not at all, the trail verifies and contains the checkpoint
 * that was taken before, and no more intents lack an outcome than calls were cut off.
 *
 *   KEYSTEAD_KILL_ROUNDS=1000 KEYSTEAD_KILL_SEED=12345 npx vitest run --project system test/system/kill-9.test.ts
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { chance, type Chance } from './support/chance.ts';
import { base64, type Client, type Json } from './support/client.ts';
import { keyLane, readKeys, readVault, run, settleKeys, settleVault, vaultLane, type Ids } from './support/load.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { isAlive, remove, spawnVault, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';

const ROUNDS = Number(process.env['KEYSTEAD_KILL_ROUNDS'] ?? 200);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
/** Rounds with one folder; then a fresh copy, so that reading everything back stays quick. */
const ROUNDS_PER_VAULT = 25;
/** Vaults at once: one for each processor that CI has. */
const WORLDS = 2;
const LANES = ['a', 'b', 'c'];
/** Callers that only use keys, so that the trail grows while the database does not. */
const USERS = 2;

const home = temporaryFolder();
const template = join(home, 'template');
beforeAll(() => makeVault(template));
afterAll(() => remove(home));

interface Tally {
  rounds: number;
  acknowledged: number;
  cutOff: number;
  applied: number;
  readonly kinds: Record<string, number>;
}

class World {
  readonly chance: Chance;
  readonly home: string;
  readonly folder: string;
  readonly tally: Tally;
  readonly ids: Ids = new Map();
  readonly lanes = new Map(LANES.map((name) => [name, keyLane(name, this.ids)]));
  readonly vaultLane = vaultLane();
  process: VaultProcess | undefined;
  /** Intents without an outcome, when last looked. */
  unfinished = 0;
  /** Calls that were cut off since then. */
  open = 0;
  epoch = 0;
  checkpoint: unknown;
  ciphertext: { readonly blob: unknown; readonly plain: string } | undefined;
  fresh = true;

  constructor(name: string, seed: number, tally: Tally) {
    this.chance = chance(seed);
    this.home = join(home, name);
    this.folder = join(this.home, 'vault');
    this.tally = tally;
    cpSync(template, this.folder, { recursive: true });
  }

  /** One kill, and everything looked at afterwards. */
  async round(): Promise<void> {
    const dice = this.chance.fraction();
    const kind = this.process === undefined && dice < 0.06 ? 'while starting' : dice < 0.14 ? 'while unlocking' : dice < 0.3 ? 'sealer' : dice < 0.4 ? 'sealer, then main' : 'main';
    this.tally.rounds += 1;
    this.tally.kinds[kind] = (this.tally.kinds[kind] ?? 0) + 1;
    if (kind === 'while starting') return this.killStarting();
    const vault = (this.process ??= await startVault(this.folder, { home: this.home }));
    if (kind === 'while unlocking') return this.killUnlocking(vault);
    await this.unlock(vault.client);
    await this.look(vault.client);
    const sealer = vault.sealer();
    if (sealer === undefined) throw new Error('an open vault has no sealer');
    const load = this.load(vault.client);
    await sleep(2 + this.chance.fraction() ** 2 * 200);
    if (kind !== 'main') process.kill(sealer, 'SIGKILL');
    if (kind === 'sealer, then main') await sleep(this.chance.fraction() * 5);
    if (kind !== 'sealer') await this.end(vault);
    await load;
    if (kind !== 'main') return;
    // Nobody else stops it: it notices that its parent is gone.
    for (let waited = 0; isAlive(sealer); waited += 5) {
      if (waited > 5000) throw new Error('the sealer outlives the vault');
      await sleep(5);
    }
  }

  async killStarting(): Promise<void> {
    const { pid, ended } = spawnVault(this.folder, { home: this.home });
    await sleep(this.chance.fraction() * 300);
    process.kill(pid, 'SIGKILL');
    await ended;
  }

  async killUnlocking(vault: VaultProcess): Promise<void> {
    this.open += 1;
    const cut = vault.client.call('vault:Unlock', { Password: base64(PASSWORD) }).catch(() => undefined);
    await sleep(this.chance.fraction() * 400);
    await this.end(vault);
    await cut;
  }

  async end(vault: VaultProcess): Promise<void> {
    await vault.kill();
    this.process = undefined;
  }

  /** Killed unlocks count as attempts, and so may meet the delay; a vault whose sealer died has to have locked itself. */
  async unlock(client: Client): Promise<void> {
    for (let waited = 0; ; waited += 10) {
      if ((await client.ok('vault:Status'))['State'] === 'locked') break;
      if (waited > 3000) throw new Error('the vault did not lock itself when its sealer was gone');
      await sleep(10);
    }
    for (;;) {
      const answer = await client.call('vault:Unlock', { Password: base64(PASSWORD) });
      if (answer.ok) return expect(answer.output).toMatchObject({ State: 'unlocked' });
      if (answer.error.code !== 'UnlockDelayedException') throw new Error(`unlock: ${answer.error.code}: ${answer.error.message}`);
      await sleep(1000 * Number(answer.error.details?.['retryAfterSeconds'] ?? 1));
    }
  }

  async look(client: Client): Promise<void> {
    const trail = await client.ok('trail:VerifyTrail');
    expect(trail).toMatchObject({ Intact: true });
    const actual = await readKeys(client, this.ids);
    let applied = 0;
    for (const [name, lane] of this.lanes) applied += Number(settleKeys(lane, name, actual.get(name) ?? { keys: {}, aliases: {} }));
    for (const name of actual.keys()) expect(LANES).toContain(name);
    const settings = await readVault(client);
    if (this.fresh) this.vaultLane.known = settings;
    this.fresh = false;
    // A change of slots is more than one unit, and its outcome is not one of the outbox.
    applied += Number(settleVault(this.vaultLane, settings));
    this.tally.applied += applied;
    const unfinished = (trail['Unfinished'] as readonly Json[]).length;
    expect(unfinished - this.unfinished).toBeLessThanOrEqual(this.open);
    this.unfinished = unfinished;
    this.open = 0;
    await this.lookOutside(client);
  }

  /** What was taken out of the vault earlier still fits: a checkpoint, a ciphertext. */
  async lookOutside(client: Client): Promise<void> {
    if (this.checkpoint !== undefined) expect(await client.ok('trail:VerifyCheckpoint', { Checkpoint: this.checkpoint })).toMatchObject({ Relation: 'contained', SignatureValid: true });
    const before = this.epoch;
    await this.takeCheckpoint(client);
    expect(this.epoch).toBeGreaterThanOrEqual(before);
    if (this.ciphertext) {
      const answer = await client.call('kms:Decrypt', { CiphertextBlob: this.ciphertext.blob });
      if (answer.ok) expect(answer.output['Plaintext']).toBe(this.ciphertext.plain);
      else expect(['DisabledException', 'KMSInvalidStateException']).toContain(answer.error.code);
    }
  }

  async takeCheckpoint(client: Client): Promise<void> {
    const answer = await client.call('trail:ExportCheckpoint').catch(() => undefined);
    if (!answer?.ok) return;
    const { payload } = JSON.parse(Buffer.from(String(answer.output['Checkpoint']), 'base64').toString('utf8')) as { payload: string };
    this.epoch = (JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as { storeEpoch: number }).storeEpoch;
    this.checkpoint = answer.output['Checkpoint'];
  }

  /** Resolves once the vault is gone, with nothing left under way. */
  async load(client: Client): Promise<void> {
    let over = false;
    const stopped = (): boolean => over;
    const writers = this.writers(client).map(async ([lane, write]) => {
      const acknowledged = await write(stopped);
      this.tally.acknowledged += acknowledged;
      // The first that is cut off ends all: a locked vault has nothing for the others.
      over = true;
      const cutOff = lane.pending === undefined ? 0 : 1;
      this.open += cutOff;
      this.tally.cutOff += cutOff;
    });
    const users = Array.from({ length: USERS }, async (_, at) => {
      while (!over) if (!(await this.use(client, at))) return;
    });
    await Promise.all([...writers, ...users]);
  }

  writers(client: Client): readonly (readonly [lane: { readonly pending: unknown }, write: (stopped: () => boolean) => Promise<number>])[] {
    const keys = [...this.lanes.values()].map((lane) => [lane, (stopped: () => boolean) => run(lane, client, this.chance, stopped)] as const);
    return [...keys, [this.vaultLane, (stopped) => run(this.vaultLane, client, this.chance, stopped)]];
  }

  /** False when it was cut off. */
  async use(client: Client, at: number): Promise<boolean> {
    if (at === 0 && this.chance.fraction() < 0.1) {
      const before = this.checkpoint;
      await this.takeCheckpoint(client);
      if (this.checkpoint === before) this.open += 1;
      return this.checkpoint !== before;
    }
    const keys = [...this.lanes.values()].flatMap(({ known }) => Object.entries(known.keys).filter(([, { spec }]) => spec === 'SYMMETRIC_DEFAULT'));
    const [name] = keys.length === 0 ? [undefined] : this.chance.pick(keys);
    if (name === undefined) return client.call('kms:GenerateRandom', { NumberOfBytes: 8 }).then(({ ok }) => ok, () => this.cutOff());
    const plain = base64(`round ${String(this.tally.rounds)}`);
    const answer = await client.call('kms:Encrypt', { KeyId: this.ids.get(name), Plaintext: plain }).catch(() => undefined);
    if (!answer) return this.cutOff();
    if (answer.ok) this.ciphertext = { blob: answer.output['CiphertextBlob'], plain };
    return answer.ok || !['SealerStoppedException', 'VaultLockedException'].includes(answer.error.code);
  }

  cutOff(): false {
    this.open += 1;
    return false;
  }
}

async function world(name: string, rounds: number, seed: number, tally: Tally): Promise<void> {
  for (let from = 0; from < rounds; from += ROUNDS_PER_VAULT) {
    const vaultSeed = (seed + from) >>> 0;
    const current = new World(`${name}${String(from)}`, vaultSeed, tally);
    let at = from;
    try {
      for (; at < Math.min(rounds, from + ROUNDS_PER_VAULT); at += 1) await current.round();
      // What the last kill has left.
      const vault = (current.process ??= await startVault(current.folder, { home: current.home }));
      await current.unlock(vault.client);
      await current.look(vault.client);
      await vault.stop();
    } catch (error) {
      await current.process?.kill();
      throw new Error(`world ${name}, round ${String(at)}, KEYSTEAD_KILL_SEED=${String(SEED)}; the folder is kept at ${current.home}`, { cause: error });
    }
    remove(current.home);
  }
}

it(`${String(ROUNDS)} kills at random moments lose no acknowledged write and leave nothing half done`, { timeout: 30_000 + ROUNDS * 5000 }, async () => {
  const tally: Tally = { rounds: 0, acknowledged: 0, cutOff: 0, applied: 0, kinds: {} };
  const started = performance.now();
  process.stdout.write(`kill-9: KEYSTEAD_KILL_ROUNDS=${String(ROUNDS)} KEYSTEAD_KILL_SEED=${String(SEED)}\n`);
  const share = Math.ceil(ROUNDS / WORLDS);
  await Promise.all(Array.from({ length: WORLDS }, (_, at) => world(String.fromCharCode(97 + at), share, SEED + at * 7_919_000, tally)));
  process.stdout.write(`kill-9: ${JSON.stringify({ ...tally, seconds: Math.round((performance.now() - started) / 1000) })}\n`);
  expect(tally.rounds).toBeGreaterThanOrEqual(ROUNDS);
  // A load that was never interrupted, or never wrote, would prove nothing.
  expect(tally.acknowledged).toBeGreaterThan(ROUNDS);
  expect(tally.cutOff).toBeGreaterThan(ROUNDS / 2);
  expect(tally.applied).toBeGreaterThan(0);
  expect(tally.applied).toBeLessThan(tally.cutOff);
});
