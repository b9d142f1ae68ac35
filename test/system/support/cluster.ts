/** Key stores that span several SoftHSM tokens, in a vault that is unlocked and has the module. */
import type { Client, Json } from './client.ts';
import { OFFICER_PIN, PIN, type SoftHsm } from './softhsm.ts';

const b64 = (text: string): string => Buffer.from(text).toString('base64');

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
