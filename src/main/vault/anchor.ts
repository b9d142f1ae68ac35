/**
 * The counter outside of the folder: how far trail, store and header had come, in the system's keychain. A folder that is
 * put back whole looks right in itself; only something that was not put back with it can tell.
 *
 * Kept for vaults that use the keychain anyway (a slot with the device factor). It is written after unlock and before lock;
 * a kill loses the newest value, which only makes the check milder. Whoever puts back both folder and keychain is not seen.
 */
import type { Keychain } from '../platform/ports.ts';
import type { HeaderInfo } from '../seal/protocol.ts';

/** All counters only grow. */
export interface Anchor {
  readonly trailIndex: number;
  readonly storeEpoch: number;
  readonly headerEpoch: number;
}

const FIELDS = ['trailIndex', 'storeEpoch', 'headerEpoch'] as const satisfies readonly (keyof Anchor)[];
const WORDS: Readonly<Record<keyof Anchor, string>> = { trailIndex: 'trail', storeEpoch: 'database', headerEpoch: 'header' };

const nameOf = (vaultId: string): string => `anchor:${vaultId}`;

export const usesKeychain = (info: HeaderInfo): boolean => info.slots.some(({ factors }) => factors.includes('device'));

/** Three u64 in hexadecimal text: keychains want text-like values of a fixed form. */
export const encodeAnchor = (anchor: Anchor): Uint8Array => new TextEncoder().encode(FIELDS.map((field) => anchor[field].toString(16).padStart(14, '0')).join('.'));

/** Undefined for anything but the one encoding. */
export function decodeAnchor(bytes: Uint8Array): Anchor | undefined {
  const match = /^([0-9a-f]{14})\.([0-9a-f]{14})\.([0-9a-f]{14})$/.exec(new TextDecoder().decode(bytes));
  if (!match) return undefined;
  const [trailIndex = 0, storeEpoch = 0, headerEpoch = 0] = match.slice(1).map((text) => Number.parseInt(text, 16));
  return { trailIndex, storeEpoch, headerEpoch };
}

/** What is behind the anchor, in words; undefined when nothing is. Pure. */
export function behind(anchor: Anchor, now: Anchor): string | undefined {
  const late = FIELDS.filter((field) => now[field] < anchor[field]);
  if (late.length === 0) return undefined;
  return `the vault was put back to an older copy (${late.map((field) => `${WORDS[field]} ${String(now[field])}, was ${String(anchor[field])}`).join('; ')}); put the newest copy in place`;
}

/** A keychain that cannot be asked says nothing, and so does a damaged entry: other checks hold without it. */
export async function readAnchor(keychain: Keychain, info: HeaderInfo): Promise<Anchor | undefined> {
  if (!usesKeychain(info)) return undefined;
  const bytes = await keychain.get(nameOf(info.vaultId)).catch(() => undefined);
  return bytes && decodeAnchor(bytes);
}

/** Best effort; never moves back. */
export async function writeAnchor(keychain: Keychain, info: HeaderInfo, anchor: Anchor): Promise<void> {
  if (!usesKeychain(info)) return;
  const known = await readAnchor(keychain, info);
  if (known && behind(known, anchor) !== undefined) return;
  await keychain.set(nameOf(info.vaultId), encodeAnchor(anchor)).catch(() => undefined);
}
