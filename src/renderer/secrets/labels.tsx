/** The owner's own staging labels of one version: given, moved from another, taken off; each with what it means for whoever asks by it. */
import { useQueryClient } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useToast } from '../parts/toast.tsx';
import { refreshSecrets, type SecretVersion } from './data.ts';

/** AWSCURRENT and its like move by what is done with a secret. */
const isOwn = (stage: string): boolean => !stage.startsWith('AWS');
/** AWS Secrets Manager API Reference, SecretVersionStageType. */
const MOST = 256;

interface LabelsProps {
  readonly name: string;
  readonly version: SecretVersion;
  readonly versions: readonly SecretVersion[];
  readonly onDone: () => void;
}

export function Labels({ name, version, versions, onDone }: LabelsProps) {
  const queries = useQueryClient();
  const say = useToast();
  const [label, setLabel] = useState('');
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const { VersionId: id, VersionStages: stages = [] } = version;
  const wanted = label.trim();
  const holder = versions.find(({ VersionStages = [] }) => VersionStages.includes(wanted))?.VersionId;
  const problem = wanted !== '' && !isOwn(wanted) ? 'Labels that begin with AWS move by themselves: make the version current in place of this' : holder === id ? 'This version has it already' : undefined;
  const move = async (stage: string, to: string | undefined, from: string | undefined): Promise<boolean> => {
    setBusy(true);
    const answer = await client.secretsmanager.updateSecretVersionStage({ SecretId: name, VersionStage: stage, ...(to === undefined ? {} : { MoveToVersionId: to }), ...(from === undefined ? {} : { RemoveFromVersionId: from }) });
    setBusy(false);
    setFailed(answer.ok ? undefined : answer.error);
    await refreshSecrets(queries);
    return answer.ok;
  };
  const give = async (): Promise<void> => {
    if (wanted === '' || problem !== undefined || !(await move(wanted, id, holder))) return;
    setLabel('');
    say(`${wanted} is on this version now`, () => { void move(wanted, holder, id); });
  };
  const takeOff = async (stage: string): Promise<void> => {
    if (await move(stage, undefined, id)) say(`${stage} is on no version now`, () => { void move(stage, id, undefined); });
  };
  return (
    <form className="edge-2 mt-2 mb-1 flex flex-col gap-2.5 rounded-card px-3 py-2.5" onSubmit={(event) => { event.preventDefault(); if (!busy) void give(); }}>
      {stages.some(isOwn) && (
        <ul aria-label="Own labels" className="flex flex-wrap gap-1.5">
          {stages.filter(isOwn).map((stage) => <li key={stage} className="flex items-center rounded-chip bg-line pl-2 text-[12px]">{stage}<IconButton label={`Take ${stage} off`} disabled={busy} onClick={() => { void takeOff(stage); }}><X size={13} strokeWidth={1.6} /></IconButton></li>)}
        </ul>
      )}
      <TextField label="Label" value={label} maxLength={MOST} spellCheck={false} autoFocus placeholder="before-migration" error={problem} onChange={(event) => { setLabel(event.target.value); }} hint={holder === undefined ? 'Programs ask for a version by its label; a version that has one is never dropped' : `It moves from version ${holder.slice(0, 8)}: whoever asks for ${wanted} gets this one from now on`} />
      <div className="flex gap-2"><Button kind="primary" type="submit" busy={busy} disabled={wanted === '' || problem !== undefined}>{holder === undefined ? 'Give it this label' : 'Move the label here'}</Button><Button onClick={onDone}>Done</Button></div>
      {failed && <InlineError error={failed} consequence="The labels are as they were." />}
    </form>
  );
}
