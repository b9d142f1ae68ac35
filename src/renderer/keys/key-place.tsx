/** Where a new key lives: in the vault, or in the token of a key store that is connected. */
import { Cpu, Vault } from 'lucide-react';
import { useId } from 'react';
import type { KeySpec, KeyUsage } from '../../shared/model/algorithms.ts';
import { useClusters, useHardware, useKeyStores, useMechanisms, type Cluster, type KeyStore, type Token } from '../hardware/data.ts';
import { CHOICE } from '../hardware/module-choice.tsx';
import { nameOf } from '../hardware/token-names.ts';

/** Where a key can be made besides in the vault. */
export interface KeyPlace {
  readonly store: KeyStore;
  /** One that answers. */
  readonly token: Pick<Token, 'Serial' | 'Label'>;
  /** Every token that a key made there is in, by name. */
  readonly tokens: readonly string[];
}

function placeOf(store: KeyStore, tokens: readonly Token[], cluster: Cluster | undefined): KeyPlace | undefined {
  const members = cluster?.Members ?? [];
  const token = members.find(({ Health }) => Health === 'connected') ?? tokens.find(({ CloudHsmClusterId }) => CloudHsmClusterId === store.CloudHsmClusterId);
  return token && { store, token, tokens: members.length > 1 ? members.map(nameOf) : [nameOf(token)] };
}

export function useKeyPlaces(): { readonly places: readonly KeyPlace[]; readonly away: readonly KeyStore[] } {
  const stores = useKeyStores().data ?? [];
  const connected = stores.filter(({ ConnectionState }) => ConnectionState === 'CONNECTED');
  const tokens = useHardware(connected.length > 0).data?.Tokens ?? [];
  const clusters = useClusters(connected);
  return {
    places: connected.flatMap((store, at) => placeOf(store, tokens, clusters[at]) ?? []),
    away: stores.filter(({ ConnectionState }) => ConnectionState !== 'CONNECTED'),
  };
}

/** What can be made in a place, of several tokens what also travels between them; undefined while the token is asked. In the vault: everything. */
export function useOffered(place: KeyPlace | undefined): ((spec: KeySpec, usage: KeyUsage) => boolean) | undefined {
  const { data } = useMechanisms(place?.token ?? { Serial: '', Label: '' }, place !== undefined);
  const [cluster] = useClusters(place ? [place.store] : []);
  if (!place) return () => true;
  const travels = (spec: KeySpec): boolean => cluster === undefined || cluster.State === 'single' || cluster.KeySpecs.includes(spec);
  return data && ((spec, usage) => travels(spec) && data.Offers.some(({ KeySpec, KeyUsage }) => KeySpec === spec && KeyUsage === usage));
}

const listed = new Intl.ListFormat('en', { type: 'conjunction' });
/** What is to be known before a key is made there. */
export const placeNote = ({ tokens }: KeyPlace): string =>
  tokens.length > 1
    ? 'It is made in one of the tokens, copied to the others, and never leaves them: it cannot be exported or backed up. Whoever loses them all loses the key.'
    : 'It is made in the token and never leaves it: it cannot be exported or backed up. Whoever loses the token loses the key.';

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
            <span className="min-w-0"><span className="block truncate font-medium">In hardware: <bdi>{place.store.CustomKeyStoreName}</bdi></span><span className="block truncate text-[12px]/4 text-fg-2">{place.tokens.length > 1 ? 'Tokens' : 'Token'} <bdi>{listed.format(place.tokens)}</bdi>; cannot be exported or backed up</span></span>
          </label>
        ))}
      </div>
      {away.length > 0 && <p className="mt-1.5 text-[12px]/4 text-fg-3">{away.map(({ CustomKeyStoreName }) => CustomKeyStoreName).join(', ')}: not connected. Connect in Hardware to make keys there.</p>}
    </fieldset>
  );
}
