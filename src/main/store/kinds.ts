/** Every kind of record that the store keeps in collections: one line for each, from the domains' own descriptors. */
import { AUTHORITIES, CLIENTS } from '../access/kinds.ts';
import { KEY_STORES, MODULES } from '../hardware/kinds.ts';
import { KEY_USAGE } from '../keyring/kinds.ts';
import { REMOTES, ROTATIONS, SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import type { IndexedKind, VouchedKind } from './collection.ts';

/** A descriptor whose types are not asked for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a list of kinds has no one record type; `of` gives it back
export type AnyKind = IndexedKind<any, any> | VouchedKind<any>;

export const KINDS: readonly AnyKind[] = [CLIENTS, AUTHORITIES, SECRETS, SECRET_VALUES, ROTATIONS, KEY_USAGE, MODULES, KEY_STORES, REMOTES];
