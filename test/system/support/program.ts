/** The whole program in this process, from `compose` on: real files, real path, and a machine (clock, keychain) of the test's making. */
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compose, type Machine, type Program } from '../../../src/main/app/compose.ts';
import { openConfigFile } from '../../../src/main/app/config.ts';
import type { VaultsControl } from '../../../src/main/operations/vaults.ts';
import type { Result } from '../../../src/main/kernel/request.ts';
import { noLog } from '../../../src/main/platform/log.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { encodeJson } from '../../../src/shared/wire/encode.ts';
import { Refused, type Json } from './client.ts';
import { cheapSealer, noKeychain } from './make-vault.ts';

const built = (name: string): string => resolve(import.meta.dirname, '../../../dist/main', name);

export interface LocalProgram {
  readonly program: Program;
  /** `region`: the name space that is asked; the vault's own where it is left out. */
  call(operation: string, input?: Json, region?: string): Promise<Result>;
  /** The output; rejects with Refused. */
  ok(operation: string, input?: Json, region?: string): Promise<Json>;
  close(): Promise<void>;
}

/** A process that knows of one vault and goes to no other. */
export const onlyVault = (folder: string): VaultsControl => ({
  folder,
  newIn: dirname(folder),
  newFolder: (name) => join(dirname(folder), name),
  known: () => Promise.resolve([folder]),
  forget: () => Promise.resolve(false),
  real: (path) => path,
  holdsVault: (path) => path === folder,
  moveTo: () => Promise.reject(new VaultError('VaultInUseException', 'this program serves one vault')),
});

/** Rejects as `compose` does. Sealer in this process, no keychain, unless the machine says otherwise. */
export async function startLocal(folder: string, machine: Partial<Machine> = {}, vaults = onlyVault(folder)): Promise<LocalProgram> {
  const program = await compose({
    folder,
    entries: { sealer: built('sealer.mjs'), keychain: built('keychain.mjs'), cipher: built('cipher.mjs'), pkcs11: built('pkcs11.mjs'), egress: built('egress.mjs'), importer: built('importer.mjs'), hashWorker: pathToFileURL(built('hash-worker.mjs')) },
    version: '0.0.0',
    config: openConfigFile(`${folder}.config.json`),
    log: noLog,
    vaults,
    stopSoon: () => undefined,
    machine: { keychain: noKeychain, startSealer: cheapSealer, ...machine },
  });
  const peer = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, pid: process.pid };
  const call: LocalProgram['call'] = (operation, input = {}, region) =>
    program.dispatch({ id: program.door.newRequestId(), door: 'cli', evidence: { door: 'cli', peer, hints: {} }, operation, ...(region === undefined ? {} : { region }), input: encodeJson(input), signal: new AbortController().signal });
  return {
    program,
    call,
    async ok(operation, input, region) {
      const result = await call(operation, input, region);
      if (!result.ok) throw new Refused(operation, result.error);
      return result.output;
    },
    close: () => program.close(),
  };
}

/** An error's code; `ok` when there is none. */
export const codeOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'ok', (error: unknown) => (error instanceof VaultError || error instanceof Refused ? error.code : `not a VaultError: ${String(error)}`));
