/** Programs of the owner's that may rotate secrets: which, what they are called with, and by which digest they are known. */
import { useQueryClient } from '@tanstack/react-query';
import { Plus, SquareTerminal } from 'lucide-react';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { useVault } from '../vault/context.ts';
import { AllowCommand } from './allow-command.tsx';
import { COMMANDS, useCommands, type Command } from './commands-data.ts';
import type { ProofKind } from './proof.tsx';

type Doing = { readonly kind: 'allow' } | { readonly kind: 'disallow'; readonly of: Command };

export function CommandsCard({ kinds }: { readonly kinds: readonly ProofKind[] }) {
  const { readOnly } = useVault();
  const { data, error } = useCommands();
  const [doing, setDoing] = useState<Doing>();
  const close = (): void => { setDoing(undefined); };
  return (
    <section aria-label="Programs that rotate secrets" className="mt-7">
      <h2 className="mb-2 text-[12.5px]/[18px] font-semibold">Programs that rotate secrets</h2>
      {error && <InlineError error={errorOf(error)} />}
      {!data && !error && <SkeletonRows rows={1} height={52} />}
      {data && (
        <div className="edge divide-y divide-line rounded-card bg-raised [[data-theme=light]_&]:bg-pane">
          {data.length === 0 && <p className="px-4 py-4 text-fg-2">None. A secret can be rotated by a program of yours once it stands here: it runs with your rights, and is refused when its file is another than the one that you allowed.</p>}
          {data.map((one) => (
            <div key={one.Name} className="flex min-h-[52px] flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
              <SquareTerminal size={16} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
              <div className="min-w-[180px] flex-1">
                <p className="font-medium">{one.Name}</p>
                <p className="font-mono text-[12px]/[18px] break-all text-fg-2"><bdi>{[one.Path, ...one.Arguments.map(quoted)].join(' ')}</bdi></p>
                <p className="flex items-center text-[12px]/4 text-fg-3">SHA-256 <span className="ml-1 font-mono" title={one.Sha256}>{one.Sha256.slice(0, 16)}…</span><CopyButton text={one.Sha256} what={`the digest of ${one.Name}`} /></p>
              </div>
              {!readOnly && <Button kind="ghost" aria-label={`Take off ${one.Name}`} onClick={() => { setDoing({ kind: 'disallow', of: one }); }}>Take off</Button>}
            </div>
          ))}
          {!readOnly && <div className="flex px-2.5 py-2"><Button kind="ghost" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'allow' }); }}>Allow a program</Button></div>}
        </div>
      )}
      {doing?.kind === 'allow' && <AllowCommand kinds={kinds} onClose={close} />}
      {doing?.kind === 'disallow' && <Disallow of={doing.of} onClose={close} />}
    </section>
  );
}

/** Arguments that are told apart also where one has a space in it. */
const quoted = (text: string): string => (/^[\w./:=@%+,-]+$/.test(text) ? text : JSON.stringify(text));

function Disallow({ of, onClose }: { readonly of: Command; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<CallError>();
  const send = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.vault.disallowCommand({ Name: of.Name });
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.error);
    await queries.invalidateQueries({ queryKey: COMMANDS });
    if (answer.ok) onClose();
  };
  return (
    <Dialog title={`Take ${of.Name} off the list`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (!busy) void send(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">Secrets that name it are no longer rotated: their next rotation fails and says so. The program itself stays where it is.</p>
          {failed && <InlineError error={failed} consequence="It is still allowed." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Keep it</Button><Button tall kind="danger" type="submit" busy={busy}>Take it off</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
