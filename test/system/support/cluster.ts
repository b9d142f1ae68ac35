/** Key stores that span several SoftHSM tokens, in a vault that is unlocked and has the module. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base64 as b64, type Client, type Json } from './client.ts';
import { openHsmVault, type HsmVault } from './hsm-vault.ts';
import { OFFICER_PIN, PIN, SOFTHSM, type SoftHsm } from './softhsm.ts';

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

export interface ClusterVault extends MadeCluster, HsmVault {
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
}

/** A real served vault with a key store that spans SoftHSM tokens: where tests of clusters begin. `name`: of the key store. */
export async function openClusterVault(name: string, labels: readonly string[]): Promise<ClusterVault> {
  const on = await openHsmVault();
  const { hsm } = on;
  const ok = (operation: string, input?: Json): Promise<Json> => on.client.ok(operation, input);
  const made = await makeCluster(on.client, hsm, name, labels);
  const describe = (): Promise<Json> => ok('hardware:DescribeCluster', { CustomKeyStoreId: made.store });
  const serialOf = async (label: string): Promise<unknown> => ((await ok('hardware:ListTokens'))['Tokens'] as readonly Json[]).find((one) => one['Label'] === label)?.['Serial'];
  const tool = (label: string, ...args: readonly string[]): string => hsm.run('pkcs11-tool', '--module', SOFTHSM, '--token-label', label, '--login', '--pin', PIN, ...args).toString('utf8');
  return Object.assign(on, made, {
    unlockToken: async (label: string) => void (await ok('hardware:UnlockToken', { Serial: await serialOf(label), Pin: b64(PIN) })),
    connect: async () => void (await ok('kms:ConnectCustomKeyStore', { CustomKeyStoreId: made.store })),
    describe,
    memberOf: async (label: string) => ((await describe())['Members'] as readonly Json[]).find((one) => one['Label'] === label) ?? {},
    tool,
    idsOn: (label: string) => tool(label, '--list-objects').split(/^(?=\S.* Object; )/m).flatMap((block) => { const id = /^ +ID: +(\w+)/m.exec(block)?.[1]; return id === undefined ? [] : [`${block.split(' Object')[0] ?? ''} ${id}`]; }).sort(),
    folderOf(label: string) {
      const serial = made.serials.get(label) ?? '-';
      const found = readdirSync(hsm.folder).find((one) => one.replaceAll('-', '').endsWith(serial));
      if (found === undefined) throw new Error(`no folder for ${label}`);
      return join(hsm.folder, found);
    },
  });
}
