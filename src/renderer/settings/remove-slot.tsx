/** Taking a way in away: retired, or known to someone else. */
import { useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Progress } from '../../shared/wire/messages.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { STATUS } from '../status.ts';
import { Proof, type ProofHandle, type ProofKind } from './proof.tsx';
import { isWrongProof } from './wrong-proof.ts';

const HOWS = [
  ['retired', 'I do not need it any more', 'The vault stays as it is, without this way in.'],
  ['compromised', 'Someone else may know it', 'Everything is encrypted anew. Copies of the vault made before stay open to it.'],
] as const;

interface RemoveSlotProps {
  readonly slot: { readonly SlotId: string };
  readonly name: string;
  readonly kinds: readonly ProofKind[];
  readonly onClose: () => void;
}

export function RemoveSlot({ slot, name, kinds, onClose }: RemoveSlotProps) {
  const queries = useQueryClient();
  const proof = useRef<ProofHandle>(null);
  const group = useId();
  const [how, setHow] = useState<'retired' | 'compromised'>('retired');
  const [busy, setBusy] = useState(false);
  const [progress, setProgress] = useState<Progress>();
  const [wrong, setWrong] = useState<string>();
  const [error, setError] = useState<CallError>();
  const remove = async (): Promise<void> => {
    const given = proof.current?.take();
    if (!given) { setWrong('This is needed to go on.'); proof.current?.focus(); return; }
    setBusy(true);
    setWrong(undefined);
    setError(undefined);
    const answer = await client.vault.removeSlot({ SlotId: slot.SlotId, How: how, ...given }, { progress: setProgress });
    setBusy(false);
    if (answer.ok) {
      await Promise.all([queries.invalidateQueries({ queryKey: ['slots'] }), queries.invalidateQueries({ queryKey: STATUS })]);
      onClose();
    } else if (isWrongProof(answer.error)) {
      setWrong(sentence(answer.error.message));
      setTimeout(() => { proof.current?.focus(); }, 0);
    } else setError(answer.error);
  };
  return (
    <Dialog title={`Remove ${name}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (!busy) void remove(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <fieldset className="flex flex-col gap-1.5">
            <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Why?</legend>
            {HOWS.map(([one, title, about]) => (
              <label key={one} className="edge-2 relative rounded-card px-3 py-2 has-checked:tint-brass has-checked:shadow-[inset_0_0_0_1.5px_var(--brass)] has-focus-visible:outline-2 has-focus-visible:outline-brass">
                <input type="radio" name={group} checked={how === one} disabled={busy} onChange={() => { setHow(one); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
                <span className="block font-medium">{title}</span><span className="block text-[12px]/4 text-fg-2">{about}</span>
              </label>
            ))}
          </fieldset>
          <Proof ref={proof} kinds={kinds} error={wrong} refusal={error} disabled={busy} />
          {busy && <ProgressRow label={how === 'compromised' ? 'Encrypting everything anew' : 'Removing'} done={progress?.done} total={progress?.total} />}
          {error && <InlineError error={error} consequence="It still opens the vault." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Keep it</Button><Button tall kind="danger" type="submit" busy={busy}>Remove {name}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
