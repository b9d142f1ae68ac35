/** A real served vault with a key store in a SoftHSM token: where tests of hardware begin. */
import { join } from 'node:path';
import { base64, type Json } from './client.ts';
import { openHsmVault, type HsmVault } from './hsm-vault.ts';
import { PIN, SOFTHSM } from './softhsm.ts';

export interface TokenVault extends HsmVault {
  readonly serial: string;
  /** Id of the key store, which has the token's label for a name. */
  readonly store: string;
  /** Makes the key store again, after it was deleted, and connects it. */
  makeStore(): Promise<void>;
  /** Gives the PIN and connects the key store. */
  connect(): Promise<void>;
  /** As DescribeCustomKeyStores has it. */
  stateOf(): Promise<Json>;
  tokenNow(): Promise<Json>;
  /** A file in `home`. */
  at(name: string): string;
}

export interface TokenVaultOptions {
  /** Path of the module; made in `home`, where it is one of the test's own. Default: SoftHSM. */
  readonly module?: (home: string) => string;
  /** Whether the key store is connected. Default: true. */
  readonly connected?: boolean;
}

/** `label`: of the token. */
export async function openTokenVault(label: string, { module = () => SOFTHSM, connected = true }: TokenVaultOptions = {}): Promise<TokenVault> {
  let serial = '';
  const on = await openHsmVault({ module, prepare: (hsm) => { serial = hsm.makeToken(label); } });
  const ok = (operation: string, input?: Json): Promise<Json> => on.client.ok(operation, input);
  const tokenNow = async (): Promise<Json> => ((await ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Serial'] === serial) ?? {};
  let store = '';
  const makeStore = async (connects = true): Promise<void> => {
    store = (await ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: label, CloudHsmClusterId: (await tokenNow())['CloudHsmClusterId'], KeyStorePassword: base64(PIN) }))['CustomKeyStoreId'] as string;
    if (connects) await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  };
  await makeStore(connected);
  const whole: Omit<TokenVault, keyof HsmVault> = {
    serial,
    get store() { return store; },
    makeStore: () => makeStore(),
    async connect() {
      await ok('hardware:UnlockToken', { Serial: serial, Pin: base64(PIN) });
      await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
    },
    stateOf: async () => ((await ok('kms:DescribeCustomKeyStores', { CustomKeyStoreId: store }))['CustomKeyStores'] as readonly [Json])[0],
    tokenNow,
    at: (name) => join(on.home, name),
  };
  return Object.defineProperties(on, Object.getOwnPropertyDescriptors(whole)) as TokenVault;
}
