/** AWS access: the door for AWS clients, the clients, what they asked last, and the way out to others' Secrets Managers. */
import { Plus, SquareTerminal } from 'lucide-react';
import { useState } from 'react';
import { useNow } from '../clock.ts';
import { ago, clockTime, day, exact, tailOf } from '../format.ts';
import { useKeys } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { SettingsCard } from '../settings/parts.tsx';
import { useVault } from '../vault/context.ts';
import { ChangeRole, CreateClient, DeleteClient, ROLE_SAYS, RotateKey } from './client-dialogs.tsx';
import { useClients, useDoor, useRequests, type AwsClient, type AwsRequest } from './data.ts';
import { DoorCard } from './door-card.tsx';
import { RemotesCard } from './remotes-card.tsx';

type Doing = { readonly kind: 'create' } | { readonly kind: 'role' | 'rotate' | 'delete'; readonly of: AwsClient };

export function AccessScreen() {
  const { readOnly } = useVault();
  const [doing, setDoing] = useState<Doing>();
  const door = useDoor();
  const clients = useClients(door.data?.State === 'open');
  const close = (): void => { setDoing(undefined); };
  const error = door.error ?? clients.error;
  return (
    <>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 px-4 shadow-[inset_0_-1px_0_var(--line)]">
        <h1 className="text-[14px] font-semibold">AWS access</h1><span className="text-[12px] text-fg-3">KMS and Secrets Manager over HTTP</span>
        {!readOnly && <Button className="ml-auto" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { setDoing({ kind: 'create' }); }}>New client</Button>}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto" data-pane="list" tabIndex={-1}>
        <div className="mx-auto max-w-[760px] p-6">
          {error && <InlineError error={errorOf(error)} />}
          {door.data && clients.data ? (
            <>
              <DoorCard door={door.data} />
              <SettingsCard title="Clients">
                {clients.data.length === 0 && <p className="px-4 py-4 text-fg-2">No program has an access key yet. The door lets nobody in without one.</p>}
                {clients.data.map((of) => <ClientRow key={of.Name} of={of} act={readOnly ? undefined : setDoing} />)}
              </SettingsCard>
              <RemotesCard readOnly={readOnly} />
              <Requests open={door.data.State === 'open'} />
            </>
          ) : !error && <SkeletonRows rows={6} height={52} />}
        </div>
      </div>
      {doing?.kind === 'create' && <CreateClient onClose={close} />}
      {doing?.kind === 'role' && <ChangeRole of={doing.of} onClose={close} />}
      {doing?.kind === 'rotate' && <RotateKey of={doing.of} onClose={close} />}
      {doing?.kind === 'delete' && <DeleteClient of={doing.of} onClose={close} />}
    </>
  );
}

function ClientRow({ of, act }: { readonly of: AwsClient; readonly act: ((doing: Doing) => void) | undefined }) {
  const time = useNow(15_000);
  return (
    <div className="flex min-h-[52px] flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
      <SquareTerminal size={16} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
      <div className="min-w-[180px] flex-1">
        <p className="font-medium"><bdi>{of.Name}</bdi> <span className="font-normal text-fg-2">{ROLE_SAYS[of.Role]}</span></p>
        <p className="text-[12px]/4 text-fg-2"><code className="font-mono whitespace-nowrap">{of.AccessKeyId}</code> since {day(of.KeyCreationDate * 1000)}{of.LastUsedDate === undefined ? ', not used since the vault was unlocked' : `, used ${ago(of.LastUsedDate * 1000, time)}`}</p>
      </div>
      {act && <Button kind="ghost" aria-label={`Rights of ${of.Name}`} onClick={() => { act({ kind: 'role', of }); }}>Rights</Button>}
      {act && <Button aria-label={`New key for ${of.Name}`} onClick={() => { act({ kind: 'rotate', of }); }}>New key</Button>}
      {act && <Button kind="ghost" aria-label={`Delete ${of.Name}`} onClick={() => { act({ kind: 'delete', of }); }}>Delete</Button>}
    </div>
  );
}

/** As they come in. */
function Requests({ open }: { readonly open: boolean }) {
  const { data } = useRequests(open);
  return (
    <SettingsCard title="Last requests">
      {!data || data.length === 0 ? <p className="px-4 py-4 text-fg-2">{open ? 'Nobody has come in since the door was opened.' : 'The door is closed. Requests show here as they come in; the trail keeps all of them.'}</p> : (
        <table className="w-full table-fixed text-left text-[12px]">
          <thead className="text-fg-3"><tr className="h-8">{[['Time', 'w-24 pl-4'], ['Client', 'w-36 max-[980px]:w-24'], ['Asked for', ''], ['Answer', 'w-52 max-[980px]:w-auto'], ['Took', 'w-20 pr-4 text-right max-[980px]:hidden']].map(([name, width]) => <th key={name} scope="col" className={`px-2 font-medium ${width ?? ''}`}>{name}</th>)}</tr></thead>
          <tbody>{data.map((request) => <RequestRow key={request.RequestId} request={request} />)}</tbody>
        </table>
      )}
    </SettingsCard>
  );
}

function RequestRow({ request }: { readonly request: AwsRequest }) {
  const { Time, Client, AccessKeyId, Operation, Resource, Status, Error: error, Milliseconds } = request;
  const { rows } = useKeys();
  const named = Resource === undefined ? undefined : (rows?.find(({ arn }) => arn === Resource)?.name ?? tailOf(Resource));
  return (
    <tr className="h-[38px] shadow-[inset_0_1px_0_var(--line)]">
      <td className="px-2 pl-4 tabular-nums text-fg-2" title={exact(Time * 1000)}>{clockTime(Time * 1000)}</td>
      <td className="truncate px-2">{Client ?? <span className="text-fg-3" title={AccessKeyId}>{AccessKeyId === undefined ? 'not signed' : 'not known'}</span>}</td>
      <td className="truncate px-2 font-mono">{Operation === undefined ? <span className="text-fg-3">none</span> : Operation.replace(/^.*:/, '')}{named !== undefined && <bdi className="font-sans text-fg-2" title={Resource}> {named}</bdi>}</td>
      <td className="truncate px-2">{error === undefined ? <span className="text-fg-2">{Status} ok</span> : <code className={`font-mono ${/AccessDenied|Signature|Unrecognized|Authentication/.test(error) ? 'text-danger' : 'text-warn'}`} title={`${String(Status)} ${error}`}>{error}</code>}</td>
      <td className="px-2 pr-4 text-right tabular-nums text-fg-2 max-[980px]:hidden">{Milliseconds.toFixed(1)} ms</td>
    </tr>
  );
}
