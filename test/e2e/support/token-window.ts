/** The real window over a new unlocked vault that reaches SoftHSM: this process is the vault's, so that its environment says where the tokens are. */
import { remove, temporaryFolder } from '../../system/support/served-vault.ts';
import { base64 } from '../../system/support/client.ts';
import { PIN, SOFTHSM, softHsm, type SoftHsm } from '../../system/support/softhsm.ts';
import { openUnlocked, type UnlockedWindow } from './unlocked-window.ts';

export interface TokenWindow extends UnlockedWindow {
  readonly home: string;
  readonly hsm: SoftHsm;
  /** By label. */
  readonly serials: ReadonlyMap<string, string>;
  /** Makes a key store in a token, and connects it; its id. */
  addStore(name: string, label: string): Promise<string>;
  /** Closes the window, and leaves nothing behind. */
  end(): Promise<void>;
}

/** `labels`: tokens that are made first. Without any, the module is not added either. */
export async function openTokenWindow(labels: readonly string[]): Promise<TokenWindow> {
  const home = temporaryFolder();
  const before = process.env['SOFTHSM2_CONF'];
  const hsm = softHsm(home);
  process.env['SOFTHSM2_CONF'] = hsm.env['SOFTHSM2_CONF'];
  const leave = (): void => {
    if (before === undefined) delete process.env['SOFTHSM2_CONF'];
    else process.env['SOFTHSM2_CONF'] = before;
    remove(home);
  };
  try {
    const serials = new Map(labels.map((label) => [label, hsm.makeToken(label)]));
    const opened = await openUnlocked(home);
    const { local } = opened.window;
    if (labels.length > 0) await local.ok('hardware:AddModule', { Path: SOFTHSM });
    return {
      ...opened,
      home,
      hsm,
      serials,
      async addStore(name, label) {
        const tokens = (await local.ok('hardware:ListTokens', {}))['Tokens'] as readonly { readonly Label: string; readonly CloudHsmClusterId: string }[];
        const store = (await local.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: name, CloudHsmClusterId: tokens.find(({ Label }) => Label === label)?.CloudHsmClusterId, KeyStorePassword: base64(PIN) }))['CustomKeyStoreId'] as string;
        await local.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
        return store;
      },
      async end() {
        await opened.window.close();
        leave();
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}
