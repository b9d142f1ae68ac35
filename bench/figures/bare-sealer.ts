/** The sealer alone, driven over its pipe without policy, trail, store or door: what the whole path is compared with. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createProcessHost } from '../../src/main/platform/process.ts';
import { createSealerClient } from '../../src/main/seal/client.ts';
import { ratePerSecond } from '../harness.ts';

/** P-256 signatures a second of one sealer child for this many callers. */
export async function bareSealerRate(root: string, callers: number, seconds = 1): Promise<number> {
  const entry = (name: string): string => join(root, 'dist/main', name);
  const host = createProcessHost({ entries: { sealer: entry('sealer.mjs'), keychain: entry('keychain.mjs'), cipher: '', pkcs11: '', egress: '', importer: '' } });
  const sealer = createSealerClient(host.spawn('sealer'));
  try {
    await sealer.call('createHeader', { vaultId: randomBytes(16), slots: [{ type: 'recovery', factors: {}, created: 0 }] });
    const rowId = randomBytes(16);
    const { body } = await sealer.call('generateMaterial', { rowId, spec: 'ECC_NIST_P256', keyId: '00000000-0000-4000-8000-000000000000', materialId: randomBytes(8), purpose: 'kms' });
    const request = { key: { rowId, version: 1, body }, purpose: 'kms', algorithm: 'ECDSA_SHA_256', message: randomBytes(32), digest: false } as const;
    await sealer.call('sign', request);
    const again = { ...request, key: { rowId, version: 1 } };
    const work = (): Promise<unknown> => sealer.call('sign', again);
    return await ratePerSecond(Array.from({ length: callers }, () => work), seconds);
  } finally {
    await sealer.stop();
  }
}
