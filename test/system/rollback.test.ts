/**
 * Parts of a vault put back to older copies: every mixture of header, database and trail from four epochs, with and without the
 * counter in the keychain (SECURITY-DESIGN sections 2, 3 and 5). In one process, since a real keychain cannot be faked across two.
 *
 * The four copies are taken while the vault is stopped, each after one more session:
 *
 *   1  the vault is made, and a key            3  the recovery code is renewed: a new header
 *   2  a key is made                           4  a key is used, and nothing is changed
 *
 * The verdict of header h, database d and trail t, in this order:
 *
 *   header and database of different slots     readOnly   the header is not the one that the database was written with
 *   t older than d                             readOnly   the trail is broken: it ends before the state says (behind-state, fork)
 *   t newer than d                             readOnly   the database was put back: the trail has seen a later epoch
 *   all of one age, older than the counter     readOnly   the vault was put back to an older copy
 *   all of one age, no counter                 opens      (the published limit: the folder put back whole, and nothing outside it)
 *   all of the newest                          opens
 *
 * Where the verdict is not `opens`, header and database keep every byte, and the trail only grows, by the record of the attempt.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { base64, type Json } from './support/client.ts';
import { makeVault, memoryKeychain, noKeychain, PASSWORD, type MemoryKeychain } from './support/make-vault.ts';
import { codeOf, startLocal, type LocalProgram } from './support/program.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const home = temporaryFolder();
afterAll(() => remove(home));

const unlock = { Password: base64(PASSWORD) };
const EPOCHS = [1, 2, 3, 4] as const;
type Epoch = 1 | 2 | 3 | 4 | 5;
interface Mixture {
  readonly header: Epoch | 'open';
  readonly database: Epoch | 'open';
  readonly trail: Epoch | 'open';
}

/** One session: unlocked, something done, stopped. */
async function session(folder: string, keychain: MemoryKeychain, work: (vault: LocalProgram) => Promise<unknown>): Promise<void> {
  const vault = await startLocal(folder, { keychain });
  try {
    expect(await vault.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
    await work(vault);
  } finally {
    await vault.close();
  }
}

const createKey = async (vault: LocalProgram): Promise<string> => String(((await vault.ok('kms:CreateKey', { KeySpec: 'HMAC_256' }))['KeyMetadata'] as Json)['KeyId']);
const copyOf = (series: string, epoch: Epoch | 'open'): string => join(home, series, `epoch-${String(epoch)}`);

let checkpoint = '';

/** The folder of each epoch, and the keychain as it was after the last. */
async function makeEpochs(series: string, factors: 'password' | 'password+keychain'): Promise<MemoryKeychain> {
  const folder = join(home, series, 'vault');
  const keychain = memoryKeychain();
  mkdirSync(join(home, series), { mode: 0o700 });
  await makeVault(folder, { keychain, factors });
  let key = '';
  const steps: readonly ((vault: LocalProgram) => Promise<unknown>)[] = [
    async (vault) => (key = await createKey(vault)),
    createKey,
    (vault) => vault.ok('vault:AddSlot', { Type: 'recovery', ...unlock }),
    async (vault) => {
      // Looked at and not used: that a key was used is written before the lock, and the state follows the trail once more with it.
      for (let n = 0; n < 3; n += 1) await vault.ok('kms:DescribeKey', { KeyId: key });
      // As a kill would leave it: the log of the database is there, the vault says that it is open.
      if (series === 'plain') cpSync(folder, copyOf(series, 'open'), { recursive: true });
      const { Checkpoint: signed } = await vault.ok('trail:ExportCheckpoint');
      checkpoint = Buffer.from(signed as Uint8Array).toString('base64');
    },
  ];
  for (const [at, step] of steps.entries()) {
    await session(folder, keychain, step);
    cpSync(folder, copyOf(series, (at + 1) as Epoch), { recursive: true });
  }
  return keychain;
}

/** The counter alone taken out: the device secret stays, or nothing would open. */
function withoutCounter({ entries }: MemoryKeychain): MemoryKeychain {
  const copy = memoryKeychain();
  for (const [name, value] of entries) if (name.startsWith('device')) copy.entries.set(name, value);
  return copy;
}

function withCounter({ entries }: MemoryKeychain): MemoryKeychain {
  const copy = memoryKeychain();
  for (const [name, value] of entries) copy.entries.set(name, value);
  expect([...copy.entries.keys()].some((name) => name.startsWith('anchor'))).toBe(true);
  return copy;
}

let mixtures = 0;
function mix(series: string, { header, database, trail }: Mixture): string {
  mixtures += 1;
  const folder = join(home, series, `mixture-${String(mixtures)}`);
  mkdirSync(folder, { mode: 0o700 });
  cpSync(join(copyOf(series, header), 'header'), join(folder, 'header'));
  for (const name of ['vault.db', 'vault.db-wal']) if (existsSync(join(copyOf(series, database), name))) cpSync(join(copyOf(series, database), name), join(folder, name));
  cpSync(join(copyOf(series, trail), 'trail'), join(folder, 'trail'), { recursive: true });
  return folder;
}

const bytesOf = (folder: string, names: readonly string[]): ReadonlyMap<string, Buffer> => new Map(names.filter((name) => existsSync(join(folder, name))).map((name) => [name, readFileSync(join(folder, name))]));
const segmentsOf = (folder: string): string[] => readdirSync(join(folder, 'trail')).filter((name) => name.endsWith('.seg')).map((name) => join('trail', name));

/** `opens`, or `readOnly` and why, or the code of the error. Checks that what does not fit is left as it was. */
async function verdictOf(folder: string, keychain = memoryKeychain()): Promise<string> {
  const kept = bytesOf(folder, ['header', 'vault.db', 'vault.db-wal']);
  const trail = bytesOf(folder, segmentsOf(folder));
  let verdict = '';
  let vault: LocalProgram | undefined;
  const code = await codeOf(
    (async () => {
      vault = await startLocal(folder, { keychain });
      const output = await vault.ok('vault:Unlock', unlock);
      verdict = output['State'] === 'unlocked' ? 'opens' : `${String(output['State'])}: ${String(output['Problem'])}`;
      if (verdict === 'opens') await createKey(vault);
      else expect(await codeOf(createKey(vault))).toBe('VaultReadOnlyException');
    })(),
  );
  await vault?.close();
  if (code !== 'ok') verdict = code;
  if (verdict !== 'opens') {
    for (const [name, bytes] of kept) expect(readFileSync(join(folder, name)).equals(bytes), `${name} was written to`).toBe(true);
    if (!kept.has('vault.db-wal')) expect(statSync(join(folder, 'vault.db-wal'), { throwIfNoEntry: false })?.size ?? 0).toBe(0);
    for (const [name, bytes] of trail) expect(readFileSync(join(folder, name)).subarray(0, bytes.byteLength).equals(bytes), `${name} was changed`).toBe(true);
  }
  remove(folder);
  return verdict;
}

const VERDICTS = {
  header: /^readOnly: the header is not the one that the database was written with/,
  behind: /^readOnly: the trail is broken at record \d+ \(`(behind-state|fork)`\)/,
  putBack: /^readOnly: the database was put back: the trail has seen epoch \d+, the database is at \d+/,
  older: /^readOnly: the vault was put back to an older copy \(/,
  opens: /^opens$/,
} as const;

const slotsOf = (epoch: number): number => (epoch < 3 ? 1 : 3);

function expected(header: number, database: number, trail: number, counter: boolean): keyof typeof VERDICTS {
  if (slotsOf(header) !== slotsOf(database)) return 'header';
  if (trail < database) return 'behind';
  if (trail > database) return 'putBack';
  return counter && database < 4 ? 'older' : 'opens';
}

const MIXTURES = EPOCHS.flatMap((header) => EPOCHS.flatMap((database) => EPOCHS.map((trail) => ({ header, database, trail }))));

describe.each([
  { series: 'plain', factors: 'password', counter: false },
  { series: 'anchored', factors: 'password+keychain', counter: true },
] as const)('$series: all 64 mixtures of four epochs', ({ series, factors, counter }) => {
  let keychain: MemoryKeychain;
  beforeAll(async () => {
    keychain = await makeEpochs(series, factors);
  });

  it.each(MIXTURES)('header $header, database $database, trail $trail', async ({ header, database, trail }) => {
    const verdict = await verdictOf(mix(series, { header, database, trail }), counter ? withCounter(keychain) : keychain);
    expect(verdict).toMatch(VERDICTS[expected(header, database, trail, counter)]);
  });

  if (counter) {
    it.each(EPOCHS)('without the counter, all of epoch %i opens: the keychain was put back too', async (epoch) => {
      expect(await verdictOf(mix(series, { header: epoch, database: epoch, trail: epoch }), withoutCounter(keychain))).toBe('opens');
    });

    it('a keychain that cannot be asked is named, and nothing is written', async () => {
      const folder = mix(series, { header: 4, database: 4, trail: 4 });
      const vault = await startLocal(folder, { keychain: noKeychain });
      expect(await vault.call('vault:Unlock', unlock)).toMatchObject({ ok: false, error: { code: 'KeychainUnavailableException' } });
      await vault.close();
      expect(await verdictOf(folder, withCounter(keychain))).toBe('opens');
    });
  } else {
    it('a copy taken while it was open is as good as one after a kill', async () => {
      expect(await verdictOf(mix(series, { header: 'open', database: 'open', trail: 'open' }))).toBe('opens');
    });

    it.each([1, 2, 3] as const)('the log of a later database beside the database of epoch %i is noticed, or makes it the later one', async (epoch) => {
      const folder = mix(series, { header: 4, database: epoch, trail: 4 });
      cpSync(join(copyOf(series, 'open'), 'vault.db-wal'), join(folder, 'vault.db-wal'));
      expect(await verdictOf(folder)).not.toMatch(/Internal|not a VaultError/);
    });

    // The state row follows the trail at unlock, with each change and every few seconds. Cutting only what came after that takes a
    // copy of `trail.key` from within those seconds, and is a published limit.
    it('a trail cut after the state has followed it for the last time is noticed by a checkpoint that was kept outside', async () => {
      const folder = mix(series, { header: 4, database: 4, trail: 'open' });
      const vault = await startLocal(folder);
      expect(await vault.ok('vault:Unlock', unlock)).toMatchObject({ State: 'unlocked' });
      const { Relation: relation } = await vault.ok('trail:VerifyCheckpoint', { Checkpoint: checkpoint });
      expect(['ahead', 'contradicted']).toContain(relation);
      await vault.close();
    });
  }
});

describe('after a compromise', () => {
  const series = 'compromised';
  beforeAll(async () => {
    await makeEpochs(series, 'password');
    const folder = join(home, series, 'vault');
    await session(folder, memoryKeychain(), async (vault) => {
      const { Slots: slots } = await vault.ok('vault:ListSlots');
      const recovery = (slots as readonly Json[]).find((slot) => slot['Type'] === 'recovery');
      await vault.ok('vault:RemoveSlot', { SlotId: recovery?.['SlotId'], How: 'compromised', ...unlock });
    });
    cpSync(folder, copyOf(series, 5), { recursive: true });
  });

  it.each([
    { header: 5, database: 5, trail: 5, verdict: /^opens$/ },
    { header: 4, database: 5, trail: 5, verdict: /^VaultTamperedException$/ },
    { header: 5, database: 4, trail: 5, verdict: /^VaultTamperedException$/ },
    { header: 4, database: 4, trail: 5, verdict: /^readOnly: the trail is broken at record \d+ \(`header`\)/ },
    { header: 5, database: 5, trail: 4, verdict: /^readOnly: the trail is broken at record \d+ \(`(behind-state|fork)`\)/ },
    { header: 4, database: 4, trail: 4, verdict: /^opens$/ },
  ] as const)('header $header, database $database, trail $trail', async ({ header, database, trail, verdict }) => {
    expect(await verdictOf(mix(series, { header, database, trail }))).toMatch(verdict);
  });
});
