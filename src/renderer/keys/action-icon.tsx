import { BadgeCheck, Copy, FileKey2, FileLock2, FilePen, Handshake, Lock, LockOpen, PackageOpen, Package, Signature, Stamp, type LucideIcon } from 'lucide-react';
import type { UseAction } from './actions.ts';

const ICONS: Record<UseAction, LucideIcon> = {
  encrypt: Lock,
  decrypt: LockOpen,
  'data-key': FileKey2,
  file: FileLock2,
  sign: Signature,
  verify: BadgeCheck,
  mac: Stamp,
  'verify-mac': BadgeCheck,
  'shared-secret': Handshake,
  encapsulate: Package,
  decapsulate: PackageOpen,
  'public-key': Copy,
  request: FilePen,
};

export function ActionIcon({ action, size = 14 }: { readonly action: UseAction; readonly size?: number }) {
  const Icon = ICONS[action];
  return <Icon size={size} strokeWidth={1.6} aria-hidden="true" />;
}
