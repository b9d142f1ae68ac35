/** The sealer as it is in the product: a process of its own, frames on descriptor 3. */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../../../src/main/platform/ports.ts';
import { createProcessHost } from '../../../src/main/platform/process.ts';
import { createSealerClient } from '../../../src/main/seal/client.ts';
import { bundleFile } from '../platform/bundle.ts';
import { recordingLog } from '../../fakes/recording-log.ts';
import { MOMENT, RAM, RECOVERY, VAULT_ID, sha256, text } from './vault-fixture.ts';

let script = '';
beforeAll(async () => {
  script = await bundleFile('sealer-entry', 'src/main/sealer/entry.ts');
});

const log = recordingLog();
const start = (): Child => createProcessHost({ entries: { sealer: script, keychain: script, cipher: '', pkcs11: '', egress: '', importer: '' }, log }).spawn('sealer');
const gone = (pid: number): boolean => !existsSync(`/proc/${String(pid)}`);

describe('sealer process', () => {
  it('makes, opens and uses a vault, and is gone after stop', async () => {
    const sealer = createSealerClient(start());
    const password = { type: 'password', factors: { password: text('p') }, kdf: { memory: 64 * 1024, passes: 3, lanes: 4 }, created: 1 } as const;
    const { header } = await sealer.call('createHeader', { vaultId: VAULT_ID, slots: [password, RECOVERY] });
    await sealer.call('createState', { headerHash: sha256(header), ...MOMENT });
    await sealer.stop();
    await sealer.gone;

    const child = start();
    const second = createSealerClient(child);
    expect(await second.call('unseal', { header, factors: { password: text('p') }, type: 'password', ramBytes: RAM })).toMatchObject({ pendingTerm: false });
    const first = await second.call('blind', { table: 'keys', value: 'x' });
    const both = await Promise.all([second.call('blind', { table: 'keys', value: 'x' }), second.call('random', { length: 32 })]);
    expect(both[0]).toEqual(first);
    await second.stop();
    expect(gone(child.pid)).toBe(true);
  });

  it('answers noise with errors and lives', async () => {
    const child = start();
    const sealer = createSealerClient(child);
    for (let i = 0; i < 1000; i += 1) child.send(new Uint8Array(new ArrayBuffer(i % 50)).fill(i & 255));
    expect((await sealer.call('random', { length: 4 })).bytes.byteLength).toBe(4);
    await sealer.stop();
  });

  it('is hardened before it answers', async () => {
    const child = start();
    const sealer = createSealerClient(child);
    await sealer.call('random', { length: 1 });
    expect(readFileSync(`/proc/${String(child.pid)}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
    await sealer.stop();
    expect(gone(child.pid)).toBe(true);
  });

  it('rejects what waits when it is killed from outside', async () => {
    const child = start();
    const sealer = createSealerClient(child);
    await sealer.call('random', { length: 1 });
    const waiting = sealer.call('measureKdf', { cost: { memory: 256 * 1024, passes: 30, lanes: 1 } });
    process.kill(child.pid, 'SIGKILL');
    await expect(waiting).rejects.toMatchObject({ code: 'SealerStoppedException' });
    await sealer.gone;
    await sealer.stop();
  });
});
