/** A token's sealed PIN goes with the token. */
import { MODULES, type TokenRecord } from '../hardware/kinds.ts';
import { sealedPinOf, withoutSealedPin } from '../hardware/sealed-pins.ts';
import type { Writer } from '../store/port.ts';

/** The token belongs to no key store any more, or is another: its PIN goes. */
export async function forgetPinOf(writer: Writer, { module, serial, label }: TokenRecord): Promise<void> {
  const record = await writer.of(MODULES).get(module);
  if (record && sealedPinOf(record, { serial, label })) writer.of(MODULES).update(withoutSealedPin(record, { serial, label }));
}
