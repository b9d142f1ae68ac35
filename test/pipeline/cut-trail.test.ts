/** Whoever has read `trail.key` can go on writing the trail from there: what the database remembers of it speaks against that. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';

import { base64 } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { startLocal } from '../system/support/program.ts';

const home = mkdtempSync(join(tmpdir(), 'keystead-cut-'));
afterEach(() => {
  vi.useRealTimers();
  rmSync(home, { recursive: true, force: true });
});

it('notices a trail that was cut back to an older key, ten seconds on and with nothing changed since', async () => {
  const folder = join(home, 'vault');
  const [key, segment] = [join(folder, 'trail', 'trail.key'), join(folder, 'trail', '00000001.seg')];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const vault = await startLocal(folder);
  await vault.ok('vault:Create', { Password: base64(PASSWORD), Factors: 'password' });
  const taken = { key: readFileSync(key), size: statSync(segment).size };
  await vault.ok('kms:GenerateRandom', { NumberOfBytes: 16 });
  const { store } = vault.program.vault.open ?? {};
  const before = store?.state.trailIndex ?? 0;
  vi.advanceTimersByTime(10_000);
  await vi.waitUntil(() => (store?.state.trailIndex ?? 0) > before);
  await vault.close();

  writeFileSync(key, taken.key);
  truncateSync(segment, taken.size);
  const again = await startLocal(folder);
  expect(await again.ok('vault:Unlock', { Password: base64(PASSWORD) })).toMatchObject({ State: 'readOnly' });
  await again.close();
});
