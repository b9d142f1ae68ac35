/** The way on from a broken trail: what would be set aside, the vault's name typed out, a factor, and a new chain. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { counted, plural, sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { Proof, type ProofHandle, type ProofKind } from '../settings/proof.tsx';
import { isWrongProof } from '../settings/wrong-proof.ts';
import { STATUS } from '../status.ts';
import { sayBegun } from './begun.tsx';

type Seen = Pick<Output<'trail:StartNewChain'>, 'Broken' | 'Records'>;

interface NewChainProps {
  /** Typed to go on. */
  readonly name: string;
  readonly kinds: readonly ProofKind[];
  /** What a check has found already; without it the first step is to look. */
  readonly seen?: Seen | undefined;
  readonly onClose: () => void;
}

export function NewChain({ name, kinds, seen: given, onClose }: NewChainProps) {
  const queries = useQueryClient();
  const proof = useRef<ProofHandle>(null);
  const [seen, setSeen] = useState<Seen | undefined>(given);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [error, setError] = useState<CallError>();

  const run = async (): Promise<void> => {
    const factor = proof.current?.take();
    if (!factor) { setWrong('This is needed to go on.'); proof.current?.focus(); return; }
    setBusy(true);
    setWrong(undefined);
    setError(undefined);
    const answer = await client.trail.startNewChain({ ...factor, ...(seen ? { AcceptBreak: true as const } : { DryRun: true }) });
    setBusy(false);
    if (answer.ok) {
      if (seen) {
        sayBegun(answer.output);
        onClose();
        await queries.invalidateQueries({ queryKey: STATUS });
      } else setSeen(answer.output);
    } else if (isWrongProof(answer.error)) {
      setWrong(sentence(answer.error.message));
      setTimeout(() => { proof.current?.focus(); }, 0);
    } else setError(answer.error);
  };

  return (
    <Dialog title={seen ? 'Start a new chain' : 'See what is broken'} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && (!seen || typed === name)) void run(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          {seen ? (
              <div className="flex flex-col gap-2 text-fg-2">
                <p>Broken at record {counted(seen.Broken.Index)}; {plural(seen.Records, 'record')} before it {seen.Records === 1 ? 'fits' : 'fit'}. What came after is in doubt for ever.</p>
                <p>The old trail is moved aside whole and stays in the vault&apos;s folder. It is no part of the new chain, and this cannot be undone. Where a copy of the folder has a whole trail, put that back instead.</p>
              </div>
          ) : <p className="text-fg-2">The vault checks its trail with your factor and changes nothing.</p>}
          <Proof key={seen ? 'start' : 'look'} ref={proof} kinds={kinds} error={wrong} refusal={error} disabled={busy} />
          {seen && <TextField label={`Type ${name} to go on`} value={typed} disabled={busy} onChange={(event) => { setTyped(event.target.value); }} />}
          {busy && <ProgressRow label={seen ? 'Starting a new chain' : 'Reading the trail'} />}
          {error && <InlineError error={error} consequence={seen ? 'Lock and unlock the vault to see how it stands.' : 'Nothing was changed.'} />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Leave it as it is</Button>
          {seen ? <Button tall kind="danger" type="submit" disabled={typed !== name} busy={busy}>Start a new chain</Button> : <Button tall kind="primary" type="submit" busy={busy}>See what is broken</Button>}
        </DialogFoot>
      </form>
    </Dialog>
  );
}
