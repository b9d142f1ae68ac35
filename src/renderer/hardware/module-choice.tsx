/** A module chosen, looked at before any of its code runs, and then loaded in a process of its own. */
import { FolderOpen } from 'lucide-react';
import { useId, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useWindow, wholePath } from '../window-state.ts';
import type { Module } from './data.ts';
import { Hash, Warned } from './parts.tsx';
import { useStepFocus } from './step-focus.ts';
import { moduleAbout, moduleName } from './words.ts';

type Looked = Output<'hardware:InspectModule'>;
const OTHER = '';
export const CHOICE = 'edge-2 relative flex items-center gap-3 rounded-card px-3 py-2 has-checked:tint-brass has-checked:shadow-[inset_0_0_0_1.5px_var(--brass)] has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-brass';

/** SoftHSM first: it is there to try things with. */
export const offeredModules = (modules: readonly Module[], registered: readonly string[]): readonly string[] =>
  [...modules.filter(({ State }) => State === 'running' || State === 'stopped').map(({ Path }) => Path), ...registered].sort((a, b) => Number(/softhsm/i.test(b)) - Number(/softhsm/i.test(a)));

interface ModuleChoiceProps {
  readonly modules: readonly Module[];
  readonly registered: readonly string[];
  /** Whether one that was added before can be taken. */
  readonly again?: boolean;
  /** Loaded; `added`: by this choice. */
  readonly onLoaded: (module: Module, added: boolean) => void;
  readonly onCancel: () => void;
  readonly onBusy: (busy: boolean) => void;
}

export function ModuleChoice({ modules, registered, again = false, onLoaded, onCancel, onBusy }: ModuleChoiceProps) {
  const group = useId();
  const choices = offeredModules(again ? modules : [], registered);
  const [choice, setChoice] = useState(choices[0] ?? OTHER);
  const [path, setPath] = useState('');
  const [parameters, setParameters] = useState('');
  const [looked, setLooked] = useState<Looked>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const { Picks } = useWindow();
  const wanted = choice === OTHER ? path.trim() : choice;
  const work = (now: boolean): void => { setBusy(now); onBusy(now); };
  useStepFocus(String(looked !== undefined));
  const pick = async (): Promise<void> => {
    const answer = await client.window.pickFile({});
    if (answer.ok && answer.output.Path !== undefined) setPath(answer.output.Path);
  };
  const look = async (): Promise<void> => {
    const known = modules.find(({ Path, State }) => Path === wanted && (State === 'running' || State === 'stopped'));
    if (again && known) {
      onLoaded(known, false);
      return;
    }
    work(true);
    const answer = await client.hardware.inspectModule({ Path: wholePath(wanted) });
    work(false);
    setError(answer.ok ? undefined : answer.error);
    if (!answer.ok) return;
    const added = modules.find(({ Path }) => Path === answer.output.Path);
    if (again && added) onLoaded(added, false);
    else setLooked(answer.output);
  };
  const load = async ({ Path, Sha256 }: Looked): Promise<void> => {
    work(true);
    const answer = await client.hardware.addModule({ Path, Sha256, ...(parameters.trim() === '' ? {} : { Parameters: parameters.trim() }) });
    work(false);
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) onLoaded(answer.output.Module, true);
  };

  if (looked) {
    return (
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void load(looked); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <div><p className="text-[12px]/4 font-medium text-fg-2">File, without links</p><code className="font-mono text-[12.5px] break-all">{looked.Path}</code></div>
          <Hash label="Its SHA-256: compare it with what its vendor says" value={looked.Sha256} />
          {looked.Warnings.length > 0 && <Warned>{looked.Warnings.map((text) => <span key={text} className="block">{sentence(text.replaceAll('`', ''))}</span>)}<span className="block">Whoever can change it can run code as you.</span></Warned>}
          <p className="text-fg-2">A module is other people’s native code and runs with your rights. It gets a process of its own, which holds no keys of this vault. Another file at this place is not loaded until you agree to it.</p>
          <TextField label="Parameters" value={parameters} disabled={busy} maxLength={1024} className="font-mono text-[12.5px]" onChange={(event) => { setParameters(event.target.value); }} hint="Only for modules that ask for some, as NSS does; not secret" />
          {error && <InlineError error={error} consequence="The module was not added." />}
        </div>
        {busy && <div className="px-5 pt-2 pb-1"><ProgressRow label="Loading it in a process of its own" /></div>}
        <DialogFoot><Button tall onClick={() => { setLooked(undefined); setError(undefined); }} disabled={busy}>Back</Button><Button tall kind="primary" type="submit" busy={busy}>Load this file</Button></DialogFoot>
      </form>
    );
  }
  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && wanted !== '') void look(); }}>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        <fieldset>
          <legend className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Which library speaks to the token?</legend>
          <div className="flex flex-col gap-1.5">
            {[...choices, OTHER].map((one) => (
              <label key={one} className={CHOICE}>
                <input type="radio" name={group} checked={choice === one} onChange={() => { setChoice(one); setError(undefined); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
                {one === OTHER ? <span><span className="block font-medium">Another file</span><span className="block text-[12px]/4 text-fg-2">The PKCS#11 library that came with the token</span></span>
                : <span className="min-w-0"><span className="block font-medium">{moduleAbout(one) ?? moduleName(one)}</span><code className="block truncate font-mono text-[12px]/4 text-fg-2" title={one}>{one}</code></span>}
              </label>
            ))}
          </div>
        </fieldset>
        {choice === OTHER && (
          <div className="flex items-end gap-2">
            <div className="min-w-0 flex-1"><TextField label="Path" value={path} required placeholder="/usr/lib/opensc-pkcs11.so" className="font-mono text-[12.5px]" onChange={(event) => { setPath(event.target.value); }} /></div>
            {Picks && <Button className="h-[34px]" icon={<FolderOpen size={14} strokeWidth={1.6} />} onClick={() => { void pick(); }}>Choose…</Button>}
          </div>
        )}
        {registered.length > 0 && <p className="text-[12px]/4 text-fg-3">Those with a path are registered with p11-kit on this computer. Nothing is loaded yet.</p>}
        {error && <InlineError error={error} consequence="Nothing was loaded." />}
      </div>
      <DialogFoot><Button tall onClick={onCancel} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy} disabled={wanted === ''}>{wanted === '' ? 'Name the file first' : again && modules.some(({ Path }) => Path === wanted) ? 'Look for its tokens' : 'Look at the file'}</Button></DialogFoot>
    </form>
  );
}
