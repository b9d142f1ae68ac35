/** Regions of a secret: its copies in this vault and at remotes, how far each is behind, and the ways out of what is wrong. */
import { CircleAlert, CircleCheck, GitFork, Globe, LoaderCircle, Plus, Server } from 'lucide-react';
import { client } from '../client.ts';
import { exact } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { useVault } from '../vault/context.ts';
import { useRotationAct } from './rotation-run.tsx';
import { CONFLICT_WORDS, isInside, lagWords, nextWords, STANDING_WORDS, standingOf, useReplication, type Replica, type Standing } from './replication-data.ts';

const ICON = { size: 14, strokeWidth: 1.6 } as const;
const LOOK: Readonly<Record<Standing, readonly [icon: typeof CircleCheck, tone: string]>> = {
  level: [CircleCheck, 'text-ok'],
  moving: [LoaderCircle, 'text-brass'],
  leaving: [LoaderCircle, 'text-brass'],
  failed: [CircleAlert, 'text-danger'],
  conflict: [GitFork, 'text-warn'],
};

export function RegionsTab({ name, at }: { readonly name: string; readonly at: number }) {
  const { data, error } = useReplication(name);
  const { readOnly, show } = useVault();
  const { act, failed, busy } = useRotationAct();
  if (error) return <div className="pt-5"><InlineError error={errorOf(error)} /></div>;
  if (!data) return <SkeletonRows rows={2} height={64} />;
  if (data.IsReplica) {
    return (
      <div className="flex flex-col items-start gap-4 pt-5">
        <p className="text-fg-2">This is a replica of the secret in <code className="font-mono text-fg">{data.PrimaryRegion}</code>, and changed there only. As a secret of its own it can be changed here, and no longer follows the other.</p>
        {!readOnly && <Button busy={busy} onClick={() => { void act(() => client.secretsmanager.stopReplicationToReplica({ SecretId: name })); }}>Make it a secret of its own</Button>}
        {failed && <InlineError error={failed} consequence="It is a replica still." />}
      </div>
    );
  }
  const add = !readOnly && <Button kind={data.Replicas.length === 0 ? 'primary' : 'plain'} icon={<Plus {...ICON} />} onClick={() => { show({ kind: 'add-replica', name }); }}>Replicate…</Button>;
  if (data.Replicas.length === 0) {
    return (
      <div className="flex flex-col items-start gap-4 pt-5">
        <p className="text-fg-2">It is in this region only. A replica has the same name, versions and labels in another region of this vault, or at a remote: AWS, or a teammate’s Keystead. It is read there, and changed here.</p>
        {add}
      </div>
    );
  }
  return (
    <div className="flex flex-col items-start gap-3 pt-5">
      <ul className="flex w-full flex-col gap-3">{data.Replicas.map((replica) => <li key={replica.Region}><ReplicaCard name={name} replica={replica} at={at} /></li>)}</ul>
      {add}
      <p className="text-[12px]/4 text-fg-3">As long as it has replicas it cannot be deleted.</p>
    </div>
  );
}

function ReplicaCard({ name, replica, at }: { readonly name: string; readonly replica: Replica; readonly at: number }) {
  const { readOnly, show } = useVault();
  const { act, failed, busy } = useRotationAct();
  const { Region: region, KmsKeyId: key, StatusMessage: message = '', Code: code, Conflict: conflict } = replica;
  const standing = standingOf(replica);
  const [Icon, tone] = LOOK[standing];
  const inside = isInside(replica);
  const Place = inside ? Globe : Server;
  const again = (force: boolean) => act(() => client.secretsmanager.replicateSecretToRegions({ SecretId: name, AddReplicaRegions: [{ Region: region }], ForceOverwriteReplicaSecret: force }));
  const next = nextWords(replica, at);
  return (
    <section aria-label={`Replica in ${region}`} className="edge rounded-card bg-raised px-3.5 py-3 [[data-theme=light]_&]:bg-pane">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Place size={16} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
        <p className="min-w-0 flex-1 font-medium break-all"><code className="font-mono text-[12.5px]">{region}</code> <span className="font-normal text-fg-2">{inside ? 'in this vault' : 'remote'}</span></p>
        <p role="status" className={`flex items-center gap-1.5 font-medium ${tone}`}><Icon {...ICON} aria-hidden="true" className={standing === 'moving' || standing === 'leaving' ? 'animate-spin motion-reduce:animate-none' : ''} />{STANDING_WORDS[standing]}</p>
      </div>
      <p className="mt-1 text-[12px]/[18px] text-fg-2" title={replica.LevelDate === undefined ? undefined : exact(replica.LevelDate * 1000)}>{lagWords(replica, at)}. Encrypted there with <code className="font-mono">{key}</code>.</p>
      {standing === 'failed' && code !== undefined && <div className="mt-2"><InlineError error={{ code: 'InvalidRequestException', message: message.replace(/^Replication failed: /, '') }} code={code} {...(next === undefined ? {} : { consequence: next })} /></div>}
      {conflict && (
        <div className="tint-warn mt-2 flex flex-col gap-2 rounded-card px-3 py-2.5">
          <p>{CONFLICT_WORDS[conflict.Kind]}{conflict.VersionId !== undefined && <> There it is version <code className="font-mono text-[12px] break-all">{conflict.VersionId}</code>.</>}</p>
          {!readOnly && (
            <>
              {conflict.CanAdopt && <p className="text-[12px]/4 text-fg-2">Keep theirs: their value becomes the current one here, and yours the previous one. Overwrite: yours becomes current there; theirs loses its label, and the remote may delete it in time.</p>}
              <div className="flex flex-wrap gap-2">
                {conflict.CanAdopt && <Button busy={busy} onClick={() => { void act(() => client.secretsmanager.adoptReplicaVersion({ SecretId: name, Region: region })); }}>Keep theirs</Button>}
                <Button kind="danger" busy={busy} onClick={() => { void again(true); }}>{conflict.Kind === 'gone' ? 'Make the copy again' : conflict.Kind === 'deleted' ? 'Restore it and bring it level' : 'Overwrite theirs'}</Button>
              </div>
            </>
          )}
        </div>
      )}
      {!readOnly && code === 'ResourceExistsException' && <p className="mt-2 text-[12px]/4 text-fg-2">Writing over it destroys the secret there with every version that it has.</p>}
      {failed && <div className="mt-2"><InlineError error={failed} consequence="The replica is as it was." /></div>}
      {!readOnly && (
        <div className="mt-2.5 flex flex-wrap gap-2">
          {(standing === 'failed' || (standing === 'level' && !inside)) && <Button busy={busy} onClick={() => { void again(false); }}>{standing === 'failed' ? 'Try again now' : 'Check now'}</Button>}
          {code === 'ResourceExistsException' && <Button kind="danger" busy={busy} onClick={() => { void again(true); }}>Write over the secret there</Button>}
          <Button kind="ghost" onClick={() => { show({ kind: 'remove-replica', name, region }); }}>Stop replicating…</Button>
        </div>
      )}
    </section>
  );
}
