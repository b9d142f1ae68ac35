/** The modules: whether each runs, what it says of itself, who else could change its file; and what is done with it. */
import { useQueryClient } from '@tanstack/react-query';
import { FileWarning, RotateCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { client } from '../client.ts';
import { day, sentence } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { useRequest } from '../parts/request.ts';
import { refreshHardware, type KeyStore, type Module } from './data.ts';
import { SealedPins } from './sealed-pins.tsx';
import { ModuleChoice } from './module-choice.tsx';
import { Hash, StateSaid, Warned } from './parts.tsx';
import { crashWords, moduleAbout, moduleName, moduleState } from './words.ts';

const ICON = { size: 14, strokeWidth: 1.6 } as const;
export type ModuleAct = 'restart' | 'remove' | 'agree';

export function ModuleRow({ of, failure, canForget, act }: { readonly of: Module; readonly failure: string | undefined; readonly canForget: boolean; readonly act: ((what: ModuleAct) => void) | undefined }) {
  const name = moduleName(of.Path);
  const crashed = crashWords(of);
  const usable = of.State === 'running' || of.State === 'stopped';
  return (
    <div className="px-4 py-2.5">
      <div className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-[180px] flex-1">
          <p className="font-medium">{of.Description !== undefined && of.Description !== '' ? <bdi>{of.Description}</bdi> : (moduleAbout(of.Path) ?? name)}{of.Version !== undefined && <span className="font-normal text-fg-2"> {of.Version}{of.Manufacturer ? <>, <bdi>{of.Manufacturer}</bdi></> : ''}</span>}</p>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2"><StateSaid said={moduleState(of)} /><span aria-hidden="true">·</span><code className="font-mono break-all">{of.Path}</code></p>
        </div>
        {act && of.State === 'changed' && <Button kind="primary" icon={<FileWarning {...ICON} />} onClick={() => { act('agree'); }}>See what changed…</Button>}
        {act && usable && <Button aria-label={`${of.State === 'running' ? 'Restart' : 'Start'} ${name}`} icon={<RotateCw {...ICON} />} onClick={() => { act('restart'); }}>{of.State === 'running' ? 'Restart…' : 'Start'}</Button>}
        {act && <Button kind="ghost" aria-label={`Remove ${name}`} icon={<Trash2 {...ICON} />} onClick={() => { act('remove'); }}>Remove…</Button>}
      </div>
      <details className="group mt-1">
        <summary className="w-fit rounded-[5px] text-[12px]/6 text-fg-2 hover:text-fg">SHA-256 {of.Sha256.slice(0, 8)}…, agreed to on {day(of.AddedDate * 1000)}</summary>
        <div className="pt-1.5 pb-1"><Hash label="The file that you agreed to" value={of.Sha256} /></div>
      </details>
      <SealedPins of={of} canForget={canForget} />
      <div className="flex flex-col gap-2 empty:hidden [&>*]:mt-1">
        {of.State === 'changed' && <Warned>The file is another one than you agreed to, so it is not loaded. Its key stores cannot connect until you agree to it.</Warned>}
        {of.State === 'missing' && <Warned>There is no file at this place now. Put it back, or remove the module.</Warned>}
        {of.Warnings.length > 0 && <Warned>{of.Warnings.map((text) => <span key={text} className="block">{sentence(text.replaceAll('`', ''))}</span>)}</Warned>}
        {crashed !== undefined && <Warned>{crashed}</Warned>}
        {failure !== undefined && of.State !== 'changed' && of.State !== 'missing' && <Warned>{sentence(failure.replaceAll('`', ''))}</Warned>}
      </div>
    </div>
  );
}

interface ModuleDialogProps {
  readonly of: Module;
  readonly stores: readonly KeyStore[];
  readonly onClose: () => void;
}

export function ModuleDialog({ what, ...rest }: ModuleDialogProps & { readonly what: ModuleAct }) {
  if (what === 'agree') return <Agree {...rest} />;
  return what === 'restart' ? <Restart {...rest} /> : <Remove {...rest} />;
}

/** Neither answer is the default one: the files are compared first. */
function Agree({ of, onClose }: ModuleDialogProps) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const fresh = of.FileSha256;
  const done = async (): Promise<void> => { await refreshHardware(queries); onClose(); };
  return (
    <Dialog title={`${moduleName(of.Path)} has changed`} onClose={onClose} held={busy} className="w-[560px]">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">An update of the system changes a module, and so does an attacker. Agree only if you know that it was updated: what the file does, it does with your rights, and it gets the PINs of its tokens.</p>
        <Hash label={`Before, agreed to on ${day(of.AddedDate * 1000)}`} value={of.Sha256} />
        {fresh !== undefined && <Hash label="Now" value={fresh} />}
        {of.Warnings.length > 0 && <Warned>{of.Warnings.map((text) => <span key={text} className="block">{sentence(text.replaceAll('`', ''))}</span>)}</Warned>}
        {busy && <ProgressRow label="Loading it in a process of its own" />}
        {error && <InlineError error={error} consequence="The module is not loaded." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Leave it unloaded</Button>
        <Button tall busy={busy} onClick={() => { void send(() => client.hardware.removeModule({ Path: of.Path }), done); }}>Remove the module</Button>
        {fresh !== undefined && <Button tall kind="danger" busy={busy} onClick={() => { void send(() => client.hardware.updateModule({ Path: of.Path, Sha256: fresh }), done); }}>Agree to the new file</Button>}
      </DialogFoot>
    </Dialog>
  );
}

function Restart({ of, stores, onClose }: ModuleDialogProps) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const connected = stores.filter(({ ConnectionState }) => ConnectionState === 'CONNECTED').map(({ CustomKeyStoreName }) => CustomKeyStoreName);
  return (
    <Dialog title={`Restart ${moduleName(of.Path)}`} onClose={onClose} held={busy}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">{of.State === 'running' ? 'Its process ends and another is started. What its tokens are doing now fails; nothing is tried again. ' : 'A process is started for it. '}{connected.length > 0 ? <>Key store <b className="font-medium text-fg"><bdi>{connected.join(', ')}</bdi></b> has to be connected again, with the PIN.</> : 'PINs that it was given are forgotten.'}</p>
        {error && <InlineError error={error} consequence="The module does not run." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Leave it</Button>
        <Button tall kind="primary" busy={busy} onClick={() => { void send(() => client.hardware.restartModule({ Path: of.Path }), async () => { await refreshHardware(queries); onClose(); }); }}>{of.State === 'running' ? 'Restart the module' : 'Start the module'}</Button>
      </DialogFoot>
    </Dialog>
  );
}

function Remove({ of, onClose }: ModuleDialogProps) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  return (
    <Dialog title={`Remove ${moduleName(of.Path)}`} onClose={onClose} held={busy}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">The vault forgets it and ends its process. Its file and its tokens stay as they are. A module that a key store is in cannot be removed.</p>
        {error && <InlineError error={error} consequence="The module is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Keep it</Button>
        <Button tall kind="danger" busy={busy} onClick={() => { void send(() => client.hardware.removeModule({ Path: of.Path }), async () => { await refreshHardware(queries); onClose(); }); }}>Remove the module</Button>
      </DialogFoot>
    </Dialog>
  );
}

export function AddModule({ modules, registered, onClose }: { readonly modules: readonly Module[]; readonly registered: readonly string[]; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog title="Add a module" onClose={onClose} held={busy} className="w-[500px]">
      <ModuleChoice modules={modules} registered={registered} onBusy={setBusy} onCancel={onClose} onLoaded={() => { void refreshHardware(queries).then(onClose); }} />
    </Dialog>
  );
}
