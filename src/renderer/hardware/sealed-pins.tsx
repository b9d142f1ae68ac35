/** PINs of a module’s tokens that are sealed in the vault, and the way to have one forgotten. */
import { useQueryClient } from '@tanstack/react-query';
import { Eraser } from 'lucide-react';
import { client } from '../client.ts';
import { day } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { useRequest } from '../parts/request.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { refreshHardware, type Module } from './data.ts';
import { Warned } from './parts.tsx';
import { keyOf, nameOf } from './token-names.ts';

export function SealedPins({ of, canForget }: { readonly of: Module; readonly canForget: boolean }) {
  useHeldFocus('list', of.SealedPins.map(keyOf).join('\n'));
  return of.SealedPins.length === 0 ? null : <ul aria-label="PINs sealed in the vault" className="mt-1 flex flex-col gap-1">{of.SealedPins.map((pin) => <Row key={keyOf(pin)} module={of.Path} pin={pin} canForget={canForget} />)}</ul>;
}

function Row({ module, pin, canForget }: { readonly module: string; readonly pin: Module['SealedPins'][number]; readonly canForget: boolean }) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const { Serial, Label } = pin;
  const name = nameOf(pin);
  return (
    <li className="flex flex-col gap-1">
      <div className="flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1">
        <p className="min-w-[180px] flex-1 text-[12px]/[18px] text-fg-2">The PIN of <b className="font-medium text-fg"><bdi>{name}</bdi></b> is sealed in the vault since {day(pin.SealedDate * 1000)}{pin.State === 'sealed' && '; its key store connects by itself'}.</p>
        {canForget && <Button kind="ghost" busy={busy} aria-label={`Forget the PIN of ${name}`} icon={<Eraser size={14} strokeWidth={1.6} />} onClick={() => { void send(() => client.hardware.forgetPin({ Serial, Label, Module: module }), () => refreshHardware(queries)); }}>Forget the PIN</Button>}
      </div>
      {pin.State === 'doubtful' && <Warned>It was being given to the token when something died, so it is not given again. Give the PIN yourself, or have it forgotten.</Warned>}
      {error && <InlineError error={error} consequence="The PIN is still sealed in the vault." />}
    </li>
  );
}
