/** The versions of a secret, newest first: look at one, compare it with what is current, make it current again. */
import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { ago, exact } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { useToast } from '../parts/toast.tsx';
import { useVault } from '../vault/context.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { Comparison } from './comparison.tsx';
import { refreshSecrets, stageWord, type SecretVersion, type useVersions } from './data.ts';
import { Labels } from './labels.tsx';
import { ValueCard } from './value-card.tsx';

type Open = { readonly versionId: string; readonly what: 'value' | 'compare' | 'promote' | 'labels' };

interface VersionsProps {
  readonly name: string;
  readonly versions: ReturnType<typeof useVersions>;
  readonly current: string | undefined;
  readonly dying: boolean;
  readonly at: number;
  /** Something rotates it: what an older version holds may be refused where it is used. */
  readonly rotates: boolean;
}

export function Versions({ name, versions, current, dying, at, rotates }: VersionsProps) {
  const [open, setOpen] = useState<Open>();
  useHeldFocus('detail', JSON.stringify(open));
  if (versions.isError) return <div className="pt-5"><InlineError error={errorOf(versions.error)} /></div>;
  if (!versions.data) return <SkeletonRows rows={3} height={44} />;
  const { Versions: list, NextToken: more } = versions.data;
  if (list.length === 0) return <p className="pt-5 text-fg-2">It has no value yet.</p>;
  const toggle = (one: Open): void => { setOpen(open?.versionId === one.versionId && open.what === one.what ? undefined : one); };
  return (
    <>
      <ol aria-label="Versions" className="pt-2">
        {list.map((version) => (
          <VersionRow key={version.VersionId} version={version} at={at}>
            {!dying && version.KmsKeyIds !== undefined && (
              <VersionActions name={name} rotates={rotates} version={version} versions={list} current={current} open={open?.versionId === version.VersionId ? open.what : undefined} onToggle={(what) => { toggle({ versionId: version.VersionId, what }); }} onDone={() => { setOpen(undefined); }} />
            )}
          </VersionRow>
        ))}
      </ol>
      {more !== undefined && <p className="mt-3 text-[12px] text-fg-3">Older ones: <code className="font-mono">keystead secret list-versions --include-deprecated</code></p>}
    </>
  );
}

function VersionRow({ version, at, children }: { readonly version: SecretVersion; readonly at: number; readonly children: ReactNode }) {
  const { VersionId: id, VersionStages: stages = [], CreatedDate: made } = version;
  const current = stages.includes('AWSCURRENT');
  return (
    <li className="relative py-2.5 pl-6 shadow-[inset_0_-1px_0_var(--line)]">
      <i aria-hidden="true" className={`absolute top-[17px] left-1 size-[9px] rounded-full ${current ? 'bg-glyph' : stages.length > 0 ? 'shadow-[inset_0_0_0_2px_var(--glyph)]' : 'shadow-[inset_0_0_0_1.5px_var(--control)]'}`} />
      <div className="flex min-h-7 flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="font-medium" title={exact(made * 1000)}>{ago(made * 1000, at)}</span>
        {stages.length === 0 ? <span className="text-[12px] text-fg-3">No label</span> : stages.map((stage) => <span key={stage} title={stage} className={`rounded-chip px-1.5 text-[12px] ${stage === 'AWSCURRENT' ? 'tint-brass text-brass' : 'bg-line text-fg-2'}`}>{stageWord(stage)}</span>)}
        <span className="flex items-center font-mono text-[11.5px] text-fg-3"><span title={id}>{id.slice(0, 8)}</span><CopyButton text={id} what="the version ID" /></span>
        {version.KmsKeyIds === undefined && <span className="text-[12px] text-fg-3">No value yet</span>}
      </div>
      {children}
    </li>
  );
}

interface ActionsProps {
  readonly name: string;
  readonly rotates: boolean;
  readonly version: SecretVersion;
  readonly versions: readonly SecretVersion[];
  readonly current: string | undefined;
  readonly open: Open['what'] | undefined;
  readonly onToggle: (what: Open['what']) => void;
  readonly onDone: () => void;
}

function VersionActions({ name, rotates, version, versions, current, open, onToggle, onDone }: ActionsProps) {
  const { readOnly } = useVault();
  const queries = useQueryClient();
  const say = useToast();
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const { VersionId: id, VersionStages: stages = [] } = version;
  const isCurrent = id === current;
  if (isCurrent && readOnly) return null;
  const move = async (to: string, from: string | undefined): Promise<boolean> => {
    const answer = await client.secretsmanager.updateSecretVersionStage({ SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: to, ...(from === undefined ? {} : { RemoveFromVersionId: from }) });
    setFailed(answer.ok ? undefined : answer.error);
    await refreshSecrets(queries);
    return answer.ok;
  };
  const promote = async (): Promise<void> => {
    setBusy(true);
    const done = await move(id, current);
    setBusy(false);
    if (!done) return;
    onDone();
    say('It is the current version now', current === undefined ? undefined : () => { void move(current, id); });
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-1">
        {!isCurrent && <Button kind="ghost" className="-ml-2.5" aria-expanded={open === 'value'} onClick={() => { onToggle('value'); }}>See its value</Button>}
        {!isCurrent && current !== undefined && <Button kind="ghost" aria-expanded={open === 'compare'} onClick={() => { onToggle('compare'); }}>Compare with current</Button>}
        {!isCurrent && !readOnly && <Button kind="ghost" aria-expanded={open === 'promote'} onClick={() => { onToggle('promote'); }}>Make it current…</Button>}
        {!readOnly && <Button kind="ghost" className={isCurrent ? '-ml-2.5' : ''} aria-expanded={open === 'labels'} onClick={() => { onToggle('labels'); }}>Labels…</Button>}
      </div>
      {open === 'value' && <div className="-mt-3 pb-2"><ValueCard name={name} versionId={id} stage={stages[0] ?? 'no label'} /></div>}
      {open === 'compare' && current !== undefined && <Comparison name={name} from={id} to={current} />}
      {open === 'labels' && <Labels name={name} version={version} versions={versions} onDone={onDone} />}
      {open === 'promote' && (
        <div className="tint-warn mt-2 mb-1 rounded-card px-3 py-2.5">
          <p>Programs that ask for the current value get this one from now on. What is current now becomes Previous, and stays readable.{rotates && ' Only the label moves: nothing is set where the secret is used, which may refuse a value that a rotation has replaced.'}</p>
          <div className="mt-2 flex gap-2"><Button kind="primary" busy={busy} onClick={() => { void promote(); }}>{busy ? 'Moving…' : 'Make it current'}</Button><Button onClick={onDone}>Leave it</Button></div>
        </div>
      )}
      {failed && <div className="mt-2"><InlineError error={failed} consequence="The labels are as they were." /></div>}
    </>
  );
}
