/** One record: what was asked, by whom, what was decided and why, as main recorded it. */
import { X } from 'lucide-react';
import { Fragment } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { bareOperation, counted, exact } from '../format.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import type { TrailEvent } from '../keys/data.ts';
import { IconButton } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { DecisionPath } from '../pictures/decision-path.tsx';
import { Misfit } from '../pictures/misfit.tsx';
import { useVault } from '../vault/context.ts';
import { changesOf, gatesOf } from './path.ts';
import { WayOn } from './way-on.tsx';
import { doorWords, outcomeOf, OutcomeWord } from './words.tsx';

type Broken = NonNullable<Output<'trail:VerifyTrail'>['Broken']>;
const WHAT: Record<Broken['What'], readonly [title: string, about: string]> = {
  header: ['A file of the trail has a changed beginning', 'Its header does not fit what the file before it says.'],
  hash: ['This record does not follow from the one before', 'Its hash does not fit the chain: a record was changed, taken out or put in.'],
  mac: ['This record was changed after it was written', 'Its MAC does not match its content.'],
  index: ['A record is missing or out of place', 'The numbers of the records have a gap or a repeat.'],
  torn: ['The trail ends in the middle of a record', 'The last record is not whole.'],
  decrypt: ['This record cannot be read', 'Its content does not open with the key that it was written with.'],
  'next-key': ['The chain of keys does not go on', 'The key of the next file does not follow from this one.'],
  'behind-state': ['The end of the trail is missing', 'The vault knows of later records that are not in the files.'],
  fork: ['Two files continue the same record', 'The trail was put back or copied and then continued.'],
  'missing-segment': ['A file of the trail is missing', 'Records are numbered on past it.'],
};

const Row = ({ name, children }: { readonly name: string; readonly children: React.ReactNode }) => (
  <div className="flex min-h-7 items-center gap-2"><dt className="w-24 shrink-0 text-[12px] text-fg-2">{name}</dt><dd className="min-w-0 flex-1 break-words">{children}</dd></div>
);

const ASIDE = 'flex w-[384px] shrink-0 flex-col overflow-y-auto bg-pane p-5 shadow-[inset_1px_0_0_var(--line)] focus-visible:-outline-offset-2 max-[1040px]:w-[320px] max-[980px]:w-full max-[980px]:overflow-visible max-[980px]:shadow-[inset_0_1px_0_var(--line)]';

interface InspectorProps {
  readonly event: TrailEvent;
  /** The recorded fields of the request. */
  readonly asked: TrailEvent['Input'];
  readonly name: string;
  /** That the key that it is about is in a token. */
  readonly inToken: boolean;
  readonly brokenAt: number | undefined;
  readonly onClose: () => void;
}

export function Inspector({ event, asked, name, inToken, brokenAt, onClose }: InspectorProps) {
  const outcome = outcomeOf(event, brokenAt);
  const act = bareOperation(event.Operation ?? event.Kind);
  const gates = gatesOf(event, `${act}${name === '' ? '' : ` on ${name}`}`);
  const input = Object.entries(asked ?? {});
  const changes = changesOf(event);
  return (
    <aside aria-label="Record" data-pane="inspector" tabIndex={-1} className={ASIDE}>
      <div className="flex items-center gap-3 text-[12px]">
        <span className={`rounded-chip px-2 py-0.5 ${outcome === 'denied' || outcome === 'changed' ? 'tint-danger' : outcome === 'failed' ? 'tint-warn' : 'tint-fg'}`}><OutcomeWord event={event} brokenAt={brokenAt} /></span>
        <span className="flex-1 text-fg-2">record {counted(event.Index)}</span>
        <IconButton label="Close" onClick={onClose}><X size={16} strokeWidth={1.6} /></IconButton>
      </div>
      <h2 className="mt-2 text-[15px]/[22px] font-semibold break-words"><span className="font-mono text-[14px]">{act}</span>{name === '' ? '' : ` on ${name}`}</h2>
      <dl className="mt-3">
        <Row name="When">{exact(event.Time * 1000)}</Row>
        <Row name="Came by">{doorWords(event.Door)}</Row>
        {event.Principal !== undefined && <Row name="Principal"><bdi className="font-mono text-[12px] break-all">{event.Principal}</bdi></Row>}
        {event.Error !== undefined && <Row name="Answer"><code className={`font-mono text-[12px] ${event.Result === 'denied' ? 'text-danger' : 'text-warn'}`}>{event.Error}</code></Row>}
        {event.Resource !== undefined && <Row name="Resource"><code className="font-mono text-[12px] break-all">{event.Resource}</code>{inToken && <> <HardwareBadge /></>}</Row>}
      </dl>
      {gates ? (
        <>
          <h3 className="mt-5 mb-3 text-[12.5px]/[18px] font-semibold">{gates.some(({ state }) => state === 'stopped') ? 'Where it stopped' : 'How it was decided'}</h3>
          <DecisionPath gates={gates} />
        </>
      ) : event.Note !== undefined && <p className="edge mt-5 rounded-card bg-raised px-3 py-2 break-words">{event.Note}</p>}
      {input.length > 0 && (
        <>
          <h3 className="mt-5 mb-2 text-[12.5px]/[18px] font-semibold">What was asked</h3>
          <dl className="edge grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-card bg-raised px-3 py-2 font-mono text-[12px]">
            {input.map(([field, value]) => <Fragment key={field}><dt className="text-fg-2">{field}</dt><dd className="min-w-0 break-all"><bdi>{typeof value === 'string' ? value : JSON.stringify(value)}</bdi></dd></Fragment>)}
          </dl>
          <p className="mt-1.5 text-[12px] text-fg-3">Values are never recorded.</p>
        </>
      )}
      {changes.length > 0 && (
        <>
          <h3 className="mt-5 mb-2 text-[12.5px]/[18px] font-semibold">What was changed, by its SHA-256</h3>
          <dl className="edge rounded-card bg-raised px-3 py-2 text-[12px]">
            {changes.map(({ setting, from, to }) => (
              <Fragment key={setting}>
                <dt className="font-mono text-fg-2">{setting}</dt>
                <dd className="break-all">from {from === undefined ? 'none' : <code className="font-mono">{from}</code>} to {to === undefined ? 'none' : <code className="font-mono">{to}</code>}</dd>
              </Fragment>
            ))}
          </dl>
        </>
      )}
      {event.RequestId !== undefined && <dl className="mt-auto pt-5"><Row name="Request ID"><span className="flex items-center gap-1"><code className="font-mono text-[12px] break-all">{event.RequestId}</code><CopyButton text={event.RequestId} what="the request ID" /></span></Row></dl>}
    </aside>
  );
}

export function BrokenInspector({ broken, records }: { readonly broken: Broken; readonly records: number }) {
  const { status } = useVault();
  const [title, about] = WHAT[broken.What];
  const evidence = `keystead trail: broken at record ${broken.Index} (${broken.What}), file ${broken.Segment}, byte ${broken.Offset}`;
  return (
    <aside aria-label="What is broken" data-pane="inspector" tabIndex={-1} className={ASIDE}>
      <p className="flex items-center gap-3 text-[12px]"><span className="tint-danger rounded-chip px-2 py-0.5 text-danger">Does not fit</span><span className="text-fg-2">record {counted(broken.Index)}</span></p>
      <h2 className="mt-2 text-[15px]/[22px] font-semibold">{title}</h2>
      <p className="mt-1 mb-4 text-fg-2">{about} {broken.Index > 0 ? `Everything up to record ${counted(broken.Index - 1)} is intact.` : ''}</p>
      <Misfit found={`Record ${counted(broken.Index)}`} intact={broken.Index > 0 ? `Record ${counted(broken.Index - 1)}` : undefined} />
      <dl className="mt-4">
        <Row name="File"><code className="font-mono text-[12px]">trail/{String(broken.Segment).padStart(8, '0')}.seg</code></Row>
        <Row name="Byte">{counted(broken.Offset)}</Row>
        <Row name="Check"><code className="font-mono text-[12px] text-danger">{broken.What}</code></Row>
      </dl>
      <h3 className="mt-5 mb-2 text-[12.5px]/[18px] font-semibold">What to do</h3>
      <ol className="flex list-decimal flex-col gap-1.5 pl-5 text-fg-2">
        <li>Export the evidence, or copy the vault&apos;s folder away as it is, before anything else writes to it.</li>
        <li>Compare with a checkpoint that you kept outside: <code className="font-mono text-[12px]">keystead trail verify-checkpoint</code></li>
        <li>Treat what was used after record {counted(Math.max(0, broken.Index - 1))} as unproven.</li>
      </ol>
      <div className="mt-4 flex flex-col items-start gap-2"><WayOn status={status} seen={{ Broken: broken, Records: records }} /><CopyButton wide text={evidence} what="the finding" /></div>
    </aside>
  );
}
