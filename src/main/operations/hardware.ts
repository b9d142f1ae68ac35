/** `hardware:` handlers: modules, tokens, PINs. */
import { MOST_MODULES } from '../../shared/api/hardware.ts';
import { seconds } from '../../shared/api/operation.ts';
import { KEY_SPECS, keySpecOf, type KeySpec, type KeyUsage } from '../../shared/model/algorithms.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { lacks, mechanismName, usable } from '../backends/pkcs11/mechanisms.ts';
import { keyOf } from '../backends/pkcs11/protocol.ts';
import type { Hardware } from '../hardware/hardware.ts';
import { MODULES, tokensOf, type ModuleRecord } from '../hardware/kinds.ts';
import { judgeClock } from '../hardware/token-clock.ts';
import { clusterIdOf } from '../hardware/token-names.ts';
import { hardwareCertificateHandlers } from './hardware-certificates.ts';
import { hardwareClusterHandlers } from './hardware-cluster.ts';
import type { JoinNotes } from '../hardware/unfinished.ts';
import { hardwareJoinHandlers } from './hardware-joins.ts';
import { hardwareEraseHandlers } from './hardware-erase.ts';
import { byName, hardwareKeyHandlers } from './hardware-keys.ts';
import { hardwarePinHandlers, lent, type PinSeal } from './hardware-pins.ts';
import { hardwareTestHandlers } from './hardware-test.ts';
import { keyStoresIn, modulesOf } from './kms-key-stores.ts';
import { forgetPinOf } from './sealed-pin.ts';
import { once } from './once.ts';
import type { Random } from '../platform/ports.ts';
import type { HandlersOf } from './rights.ts';

export interface HardwareHandlerPorts {
  /** Of the opening in which the request began: asked for before a handler waits for anything. */
  readonly now: () => Hardware;
  readonly random: Random;
  readonly pins: PinSeal;
  readonly joins: JoinNotes;
  /** Modules that p11-kit knows of on this computer: paths. */
  readonly registered: () => readonly string[];
}

const missing = (path: string): VaultError => new VaultError('NotFoundException', `module \`${path}\` was not added; see \`keystead hardware list-modules\``);

function shownClock(said: string | undefined, now: number) {
  if (said === undefined) return {};
  const { state, at } = judgeClock(said, now);
  return { ClockState: state, ...(at === undefined ? {} : { ClockTime: seconds(at) }) };
}

export const hardwareHandlers = ({ now, random, pins, joins, registered }: HardwareHandlerPorts): HandlersOf<'hardware'> => {
  const shown = async (hardware: Hardware, { path, sha256, added, pins: sealed = [] }: ModuleRecord) => {
    const file = await hardware.look(path).catch(() => undefined);
    const info = await hardware.info(path);
    const state = file === undefined ? ('missing' as const) : file.sha256 !== sha256 ? ('changed' as const) : info ? ('running' as const) : ('stopped' as const);
    return { Path: path, Sha256: sha256, ...(state === 'changed' && file ? { FileSha256: file.sha256 } : {}), AddedDate: seconds(added), State: state, Crashes: hardware.crashes(path), Warnings: [...(file?.warnings ?? [])], SealedPins: sealed.map((pin) => ({ Serial: pin.serial, Label: pin.label, SealedDate: seconds(pin.since), State: pin.doubtful ? ('doubtful' as const) : ('sealed' as const) })), ...(info ? { Description: info.description, Manufacturer: info.manufacturer, Version: info.version } : {}) };
  };

  return {
    ...hardwareKeyHandlers(now, random),
    ...hardwareCertificateHandlers(now),
    ...hardwareClusterHandlers(now, random, joins),
    ...hardwareJoinHandlers(now),
    ...hardwareEraseHandlers(now),
    ...hardwareTestHandlers(now, random),
    ...hardwarePinHandlers(now, pins, joins),

    'hardware:AddModule': async (input, call, { writer }) => {
      const hardware = now();
      const { path, sha256 } = await hardware.look(input.Path);
      if (input.Sha256 !== undefined && input.Sha256 !== sha256) return call.fail('ModuleRefusedException', `the file of module \`${path}\` is not the one that you looked at: its SHA-256 is \`${sha256}\``);
      const modules = writer.of(MODULES);
      if (await modules.get(path)) return call.fail('AlreadyExistsException', `module \`${path}\` was added already; agree to a changed file with \`keystead hardware update-module\``);
      if ((await modulesOf(writer)).length >= MOST_MODULES) return call.fail('LimitExceededException', `there are ${String(MOST_MODULES)} modules, which is the limit; remove one with \`keystead hardware remove-module\``);
      const module: ModuleRecord = { path, sha256, added: call.at, ...(input.Parameters === undefined ? {} : { parameters: input.Parameters }) };
      // What cannot be loaded is not added.
      await once(call, () => hardware.host(module));
      modules.insert(module);
      return { Module: await shown(hardware, module) };
    },

    'hardware:UpdateModule': async (input, call, { writer }) => {
      const hardware = now();
      const module = await writer.of(MODULES).get(input.Path);
      if (!module) throw missing(input.Path);
      const { sha256 } = await hardware.look(module.path);
      if (sha256 !== input.Sha256) return call.fail('ModuleRefusedException', `the file of module \`${module.path}\` is not the one that you mean: its SHA-256 is \`${sha256}\``);
      const changed = { ...module, sha256 };
      await once(call, async () => {
        await hardware.stopModule(module.path);
        await hardware.host(changed);
      });
      writer.of(MODULES).update(changed);
      return { Module: await shown(hardware, changed) };
    },

    'hardware:RemoveModule': async (input, call, { writer }) => {
      const hardware = now();
      const module = await writer.of(MODULES).get(input.Path);
      if (!module) throw missing(input.Path);
      const user = (await keyStoresIn(writer)).find((store) => tokensOf(store).some((token) => token.module === module.path));
      if (user) return call.fail('CustomKeyStoreInvalidStateException', `key store \`${user.name}\` needs module \`${module.path}\`; delete the key store first`);
      writer.of(MODULES).remove(module.path);
      await hardware.stopModule(module.path);
      return {};
    },

    'hardware:InspectModule': async (input) => {
      const { path, sha256, warnings } = await now().look(input.Path);
      return { Path: path, Sha256: sha256, Warnings: [...warnings] };
    },

    'hardware:RestartModule': async (input, _call, { reader }) => {
      const hardware = now();
      const module = await reader.of(MODULES).get(input.Path);
      if (!module) throw missing(input.Path);
      await hardware.stopModule(module.path);
      await hardware.host(module);
      return { Module: await shown(hardware, module) };
    },

    'hardware:ListModules': async (_input, _call, { reader }) => {
      const hardware = now();
      const modules = await modulesOf(reader);
      const added = new Set(modules.map(({ path }) => path));
      return { Modules: await Promise.all(modules.map((module) => shown(hardware, module))), Registered: registered().filter((path) => !added.has(path)) };
    },

    'hardware:ListTokens': async (_input, call, { reader }) => {
      const hardware = now();
      const Failures: { Module: string; Message: string }[] = [];
      const found = await Promise.all(
        (await modulesOf(reader)).map(async (module) => {
          try {
            return (await hardware.tokens(module, { fresh: true })).map((token) => ({ module: module.path, token }));
          } catch (error) {
            Failures.push({ Module: module.path, Message: error instanceof VaultError ? error.message : 'failed' });
            return [];
          }
        }),
      );
      return {
        Tokens: found.flat().map(({ module, token }) => ({
          Module: module,
          Slot: token.slot,
          SlotDescription: token.description,
          Serial: token.serial,
          Label: token.label,
          ...(token.initialized ? { CloudHsmClusterId: clusterIdOf(token) } : {}),
          Manufacturer: token.manufacturer,
          Model: token.model,
          FirmwareVersion: token.firmware,
          HardwareVersion: token.hardware,
          Initialized: token.initialized,
          PinSet: token.pinSet,
          PinPad: token.pinPad,
          WriteProtected: token.writeProtected,
          PinState: token.pin,
          SecurityOfficerPinState: token.officerPin,
          MinPinLength: token.minPin,
          MaxPinLength: token.maxPin,
          ...(token.sessions === undefined ? {} : { Sessions: token.sessions }),
          ...(token.maxSessions === undefined ? {} : { MaxSessions: token.maxSessions }),
          ...shownClock(token.clock, call.at),
          LoggedIn: token.loggedIn,
          ...(hardware.notRecorded.get(keyOf(token))?.size ? { NotRecorded: hardware.notRecorded.get(keyOf(token))?.size } : {}),
        })),
        Failures,
      };
    },

    'hardware:ListMechanisms': async (input, _call, { reader }) => {
      const hardware = now();
      const offer = await hardware.makeable(await byName(hardware, reader, input.Serial, input.Label));
      const Offers = (Object.keys(KEY_SPECS) as KeySpec[]).flatMap((spec) =>
        (Object.keys(keySpecOf(spec).algorithms) as KeyUsage[]).flatMap((usage) => (lacks(offer, spec, usage) === undefined ? [{ KeySpec: spec, KeyUsage: usage, Algorithms: [...usable(offer, spec, usage)] }] : [])),
      );
      const Mechanisms = Array.from(offer.values(), ({ type, flags, min, max }) => ({ Mechanism: mechanismName(type), MinKeySize: min, MaxKeySize: max, Flags: flags }));
      return { Offers, Mechanisms };
    },

    'hardware:InitializeToken': async (input, call, { writer }) => {
      const hardware = now();
      const module = await writer.of(MODULES).get(input.Module);
      if (!module) throw missing(input.Module);
      const stores = await keyStoresIn(writer);
      const { reply, erased } = await once(call, async () => {
        const before = (await hardware.tokens(module)).find(({ slot }) => slot === input.Slot);
        if (!before) return call.fail('KeyUnavailableException', `slot \`${input.Slot}\` has no token now; see \`keystead hardware list-tokens\``);
        if (before.initialized && input.Erase !== before.label) return call.fail('KMSInvalidStateException', `slot \`${input.Slot}\` has token \`${before.label}\`, which would be erased with all its keys; type its label as \`Erase\` if you mean it`);
        const user = stores.find((store) => before.initialized && tokensOf(store).some(({ serial, label }) => serial === before.serial && label === before.label));
        if (user) return call.fail('KMSInvalidStateException', `key store \`${user.name}\` is in token \`${before.label}\`; delete the key store first`);
        const done = await lent([input.SecurityOfficerPin, input.Pin], (both) => hardware.initToken(module, before, input.NewLabel, both, { lastTry: input.LastTry, insist: 'keystead hardware initialize-token --last-try' }));
        return { reply: done, erased: { module: module.path, serial: before.serial, label: before.label } };
      });
      await forgetPinOf(writer, erased);
      return { Serial: reply.serial, Label: reply.label, CloudHsmClusterId: clusterIdOf(reply) };
    },
  };
};
