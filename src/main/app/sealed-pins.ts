/**
 * PINs that are sealed in the vault on their way to their tokens, each step a request of the clock's own: written down, given, and what came
 * of it. After unlock, key stores whose token has one connect by themselves.
 */
import { bytesToBase64, base64ToBytes } from '../../shared/wire/base64.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { keyOf } from '../backends/pkcs11/protocol.ts';
import { fromHex } from '../crypto/bytes.ts';
import { asSchedule } from '../doors/as-schedule.ts';
import type { DoorPort } from '../doors/port.ts';
import { settledWithin } from '../doors/settled-within.ts';
import { KEY_STORES, MODULES, tokensOf } from '../hardware/kinds.ts';
import { sealedPinOf } from '../hardware/sealed-pins.ts';
import type { PinSeal } from '../operations/hardware-pins.ts';
import type { GiveSealedPin } from '../operations/kms-key-stores.ts';
import type { Sealer } from '../seal/protocol.ts';
import type { Reader } from '../store/port.ts';
import { readable, type Runner, type RunnerPorts } from './flights.ts';

export const pinSeal = (sealer: () => Sealer): PinSeal => ({
  async seal(token, pin) {
    const { sealed } = await pin.borrow((bytes) => sealer().call('sealPin', { token, pin: bytes }));
    return bytesToBase64(sealed);
  },
  async open(token, sealed) {
    return SecretBytes.take((await sealer().call('openPin', { token, sealed: base64ToBytes(sealed) ?? fromHex('') })).pin);
  },
});

const JOB = 'sealed-pin';

/** One way for each token: who comes meanwhile gets what the first has come to. */
export function createGiveSealedPin(port: () => Pick<DoorPort, 'dispatch' | 'newRequestId'>): GiveSealedPin {
  const under = new Map<string, Promise<void>>();

  async function give({ module, token }: Parameters<GiveSealedPin>[0]): Promise<void> {
    const of = { Module: module.path, Serial: token.serial, Label: token.label };
    for (const operation of ['hardware:BeginSealedPin', 'hardware:UseSealedPin']) {
      const done = await asSchedule(port(), JOB, operation, of);
      if (!done.ok) throw new VaultError(done.error.code, done.error.message, done.error.details === undefined ? undefined : { details: done.error.details });
      if (done.output['Taken'] === false) throw new VaultError('IncorrectPinException', String(done.output['Reason']));
    }
  }

  return (place) => {
    const key = `${place.module.path}\n${keyOf(place.token)}`;
    const known = under.get(key);
    if (known) return known;
    const way = give(place).finally(() => { under.delete(key); });
    under.set(key, way);
    return way;
  };
}

/** Key stores of which a token's PIN is sealed and may be given. */
async function storesToConnect(reader: Reader): Promise<readonly string[]> {
  const modules = new Map(Array.from(await reader.of(MODULES).entries(), ([path, module]) => [path, module] as const));
  return Array.from(await reader.of(KEY_STORES).entries(), ([, store]) => store)
    .filter((store) => tokensOf(store).some((token) => {
      const module = modules.get(token.module);
      return module !== undefined && sealedPinOf(module, token)?.doubtful === false;
    }))
    .map(({ id }) => id);
}

export function startSealedPinRunner({ vault, port, fault }: Pick<RunnerPorts, 'vault' | 'port' | 'fault'>): Runner {
  let controller = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let closed = false;

  async function connectAll(signal: AbortSignal): Promise<void> {
    const reader = readable(vault);
    if (!reader) return;
    // What fails is said by the key store's state, and by the trail.
    await Promise.all((await storesToConnect(reader)).map((CustomKeyStoreId) => asSchedule(port, JOB, 'kms:ConnectCustomKeyStore', { CustomKeyStoreId }, signal)));
  }

  const unsubscribe = port.subscribe(({ event }) => {
    if (event === 'vault.locked') controller.abort();
    if (event !== 'vault.unlocked' || closed) return;
    controller = new AbortController();
    const { signal } = controller;
    // Not inside of the unlock.
    running = new Promise<void>((resolve) => { setImmediate(resolve); }).then(() => (signal.aborted ? undefined : connectAll(signal))).catch((error: unknown) => { if (!signal.aborted) fault(error); });
  });

  return {
    async close(graceMs = 10_000) {
      closed = true;
      unsubscribe();
      controller.abort();
      await settledWithin(running, graceMs, () => undefined);
    },
  };
}
