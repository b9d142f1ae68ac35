/**
 * Makes a vault's folder with the program's own code in this process. Its password costs the least that is allowed (64 MiB, three
 * passes), since a test that unlocks hundreds of times is not about Argon2id.
 */
import { createSoftwareBackend } from '../../../src/main/backends/software.ts';
import type { Clock, Keychain } from '../../../src/main/platform/ports.ts';
import { systemClock } from '../../../src/main/platform/clock.ts';
import { systemRandom } from '../../../src/main/platform/random.ts';
import { COST_FLOOR } from '../../../src/main/seal/cost.ts';
import type { Sealer } from '../../../src/main/seal/protocol.ts';
import { createSealer } from '../../../src/main/sealer/sealer.ts';
import { openTrail } from '../../../src/main/trail/log.ts';
import { fromHex } from '../../../src/main/crypto/bytes.ts';
import { headerInfo, parseHeader } from '../../../src/main/seal/header.ts';
import { create, type CreateFactors } from '../../../src/main/vault/create.ts';
import { createVault, lock, readHeaderFile, type Vault } from '../../../src/main/vault/vault.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { SecretBytes } from '../../../src/shared/model/secret-bytes.ts';

export const PASSWORD = 'correct horse battery staple';

/** A sealer whose machine is so slow that nothing above the floor will do. */
export function cheapSealer(): Sealer {
  const real = createSealer({ random: systemRandom });
  return {
    gone: real.gone,
    stop: () => real.stop(),
    call: (method, request) => {
      if (method !== 'measureKdf') return real.call(method, request);
      const { cost } = request as { readonly cost: { readonly memory: number } };
      return Promise.resolve({ milliseconds: cost.memory > COST_FLOOR.memory ? 100_000 : 700 } as never);
    },
  };
}

const refuse = (): Promise<never> => Promise.reject(new VaultError('KeychainUnavailableException', 'there is no keychain here'));
export const noKeychain: Keychain = { probe: () => Promise.resolve({ available: false, reason: 'none' }), get: refuse, set: refuse, remove: refuse };

export interface MemoryKeychain extends Keychain {
  readonly entries: Map<string, Uint8Array>;
}

export function memoryKeychain(): MemoryKeychain {
  const entries = new Map<string, Uint8Array>();
  return {
    entries,
    probe: () => Promise.resolve({ available: true }),
    get: (name) => Promise.resolve(entries.has(name) ? Uint8Array.from(entries.get(name) ?? []) : undefined),
    set: (name, value) => Promise.resolve(void entries.set(name, Uint8Array.from(value))),
    remove: (name) => Promise.resolve(void entries.delete(name)),
  };
}

export interface LocalOptions {
  readonly keychain?: Keychain;
  readonly clock?: Clock;
}

/** The vault of `folder`, absent so far, in this process. Takes no lock. */
export function localVault(folder: string, { keychain = noKeychain, clock = systemClock }: LocalOptions = {}, trail?: Vault['trail']): Vault {
  return createVault(
    {
      folder,
      clock,
      random: systemRandom,
      keychain,
      startSealer: cheapSealer,
      ramBytes: 2 ** 33,
      endBorrowers: () => Promise.resolve(),
      tokens: { factor: () => Promise.reject(new Error('no token here')), end: () => Promise.resolve() },
      openBackend: (sealer, store) => createSoftwareBackend({ sealer, random: systemRandom, material: (id) => store.reader.material(id) }),
      emit: () => undefined,
      claim: () => undefined,
    },
    trail,
  );
}

/** The existing vault of `folder`, locked, as `compose` opens it. */
export async function openLocal(folder: string, options: LocalOptions = {}): Promise<Vault> {
  const info = headerInfo(parseHeader(await readHeaderFile(folder)));
  const trail = await openTrail({ folder, vaultId: fromHex(info.vaultId), trailPublicKey: info.trailPublicKey, random: systemRandom });
  return localVault(folder, options, trail);
}

export async function closeLocal(vault: Vault): Promise<void> {
  await lock(vault);
  await vault.anchoring;
  await vault.trail?.close();
}

export const secret = (text: string): SecretBytes => SecretBytes.copy(new TextEncoder().encode(text));

/** A new, closed vault; its recovery code as shown. */
export async function makeVault(folder: string, options: LocalOptions & { readonly factors?: CreateFactors } = {}): Promise<{ readonly recoveryCode: string }> {
  const vault = localVault(folder, options);
  const { recoveryCode } = await create(vault, { password: secret(PASSWORD), factors: options.factors ?? 'password', recoveryCode: true, name: 'test', region: 'eu-west-1', account: undefined });
  const shown = recoveryCode?.borrow((bytes) => Buffer.from(bytes).toString('latin1')) ?? '';
  await closeLocal(vault);
  return { recoveryCode: shown };
}
