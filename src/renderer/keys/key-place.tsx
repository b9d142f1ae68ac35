/** Where a new key lives: in the vault, or in the token of a key store that is connected. */
import { Cpu, Vault } from 'lucide-react';
import { useId } from 'react';
import type { KeySpec, KeyUsage } from '../../shared/model/algorithms.ts';
import { useHardware, useKeyStores, useMechanisms, type KeyStore, type Token } from '../hardware/data.ts';
import { CHOICE } from '../hardware/module-choice.tsx';

/** Where a key can be made besides in the vault. */
export interface KeyPlace {
  readonly store: KeyStore;
  readonly token: Token;
}

export function useKeyPlaces(): { readonly places: readonly KeyPlace[]; readonly away: readonly KeyStore[] } {
  const stores = useKeyStores().data ?? [];
  const connected = stores.filter(({ ConnectionState }) => ConnectionState === 'CONNECTED');
  const tokens = useHardware(connected.length > 0).data?.Tokens ?? [];
  return {
    places: connected.flatMap((store) => tokens.filter(({ CloudHsmClusterId }) => CloudHsmClusterId === store.CloudHsmClusterId).slice(0, 1).map((token) => ({ store, token }))),
    away: stores.filter(({ ConnectionState }) => ConnectionState !== 'CONNECTED'),
  };
}

/** What can be made in a place; undefined while the token is asked. In the vault: everything. */
export function useOffered(place: KeyPlace | undefined): ((spec: KeySpec, usage: KeyUsage) => boolean) | undefined {
  const { data } = useMechanisms(place?.token ?? { Serial: '', Label: '' }, place !== undefined);
  if (!place) return () => true;
  return data && ((spec, usage) => data.Offers.some(({ KeySpec, KeyUsage }) => KeySpec === spec && KeyUsage === usage));
}

interface KeyPlaceChoiceProps {
  readonly places: readonly KeyPlace[];
  readonly away: readonly KeyStore[];
  readonly chosen: KeyPlace | undefined;
  readonly onPick: (place: KeyPlace | undefined) => void;
}

export function KeyPlaceChoice({ places, away, chosen, onPick }: KeyPlaceChoiceProps) {
  const group = useId();
  if (places.length === 0 && away.length === 0) return null;
  const icon = { size: 16, strokeWidth: 1.6, 'aria-hidden': true } as const;
  return (
    <fieldset>
      <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Where does it live?</legend>
      <div className="flex flex-col gap-1.5">
        <label className={CHOICE}>
          <input type="radio" name={group} checked={chosen === undefined} onChange={() => { onPick(undefined); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
          <Vault {...icon} className="shrink-0 text-fg-2" />
          <span><span className="block font-medium">In this vault</span><span className="block text-[12px]/4 text-fg-2">A copy of the vault has it, too</span></span>
        </label>
        {places.map((place) => (
          <label key={place.store.CustomKeyStoreId} className={CHOICE}>
            <input type="radio" name={group} checked={chosen?.store.CustomKeyStoreId === place.store.CustomKeyStoreId} onChange={() => { onPick(place); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
            <Cpu {...icon} className="shrink-0 text-steel" />
            <span className="min-w-0"><span className="block truncate font-medium">In hardware: <bdi>{place.store.CustomKeyStoreName}</bdi></span><span className="block truncate text-[12px]/4 text-fg-2">Token <bdi>{place.token.Label}</bdi>; cannot be exported or backed up</span></span>
          </label>
        ))}
      </div>
      {away.length > 0 && <p className="mt-1.5 text-[12px]/4 text-fg-3">{away.map(({ CustomKeyStoreName }) => CustomKeyStoreName).join(', ')}: not connected. Connect in Hardware to make keys there.</p>}
    </fieldset>
  );
}
