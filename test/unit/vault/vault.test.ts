import { expect, it } from 'vitest';

import { createVault, phaseOf, setOpen, type OpenVault, type VaultPorts } from '../../../src/main/vault/vault.ts';
import type { Trail } from '../../../src/main/trail/log.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';

/** An open vault of which only the check of its database matters. */
const openWith = (checked: Promise<void>): OpenVault => ({ sealer: { gone: new Promise(() => undefined) }, store: { checked } }) as unknown as OpenVault;

const openVault = (open: OpenVault) => {
  const vault = createVault({} as VaultPorts, {} as Trail);
  setOpen(vault, open);
  return vault;
};

it('is read-only from the moment that the check in the background finds a mismatch', async () => {
  const vault = openVault(openWith(Promise.reject(new VaultError('VaultTamperedException', 'rows of the database are missing'))));
  await new Promise((resolve) => setImmediate(resolve));
  expect(phaseOf(vault)).toBe('readOnly');
  expect(vault.open?.problem).toBe('rows of the database are missing');
});

it('stays unlocked when it finds none', async () => {
  const vault = openVault(openWith(Promise.resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  expect(phaseOf(vault)).toBe('unlocked');
});
