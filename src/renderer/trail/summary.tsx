/** Whether the trail is whole, as main last answered, or that nobody asked yet. */
import { Link2Off, ScanSearch, ShieldCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { ago, counted, exact, plural } from '../format.ts';
import { Timeline } from '../pictures/timeline.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import type { Verified, Verifying } from './verify.ts';

interface SummaryProps {
  readonly verified: Verified | undefined;
  readonly running: Verifying | undefined;
  readonly error: CallError | undefined;
  readonly at: number;
  readonly onCancel: () => void;
  /** Who signs checkpoints. */
  readonly signers: ReactNode;
}

export function Summary({ verified, running, error, at, onCancel, signers }: SummaryProps) {
  return (
    <div className="flex min-h-[50px] flex-col justify-center px-4 py-2.5 shadow-[inset_0_-1px_0_var(--line)]" aria-live="polite">
      {running ? <ProgressRow label="Checking every record" done={running.done} total={running.total} detail={running.total > 0 ? `${counted(running.done)} of ${counted(running.total)}` : undefined} onCancel={onCancel} />
      : error ? <div className="flex-1"><InlineError error={error} consequence="The trail was not checked." /></div>
      : verified ? <><Result verified={verified} at={at} />{verified.report.Timeline && <Timeline timeline={verified.report.Timeline} broken={verified.report.Broken !== undefined} />}</>
      : <p className="flex items-center gap-2 text-fg-2"><ScanSearch size={16} strokeWidth={1.6} className="shrink-0" aria-hidden="true" />Not checked here since the vault was unlocked. Verify reads every record and names the first that does not fit.</p>}
      <p className="mt-1 text-[12px]/[18px] text-fg-2">{signers}</p>
    </div>
  );
}

function Result({ verified: { report, at: when, seconds }, at }: { readonly verified: Verified; readonly at: number }) {
  const took = seconds < 0.1 ? 'less than 0.1 s' : seconds < 10 ? `${seconds.toFixed(1)} s` : plural(Math.round(seconds), 'second');
  const { Broken } = report;
  if (Broken) {
    return (
      <p className="flex flex-wrap items-center gap-x-2.5">
        <b className="flex items-center gap-2 font-semibold text-danger"><Link2Off size={16} strokeWidth={1.6} aria-hidden="true" />Broken at record {counted(Broken.Index)}</b>
        <span className="text-fg-2">{plural(Broken.Index, 'record')} before it {Broken.Index === 1 ? 'is' : 'are'} intact; what follows is in doubt.</span>
      </p>
    );
  }
  return (
    <p className="flex flex-wrap items-center gap-x-2.5">
      <b className="flex items-center gap-2 font-semibold text-ok"><ShieldCheck size={16} strokeWidth={1.6} aria-hidden="true" />Intact</b>
      <span className="text-fg-2">{plural(report.Records, 'record')} in {plural(report.Segments, 'file')}. <span title={exact(when)}>Checked {ago(when, at)} in {took}.</span></span>
      {report.Unfinished.length > 0 && <span className="text-warn">{plural(report.Unfinished.length, 'request')} begun and never known to have ended.</span>}
    </p>
  );
}
