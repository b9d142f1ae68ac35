/** A key store that spans several tokens: each with how it is, the keys that it holds of those that it should, and what it has served. */
import { Layers, LockKeyhole, LogIn, LogOut } from 'lucide-react';
import { counted, day, exact, plural } from '../format.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { clusterSaid, isBehind, memberNext, memberState, type Cluster, type Member } from './cluster-words.ts';
import type { Token } from './data.ts';
import { ChipTile, StateSaid } from './parts.tsx';
import { nameOf } from './token-names.ts';
import { moduleName } from './words.ts';

const ICON = { size: 14, strokeWidth: 1.6, 'aria-hidden': true } as const;

interface ClusterPictureProps {
  readonly cluster: Cluster;
  readonly tokens: readonly Token[];
  /** Absent: nothing is changed now. */
  readonly logIn: ((token: Token) => void) | undefined;
  readonly level: (() => void) | undefined;
  readonly leave: ((member: Member) => void) | undefined;
}

export function ClusterPicture({ cluster, tokens, logIn, level, leave }: ClusterPictureProps) {
  const { Members: members, State: state, SealedDate: sealed } = cluster;
  return (
    <div className="mt-3">
      <div className="mb-1.5 flex min-h-7 flex-wrap items-center gap-x-3 gap-y-1 text-[12px]/4">
        <h4 className="font-medium text-fg-2">Cluster</h4>
        <span className="text-fg-2">{clusterSaid(cluster)}</span>
        {state === 'sealed' && <span className="tint-steel inline-flex items-center gap-1.5 rounded-chip px-2 py-1 font-medium text-steel" {...(sealed === undefined ? {} : { title: `Sealed ${exact(sealed * 1000)}` })}><LockKeyhole {...ICON} />Sealed</span>}
        {level && members.some(isBehind) && <Button className="ml-auto" icon={<Layers {...ICON} />} onClick={level}>Bring level…</Button>}
      </div>
      <ul aria-label={`Tokens of ${cluster.CustomKeyStoreName}`} className="edge divide-y divide-line rounded-control">
        {members.map((member) => <MemberRow key={member.CloudHsmClusterId} member={member} cluster={cluster} token={tokens.find(({ CloudHsmClusterId: id }) => id === member.CloudHsmClusterId)} logIn={logIn} leave={leave} />)}
      </ul>
    </div>
  );
}

interface MemberRowProps {
  readonly member: Member;
  readonly cluster: Cluster;
  readonly token: Token | undefined;
  readonly logIn: ((token: Token) => void) | undefined;
  readonly leave: ((member: Member) => void) | undefined;
}

function MemberRow({ member, cluster, token, logIn, leave }: MemberRowProps) {
  const said = memberState(member);
  const next = memberNext(member, cluster.Members);
  const name = nameOf(member);
  return (
    <li aria-label={`${name}: ${said[0]}`} className="px-3 py-2.5">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <ChipTile off={member.Health !== 'connected'} />
        <div className="min-w-[170px] flex-1">
          <p className="truncate font-medium" title={`Joined ${day(member.JoinedDate * 1000)}`}><bdi>{name}</bdi></p>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2"><StateSaid said={said} /><span aria-hidden="true">·</span><span className="font-mono" title={member.Module}>{moduleName(member.Module)}</span></p>
        </div>
        {member.Health === 'connected' && <Holds member={member} keys={cluster.Keys} />}
        <p className="w-[150px] text-[12px]/[18px] text-fg-2 tabular-nums">{plural(member.Answered, 'request')} served{member.FailedOver > 0 && <span className="block text-warn">{counted(member.FailedOver)} went to another</span>}</p>
        {leave && <IconButton label={`Let ${name} leave…`} onClick={() => { leave(member); }}><LogOut size={15} strokeWidth={1.6} /></IconButton>}
      </div>
      {next !== undefined && (
        <div className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-2 pl-[52px]">
          <p className="min-w-[220px] flex-1 text-[12px]/[18px] text-fg-2">{next}</p>
          {logIn && token && !token.LoggedIn && member.Failure === 'INVALID_CREDENTIALS' && <Button icon={<LogIn {...ICON} />} aria-label={`Give the PIN of ${name}…`} onClick={() => { logIn(token); }}>Give the PIN…</Button>}
        </div>
      )}
    </li>
  );
}

const Holds = ({ member: { Keys: held = 0, Deleted: deleted = 0 }, keys }: { readonly member: Member; readonly keys: number }) => (
  <div className="w-[150px] text-[12px]/[18px] text-fg-2 tabular-nums">
    <p>{counted(held)} of {plural(keys, 'key')}{deleted > 0 && <span className="text-warn">, {counted(deleted)} too many</span>}</p>
    <span aria-hidden="true" className="mt-1 block h-1 overflow-hidden rounded-full bg-line-2 forced-colors:border"><i className={`block h-full rounded-full forced-colors:bg-[CanvasText] ${held < keys ? 'bg-warn' : 'bg-steel'}`} style={{ width: `${String(keys === 0 ? 100 : Math.round((100 * held) / keys))}%` }} /></span>
  </div>
);
