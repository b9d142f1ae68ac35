/**
 * A file of any size, encrypted or decrypted under one key. The vault reads and writes it: the page knows two paths and how far it is. What is
 * dropped on a page has no path there, so a file is chosen in the desktop's dialog, or its path is typed or pasted.
 */
import { useQueryClient } from '@tanstack/react-query';
import { FolderOpen } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { byteCount } from '../format.ts';
import { refreshUse } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { Segmented, TextField } from '../parts/field.tsx';
import { useWindow, wholePath } from '../window-state.ts';
import { fileCommand, outputFor, type FileWork } from './command.ts';
import { ContextRows, contextOf, contextProblem, type ContextRow } from './context-rows.tsx';
import { CommandLine, Verdict } from './result.tsx';

const WORDS = {
  encrypt: { label: 'Encrypt a file', act: 'Encrypt the file', doing: 'Encrypting', done: 'The file is encrypted', nothing: 'No file was written.' },
  decrypt: { label: 'Decrypt a file', act: 'Decrypt the file', doing: 'Decrypting', done: 'The file is decrypted, and all of it was checked', nothing: 'No file was written.' },
} as const satisfies Record<FileWork, object>;

interface Under {
  readonly done: number;
  readonly total: number;
}
const percentOf = ({ done, total }: Under): number => (total > 0 ? Math.floor((100 * done) / total) : 0);
type Ended = { readonly ok: true; readonly path: string; readonly size: number } | { readonly ok: false; readonly error: CallError; readonly requestId: string };

interface FileFormProps {
  readonly keyId: string;
  readonly reference: string;
  /** Told while it must not be closed by Esc. */
  readonly onBusy: (busy: boolean) => void;
}

export function FileForm({ keyId, reference, onBusy }: FileFormProps) {
  const queries = useQueryClient();
  const [work, setWork] = useState<FileWork>('encrypt');
  const [path, setPath] = useState('');
  const [chosen, setChosen] = useState<number>();
  const [output, setOutput] = useState<string>();
  const [rows, setRows] = useState<readonly ContextRow[]>([]);
  const [problem, setProblem] = useState<string>();
  const [progress, setProgress] = useState<Under>();
  const [ended, setEnded] = useState<Ended>();
  const [unpicked, setUnpicked] = useState<CallError>();
  const running = useRef<AbortController>(undefined);
  const { Picks } = useWindow();
  // A lock takes the page away; whatever takes only the panel away ends the work, too.
  useEffect(() => () => running.current?.abort(), []);

  const busy = progress !== undefined;
  const acts = useRef<HTMLDivElement>(null);
  // The button that had the focus is gone when the work begins, and the one that cancels when it ends.
  const wasBusy = useRef(busy);
  useEffect(() => {
    if (wasBusy.current !== busy && document.activeElement === document.body) acts.current?.querySelector('button')?.focus();
    wasBusy.current = busy;
  }, [busy]);
  const target = output ?? outputFor(work, path);
  const words = WORDS[work];
  const take = (next: string, size?: number): void => { setPath(next); setChosen(size); setOutput(undefined); setEnded(undefined); };
  const pick = async (): Promise<void> => {
    const answer = await client.window.pickFile({});
    setUnpicked(answer.ok ? undefined : answer.error);
    if (answer.ok && answer.output.Path !== undefined) take(answer.output.Path, answer.output.Size);
  };
  const submit = async (): Promise<void> => {
    const unfit = contextProblem(rows);
    setProblem(unfit);
    if (unfit !== undefined) return;
    const controller = new AbortController();
    running.current = controller;
    setEnded(undefined);
    setProgress({ done: 0, total: chosen ?? 0 });
    onBusy(true);
    let shown = 0;
    const input = { Path: wholePath(path), OutputPath: wholePath(target), KeyId: keyId, EncryptionContext: contextOf(rows) };
    const options = {
      signal: controller.signal,
      progress: ({ done, total }: Under): void => {
        // As often as it says something new, and no more.
        const percent = percentOf({ done, total });
        if (percent === shown) return;
        shown = percent;
        setProgress({ done, total });
      },
    };
    const answer = await (work === 'encrypt' ? client.file.encrypt(input, options) : client.file.decrypt(input, options));
    void refreshUse(queries, keyId);
    running.current = undefined;
    setProgress(undefined);
    onBusy(false);
    setEnded(answer.ok ? { ok: true, path: answer.output.OutputPath, size: answer.output.OutputSize } : answer);
  };

  return (
    <form className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 pt-4 pb-5" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
      <Segmented label="What to do" value={work} options={[['encrypt', WORDS.encrypt.label], ['decrypt', WORDS.decrypt.label]]} onPick={(next) => { if (busy) return; setWork(next); setOutput(undefined); setEnded(undefined); }} />
      <div className="flex items-end gap-2">
        <div className="min-w-0 flex-1"><TextField label="File" required disabled={busy} value={path} placeholder="/home/you/backup.tar" className="font-mono text-[12.5px]" onChange={(event) => { take(event.target.value); }} /></div>
        {Picks && <Button className="h-[34px]" disabled={busy} icon={<FolderOpen size={14} strokeWidth={1.6} />} onClick={() => { void pick(); }}>Choose…</Button>}
      </div>
      {chosen !== undefined && <p className="-mt-2.5 text-[12px]/4 text-fg-3">{byteCount(chosen)}</p>}
      {unpicked && <InlineError error={unpicked} consequence="No file was chosen." />}
      <TextField label="New file" required disabled={busy} value={target} className="font-mono text-[12.5px]" onChange={(event) => { setOutput(event.target.value); setEnded(undefined); }} hint={work === 'encrypt' ? 'The first file stays where it is, as it is' : 'It has its name only once all of it was checked'} />
      <ContextRows rows={rows} problem={problem} disabled={busy} onChange={(next) => { setRows(next); setProblem(undefined); setEnded(undefined); }} />
      <div ref={acts}>
        {busy ? <ProgressRow label={words.doing} {...progress} detail={progress.total > 0 ? `${String(percentOf(progress))} %` : undefined} onCancel={() => running.current?.abort()} /> : <Button kind="primary" tall type="submit">{words.act}</Button>}
      </div>
      {ended?.ok === true && <Verdict title={words.done} about={`${ended.path}, ${byteCount(ended.size)}`} />}
      {ended?.ok === false && (ended.error.code === 'CancelledException' ? <p role="status" className="text-fg-2">Cancelled. {words.nothing}</p> : <InlineError error={ended.error} requestId={ended.requestId} consequence={words.nothing} />)}
      <div className="mt-auto pt-2"><CommandLine command={fileCommand({ work, key: reference, path, output: target, context: contextOf(rows) })} /></div>
    </form>
  );
}
