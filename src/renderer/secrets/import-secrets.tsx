/**
 * Secrets out of another program's file: chosen, dropped or pasted; looked at; written as far as it was confirmed, with progress and cancel; and
 * then the plain file can be erased, which never happens by itself.
 */
import { useQueryClient } from '@tanstack/react-query';
import { ClipboardPaste, FolderOpen } from 'lucide-react';
import { useEffect, useMemo, useRef, useState, type ClipboardEvent, type DragEvent } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { FORMAT_WORDS, NOTE_WORDS } from '../../shared/model/import-formats.ts';
import { client } from '../client.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import { Segmented, TextField } from '../parts/field.tsx';
import { useWindow, wholePath } from '../window-state.ts';
import { refreshSecrets } from './data.ts';
import { EnvPreview } from './env-preview.tsx';
import { EraseOffer } from './erase-offer.tsx';
import { confirmed, DECISION_WORDS, DECISIONS, importRows, isConflict, openFile, openPath, openText, preview, usualDecision, type Choice, type Decision, type Imported, type ImportRow, type Opened, type Opening, type Previewed } from './import-data.ts';

interface ImportProps {
  readonly onClose: () => void;
  /** Dropped on the screen, and read already. */
  readonly first?: Opening | undefined;
}

export function ImportSecrets({ onClose, first }: ImportProps) {
  const [opened, setOpened] = useState(first?.ok === true ? first.opened : undefined);
  const [error, setError] = useState(first?.ok === false ? first.error : undefined);
  const [held, setHeld] = useState(false);
  const id = opened?.ImportId;
  // What was read goes with the dialog.
  useEffect(() => (id === undefined ? undefined : () => { void client.secretsmanager.closeImport({ ImportId: id }); }), [id]);
  const take = (opening: Opening): void => {
    setOpened(opening.ok ? opening.opened : undefined);
    setError(opening.ok ? undefined : opening.error);
  };
  return (
    <Dialog title={opened ? `Import ${FORMAT_WORDS[opened.Format]}` : 'Import secrets'} onClose={onClose} held={held} className="w-[720px]">
      {opened ? <Looked key={opened.ImportId} opened={opened} onBusy={setHeld} onBack={() => { setOpened(undefined); }} onClose={onClose} /> : <Choose error={error} onOpened={take} onClose={onClose} />}
    </Dialog>
  );
}

function Choose({ error, onOpened, onClose }: { readonly error: CallError | undefined; readonly onOpened: (opening: Opening) => void; readonly onClose: () => void }) {
  const path = useRef<HTMLInputElement>(null);
  const [dragging, setDragging] = useState(false);
  const [reading, setReading] = useState(false);
  const { Picks } = useWindow();
  const read = async (opening: Promise<Opening>): Promise<void> => {
    setReading(true);
    const done = await opening;
    setReading(false);
    onOpened(done);
  };
  const pick = async (): Promise<void> => {
    const answer = await client.window.pickFile({});
    if (!answer.ok) onOpened(answer);
    else if (answer.output.Path !== undefined) await read(openPath(answer.output.Path));
  };
  const onDrag = (event: DragEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    setDragging(event.type === 'dragover');
    const [file] = event.type === 'drop' ? event.dataTransfer.files : [];
    if (file) void read(openFile(file));
  };
  const onPaste = (event: ClipboardEvent): void => {
    // A path may be pasted into its field; anything else goes past the page.
    if (event.target === path.current) return;
    event.preventDefault();
    const text = event.clipboardData.getData('text/plain');
    if (text !== '') void read(openText(text));
  };
  const given = (): string => wholePath(path.current?.value.trim() ?? '');
  return (
    <form className="flex min-h-0 flex-col" onPaste={onPaste} onDragOver={onDrag} onDragLeave={onDrag} onDrop={onDrag} onSubmit={(event) => { event.preventDefault(); if (!reading && given() !== '') void read(openPath(given())); }}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">A <span className="font-mono text-[12.5px]">.env</span>, JSON or YAML file, or an export of 1Password (<span className="font-mono text-[12.5px]">op</span> or CSV), Bitwarden (JSON or CSV) or KeePass (XML or CSV). Nothing is written before you have seen what becomes of it.</p>
        <div role="group" aria-label="Drop a file or paste here" tabIndex={0} className={`edge-2 grid h-28 place-items-center rounded-card text-fg-2 ${dragging ? 'tint-brass' : 'bg-raised'}`}>
          <span className="flex items-center gap-2"><ClipboardPaste size={16} strokeWidth={1.6} aria-hidden="true" />{reading ? 'Reading…' : 'Drop a file here, or paste its content'}</span>
        </div>
        <div className="flex items-end gap-2">
          <div className="min-w-0 flex-1"><TextField ref={path} label="File" placeholder="/home/you/project/.env" autoComplete="off" spellCheck={false} className="font-mono text-[12.5px]" hint="Only a file that is named or chosen here can be erased afterwards" /></div>
          {Picks && <Button className="mb-[22px] h-[34px]" disabled={reading} icon={<FolderOpen size={14} strokeWidth={1.6} />} onClick={() => { void pick(); }}>Choose…</Button>}
        </div>
        {error && <InlineError error={error} consequence="Nothing was imported." />}
      </div>
      <DialogFoot><Button tall onClick={onClose}>Cancel</Button><Button tall kind="primary" type="submit" busy={reading}>See what becomes of it</Button></DialogFoot>
    </form>
  );
}

interface LookedProps {
  readonly opened: Opened;
  readonly onBusy: (busy: boolean) => void;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

function Looked({ opened, onBusy, onBack, onClose }: LookedProps) {
  const queries = useQueryClient();
  const [choice, setChoice] = useState<Choice>({ layout: opened.Layouts[0] ?? 'each', prefix: '', name: opened.SuggestedName });
  const [seen, setSeen] = useState<Previewed>();
  const [wrong, setWrong] = useState<CallError>();
  const [decisions, setDecisions] = useState<ReadonlyMap<string, Decision>>(new Map());
  const [rest, setRest] = useState<Decision>();
  const usual = useMemo(() => usualDecision(seen?.rows ?? [], opened.Layouts.length > 1), [seen, opened]);
  const [progress, setProgress] = useState<number>();
  const [done, setDone] = useState<Imported>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  useEffect(() => {
    const stop = new AbortController();
    setSeen(undefined);
    const look = async (): Promise<void> => {
      try {
        const found = await preview(opened, choice, stop.signal);
        if (stop.signal.aborted) return;
        setSeen(found);
        setWrong(undefined);
      } catch (thrown) {
        if (!stop.signal.aborted) setWrong(errorOf(thrown));
      }
    };
    // While a prefix is typed, each letter need not be asked for.
    const timer = setTimeout(() => { void look(); }, 200);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [opened, choice]);

  const decisionOf = (row: ImportRow): Decision => decisions.get(row.Name + String(row.Row)) ?? rest ?? usual(row);
  const wanted = seen ? confirmed(seen.rows, decisionOf) : [];
  const clashing = seen?.rows.filter(isConflict).length ?? 0;
  const write = async (): Promise<void> => {
    if (!seen || progress !== undefined) return;
    const controller = new AbortController();
    running.current = controller;
    onBusy(true);
    setProgress(0);
    const imported = await importRows(opened, seen, wanted, controller.signal, setProgress);
    running.current = undefined;
    await refreshSecrets(queries);
    setProgress(undefined);
    onBusy(false);
    setDone(imported);
  };
  if (done) return <Done opened={opened} done={done} onBusy={onBusy} onClose={onClose} />;

  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (wanted.length > 0) void write(); }}>
      <div className="flex min-h-0 flex-col gap-3 overflow-y-auto px-5 pt-2 pb-3 *:shrink-0">
        <div className="flex flex-wrap items-start gap-3">
          {opened.Layouts.length > 1 && <div className="pt-[22px]"><Segmented label="What becomes of it" value={choice.layout} options={[['one', 'One secret'], ['each', 'One each']]} onPick={(layout) => { setChoice({ ...choice, layout }); }} /></div>}
          <div className="w-44"><TextField label="Prefix of names" value={choice.prefix} placeholder="prod/" maxLength={256} spellCheck={false} className="font-mono text-[12.5px]" onChange={(event) => { setChoice({ ...choice, prefix: event.target.value }); }} /></div>
          {choice.layout === 'one' && <div className="min-w-40 flex-1"><TextField label="Name" value={choice.name} maxLength={512} spellCheck={false} className="font-mono text-[12.5px]" onChange={(event) => { setChoice({ ...choice, name: event.target.value }); }} /></div>}
        </div>
        {opened.Notes.map((note) => <p key={note} className="text-[12px]/4 text-fg-2">{NOTE_WORDS[note]}.</p>)}
        {wrong ? <InlineError error={wrong} consequence="Nothing was imported." /> : seen ? (
          <>
            <div className="flex min-h-7 flex-wrap items-center gap-x-4 gap-y-1">
              <p role="status" className="text-fg-2">{summary(seen)}</p>
              {clashing > 1 && <span className="ml-auto flex items-center gap-2"><span className="text-[12px] text-fg-2">All that clash</span><Segmented<Decision | ''> small label="What to do with all that clash" value={rest ?? ''} options={DECISIONS.map((one) => [one, DECISION_WORDS[one]] as const)} onPick={(decision) => { setRest(decision === '' ? undefined : decision); setDecisions(new Map()); }} /></span>}
            </div>
            <EnvPreview rows={seen.rows} decisionOf={decisionOf} onDecide={(row, decision) => { setDecisions(new Map(decisions).set(row.Name + String(row.Row), decision)); }} />
          </>
        ) : <div className="h-[356px]"><ProgressRow label="Comparing with what is there" /></div>}
        {progress !== undefined && <ProgressRow label="Importing" done={progress} total={wanted.length} detail={`${String(progress)} of ${String(wanted.length)}`} onCancel={() => running.current?.abort()} />}
      </div>
      <DialogFoot>
        <Button tall onClick={onBack} disabled={progress !== undefined}>Another file</Button>
        <Button tall onClick={onClose} disabled={progress !== undefined}>Cancel</Button>
        {(seen === undefined || wanted.length > 0) && <Button tall kind="primary" type="submit" busy={seen === undefined || progress !== undefined}>{seen ? `Import ${plural(wanted.length, 'secret')}` : 'Import'}</Button>}
      </DialogFoot>
    </form>
  );
}

function summary({ rows, counts }: Previewed): string {
  const parts = [
    [counts.New, 'new'], [counts.Same, 'there already'], [counts.Different, 'with another value'], [counts.Duplicate, 'twice in the file'], [counts.Deleting, 'being deleted'], [counts.Refused, 'not taken'],
  ] as const;
  return `${plural(rows.length, 'secret')}: ${parts.flatMap(([count, words]) => (count === 0 ? [] : [`${String(count)} ${words}`])).join(', ')}`;
}

function Done({ opened, done, onBusy, onClose }: { readonly opened: Opened; readonly done: Imported; readonly onBusy: (busy: boolean) => void; readonly onClose: () => void }) {
  const { made, replaced, unchanged, conflicts, left, error, cancelled } = done;
  const said = [`${plural(made, 'secret')} made`, ...(replaced > 0 ? [plural(replaced, 'new version')] : []), ...(unchanged > 0 ? [`${String(unchanged)} there already`] : []), ...(left > 0 ? [`${String(left)} not imported`] : [])].join(', ');
  return (
    <div className="flex min-h-0 flex-col">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p role="status" className="font-medium">{cancelled ? 'Cancelled: ' : ''}{said}.</p>
        {cancelled && <p className="text-fg-2">What was made stays. The same import again makes the rest.</p>}
        {conflicts > 0 && <p className="text-warn">{plural(conflicts, 'secret')} changed meanwhile and stayed as they are. Import the file again to see them.</p>}
        {error && <InlineError error={error} consequence={`${plural(made + replaced, 'secret')} were written before. The same import again makes the rest.`} />}
        {opened.path !== undefined && made + replaced + unchanged > 0 && <EraseOffer importId={opened.ImportId} path={opened.path} left={left} onBusy={onBusy} />}
        {opened.path === undefined && <p className="text-fg-2">Where it came from, every value is still in the clear: delete it there.</p>}
      </div>
      <DialogFoot><Button tall kind="primary" onClick={onClose} autoFocus>Done</Button></DialogFoot>
    </div>
  );
}
