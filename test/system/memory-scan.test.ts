/**
 * What of the secrets stays in memory. A real vault lives through a day; then the memory of every process of it that is left is read
 * through /proc/PID/mem, all readable mappings, freed memory included, for everything secret that passed: passwords, recovery codes,
 * plaintexts, data keys, messages, and the root, the table keys, the trail's and the private keys, which the test learns from the
 * vault's folder and a recovery code. Secrets reach the vault through its socket only, so that what is found is the vault's doing.
 *
 * Positive controls: the same scan finds the keys in the sealer while the vault is open, a text that is no secret in main, and a
 * string that a process was made to hold.
 *
 * What it cannot see: the kernel's own socket buffers (their pages are no process's; they are freed once read), pages of the dead
 * sealer that are not yet used again (the kernel clears them before any process gets them), and swap: the sealer must have none of it
 * while it lives, which is checked. What is known to stay: descriptions and other texts that are no secrets stay as strings in main
 * until the heap is used again (50 to 168 halves of the description of ten keys, after lock), and a secret that a caller puts into a
 * field which is not one for secrets becomes such a string too.
 *
 * Figures (Node 20.20): 18 days with 2 locks each, 0 residues in main in 54 scans. With accepted sockets read as Node reads them
 * (see `platform/wiped-reads.ts`): residues in 4 days of 4.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Client, Json } from './support/client.ts';
import { Figures } from './support/figures.ts';
import { knownKeys } from './support/known-keys.ts';
import { demandRoot, finder, scan, summary, type Hit } from './support/memory.ts';
import { patternsOf, textNeedle, type Needle } from './support/needles.ts';
import { argumentsOf, descendantsOf, environmentOf, openFilesOf, until, watchDescendants, type Watch } from './support/processes.ts';
import { base64, bytesIn, failWith, makeKeys, useKeys } from './support/scenario.ts';
import { isAlive, remove, socketOf, startVault, temporaryFolder, type VaultProcess } from './support/served-vault.ts';
import { hasKeyring, startSessionBus, type SessionBus } from './support/session-bus.ts';

let home = '';
let vault: VaultProcess | undefined;
let bus: SessionBus | undefined;
let ever: Watch | undefined;
beforeAll(demandRoot);
afterEach(async () => {
  ever?.stop();
  await vault?.kill();
  bus?.end();
  remove(home);
  vault = bus = ever = undefined;
});

const word = (): string => randomBytes(18).toString('base64url');
/** One password in the two ways that keyboards write it: composed, and letter by letter with compatibility forms. */
const UNICODE = { typed: (tail: string) => `\u00c5ngstr\u00f6m fish \u00e9t\u00e9 \u0416\u0443\u043a ${tail}`, otherwise: (tail: string) => `A\u030angstro\u0308m \ufb01sh e\u0301te\u0301 \u0416\u0443\u043a ${tail}` };

/** Waits out the delay that wrong passwords have earned. */
async function patiently(client: Client, operation: string, input: Json): Promise<Json> {
  for (;;) {
    const answer = await client.call(operation, input);
    if (answer.ok) return answer.output;
    if (answer.error.code !== 'UnlockDelayedException') throw new Error(`${operation}: ${answer.error.code}: ${answer.error.message}`);
    await sleep(500);
  }
}

/** Every file below a folder. */
const filesIn = (folder: string): readonly string[] => readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));

/** What other programs keep in memory files comes and goes while it is looked at. */
function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && file.startsWith('/dev/shm/')) return Buffer.alloc(0);
    throw error;
  }
}

interface Day {
  readonly name: string;
  readonly password: () => { readonly typed: string; readonly otherwise: string };
  readonly keychain?: true;
}
const ascii = (): { typed: string; otherwise: string } => {
  const typed = word();
  return { typed, otherwise: typed };
};
const unicode = (): { typed: string; otherwise: string } => {
  const tail = word();
  return { typed: UNICODE.typed(tail), otherwise: UNICODE.otherwise(tail) };
};
const DAYS: readonly Day[] = [
  { name: 'with ASCII passwords', password: ascii },
  { name: 'with passwords beyond ASCII', password: unicode },
  ...(hasKeyring() ? [{ name: 'with a device secret in the keychain', password: ascii, keychain: true } as const] : []),
];

it.each(DAYS)('after a lock nothing secret is left in memory, files, arguments and environment: $name', async ({ name, password, keychain }) => {
  home = temporaryFolder();
  const folder = join(home, 'data', 'vault');
  vault = await startVault(folder, { home, cwd: home });
  if (keychain) {
    await vault.kill();
    bus = await startSessionBus(join(home, 'keyring'), join(home, 'run'));
    vault = await startVault(folder, { home, cwd: home, env: { DBUS_SESSION_BUS_ADDRESS: bus.address } });
  }
  const { pid, client } = vault;
  ever = watchDescendants(pid);
  const { seen } = ever;
  const socket = socketOf(folder, home);
  const figures = new Figures();
  const needles: Needle[] = [];
  const remember = (what: string, { typed, otherwise }: { typed: string; otherwise: string }): void => {
    needles.push(textNeedle(what, typed), textNeedle(`${what} (otherwise)`, otherwise), textNeedle(`${what} (NFKC)`, otherwise.normalize('NFKC')));
  };
  const codeIn = (output: Json): string => {
    const code = bytesIn(output, 'RecoveryCode').toString();
    needles.push(textNeedle('recovery code', code), textNeedle('recovery code (bare)', code.replaceAll('-', '')));
    return code;
  };
  const [first, second, third] = [password(), password(), password()];
  remember('password', first);
  remember('new password', second);
  remember('third password', third);

  codeIn(await client.ok('vault:Create', { Password: base64(first.typed), Factors: keychain ? 'password+keychain' : 'password' }));
  if (keychain) needles.push({ name: 'device secret', bytes: bus!.read(`device:${client.hello.vaultId ?? ((await client.ok('vault:Status'))['VaultId'] as string)}`) });
  expect(needles.find((needle) => needle.name === 'device secret')?.bytes.length).toBe(keychain ? 32 : undefined);
  const canary = textNeedle('description', `no secret ${word()}`);
  const keys = await makeKeys(client, canary.text!);
  needles.push(...(await useKeys(vault, keys, 'first')), ...(await failWith(vault, socket, 'first')));
  await patiently(client, 'vault:ChangePassword', { CurrentPassword: base64(first.otherwise), NewPassword: base64(second.typed) });
  const code = codeIn(await client.ok('vault:AddSlot', { Type: 'recovery', Password: base64(second.otherwise) }));
  // Asks the keychain's helper whether it may be used.
  await client.ok('vault:AddSlot', { Type: 'password', NewPassword: base64(third.typed), Password: base64(second.typed) });

  const known = await knownKeys(folder, code);
  needles.push(...known.needles);
  const patterns = () => needles.flatMap(patternsOf);
  const sealer = vault.sealer();
  if (sealer === undefined) throw new Error('there is no sealer');
  const swapped = /VmSwap:\s+(\d+)/.exec(readFileSync(`/proc/${String(sealer)}/status`, 'latin1'))?.[1];
  expect(swapped, 'swapped pages of the sealer').toBe('0');

  // The positive controls: without them the zeros below would say nothing.
  const inSealer = scan(sealer, patterns()).hits;
  figures.add('sealer, open', needles, inSealer);
  expect(known.heldBySealer.filter((key) => !inSealer.some((hit) => hit.needle === key)), 'keys that the scan does not find in the sealer').toEqual([]);
  expect(scan(pid, patternsOf(canary)).hits.length, 'the description in main').toBeGreaterThan(0);

  const inMain = scan(pid, patterns()).hits;
  figures.add('main, open', needles, inMain);
  expect(summary(inMain), 'in main while the vault is open').toEqual({});

  await client.ok('vault:Lock');
  await nothingLeft('main, locked');

  await patiently(client, 'vault:Unlock', { Password: base64(third.otherwise) });
  needles.push(...(await useKeys(vault, keys, 'second')));
  await client.ok('vault:Lock');
  await patiently(client, 'vault:Unlock', { RecoveryCode: base64(code.toLowerCase()) });
  needles.push(textNeedle('recovery code (lower case)', code.toLowerCase()));
  codeIn(await patiently(client, 'vault:ChangePassword', { RecoveryCode: base64(code), NewPassword: base64(first.typed), SlotId: await aPasswordSlot(client) }));
  await client.ok('vault:Lock');
  await nothingLeft('main, locked again');
  process.stdout.write(`memory ${name}: hits in all forms\n${figures.toString()}description in main after lock (no secret): ${String(scan(pid, patternsOf(canary)).hits.length)}\n`);

  async function nothingLeft(column: string): Promise<void> {
    expect(descendantsOf(pid).filter((child) => argumentsOf(child).includes('sealer.mjs')), 'a sealer').toEqual([]);
    // The helpers that write the counter into the keychain, one after the other, are not waited for by lock. What watches the desktop's bus stays.
    let quiet = 0;
    await until(() => (quiet = descendantsOf(pid).some((child) => argumentsOf(child).includes('keychain.mjs')) ? 0 : quiet + 1) > 20, 'the keychain helpers are gone', 20_000);
    const looked = patterns();
    const survivors = [pid, ...descendantsOf(pid)];
    const hits: Hit[] = survivors.flatMap((process) => scan(process, looked).hits);
    figures.add(column, needles, hits);
    for (const { needle, form, mapping, around } of hits.slice(0, 10)) process.stdout.write(`left: ${needle} as ${form} in ${mapping}: ${around}\n`);
    expect(summary(hits), column).toEqual({});
    expect([...seen()].filter((child) => isAlive(child) && !survivors.includes(child)), 'processes of the vault that were not looked at').toEqual([]);
    const search = finder(looked);
    for (const survivor of survivors) expect(search(Buffer.from(`${argumentsOf(survivor)}${environmentOf(survivor)}`, 'latin1')), 'arguments and environment').toEqual([]);
    for (const file of [...filesIn(home), ...filesIn('/dev/shm'), ...survivors.flatMap(openFilesOf)]) {
    // The keyring is where the device secret belongs.
      if (!file.startsWith(join(home, 'keyring'))) expect(search(readIfThere(file)), file).toEqual([]);
    }
  }
}, 300_000);

async function aPasswordSlot(client: Client): Promise<string> {
  const { Slots } = await client.ok('vault:ListSlots');
  return (Slots as readonly { SlotId: string; Type: string }[]).find(({ Type }) => Type === 'password')!.SlotId;
}

it('the scan finds a string that a process holds, in each form, and tells halves', async () => {
  const secret = textNeedle('leak', word());
  const aes = { name: 'aes', bytes: randomBytes(32), aes: true };
  const script = `
    process.stdin.once('data', (data) => {
      const [text, hex] = data.toString().split(' ');
      const key = Buffer.from(hex, 'hex');
      const cipher = require('crypto').createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
      cipher.update('x');
      key.fill(0);
      const wide = '\\u0416' + text;
      globalThis.kept = [cipher, text, wide, wide + text, btoa(text), btoa('a' + text), btoa('ab' + text), Buffer.from(text).toString('hex'), Buffer.from(text).toString('hex').toUpperCase()].map((one) => (typeof one === 'string' ? (Number(one), one) : one));
      process.stdout.write('held');
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const held = new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdin.write(`${secret.text!} ${aes.bytes.toString('hex')}`);
    await held;
    const { hits } = scan(child.pid!, [...patternsOf(secret), ...patternsOf(aes)]);
    const forms = new Set(hits.filter(({ needle }) => needle === 'leak').map(({ form }) => form));
    expect([...forms].sort()).toEqual(['HEX', 'base64', 'base64+1', 'base64+2', 'hex', 'raw', 'utf16']);
    expect(hits.filter(({ needle, form }) => needle === 'aes' && form === 'schedule').length).toBeGreaterThan(0);
  } finally {
    child.kill('SIGKILL');
  }
});
