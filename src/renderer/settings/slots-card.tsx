/** The ways into the vault. Each change asks for a factor again. */
import { useQuery } from '@tanstack/react-query';
import { Fingerprint, KeyRound, Plus, ScrollText, Usb, type LucideIcon } from 'lucide-react';
import { useState } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { client, outputOf } from '../client.ts';
import { day } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { useVault } from '../vault/context.ts';
import { AddSlot } from './add-slot.tsx';
import { AddTokenSlot } from './add-token-slot.tsx';
import type { ProofKind } from './proof.tsx';
import { RemoveSlot } from './remove-slot.tsx';

export type Slot = Output<'vault:ListSlots'>['Slots'][number];
export const SLOTS = ['slots'] as const;

const WORDS: Record<Slot['Type'], readonly [LucideIcon, string]> = {
  password: [KeyRound, 'Password'],
  recovery: [ScrollText, 'Recovery code'],
  keychain: [Fingerprint, 'This computer\'s keychain'],
  token: [Usb, 'Hardware token'],
};
const NAMES: Record<Slot['Type'], string> = { password: 'the password', recovery: 'the recovery code', keychain: 'this computer\'s keychain', token: 'the hardware token' };
const slotName = (slot: Slot): string => NAMES[slot.Type];

/** What the slot's URI says of the token: its label. */
const tokenIn = ({ TokenUri: uri = '' }: Slot): string => {
  const label = /^pkcs11:token=([^;]+);/.exec(uri)?.[1];
  return label === undefined ? '' : `, ${decodeURIComponent(label)}`;
};

type Doing =
  | { readonly kind: 'password' | 'recovery'; readonly replaces: Slot }
  | { readonly kind: 'add-recovery' | 'add-keychain' | 'add-password' }
  | { readonly kind: 'add-token' }
  | { readonly kind: 'remove'; readonly slot: Slot };

const useSlots = () => useQuery({ queryKey: SLOTS, queryFn: async () => outputOf(await client.vault.listSlots()).Slots });
const KINDS = ['password', 'recovery', 'keychain', 'token'] as const satisfies readonly ProofKind[];
/** What this vault can be asked for as proof, best first. */
export function useProofKinds(): readonly ProofKind[] {
  const { data } = useSlots();
  return KINDS.filter((kind) => data?.some(({ Type }) => Type === kind));
}

export function SlotsCard({ name }: { readonly name: string }) {
  const { readOnly } = useVault();
  const [doing, setDoing] = useState<Doing>();
  const { data, error } = useSlots();
  const has = (type: Slot['Type']): boolean => data?.some((slot) => slot.Type === type) === true;
  const kinds = useProofKinds();
  const close = (): void => { setDoing(undefined); };
  return (
    <section aria-label="Ways to unlock" className="mt-7">
      <h2 className="mb-2 text-[12.5px]/[18px] font-semibold">Ways to unlock</h2>
      {error && <InlineError error={errorOf(error)} />}
      {!data && !error && <SkeletonRows rows={2} height={52} />}
      {data && (
        <div className="edge divide-y divide-line rounded-card bg-raised [[data-theme=light]_&]:bg-pane">
          {data.map((slot) => {
            const [Icon, words] = WORDS[slot.Type];
            return (
              <div key={slot.SlotId} className="flex min-h-[52px] flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
                <Icon size={16} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
                <div className="min-w-[180px] flex-1">
                  <p className="font-medium">{words}</p>
                  <p className="text-[12px]/4 text-fg-2">Since {day(slot.CreationDate * 1000)}{slot.Factors.includes('device') && slot.Type === 'password' ? ', together with this computer\'s keychain' : ''}{slot.Kdf ? `, Argon2id ${slot.Kdf.MemoryKiB / 1024} MiB` : ''}{tokenIn(slot)}</p>
                </div>
                {!readOnly && slot.Type === 'password' && <Button onClick={() => { setDoing({ kind: 'password', replaces: slot }); }}>Change password</Button>}
                {!readOnly && slot.Type === 'recovery' && <Button onClick={() => { setDoing({ kind: 'recovery', replaces: slot }); }}>Make a new one</Button>}
                {!readOnly && data.length > 1 && <Button kind="ghost" aria-label={`Remove ${slotName(slot)}`} onClick={() => { setDoing({ kind: 'remove', slot }); }}>Remove</Button>}
              </div>
            );
          })}
          {!readOnly && (
            <div className="flex flex-wrap gap-1 px-2.5 py-2">
              {!has('password') && <Button kind="ghost" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'add-password' }); }}>Add a password</Button>}
              {!has('recovery') && <Button kind="ghost" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'add-recovery' }); }}>Add a recovery code</Button>}
              {!has('keychain') && <Button kind="ghost" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'add-keychain' }); }}>Add this computer&apos;s keychain</Button>}
              <Button kind="ghost" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'add-token' }); }}>Add a hardware token</Button>
            </div>
          )}
        </div>
      )}
      {doing && (doing.kind === 'remove' ? <RemoveSlot slot={doing.slot} name={slotName(doing.slot)} kinds={kinds} onClose={close} />
      : doing.kind === 'add-token' ? <AddTokenSlot kinds={kinds} onClose={close} />
      : <AddSlot what={doing.kind} replaces={'replaces' in doing ? doing.replaces.SlotId : undefined} vault={name} kinds={kinds} onClose={close} />)}
    </section>
  );
}
