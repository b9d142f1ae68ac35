/** An outcome is in the trail once, however often the vault is locked and unlocked before anything else is written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';

import { base64 } from '../system/support/client.ts';
import { PASSWORD } from '../system/support/make-vault.ts';
import { startLocal, type LocalProgram } from '../system/support/program.ts';

const home = mkdtempSync(join(tmpdir(), 'keystead-once-'));
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function outcomesOf(vault: LocalProgram, operation: string): Promise<number> {
  const { Events } = await vault.ok('trail:LookupEvents', { Operation: operation, Result: 'ok', Limit: 500 });
  return (Events as readonly unknown[]).length;
}

it('appends an outcome once, whatever is locked and unlocked after it', async () => {
  const folder = join(home, 'vault');
  const vault = await startLocal(folder);
  await vault.ok('vault:Create', { Password: base64(PASSWORD), Factors: 'password' });
  await vault.ok('kms:CreateKey', {});
  for (let round = 0; round < 4; round += 1) {
    await vault.ok('vault:Lock');
    await vault.ok('vault:Unlock', { Password: base64(PASSWORD) });
    expect([round, await outcomesOf(vault, 'kms:CreateKey')]).toEqual([round, 1]);
  }
  await vault.close();
});
