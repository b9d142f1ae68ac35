/** A token as what opens the vault, wherever its PIN is asked for: which one, its last try, and a module that is not loaded until somebody vouches for it. */
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { longNameOf } from '../hardware/token-names.ts';
import { SelectField } from '../parts/field.tsx';
import { RefusedModule, refusedModule } from './refused-module.tsx';

export type TokenSlot = NonNullable<Output<'vault:Status'>['TokenSlots']>[number];
/** What goes with the PIN. */
export interface TokenWith {
  readonly TokenSlotId?: string;
  readonly LastTry?: true;
  readonly ModuleSha256?: string;
}

/** Whether an error says that one more wrong PIN locks the token, and that it was not tried for that. */
export const isLastTry = (error: CallError | undefined): boolean => error?.code === 'PinLockedException' && error.details?.['tries'] === 'last';

/** `refusal`: what came of the last attempt, where that was no success. */
export function useTokenFactor(slots: readonly TokenSlot[], refusal: CallError | undefined) {
  const [picked, setPicked] = useState<string>();
  const [vouched, setVouched] = useState<string>();
  const [passed, setPassed] = useState<CallError>();
  const chosen = slots.find(({ SlotId }) => SlotId === picked) ?? slots[0];
  // A refusal is of the token that was chosen when it came, which may be gone by the next look at the slots.
  const [came, setCame] = useState<{ readonly refusal: CallError | undefined; readonly of: string | undefined }>({ refusal: undefined, of: undefined });
  if (came.refusal !== refusal) setCame({ refusal, of: chosen?.SlotId });
  const told = refusal === passed || came.refusal !== refusal || came.of !== chosen?.SlotId ? undefined : refusal;
  const lastTry = isLastTry(told);
  // What was said of one token, or in one way in, is said of no other.
  const leave = (): void => {
    setVouched(undefined);
    setPassed(refusal);
  };
  return {
    slots,
    chosen,
    lastTry,
    vouched,
    refused: told && refusedModule(told),
    given: { ...(chosen ? { TokenSlotId: chosen.SlotId } : {}), ...(lastTry ? { LastTry: true as const } : {}), ...(vouched === undefined ? {} : { ModuleSha256: vouched }) } satisfies TokenWith,
    pick(slotId: string): void {
      setPicked(slotId);
      leave();
    },
    leave,
    vouch: setVouched,
  };
}
type TokenFactor = ReturnType<typeof useTokenFactor>;

/** Nothing where there is no choice. */
export const TokenSlotField = ({ factor: { slots, chosen, pick }, disabled, onPick }: { readonly factor: TokenFactor; readonly disabled: boolean; readonly onPick?: () => void }) =>
  slots.length > 1 && chosen ? <SelectField label="Token" value={chosen.SlotId} options={slots.map(({ SlotId, Token, Serial }) => [SlotId, longNameOf({ Label: Token, Serial })] as const)} onPick={(id) => { if (disabled) return; pick(id); onPick?.(); }} /> : null;

export const TokenModule = ({ factor: { refused, vouched, vouch }, onVouch }: { readonly factor: TokenFactor; readonly onVouch: () => void }) =>
  refused ? <RefusedModule {...refused} checked={vouched === refused.sha256} onCheck={(checked) => { vouch(checked ? refused.sha256 : undefined); if (checked) onVouch(); }} /> : null;
