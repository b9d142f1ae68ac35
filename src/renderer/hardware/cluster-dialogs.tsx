/** A cluster brought level, with what is done shown as it is done. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import type { Progress } from '../../shared/wire/messages.ts';
import { client } from '../client.ts';
import { counted, plural, sentence, tailOf } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { isBehind, type Cluster } from './cluster-words.ts';
import { refreshHardware } from './data.ts';
import { nameOf } from './token-names.ts';

interface ClusterDialogProps {
  readonly cluster: Cluster;
  readonly onClose: () => void;
}
/** Of a progress row: `3 of 12 keys`. */
export const stepOf = ({ done, total }: Progress, unit: string): string | undefined => (total > 0 ? `${counted(done)} of ${plural(total, unit)}` : undefined);

export function LevelCluster({ cluster, onClose }: ClusterDialogProps) {
  const queries = useQueryClient();
  const running = useRef<AbortController>(undefined);
  const [progress, setProgress] = useState<Progress>();
  const [done, setDone] = useState<Output<'hardware:LevelCluster'>>();
  const [error, setError] = useState<CallError>();
  useEffect(() => () => running.current?.abort(), []);
  const { CustomKeyStoreId, CustomKeyStoreName: name, Members: members } = cluster;
  const behind = members.filter(isBehind);
  const busy = progress !== undefined;
  const start = async (): Promise<void> => {
    if (busy) return;
    const control = new AbortController();
    running.current = control;
    setError(undefined);
    setProgress({ done: 0, total: 0, unit: 'keys' });
    const answer = await client.hardware.levelCluster({ CustomKeyStoreId }, { signal: control.signal, progress: setProgress });
    running.current = undefined;
    await refreshHardware(queries);
    setProgress(undefined);
    if (answer.ok) setDone(answer.output);
    else setError(answer.error);
  };
  const isCancelled = error?.code === 'CancelledException';
  return (
    <Dialog title={`Bring ${name} level`} onClose={onClose} held={busy}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        {done ? <Done {...done} /> : (
          <>
            {behind.length > 0 && <ul className="flex list-disc flex-col gap-1 pl-4 text-fg-2">{behind.map((one) => <li key={one.CloudHsmClusterId}><bdi className="font-medium text-fg">{nameOf(one)}</bdi> {[...((one.Missing ?? 0) > 0 ? [`lacks ${plural(one.Missing ?? 0, 'key')}`] : []), ...((one.Deleted ?? 0) > 0 ? [`still holds ${plural(one.Deleted ?? 0, 'key')} deleted here`] : [])].join(' and ')}</li>)}</ul>}
            <p className="text-fg-2">Each missing key is copied from a token that holds it, under a wrapping key that both trust, and tried out before it counts. Keys that were deleted here are deleted there too. Nothing else on the token is touched.</p>
            {busy && <ProgressRow label="Bringing it level" done={progress.done} total={progress.total} detail={stepOf(progress, 'key')} onCancel={() => running.current?.abort()} />}
            {isCancelled && <p role="status" className="tint-warn rounded-card px-3 py-2.5">Cancelled. What was copied stays and counts; starting again goes on from there.</p>}
            {error && !isCancelled && <InlineError error={error} consequence="What was copied before stays and counts." />}
          </>
        )}
      </div>
      <DialogFoot>
        {done ? <Button tall kind="primary" autoFocus onClick={onClose}>Close</Button>
        : <><Button tall onClick={onClose} disabled={busy}>{isCancelled ? 'Close' : 'Not now'}</Button><Button tall kind="primary" busy={busy} onClick={() => { void start(); }}>{error ? 'Go on' : 'Bring it level'}</Button></>}
      </DialogFoot>
    </Dialog>
  );
}

function Done({ Made: made, Removed: removed, Left: left, Cluster: { Members } }: Output<'hardware:LevelCluster'>) {
  const nameById = (id: string): string => { const one = Members.find(({ CloudHsmClusterId }) => CloudHsmClusterId === id); return one ? nameOf(one) : id; };
  return (
    <>
      <p role="status" className="font-medium">{left.length === 0 ? 'Every token is level.' : 'Not every token is level.'} {plural(made, 'copy', 'copies')} made, {counted(removed)} removed.</p>
      {left.length > 0 && <ul className="flex max-h-[240px] list-disc flex-col gap-1 overflow-y-auto pl-4 text-fg-2" tabIndex={0} aria-label="What is left">{left.map((one, i) => <li key={i}><bdi className="font-medium text-fg">{nameById(one.CloudHsmClusterId)}</bdi>{one.KeyId !== undefined && <>, key <code className="font-mono text-[12px]">{tailOf(one.KeyId).slice(0, 8)}</code></>}: {sentence(one.Reason.replaceAll('`', ''))}</li>)}</ul>}
    </>
  );
}
