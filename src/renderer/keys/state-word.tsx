/** A key's state in words, with a dot and a colour beside them. */
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { exact, left } from '../format.ts';
import { useKeyStores, type KeyStore } from '../hardware/data.ts';
import { storeState } from '../hardware/words.ts';

/** `store`: that the key is in, where it is known. */
export function stateWords(key: KeyMetadata, at: number, store?: KeyStore): string {
  if (key.KeyState === 'PendingDeletion') return key.DeletionDate === undefined ? 'To be deleted' : `Deletes ${left(key.DeletionDate * 1000, at)}`;
  if (key.KeyState === 'PendingReplicaDeletion') return 'Deletes after its replicas';
  if (key.KeyState === 'PendingImport') return 'Needs material';
  if (key.KeyState === 'Unavailable') return store ? storeState(store)[0] : 'Token missing';
  return key.KeyState;
}

const TONES: Record<KeyMetadata['KeyState'], readonly [string, string]> = {
  Enabled: ['text-ok', 'bg-ok'],
  Disabled: ['text-fg-2', 'shadow-[inset_0_0_0_2px_currentColor]'],
  PendingDeletion: ['text-danger', 'bg-danger'],
  PendingReplicaDeletion: ['text-danger', 'bg-danger'],
  PendingImport: ['text-brass', 'shadow-[inset_0_0_0_2px_currentColor]'],
  Unavailable: ['text-steel', 'shadow-[inset_0_0_0_2px_currentColor]'],
};

export function StateWord({ value, at }: { readonly value: KeyMetadata; readonly at: number }) {
  const isAway = value.KeyState === 'Unavailable';
  const stores = useKeyStores(isAway).data;
  const store = isAway ? stores?.find(({ CustomKeyStoreId }) => CustomKeyStoreId === value.CustomKeyStoreId) : undefined;
  const [text, dot] = TONES[value.KeyState];
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${text}`} title={value.DeletionDate === undefined ? undefined : exact(value.DeletionDate * 1000)}>
      <i aria-hidden="true" className={`size-[7px] rounded-full ${dot}`} />
      {isAway && !stores ? 'Not connected' : stateWords(value, at, store)}
    </span>
  );
}
