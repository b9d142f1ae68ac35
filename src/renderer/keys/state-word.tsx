/** A key's state in words, with a dot and a colour beside them. */
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { exact, left } from '../format.ts';

export function stateWords(key: KeyMetadata, at: number): string {
  if (key.KeyState === 'PendingDeletion') return key.DeletionDate === undefined ? 'To be deleted' : `Deletes ${left(key.DeletionDate * 1000, at)}`;
  if (key.KeyState === 'PendingReplicaDeletion') return 'Deletes after its replicas';
  if (key.KeyState === 'PendingImport') return 'Needs material';
  if (key.KeyState === 'Unavailable') return 'Not connected';
  return key.KeyState;
}

const TONES: Record<KeyMetadata['KeyState'], readonly [string, string]> = {
  Enabled: ['text-ok', 'bg-ok'],
  Disabled: ['text-fg-2', 'shadow-[inset_0_0_0_2px_currentColor]'],
  PendingDeletion: ['text-danger', 'bg-danger'],
  PendingReplicaDeletion: ['text-danger', 'bg-danger'],
  PendingImport: ['text-brass', 'shadow-[inset_0_0_0_2px_currentColor]'],
  Unavailable: ['text-fg-2', 'shadow-[inset_0_0_0_2px_currentColor]'],
};

export function StateWord({ value, at }: { readonly value: KeyMetadata; readonly at: number }) {
  const [text, dot] = TONES[value.KeyState];
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${text}`} title={value.DeletionDate === undefined ? undefined : exact(value.DeletionDate * 1000)}>
      <i aria-hidden="true" className={`size-[7px] rounded-full ${dot}`} />
      {stateWords(value, at)}
    </span>
  );
}
