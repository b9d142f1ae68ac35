/** What every screen of an open vault may ask of the frame. One modal at a time: to show another replaces it. */
import { createContext, useContext } from 'react';
import type { Output } from '../../shared/api/index.ts';
import type { UseAction } from '../keys/actions.ts';
import type { TagBefore } from '../parts/tags.tsx';
import type { Opening } from '../secrets/import-data.ts';

export type Shown =
  | { readonly kind: 'palette' }
  | { readonly kind: 'shortcuts' }
  | { readonly kind: 'vaults' }
  | { readonly kind: 'create' }
  | { readonly kind: 'use'; readonly keyId: string; readonly action: UseAction }
  | { readonly kind: 'delete'; readonly keyId: string }
  | { readonly kind: 'description'; readonly keyId: string }
  | { readonly kind: 'alias' | 'import' | 'replicate'; readonly keyId: string }
  /** `before`: a tag that is there and is to have another value. */
  | { readonly kind: 'tag'; readonly keyId: string; readonly before?: TagBefore }
  | { readonly kind: 'tag-secret'; readonly name: string; readonly before?: TagBefore }
  /** Imported material; the current one where none is named. */
  | { readonly kind: 'delete-material'; readonly keyId: string; readonly materialId?: string }
  | { readonly kind: 'region'; readonly keyId: string; readonly region: string }
  | { readonly kind: 'set-up-hardware' }
  /** `then`: what is shown once it is connected. */
  | { readonly kind: 'connect-store'; readonly storeId: string; readonly then?: Shown }
  | { readonly kind: 'create-secret' }
  | { readonly kind: 'import-secrets'; readonly first?: Opening }
  | { readonly kind: 'change-secret' | 'describe-secret' | 'delete-secret' | 'set-up-rotation' | 'add-replica'; readonly name: string }
  | { readonly kind: 'remove-replica'; readonly name: string; readonly region: string };

export interface VaultFrame {
  readonly status: Output<'vault:Status'>;
  /** Nothing is written: controls that would are absent. */
  readonly readOnly: boolean;
  readonly shown: Shown | undefined;
  show(what: Shown | undefined): void;
  lock(): void;
}

export const VaultContext = createContext<VaultFrame | undefined>(undefined);

export function useVault(): VaultFrame {
  const frame = useContext(VaultContext);
  if (!frame) throw new Error('outside of an open vault');
  return frame;
}
