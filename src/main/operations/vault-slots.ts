/** `vault:` handlers for key slots: each asks for a factor again before it changes a way in. */
import { VaultError } from '../../shared/model/errors.ts';
import { fromHex, wipe } from '../crypto/bytes.ts';
import type { Hardware } from '../hardware/hardware.ts';
import type { TokenSlots } from '../hardware/token-slots.ts';
import type { SlotInfo } from '../seal/protocol.ts';
import { seconds } from '../../shared/api/operation.ts';
import type { InputOf } from '../../shared/api/operation.ts';
import type { addSlot } from '../../shared/api/slots.ts';
import type { SlotWish } from '../vault/factors.ts';
import { newTokenChallenge } from '../vault/token-challenge.ts';
import { compromise, passwordSlot, prove, putSlot, retire } from '../vault/slots.ts';
import { openOrThrow } from '../vault/vault.ts';
import { setRecoveryCodeUsed } from '../vault/recovery.ts';
import { byName } from './hardware-keys.ts';
import type { HandlersOf } from './rights.ts';
import type { VaultControl } from './vault.ts';

type Names = 'ListSlots' | 'AddSlot' | 'RemoveSlot' | 'ChangePassword';

const shown = (slot: SlotInfo) => ({
  SlotId: slot.slotId,
  Type: slot.type,
  Factors: [...slot.factors],
  CreationDate: seconds(slot.created),
  ...(slot.kdf ? { Kdf: { MemoryKiB: slot.kdf.memory, Passes: slot.kdf.passes, Lanes: slot.kdf.lanes } } : {}),
  ...(slot.tokenUri === undefined ? {} : { TokenUri: slot.tokenUri }),
});

type Ports = Pick<VaultControl, 'vault' | 'attempts'> & { readonly hardware: () => Hardware; readonly tokenSlots: TokenSlots };

/** Makes the token's key, or finds that of an earlier slot, and lends what it makes of a fresh challenge. */
async function withTokenKey<T>({ vault, hardware, tokenSlots }: Ports, input: InputOf<typeof addSlot>, use: (token: NonNullable<SlotWish['token']>) => Promise<T>): Promise<T> {
  const { Serial: serial, Label: label, Pin: pin } = input;
  if (serial === undefined || !pin) throw new VaultError('ValidationException', '`Serial` and `Pin` must be given for type `token`');
  const { info, store } = openOrThrow(vault);
  const place = await byName(hardware(), store.reader, serial, label, { forPin: true });
  const { challenge, salt } = newTokenChallenge(vault.ports.random, fromHex(info.vaultId));
  const { uri, factor } = await tokenSlots.make(place, info.vaultId, challenge, { pin, lastTry: input.NewTokenLastTry === true }, vault.ports.random.bytes(16));
  try {
    return await use({ uri, salt, factor });
  } finally {
    wipe(factor);
  }
}

export const slotHandlers = (ports: Ports): Pick<HandlersOf<'vault'>, `vault:${Names}`> => {
  const { vault, attempts } = ports;
  return {
    'vault:ListSlots': () => ({ Slots: openOrThrow(vault).info.slots.map(shown) }),

    'vault:AddSlot': async (input, call) => {
      await prove(vault, input, attempts, call.intent);
      const open = openOrThrow(vault);
      const usable = input.Type === 'password' && input.WithKeychain === undefined && (await vault.ports.keychain.probe()).available;
      // A new recovery code always takes the old one's place: there is one to keep safe, not a growing pile.
      const oldCode = input.Type === 'recovery' ? open.info.slots.find(({ type }) => type === 'recovery')?.slotId : undefined;
      const put = (token?: SlotWish['token']) =>
        putSlot(
          vault,
          { type: input.Type, withDevice: input.WithKeychain ?? usable, ...(input.NewPassword ? { password: input.NewPassword } : {}), ...(token ? { token } : {}) },
          input.ReplacesSlotId ?? oldCode,
          call.intent,
        );
      const { slot, recoveryCode } = input.Type === 'token' ? await withTokenKey(ports, input, put) : await put();
      if (input.Type === 'recovery') await setRecoveryCodeUsed(vault, openOrThrow(vault), false, call.intent);
      return { Slot: shown(slot), ...(recoveryCode ? { RecoveryCode: recoveryCode } : {}) };
    },

    'vault:RemoveSlot': async (input, call) => {
      await prove(vault, input, attempts, call.intent);
      if (input.How === 'retired') await retire(vault, input.SlotId, call.intent);
      else await compromise(vault, input.SlotId, call.intent, (done, total) => { call.progress({ done, total, unit: 'rows' }); });
      return { SlotId: input.SlotId, How: input.How, Slots: openOrThrow(vault).info.slots.map(shown) };
    },

    'vault:ChangePassword': async (input, call) => {
      const given = { Password: input.CurrentPassword, RecoveryCode: input.RecoveryCode };
      const proved = await prove(vault, given, attempts, call.intent);
      const old = passwordSlot(openOrThrow(vault).info.slots, proved, input.SlotId, given);
      const { slot } = await putSlot(
        vault,
        { type: 'password', password: input.NewPassword, withDevice: input.WithKeychain ?? old.factors.includes('device') },
        old.slotId,
        call.intent,
      );
      if (!input.RecoveryCode) return { Slot: shown(slot) };
      // The code has been typed somewhere: it is spent, and its successor is in the same answer.
      const { recoveryCode } = await putSlot(vault, { type: 'recovery', withDevice: false }, proved, call.intent);
      await setRecoveryCodeUsed(vault, openOrThrow(vault), false, call.intent);
      return { Slot: shown(slot), ...(recoveryCode ? { RecoveryCode: recoveryCode } : {}) };
    },
  };
};
