/** Sign with P-256 in SoftHSM through the whole path, against the bare module in this process and behind the same kind of child. */
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as pkcs11 from 'pkcs11js';
import { createModuleHost } from '../../src/main/backends/pkcs11/client.ts';
import { createProcessHost } from '../../src/main/platform/process.ts';
import { median, ratePerSecond, warmUp, type Bench, type Figure } from '../harness.ts';
import { Caller, Vault } from '../vault.ts';

const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so';
const PIN = '1234567';
const CALLERS = 32;
const ROUNDS = 5;
const ECDSA = 0x1041;
const KEY_ID = '4b';
const LABEL = 'bench';

/** Signatures a second of one synchronous loop over one session. */
function bareLoop(seconds: number): number {
  const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as typeof pkcs11;
  const p11 = new PKCS11();
  p11.load(SOFTHSM);
  p11.C_Initialize({ flags: 2 });
  const slot = p11.C_GetSlotList(true).find((one) => p11.C_GetTokenInfo(one).label.trim() === LABEL)!;
  const session = p11.C_OpenSession(slot, 6);
  p11.C_Login(session, 1, PIN);
  p11.C_FindObjectsInit(session, [{ type: 0, value: 3 }, { type: 0x102, value: Buffer.from(KEY_ID, 'hex') }]);
  const key = p11.C_FindObjects(session)!;
  p11.C_FindObjectsFinal(session);
  const digest = randomBytes(32);
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < seconds * 1000) {
    p11.C_SignInit(session, { mechanism: ECDSA }, key);
    p11.C_Sign(session, digest, Buffer.alloc(64));
    count += 1;
  }
  const rate = count / ((performance.now() - started) / 1000);
  p11.C_Finalize();
  p11.close();
  return rate;
}

export const tokenSigning: Figure = {
  name: 'token',
  async run({ scratch, root, report }: Bench) {
    const tokens = join(scratch, 'tokens');
    mkdirSync(tokens);
    writeFileSync(join(scratch, 'softhsm2.conf'), `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    process.env['SOFTHSM2_CONF'] = join(scratch, 'softhsm2.conf');
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', LABEL, '--so-pin', '87654321', '--pin', PIN], { stdio: 'ignore' });
    execFileSync('pkcs11-tool', ['--module', SOFTHSM, '--token-label', LABEL, '--login', '--pin', PIN, '--keypairgen', '--key-type', 'EC:prime256v1', '--id', KEY_ID, '--usage-sign'], { stdio: 'ignore' });

    const entry = (name: string): string => join(root, 'dist/main', name);
    const host = createModuleHost(createProcessHost({ entries: { sealer: '', keychain: '', cipher: '', egress: '', importer: '', pkcs11: entry('pkcs11.mjs') } }).spawn('pkcs11'), SOFTHSM);
    const vault = await Vault.create(root, scratch);
    try {
      await host.call('load', { path: SOFTHSM });
      const { tokens: found } = (await host.call('tokens', {})).reply;
      const { serial, label } = found.find((one) => one.label === LABEL)!;
      const token = { serial, label };
      await host.call('login', { token, again: false }, [Buffer.from(PIN)]);
      const digest = randomBytes(32);
      const inChild = (): Promise<unknown> => host.call('sign', { token, id: KEY_ID, use: { kind: 'plain', mechanism: ECDSA } }, [digest]);

      const callers = await vault.callers(CALLERS);
      const [first] = callers;
      await first!.call('hardware:AddModule', { Path: SOFTHSM });
      const { Tokens } = await first!.call('hardware:ListTokens');
      const { CloudHsmClusterId } = (Tokens as readonly { readonly Label: string; readonly CloudHsmClusterId: string }[]).find((one) => one.Label === LABEL)!;
      const { CustomKeyStoreId } = await first!.call('kms:CreateCustomKeyStore', { CustomKeyStoreName: 'bench', CloudHsmClusterId, KeyStorePassword: Buffer.from(PIN).toString('base64') });
      await first!.call('kms:ConnectCustomKeyStore', { CustomKeyStoreId });
      const worksOf = async (place: object): Promise<(() => Promise<void>)[]> => {
        const { KeyMetadata } = await first!.call('kms:CreateKey', { KeySpec: 'ECC_NIST_P256', ...place });
        const { KeyId } = KeyMetadata as { readonly KeyId: string };
        const frame = Caller.frame('kms:Sign', { KeyId, Message: digest.toString('base64'), MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' });
        return callers.map((caller) => () => caller.send(frame));
      };
      const works = await worksOf({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId });
      const own = await worksOf({});
      await warmUp(works);

      const bare: number[] = [];
      const child: number[] = [];
      const whole: number[] = [];
      const software: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        bare.push(bareLoop(1));
        child.push(await ratePerSecond(Array.from({ length: CALLERS }, () => inChild), 2));
        whole.push(await ratePerSecond(works, 2));
        software.push(await ratePerSecond(own, 2));
      }
      report({ figure: 'P-256 sign in SoftHSM, bare pkcs11js in one thread', value: median(bare), unit: '/s', rounds: bare });
      report({ figure: `P-256 sign in SoftHSM, bare module host, ${CALLERS} callers`, value: median(child), unit: '/s', rounds: child });
      report({ figure: `Sign P-256 in SoftHSM, ${CALLERS} callers`, value: median(whole), unit: '/s', rounds: whole });
      report({ figure: `Sign P-256 by a key of the vault’s own, the same run, ${CALLERS} callers`, value: median(software), unit: '/s', rounds: software });
      report({ figure: 'Sign P-256 in SoftHSM to bare pkcs11js', value: (100 * median(whole)) / median(bare), unit: '%', target: { atLeast: 20 } });
      report({ figure: 'Sign P-256 in SoftHSM to the bare module host', value: (100 * median(whole)) / median(child), unit: '%', target: { atLeast: 45 } });
    } finally {
      await host.stop();
      await vault.stop();
    }
  },
};
