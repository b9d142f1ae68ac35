/** A cluster of two SoftHSM tokens against one, and what a token that makes RSA-4096 keys costs another. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, percentile, ratePerSecond, timed, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const PIN = b64('1234567');
const OFFICER_PIN = b64('87654321');
const CALLERS = 32;
const ROUNDS = 5;
const SIGNATURES = 400;

type Found = readonly { readonly Label: string; readonly CloudHsmClusterId: string }[];

export const tokenCluster: Figure = {
  name: 'cluster',
  async run({ scratch, root, report }: Bench) {
    const tokens = join(scratch, 'cluster-tokens');
    mkdirSync(tokens);
    writeFileSync(join(scratch, 'softhsm2-cluster.conf'), `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    process.env['SOFTHSM2_CONF'] = join(scratch, 'softhsm2-cluster.conf');
    for (const label of ['alone', 'one', 'two']) execFileSync('softhsm2-util', ['--init-token', '--free', '--label', label, '--so-pin', '87654321', '--pin', '1234567'], { stdio: 'ignore' });
    const vault = await Vault.create(root, scratch);
    try {
      const callers = await vault.callers(CALLERS);
      const [first, second] = callers as [Caller, Caller];
      await first.call('hardware:AddModule', { Path: SOFTHSM });
      const found = (await first.call('hardware:ListTokens'))['Tokens'] as Found;
      const idOf = (label: string): string => found.find((one) => one.Label === label)!.CloudHsmClusterId;
      const storeIn = async (label: string): Promise<string> => {
        const { CustomKeyStoreId } = await first.call('kms:CreateCustomKeyStore', { CustomKeyStoreName: label, CloudHsmClusterId: idOf(label), KeyStorePassword: PIN });
        await first.call('kms:ConnectCustomKeyStore', { CustomKeyStoreId });
        return CustomKeyStoreId as string;
      };
      const alone = await storeIn('alone');
      const cluster = await storeIn('one');
      await first.call('hardware:AddTokenToKeyStore', { CustomKeyStoreId: cluster, CloudHsmClusterId: idOf('two'), Pin: PIN, SecurityOfficerPin: OFFICER_PIN, MemberSecurityOfficerPin: OFFICER_PIN });
      const keyIn = async (CustomKeyStoreId: string, KeySpec: string): Promise<string> => ((await first.call('kms:CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY', Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }))['KeyMetadata'] as { readonly KeyId: string }).KeyId;
      const message = randomBytes(32).toString('base64');
      const signing = (KeyId: string, SigningAlgorithm: string): Uint8Array => Caller.frame('kms:Sign', { KeyId, Message: message, MessageType: 'RAW', SigningAlgorithm });
      const rsaOf = async (store: string): Promise<(() => Promise<void>)[]> => {
        const frame = signing(await keyIn(store, 'RSA_2048'), 'RSASSA_PSS_SHA_256');
        return callers.map((caller) => () => caller.send(frame));
      };
      const [byOne, byTwo] = [await rsaOf(alone), await rsaOf(cluster)];
      await ratePerSecond(byTwo, 1);
      const single: number[] = [];
      const both: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        single.push(await ratePerSecond(byOne, 2));
        both.push(await ratePerSecond(byTwo, 2));
      }
      report({ figure: `Sign RSA-2048 in one SoftHSM token, ${CALLERS} callers`, value: median(single), unit: '/s', rounds: single });
      report({ figure: `Sign RSA-2048 in a cluster of two tokens, ${CALLERS} callers`, value: median(both), unit: '/s', rounds: both });
      report({ figure: 'Sign RSA-2048, a cluster of two tokens to one', value: median(both) / median(single), unit: '×', target: { atLeast: 1.4 } });

      // One caller asks the cluster; another has `alone` make keys without pause.
      const frame = signing(await keyIn(cluster, 'ECC_NIST_P256'), 'ECDSA_SHA_256');
      const times = async (): Promise<number[]> => {
        const all: number[] = [];
        while (all.length < SIGNATURES) all.push(await timed(() => second.send(frame)));
        return all;
      };
      const quiet = await times();
      let isOver = false;
      let generated = 0;
      const generating = (async () => {
        for (; !isOver; generated += 1) await keyIn(alone, 'RSA_4096');
      })();
      const busy: number[] = [];
      do busy.push(...(await times())); while (generated < 2);
      isOver = true;
      await generating;
      report({ figure: 'Sign P-256 in a token, one caller, p99', value: percentile(quiet, 0.99), unit: 'ms' });
      report({ figure: 'the same while another token makes RSA-4096 keys, p99', value: percentile(busy, 0.99), unit: 'ms' });
      report({ figure: 'Sign P-256 in a token while another makes RSA-4096 keys, p99 later by', value: percentile(busy, 0.99) - percentile(quiet, 0.99), unit: 'ms', target: { atMost: 10 }, note: `${String(generated)} RSA-4096 keys; nothing waits for a key that is being made, so what remains is the processor’s` });
    } finally {
      await vault.stop();
    }
  },
};
