/** Key stores that span several SoftHSM tokens, in a vault that is unlocked and has the module. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base64 as b64, type Client, type Json } from './client.ts';
import { makeVault, PASSWORD } from './make-vault.ts';
import { remove, startVault, temporaryFolder, type VaultProcess } from './served-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, softHsm, type SoftHsm } from './softhsm.ts';

export interface MadeCluster {
  readonly store: string;
  /** By label. */
  readonly ids: ReadonlyMap<string, string>;
  readonly serials: ReadonlyMap<string, string>;
}

export async function clusterIds(client: Client): Promise<ReadonlyMap<string, string>> {
  const tokens = (await client.ok('hardware:ListTokens'))['Tokens'] as readonly Json[];
  return new Map(tokens.flatMap((one) => (typeof one['CloudHsmClusterId'] === 'string' ? [[one['Label'] as string, one['CloudHsmClusterId']] as const] : [])));
}

export const addInput = (store: string, id: string | undefined): Json => ({ CustomKeyStoreId: store, CloudHsmClusterId: id, Pin: b64(PIN), SecurityOfficerPin: b64(OFFICER_PIN), MemberSecurityOfficerPin: b64(OFFICER_PIN) });

/** Makes the tokens, and a connected key store that spans them all. */
export async function makeCluster(client: Client, hsm: SoftHsm, name: string, labels: readonly string[]): Promise<MadeCluster> {
  const serials = new Map(labels.map((label) => [label, hsm.makeToken(label)]));
  const ids = await clusterIds(client);
  const [first = '', ...others] = labels;
  const store = (await client.ok('kms:CreateCustomKeyStore', { CustomKeyStoreName: name, CloudHsmClusterId: ids.get(first), KeyStorePassword: b64(PIN) }))['CustomKeyStoreId'] as string;
  await client.ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: store });
  for (const label of others) await client.ok('hardware:AddTokenToKeyStore', addInput(store, ids.get(label)));
  return { store, ids, serials };
}

export interface ClusterVault extends MadeCluster {
  readonly home: string;
  readonly hsm: SoftHsm;
  /** The process that serves the vault now. */
  readonly vault: VaultProcess;
  readonly client: Client;
  /** Another process, after one that was ended; unlocks. */
  start(): Promise<void>;
  unlock(): Promise<void>;
  /** Gives the PIN of one token, by its label. */
  unlockToken(label: string): Promise<void>;
  connect(): Promise<void>;
  describe(): Promise<Json>;
  /** As DescribeCluster has it. */
  memberOf(label: string): Promise<Json>;
  /** pkcs11-tool, logged in to one token. */
  tool(label: string, ...args: readonly string[]): string;
  /** Of every object on a token, by another's tool: class and CKA_ID, in an order of their own. */
  idsOn(label: string): readonly string[];
  /** Where the token's files are. */
  folderOf(label: string): string;
  end(): Promise<void>;
}

/** A real served vault with a key store that spans SoftHSM tokens: where tests of clusters begin. `name`: of the key store. */
export async function openClusterVault(name: string, labels: readonly string[]): Promise<ClusterVault> {
  const home = temporaryFolder();
  const hsm = softHsm(home);
  const folder = join(home, 'v', 'default');
  await makeVault(folder);
  let vault = await startVault(folder, { home, env: hsm.env });
  const ok = (operation: string, input?: Json): Promise<Json> => vault.client.ok(operation, input);
  const unlock = async (): Promise<void> => void (await ok('vault:Unlock', { Password: b64(PASSWORD) }));
  await unlock();
  await ok('hardware:AddModule', { Path: SOFTHSM });
  const made = await makeCluster(vault.client, hsm, name, labels);
  const describe = (): Promise<Json> => ok('hardware:DescribeCluster', { CustomKeyStoreId: made.store });
  const serialOf = async (label: string): Promise<unknown> => ((await ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === label)?.['Serial'];
  const tool = (label: string, ...args: readonly string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, ...args).toString('utf8');
  return {
    ...made,
    home,
    hsm,
    get vault() { return vault; },
    get client() { return vault.client; },
    async start() {
      vault = await startVault(folder, { home, env: hsm.env });
      await unlock();
    },
    unlock,
    unlockToken: async (label) => void (await ok('hardware:UnlockToken', { Serial: await serialOf(label), Pin: b64(PIN) })),
    connect: async () => void (await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: made.store })),
    describe,
    memberOf: async (label) => ((await describe())['Members'] as readonly Json[]).find((one) => one['Label'] === label) ?? {},
    tool,
    idsOn: (label) => tool(label, '--list-objects').split(/^(?=\S.* Object; )/m).flatMap((block) => { const id = /^ +ID: +(\w+)/m.exec(block)?.[1]; return id === undefined ? [] : [`${block.split(' Object')[0] ?? ''} ${id}`]; }).sort(),
    folderOf(label) {
      const serial = made.serials.get(label) ?? '-';
      const found = readdirSync(hsm.folder).find((one) => one.replaceAll('-', '').endsWith(serial));
      if (found === undefined) throw new Error(`no folder for ${label}`);
      return join(hsm.folder, found);
    },
    async end() {
      await vault.kill();
      remove(home);
    },
  };
}
