/** A real served vault with a key store in a SoftHSM token: where tests of hardware begin. */
import { join } from 'node:path';
import { base64, type Client, type Json } from './client.ts';
import { makeVault, PASSWORD } from './make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './served-vault.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from './softhsm.ts';

export interface TokenVault {
  readonly home: string;
  /** Of the vault. */
  readonly folder: string;
  readonly hsm: SoftHsm;
  readonly serial: string;
  /** Id of the key store, which has the token's label for a name. */
  readonly store: string;
  /** The process that serves the vault now. */
  readonly vault: VaultProcess;
  readonly client: Client;
  /** Another process, after one that was ended; unlocks. */
  start(): Promise<void>;
  /** Makes the key store again, after it was deleted, and connects it. */
  makeStore(): Promise<void>;
  /** Gives the PIN and connects the key store. */
  connect(): Promise<void>;
  /** As DescribeCustomKeyStores has it. */
  stateOf(): Promise<Json>;
  tokenNow(): Promise<Json>;
  /** A file in `home`. */
  at(name: string): string;
  end(): Promise<void>;
}

export interface TokenVaultOptions {
  /** Path of the module; made in `home`, where it is one of the test's own. Default: SoftHSM. */
  readonly module?: (home: string) => string;
  /** Whether the key store is connected. Default: true. */
  readonly connected?: boolean;
}

/** `label`: of the token. */
export async function openTokenVault(label: string, { module = () => SOFTHSM, connected = true }: TokenVaultOptions = {}): Promise<TokenVault> {
  const home = temporaryFolder();
  const hsm = softHsm(home);
  const serial = hsm.makeToken(label);
  const folder = join(home, 'v', 'default');
  const path = module(home);
  await makeVault(folder);
  let vault: VaultProcess;
  const start = async (): Promise<void> => {
    vault = await startVault(folder, { home, env: hsm.env });
    await vault.client.ok('vault:Unlock', { Password: base64(PASSWORD) });
  };
  await start();
  const ok = (operation: string, input?: Json): Promise<Json> => vault.client.ok(operation, input);
  const tokenNow = async (): Promise<Json> => ((await ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Serial'] === serial) ?? {};
  await ok('hardware:AddModule', { Path: path });
  let store = '';
  const makeStore = async (connects = true): Promise<void> => {
    store = (await ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: label, CloudHsmClusterId: (await tokenNow())['CloudHsmClusterId'], KeyStorePassword: base64(PIN) }))['CustomKeyStoreId'] as string;
    if (connects) await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  };
  await makeStore(connected);
  return {
    home,
    folder,
    hsm,
    serial,
    get store() { return store; },
    get vault() { return vault; },
    get client() { return vault.client; },
    start,
    makeStore: () => makeStore(),
    async connect() {
      await ok('hardware:UnlockToken', { Serial: serial, Pin: base64(PIN) });
      await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
    },
    stateOf: async () => ((await ok('kms:DescribeCustomKeyStores', { CustomKeyStoreId: store }))['CustomKeyStores'] as readonly [Json])[0],
    tokenNow,
    at: (name) => join(home, name),
    async end() {
      await vault.kill();
      remove(home);
    },
  };
}
