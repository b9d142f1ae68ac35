/** `hardware:` handlers that give a PIN to a token: one that was just typed, or one that is sealed in the vault. */
import { VaultError } from '../../shared/model/errors.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { copy, wipe } from '../crypto/bytes.ts';
import { nameToken } from '../backends/pkcs11/errors.ts';
import { keyOf, type TokenName } from '../backends/pkcs11/protocol.ts';
import type { Hardware, Place } from '../hardware/hardware.ts';
import { MODULES, tokensOf, type ModuleRecord } from '../hardware/kinds.ts';
import { sealContext, sealedPinOf, withoutSealedPin, withSealedPin } from '../hardware/sealed-pins.ts';
import type { JoinNotes } from '../hardware/unfinished.ts';
import { storesWithRemains } from './hardware-joins.ts';
import { byName } from './hardware-keys.ts';
import { keyStoresIn, modulesOf, type Stored } from './kms-key-stores.ts';
import { once } from './once.ts';
import { forgetPinOf } from './sealed-pin.ts';
import type { HandlersOf } from './rights.ts';

type Names = 'UnlockToken' | 'SetPin' | 'ResetPin' | 'ForgetPin' | 'BeginSealedPin' | 'UseSealedPin';

/** The sealer, for PINs. `context`: what the seal is bound to. */
export interface PinSeal {
  /** Base64. */
  seal(context: string, pin: SecretBytes): Promise<string>;
  /** The receiver's to dispose of. */
  open(context: string, sealed: string): Promise<SecretBytes>;
}

/** Lends copies of two PINs, which are wiped afterwards. */
export async function lent<T>(pins: readonly [SecretBytes, SecretBytes], use: (copies: readonly [Uint8Array, Uint8Array]) => Promise<T>): Promise<T> {
  const copies = [pins[0].borrow(copy), pins[1].borrow(copy)] as const;
  try {
    return await use(copies);
  } finally {
    wipe(...copies);
  }
}

/** Of every module, or the one: where the token's PIN is sealed. */
const holders = async (reader: Stored, token: Pick<TokenName, 'serial'> & { readonly label?: string | undefined }, path?: string): Promise<readonly (readonly [ModuleRecord, TokenName])[]> =>
  (await modulesOf(reader)).flatMap((module) =>
    path !== undefined && path !== module.path ? [] : (module.pins ?? []).filter((pin) => pin.serial === token.serial && (token.label === undefined || pin.label === token.label)).map((pin) => [module, pin] as const),
  );

async function moduleOf(reader: Stored, path: string): Promise<ModuleRecord> {
  const module = await reader.of(MODULES).get(path);
  if (!module) throw new VaultError('NotFoundException', `module \`${path}\` was not added; see \`keystead hardware list-modules\``);
  return module;
}

const none = (token: TokenName): VaultError => new VaultError('NotFoundException', `no PIN of ${nameToken(token)} is sealed in the vault`);
const give = 'give it with `keystead hardware unlock-token`';

export const hardwarePinHandlers = (now: () => Hardware, pins: PinSeal, joins: JoinNotes): Pick<HandlersOf<'hardware'>, `hardware:${Names}`> => ({
  'hardware:SetPin': async (input, call, { writer }) => {
    const hardware = now();
    const { place, sealed } = await once(call, async () => {
      const found = await byName(hardware, writer, input.Serial, input.Label, { forPin: true, module: input.Module });
      const isSealed = sealedPinOf(found.module, found.token) !== undefined;
      // Before the token has it: what fails then changes nothing.
      const fresh = isSealed ? await pins.seal(sealContext(found.module, found.token), input.NewPin) : undefined;
      await lent([input.OldPin, input.NewPin], (both) => hardware.setPin(found, both));
      return { place: found, sealed: fresh };
    });
    const module = await moduleOf(writer, place.module.path);
    if (sealed !== undefined && sealedPinOf(module, place.token)) writer.of(MODULES).update(withSealedPin(module, { ...place.token, sealed, since: call.at, doubtful: false }));
    return {};
  },

  'hardware:ResetPin': async (input, call, { writer }) => {
    const hardware = now();
    const { module, token } = await once(call, async () => {
      const found = await byName(hardware, writer, input.Serial, input.Label, { forPin: true, module: input.Module });
      const user = (await keyStoresIn(writer)).find((store) => hardware.connection(store.id).state === 'CONNECTED' && tokensOf(store).some((one) => keyOf(one) === keyOf(found.token)));
      if (user && (await hardware.isLoggedIn(found))) return call.fail('KMSInvalidStateException', `key store \`${user.name}\` is logged in to ${nameToken(found.token)}; disconnect it first with \`keystead kms disconnect-custom-key-store\``);
      await lent([input.SecurityOfficerPin, input.NewPin], (both) => hardware.resetPin(found, both, { lastTry: input.LastTry, insist: 'keystead hardware reset-pin --last-try' }));
      return found;
    });
    // The old one: given again by itself it would only use up tries.
    await forgetPinOf(writer, { module: module.path, ...token });
    return {};
  },

  'hardware:UnlockToken': async (input, call, { writer, afterwards }) => {
    const hardware = now();
    const { place, sealed } = await once(call, async () => {
      const found = await byName(hardware, writer, input.Serial, input.Label, { forPin: true, module: input.Module });
      // One that the token has taken.
      await hardware.login(found, input.Pin, { lastTry: input.LastTry });
      return { place: found, sealed: input.SealPin ? await pins.seal(sealContext(found.module, found.token), input.Pin) : undefined };
    });
    if (sealed !== undefined) writer.of(MODULES).update(withSealedPin(await moduleOf(writer, place.module.path), { ...place.token, sealed, since: call.at, doubtful: false }));
    const left = await storesWithRemains(writer, place);
    afterwards(async () => { for (const store of left) await joins.takeBack(store); });
    return { Serial: place.token.serial, Label: place.token.label };
  },

  'hardware:ForgetPin': async (input, call, { writer }) => {
    const found = await holders(writer, { serial: input.Serial, label: input.Label }, input.Module);
    if (found.length === 0) return call.fail('NotFoundException', `no PIN of a token with the serial number \`${input.Serial}\` is sealed in the vault; see \`keystead hardware list-modules\``);
    for (const [{ path }, token] of found) writer.of(MODULES).update(withoutSealedPin(await moduleOf(writer, path), token));
    return {};
  },

  'hardware:BeginSealedPin': async (input, call, { writer }) => {
    const hardware = now();
    const token: TokenName = { serial: input.Serial, label: input.Label };
    const module = await moduleOf(writer, input.Module);
    const pin = sealedPinOf(module, token);
    if (!pin) throw none(token);
    if (pin.doubtful) return call.fail('IncorrectPinException', `the sealed PIN of ${nameToken(token)} was on its way to it before, and nobody knows whether it was right; it is not given again: ${give}`);
    const facts = await once(call, async () => (await hardware.tokens(module, { fresh: true })).find(({ serial, label }) => serial === token.serial && label === token.label));
    if (!facts) return call.fail('KeyUnavailableException', `${nameToken(token)} is not there; put it back and connect its key store`);
    // A wrong one was given since the last right one: only somebody who knows goes on.
    if (facts.pin !== 'ok') return call.fail('PinLockedException', `${nameToken(token)} was given a wrong PIN, or has locked its PIN, so the sealed one is not tried; ${give}`);
    writer.of(MODULES).update(withSealedPin(module, { ...pin, doubtful: true }));
    return {};
  },

  'hardware:UseSealedPin': async (input, call, { writer }) => {
    const hardware = now();
    const token: TokenName = { serial: input.Serial, label: input.Label };
    const place: Place = { module: await moduleOf(writer, input.Module), token };
    const pin = sealedPinOf(place.module, token);
    if (!pin?.doubtful) throw none(token);
    const refused = await once(call, async () => {
      using secret = await pins.open(sealContext(place.module, token), pin.sealed);
      try {
        await hardware.login(place, secret);
        return undefined;
      } catch (error) {
        // Whatever else it was, nobody knows: the mark stays.
        if (error instanceof VaultError && (error.code === 'IncorrectPinException' || error.code === 'PinLockedException')) return error;
        throw error;
      }
    });
    writer.of(MODULES).update(refused ? withoutSealedPin(place.module, token) : withSealedPin(place.module, { ...pin, doubtful: false }));
    return refused ? { Taken: false, Reason: `${refused.message}; the sealed PIN was forgotten: ${give}` } : { Taken: true };
  },
});
