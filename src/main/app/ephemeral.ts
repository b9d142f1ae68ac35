/**
 * `serve --ephemeral`: a vault for test suites and CI, for AWS clients only, over plain HTTP. Real keys, real states, real refusals.
 *
 * Its folder is in memory where the system has such a place, and sealed under a root that only its sealer ever had: what a kill leaves behind
 * opens for nobody. `POST /_keystead/reset` begins anew with another vault of the same account, region and client.
 */
import { existsSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, VaultError } from '../../shared/model/errors.ts';
import { isAccessKeyId, isAccountId, isRegion } from '../../shared/model/ids.ts';
import { logFolder, type Surroundings } from '../../shared/model/paths.ts';
import { VERSION } from '../../shared/version.ts';
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { openAwsDoor } from '../doors/aws/server.ts';
import type { DoorPort } from '../doors/port.ts';
import { systemClock } from '../platform/clock.ts';
import { ensurePrivateFolder } from '../platform/files.ts';
import { harden } from '../platform/harden.ts';
import { openLog, type Log } from '../platform/log.ts';
import type { Keychain } from '../platform/ports.ts';
import { createProcessHost } from '../platform/process.ts';
import { createSealerClient } from '../seal/client.ts';
import { compose, type Program } from './compose.ts';
import { openConfigFile } from './config.ts';
import { takeEarlySealer } from './early-sealer.ts';
import { ENTRIES } from './entries.ts';
import { ownCaller } from './own-caller.ts';
import { makeThrowaway } from './throwaway.ts';

const PREFIX = 'keystead-ephemeral-';
const DEFAULT_PORT = 5997;
const CLIENT_NAME = 'ephemeral';
const CLOSE_MS = 3000;

export interface EphemeralOptions {
  readonly port: number;
  readonly account: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Throws ValidationException. */
export function readOptions(args: readonly string[]): EphemeralOptions {
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at += 1) {
    const name = args[at] ?? '';
    if (name === '--ephemeral') continue;
    const value = args[at + 1];
    if (!['--port', '--account', '--region', '--access-key'].includes(name) || value === undefined || values.has(name)) throw new VaultError('ValidationException', `\`${name}\` does not go with \`--ephemeral\`; it takes --port, --account, --region and --access-key ID:SECRET, each once`);
    values.set(name, value);
    at += 1;
  }
  const port = values.get('--port') ?? String(DEFAULT_PORT);
  const account = values.get('--account') ?? '000000000000';
  const region = values.get('--region') ?? 'us-east-1';
  const key = values.get('--access-key') ?? 'test:test';
  const [, accessKeyId = '', secretAccessKey = ''] = /^(\w+):(.{1,128})$/.exec(key) ?? [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new VaultError('ValidationException', '`--port` must be a number up to 65535; 0 takes any that is free');
  if (!isAccountId(account)) throw new VaultError('ValidationException', '`--account` must be 12 digits');
  if (!isRegion(region)) throw new VaultError('ValidationException', '`--region` must look like `us-east-1`');
  if (!isAccessKeyId(accessKeyId) || secretAccessKey === '') throw new VaultError('ValidationException', '`--access-key` must be `ID:SECRET`');
  return { port: Number(port), account, region, accessKeyId, secretAccessKey };
}

/** In memory, and gone with the process. */
function memoryKeychain(): Keychain {
  const entries = new Map<string, Uint8Array>();
  return {
    probe: () => Promise.resolve({ available: true }),
    get: (name) => Promise.resolve(entries.get(name)?.slice()),
    set: (name, secret) => Promise.resolve(void entries.set(name, secret.slice())),
    remove: (name) => Promise.resolve(void entries.delete(name)),
  };
}

/** One program after the other in folders of their own. */
function makePrograms(base: string, options: EphemeralOptions, log: Log, uid: number) {
  const processes = createProcessHost({ entries: ENTRIES, log });
  // Nobody's: of this vault alone.
  const config = openConfigFile(join(base, 'config.json'));
  const refuse = (): never => {
    throw new VaultError('UnsupportedOperationException', 'this vault is a test suite\'s; there is no other to go to');
  };
  let number = 0;
  return async (): Promise<{ readonly program: Program; discard(): Promise<void> }> => {
    const folder = join(base, String((number += 1)));
    const program = await compose({
      folder,
      entries: ENTRIES,
      version: VERSION,
      log,
      config,
      machine: { keychain: memoryKeychain(), startSealer: () => createSealerClient(takeEarlySealer() ?? processes.spawn('sealer')) },
      vaults: { folder, newIn: base, newFolder: refuse, known: () => Promise.resolve([]), forget: () => Promise.resolve(false), real: (path) => path, holdsVault: (path) => path === folder, moveTo: refuse },
      stopSoon: () => undefined,
      throwaway: true,
      unattended: true,
    });
    const discard = async (): Promise<void> => {
      await program.close();
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      const ask = ownCaller(program, uid);
      const call = async (operation: string, input: Readonly<Record<string, unknown>>): Promise<void> => { disposeSecrets(await ask(operation, input)); };
      await call('vault:Create', { Factors: 'keychain', AcceptKeychainOnly: true, RecoveryCode: false, Name: CLIENT_NAME, Region: options.region, Account: options.account });
      await call('vault:UpdateSettings', { AutoLockMinutes: 0, LockOnSuspend: false, LockOnScreenLock: false });
      await call('access:CreateClient', { Name: CLIENT_NAME, Role: 'administrator', AccessKeyId: options.accessKeyId, SecretAccessKey: Buffer.from(options.secretAccessKey).toString('base64') });
      return { program, discard };
    } catch (error) {
      await discard();
      throw error;
    }
  };
}

export interface Ephemeral {
  readonly port: number;
  stop(): Promise<void>;
}

/** Resolves once AWS clients can come in. Rejects with PortUnavailableException and whatever keeps a vault from being made. */
export async function runEphemeral(args: readonly string[], exit: (code: number) => void = (code) => process.exit(code)): Promise<Ephemeral & { readonly options: EphemeralOptions }> {
  harden();
  const options = readOptions(args);
  const surroundings: Surroundings = { platform: process.platform, env: process.env, home: homedir(), tmp: tmpdir(), uid: process.geteuid?.() ?? 0 };
  const logs = logFolder(surroundings);
  await ensurePrivateFolder(logs);
  const log = openLog(logs, systemClock);
  const inMemory = [process.env['XDG_RUNTIME_DIR'], '/dev/shm', surroundings.tmp].find((path) => path !== undefined && existsSync(path)) ?? surroundings.tmp;
  const base = makeThrowaway(inMemory, PREFIX);
  const fresh = makePrograms(base.folder, options, log, surroundings.uid);
  try {
    let now = await fresh();
    let turn: Promise<void> = Promise.resolve();
    const reset = (): Promise<void> => {
      const renewed = turn.then(async () => {
        const before = now;
        now = await fresh();
        await before.discard();
      });
      turn = renewed.catch(() => undefined);
      return renewed;
    };
    const port: DoorPort = {
      dispatch: (request) => now.program.dispatch(request),
      newRequestId: () => now.program.door.newRequestId(),
      subscribe: (listener) => now.program.door.subscribe(listener),
      refused: (...refusal) => { now.program.door.refused(...refusal); },
      hello: () => now.program.door.hello(),
      clock: systemClock,
    };
    const uid = process.platform === 'linux' ? surroundings.uid : undefined;
    const door = await openAwsDoor({ port: options.port, door: port, clock: systemClock, uid, reset });
    log.event('door.opened', { door: 'aws' });
    let stopping: Promise<void> | undefined;
    const stop = (): Promise<void> =>
      (stopping ??= (async () => {
        await door.close(CLOSE_MS);
        await turn;
        await now.discard();
        base.remove();
        exit(EXIT.ok);
      })());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
    return { port: door.port, options, stop };
  } catch (error) {
    base.remove();
    throw error;
  }
}
