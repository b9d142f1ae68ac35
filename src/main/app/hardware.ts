/** Tokens of the running program: module hosts, and the backend that sends each key to where it is. */
import { existsSync, realpathSync } from 'node:fs';
import { createTokenBackend } from '../backends/pkcs11/backend.ts';
import { createModuleHost } from '../backends/pkcs11/client.ts';
import { createSoftwareBackend } from '../backends/software.ts';
import { hardwareOpenings } from '../hardware/opening.ts';
import { registeredModules } from '../hardware/registry.ts';
import { tokenSlots } from '../hardware/token-slots.ts';
import type { KeyBackend } from '../keyring/ports.ts';
import type { Clock, ProcessHost, Random } from '../platform/ports.ts';
import type { Sealer } from '../seal/protocol.ts';
import { clusterIsBehind } from '../operations/hardware-cluster.ts';
import type { VaultStore } from '../store/port.ts';
import { startClusterRunner, type ClusterRunner } from './cluster-runner.ts';
import type { Runner, RunnerPorts } from './flights.ts';
import { startSealedPinRunner } from './sealed-pins.ts';

export interface TokenPorts {
  readonly host: ProcessHost;
  readonly random: Random;
  readonly clock: Pick<Clock, 'now'>;
  /** Told when a key store is no longer as it was. */
  readonly changed: () => void;
}

export function openTokens({ host, random, clock, changed }: TokenPorts) {
  const ports = { startHost: (path: string) => createModuleHost(host.spawn('pkcs11'), path), uid: process.geteuid?.() ?? 0, now: () => clock.now() };
  let clusters: ClusterRunner | undefined;
  const openings = hardwareOpenings({ ...ports, changed, returned: (storeId) => clusters?.returned(storeId) });
  const slots = tokenSlots(ports);
  return {
    hardware: openings.now,
    slots,
    endTokens: async () => { await Promise.all([openings.end(), slots.end()]); },
    // Modules are known without links.
    registeredModules: () => [...new Set(registeredModules(existsSync).map((path) => realpathSync(path)))],
    /** What is done with tokens by the vault's own clock. */
    startRunners(runner: RunnerPorts): readonly Runner[] {
      clusters = startClusterRunner({ ...runner, isBehind: (reader, storeId) => clusterIsBehind(openings.now(), random, reader, storeId) });
      return [startSealedPinRunner(runner), clusters];
    },
    isConnected: (storeId: string): boolean => openings.current?.connection(storeId).state === 'CONNECTED',
    openBackend: (sealer: Sealer, store: VaultStore): KeyBackend =>
      createTokenBackend({ sealer, random, tokens: openings.begin(), software: createSoftwareBackend({ sealer, random, material: (id) => store.reader.material(id) }) }),
  };
}
