/**
 * PINs that are sealed in the vault at their owner's word. Pure: which one there is, and what becomes of a module's record.
 *
 * INVARIANT: one is marked as doubtful, durably, before its token is asked, and the mark comes off when the token took it. One that bears the
 * mark is never given again. So a wrong PIN is tried once, whatever dies in the meantime.
 */
import type { TokenName } from '../backends/pkcs11/protocol.ts';
import type { ModuleRecord, SealedPin } from './kinds.ts';
import { percent } from './token-names.ts';

const isOf = (pin: TokenName, token: TokenName): boolean => pin.serial === token.serial && pin.label === token.label;

export const sealedPinOf = ({ pins = [] }: ModuleRecord, token: TokenName): SealedPin | undefined => pins.find((pin) => isOf(pin, token));

/** Put by itself in the place of what was there. */
export const withSealedPin = (module: ModuleRecord, pin: SealedPin): ModuleRecord => ({ ...module, pins: [...(module.pins ?? []).filter((other) => !isOf(other, pin)), pin] });

export function withoutSealedPin({ pins = [], ...module }: ModuleRecord, token: TokenName): ModuleRecord {
  const left = pins.filter((pin) => !isOf(pin, token));
  return left.length === 0 ? module : { ...module, pins: left };
}

/** What the seal is bound to: the token, and the module that was given its PIN. Another spelling for each. */
export const sealContext = ({ path }: Pick<ModuleRecord, 'path'>, { serial, label }: TokenName): string => `pkcs11:token=${percent(label)};serial=${percent(serial)}?module-path=${percent(path)}`;
