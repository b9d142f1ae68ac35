/** A real served vault that is unlocked and sees SoftHSM's tokens: where every test of hardware begins. */
import { join } from 'node:path';
import { base64, type Client } from './client.ts';
import { makeVault, PASSWORD } from './make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './served-vault.ts';
import { SOFTHSM, softHsm, type SoftHsm } from './softhsm.ts';

export interface HsmVault {
  readonly home: string;
  /** Of the vault. */
  readonly folder: string;
  readonly hsm: SoftHsm;
  /** The process that serves the vault now. */
  readonly vault: VaultProcess;
  readonly client: Client;
  unlock(): Promise<void>;
  /** Another process, after one that was ended; unlocks. */
  start(): Promise<void>;
  end(): Promise<void>;
}

/** `module`: path of the module that is added; made in `home`, where it is one of the test's own. `prepare`: before the vault starts. */
export async function openHsmVault({ module = () => SOFTHSM, prepare = () => undefined }: { readonly module?: (home: string) => string; readonly prepare?: (hsm: SoftHsm) => void } = {}): Promise<HsmVault> {
  const home = temporaryFolder();
  const hsm = softHsm(home);
  prepare(hsm);
  const folder = join(home, 'v', 'default');
  const path = module(home);
  await makeVault(folder);
  let vault = await startVault(folder, { home, env: hsm.env });
  const unlock = async (): Promise<void> => void (await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) }));
  await unlock();
  await vault.client.ok('hardware:AddModule', { Path: path });
  return {
    home,
    folder,
    hsm,
    get vault() { return vault; },
    get client() { return vault.client; },
    unlock,
    async start() {
      vault = await startVault(folder, { home, env: hsm.env });
      await unlock();
    },
    async end() {
      await vault.kill();
      remove(home);
    },
  };
}
