/**
 * A way in that is removed as compromised, killed (-9) at random moments of it: every record is re-encrypted under a new root, or
 * none. Afterwards the password opens, the removed code opens nothing once it is off the list, every key works, old ciphertexts
 * decrypt, and the trail verifies.
 */
import { cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { chance } from './support/chance.ts';
import { base64, inLanes, type Client, type Json } from './support/client.ts';
import { makeVault, PASSWORD } from './support/make-vault.ts';
import { remove, startVault, temporaryFolder } from './support/served-vault.ts';

const ROUNDS = Number(process.env['KEYSTEAD_COMPROMISE_ROUNDS'] ?? 12);
const SEED = Number(process.env['KEYSTEAD_KILL_SEED'] ?? Date.now() % 1_000_000_000);
const KEYS = 240;
const SPECS = ['HMAC_256', 'SYMMETRIC_DEFAULT', 'ECC_NIST_P256', 'ECC_NIST_EDWARDS25519'];

const unlock = { Password: base64(PASSWORD) };
const home = temporaryFolder();
const template = join(home, 'template');
let code = '';
/** What each key gave before: it must give the same, or take it back. */
const samples: { readonly operation: string; readonly input: Json; readonly expected?: Json }[] = [];
afterAll(() => remove(home));

async function sample(client: Client, KeyId: string, spec: string): Promise<void> {
  if (spec === 'HMAC_256') {
    const input = { KeyId, Message: base64('m'), MacAlgorithm: 'HMAC_SHA_256' };
    samples.push({ operation: 'kms:VerifyMac', input: { ...input, Mac: (await client.ok('kms:GenerateMac', input))['Mac'] }, expected: { MacValid: true } });
  } else if (spec === 'SYMMETRIC_DEFAULT') {
    const { CiphertextBlob } = await client.ok('kms:Encrypt', { KeyId, Plaintext: base64(KeyId) });
    samples.push({ operation: 'kms:Decrypt', input: { CiphertextBlob }, expected: { Plaintext: base64(KeyId) } });
  } else {
    const input = { KeyId, Message: base64('m'), MessageType: 'RAW', SigningAlgorithm: spec === 'ECC_NIST_P256' ? 'ECDSA_SHA_256' : 'ED25519_SHA_512' };
    const { Signature } = await client.ok('kms:Sign', input);
    samples.push({ operation: 'kms:Verify', input: { ...input, Signature }, expected: { SignatureValid: true } }, { operation: 'kms:Sign', input });
  }
}

beforeAll(async () => {
  ({ recoveryCode: code } = await makeVault(template));
  const vault = await startVault(template, { home });
  await vault.client.ok('vault:Unlock', unlock);
  await inLanes(Array.from({ length: KEYS }), async (_, at) => {
    const spec = SPECS[at % SPECS.length] ?? '';
    const { KeyMetadata: key } = await vault.client.ok('kms:CreateKey', { KeySpec: spec, Description: `key ${String(at)}` });
    await sample(vault.client, String((key as Json)['KeyId']), spec);
  });
  await vault.stop();
});

const recoverySlot = async (client: Client): Promise<string | undefined> => {
  const { Slots: slots } = await client.ok('vault:ListSlots');
  const found = (slots as readonly Json[]).find((slot) => slot['Type'] === 'recovery');
  return found && String(found['SlotId']);
};

async function expectAllUsable(client: Client): Promise<void> {
  const outputs = await inLanes(samples, ({ operation, input }) => client.ok(operation, input));
  for (const [at, output] of outputs.entries()) expect(output).toMatchObject(samples[at]?.expected ?? {});
  expect(await client.ok('trail:VerifyTrail')).toMatchObject({ Intact: true });
}

/** With the code, while locked. Leaves it locked. */
async function codeOpens(client: Client): Promise<string> {
  const answer = await client.code('vault:Unlock', { RecoveryCode: base64(code) });
  await client.ok('vault:Lock');
  return answer;
}

async function openByPassword(client: Client): Promise<void> {
  for (;;) {
    const answer = await client.call('vault:Unlock', unlock);
    if (answer.ok) return expect(answer.output).toMatchObject({ State: 'unlocked' });
    if (answer.error.code !== 'UnlockDelayedException') throw new Error(`${answer.error.code}: ${answer.error.message}`);
    await sleep(1000);
  }
}

/** Resolves when the header of the new root is in place: what comes then is the re-encryption. Throws when it does not come. */
async function headerReplaced(folder: string): Promise<void> {
  const path = join(folder, 'header');
  const before = statSync(path).ino;
  for (let waited = 0; statSync(path).ino === before; waited += 1) {
    if (waited > 20_000) throw new Error('the header was not replaced');
    await sleep(1);
  }
}

interface Moment {
  readonly from: 'the call' | 'the new header';
  readonly milliseconds: number;
}

/** Removes the code, killed at a moment; undefined: not killed. Resolves with how long it took, and whether it was answered. */
async function removeCode(folder: string, own: string, kill: Moment | undefined): Promise<{ readonly took: number; readonly answered: boolean }> {
  const vault = await startVault(folder, { home: own });
  await openByPassword(vault.client);
  const SlotId = await recoverySlot(vault.client);
  const started = performance.now();
  const removed = vault.client.ok('vault:RemoveSlot', { SlotId, How: 'compromised', ...unlock }).then(() => true, () => false);
  if (kill) {
    if (kill.from === 'the new header') await headerReplaced(folder);
    await Promise.race([removed, sleep(kill.milliseconds)]);
    await vault.kill();
  }
  const answered = await removed;
  const took = performance.now() - started;
  if (!kill) await vault.stop();
  return { took, answered };
}

it(`${String(ROUNDS)} kills while a way in is removed as compromised`, { timeout: 60_000 + ROUNDS * 10_000 }, async () => {
  const random = chance(SEED);
  process.stdout.write(`compromise: KEYSTEAD_COMPROMISE_ROUNDS=${String(ROUNDS)} KEYSTEAD_KILL_SEED=${String(SEED)}\n`);
  const whole = join(home, 'whole');
  cpSync(template, join(whole, 'vault'), { recursive: true });
  const { took } = await removeCode(join(whole, 'vault'), whole, undefined);
  const tally = { before: 0, after: 0, answered: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = join(home, `round-${String(round)}`);
    const folder = join(own, 'vault');
    cpSync(template, folder, { recursive: true });
    // The first at once, so that there is always one that came too early.
    const kill: Moment = round % 3 === 0 ? { from: 'the call', milliseconds: round === 0 ? 0 : random.fraction() * took } : { from: 'the new header', milliseconds: random.fraction() * took * 0.25 };
    const { answered } = await removeCode(folder, own, kill);
    const vault = await startVault(folder, { home: own });
    const { client } = vault;
    await openByPassword(client);
    const slot = await recoverySlot(client);
    if (answered) expect(slot).toBeUndefined();
    tally[answered ? 'answered' : slot === undefined ? 'after' : 'before'] += 1;
    await expectAllUsable(client);
    // What came to nothing is begun again, and comes to its end. (Not after the code was used: keys then wait for a new one.)
    const again = slot !== undefined && round % 2 === 0;
    if (again) {
      await client.ok('vault:RemoveSlot', { SlotId: slot, How: 'compromised', ...unlock });
      await expectAllUsable(client);
    }
    await client.ok('vault:Lock');
    expect(await codeOpens(client)).toBe(slot === undefined || again ? 'SlotNotFoundException' : 'ok');
    await vault.stop();
    remove(own);
  }
  process.stdout.write(`compromise: ${JSON.stringify({ ...tally, keys: KEYS, tookMs: Math.round(took) })}\n`);
  expect(tally.before).toBeGreaterThan(0);
  expect(tally.after + tally.answered).toBeGreaterThan(0);
});
