/** A program put on the list: its name, its file, what it is called with, and a factor, since it runs with the owner's rights. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { FIELD, Labelled, TextField } from '../parts/field.tsx';
import { COMMANDS } from './commands-data.ts';
import { wholePath } from '../window-state.ts';
import { Proof, type ProofHandle, type ProofKind } from './proof.tsx';
import { isWrongProof } from './wrong-proof.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const isAbsolute = (path: string): boolean => /^(?:\/|[A-Za-z]:\\)/.test(path);

export function AllowCommand({ kinds, onClose }: { readonly kinds: readonly ProofKind[]; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const proof = useRef<ProofHandle>(null);
  const [name, setName] = useState('');
  const [path, setPath] = useState('');
  const [lines, setLines] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<{ readonly name?: string; readonly path?: string; readonly proof?: string }>({});
  const [error, setError] = useState<CallError>();
  const submit = async (): Promise<void> => {
    setError(undefined);
    const problems = {
      ...(NAME.test(name) ? {} : { name: 'Letters, digits, full stops, dashes and underscores, up to 64' }),
      ...(isAbsolute(path) ? {} : { path: 'The whole path, from the root on' }),
    };
    setWrong(problems);
    if (Object.keys(problems).length > 0) return;
    const given = proof.current?.take();
    if (!given) { setWrong({ proof: 'This is needed to go on.' }); proof.current?.focus(); return; }
    setBusy(true);
    const answer = await client.vault.allowCommand({ Name: name, Path: wholePath(path), Arguments: lines.split('\n').filter((line) => line !== ''), ...given });
    setBusy(false);
    if (answer.ok) {
      await queries.invalidateQueries({ queryKey: COMMANDS });
      onClose();
    } else if (isWrongProof(answer.error)) {
      setWrong({ proof: sentence(answer.error.message) });
      setTimeout(() => { proof.current?.focus(); }, 0);
    } else setError(answer.error);
  };
  return (
    <Dialog title="Allow a program" onClose={onClose} held={busy} className="w-[480px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <p className="text-fg-2">It runs with your rights, without a shell, whenever a secret that names it is rotated. It is given AWS&apos;s rotation event and no value.</p>
          <TextField label="Name" value={name} maxLength={64} autoFocus disabled={busy} error={wrong.name} placeholder="rotate-app" className="font-mono" onChange={(event) => { setName(event.target.value); }} hint="What a secret calls it by" />
          <TextField label="Path" value={path} disabled={busy} error={wrong.path} placeholder="/usr/local/bin/rotate-app" className="font-mono" onChange={(event) => { setPath(event.target.value); }} hint="A file of yours or root's that nobody else may write to. Its SHA-256 is kept, and another file is refused" />
          <Labelled label="Arguments, one a line" hint="What it is always called with. Never a secret: other programs can read them">
            {(ids) => <textarea {...ids} rows={2} spellCheck={false} disabled={busy} value={lines} onChange={(event) => { setLines(event.target.value); }} className={`${FIELD} h-auto! py-1.5 font-mono`} />}
          </Labelled>
          <Proof ref={proof} kinds={kinds} error={wrong.proof} refusal={error} disabled={busy} autoFocus={false} />
          {error && <InlineError error={error} consequence="Nothing was allowed." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>Allow it</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
