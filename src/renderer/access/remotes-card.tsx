/** Remotes: other Secrets Managers that secrets can be replicated to. A secret access key goes in and is never shown. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, Server } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Output } from '../../shared/api/index.ts';
import { isRegion, isRemoteName } from '../../shared/model/ids.ts';
import { client, outputOf } from '../client.ts';
import { AuthorityField } from '../parts/authority-field.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { useRequest } from '../parts/request.ts';
import { REMOTES, useRemotes, type Remote } from '../secrets/replication-data.ts';
import { SettingsCard } from '../settings/parts.tsx';

type Doing = { readonly kind: 'put'; readonly of?: Remote } | { readonly kind: 'delete'; readonly of: Remote };
type Tested = Output<'secretsmanager:TestRemote'>;

export function RemotesCard({ readOnly }: { readonly readOnly: boolean }) {
  const { data = [] } = useRemotes();
  const [doing, setDoing] = useState<Doing>();
  const close = (): void => { setDoing(undefined); };
  return (
    <>
      <SettingsCard title="Remotes">
        {data.length === 0 && <p className="px-4 py-4 text-fg-2">Nothing is replicated out of this vault. A remote is another Secrets Manager, AWS’s or another Keystead’s, that copies of secrets can be kept level at.</p>}
        {data.map((of) => <RemoteRow key={of.Name} of={of} act={readOnly ? undefined : setDoing} />)}
        {!readOnly && <div className="px-4 py-2.5"><Button onClick={() => { setDoing({ kind: 'put' }); }}>Add a remote…</Button></div>}
      </SettingsCard>
      {doing?.kind === 'put' && <PutRemote before={doing.of} onClose={close} />}
      {doing?.kind === 'delete' && <DeleteRemote of={doing.of} onClose={close} />}
    </>
  );
}

function RemoteRow({ of, act }: { readonly of: Remote; readonly act: ((doing: Doing) => void) | undefined }) {
  const { busy, error, send } = useRequest();
  const [tested, setTested] = useState<Tested>();
  const test = (): void => { setTested(undefined); void send(() => client.secretsmanager.testRemote({ Name: of.Name }), (output) => { setTested(output); return Promise.resolve(); }); };
  return (
    <div className="px-4 py-2">
      <div className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-2">
        <Server size={16} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
        <div className="min-w-[180px] flex-1">
          <p className="font-medium">{of.Name} <span className="font-normal text-fg-2">{of.RemoteRegion}</span></p>
          <p className="text-[12px]/4 break-all text-fg-2"><code className="font-mono">{of.Endpoint}</code>, as <code className="font-mono whitespace-nowrap">{of.AccessKeyId}</code>{of.Temporary ? ', temporary' : ''}{of.OwnAuthority ? ', with an authority of its own' : ''}</p>
        </div>
        <Button aria-label={`Test ${of.Name}`} busy={busy} onClick={test}>{busy ? 'Trying…' : 'Test'}</Button>
        {act && <Button aria-label={`Change ${of.Name}`} onClick={() => { act({ kind: 'put', of }); }}>Change</Button>}
        {act && <Button kind="ghost" aria-label={`Delete ${of.Name}`} onClick={() => { act({ kind: 'delete', of }); }}>Delete</Button>}
      </div>
      {error && <div className="mt-2"><InlineError error={error} /></div>}
      {tested && <div className="mt-2">{tested.Ok
        ? <p role="status" className="flex items-start gap-2 text-ok"><CircleCheck size={16} strokeWidth={1.6} aria-hidden="true" className="mt-0.5 shrink-0" /><span>{of.Name} answered and accepts the access key. Connected to {tested.Connections.join('; ')}.</span></p>
        : <InlineError error={{ code: 'InvalidRequestException', message: tested.Reason ?? '' }} code={tested.Code ?? ''} {...(tested.Connections.length > 0 ? { consequence: `Tried: ${tested.Connections.join('; ')}.` } : {})} />}</div>}
    </div>
  );
}

function PutRemote({ before, onClose }: { readonly before: Remote | undefined; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const [name, setName] = useState(before?.Name ?? '');
  const [endpoint, setEndpoint] = useState(before?.Endpoint ?? '');
  const [region, setRegion] = useState(before?.RemoteRegion ?? '');
  const [keyId, setKeyId] = useState(before?.AccessKeyId ?? '');
  const secret = useRef<PasswordHandle>(null);
  const token = useRef<PasswordHandle>(null);
  const authority = useRef<HTMLTextAreaElement>(null);
  const wrongName = name !== '' && !isRemoteName(name);
  const wrongRegion = region !== '' && !isRegion(region.trim());
  const kept = useQuery({ queryKey: [...REMOTES, before?.Name], enabled: before?.OwnAuthority === true, queryFn: async () => outputOf(await client.secretsmanager.describeRemote({ Name: before?.Name ?? '' })) });
  const pem = kept.data?.CertificateAuthority ?? '';
  const missing = name === '' || endpoint === '' || region === '' || keyId === '';
  const submit = (): Promise<void> => {
    const given = secret.current?.take();
    const session = token.current?.take();
    const trusted = authority.current?.value.trim() ?? '';
    return send(() => client.secretsmanager.putRemote({ Name: name, Endpoint: endpoint.trim(), RemoteRegion: region.trim(), AccessKeyId: keyId.trim(), ...(given ? { SecretAccessKey: given } : {}), ...(session ? { SessionToken: session } : {}), ...(trusted === '' ? {} : { CertificateAuthority: trusted }) }), async () => {
      await queries.invalidateQueries({ queryKey: REMOTES });
      onClose();
    });
  };
  return (
    <Dialog title={before ? `Change ${before.Name}` : 'Add a remote'} held={busy} onClose={onClose} className="w-[520px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!missing && !wrongName && !wrongRegion && !kept.isLoading) void submit(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          {!before && <TextField label="Name" value={name} maxLength={63} placeholder="aws-production" onChange={(event) => { setName(event.target.value); }} error={wrongName ? 'a-z, 0-9 and -, beginning with a letter, and no region’s name' : undefined} hint="What secrets call it where they name a region" />}
          <TextField label="Endpoint" value={endpoint} maxLength={2048} placeholder="https://secretsmanager.eu-west-1.amazonaws.com" onChange={(event) => { setEndpoint(event.target.value); }} className="font-mono" hint="Or another Keystead’s door. Plain http only on this machine" />
          <div className="flex flex-wrap gap-4">
            <div className="min-w-36 flex-1"><TextField label="Region there" value={region} maxLength={32} placeholder="eu-west-1" onChange={(event) => { setRegion(event.target.value); }} error={wrongRegion ? 'Like eu-west-1' : undefined} /></div>
            <div className="min-w-52 flex-1"><TextField label="Access key ID" value={keyId} maxLength={128} onChange={(event) => { setKeyId(event.target.value); }} className="font-mono" /></div>
          </div>
          <PasswordField ref={secret} label="Secret access key" autoComplete="off" hint={before ? 'Left empty: the kept one, as long as endpoint and access key stay the same' : 'Kept sealed, and never shown again'} />
          <PasswordField ref={token} label="Session token" autoComplete="off" hint="Only of temporary credentials, whose access key ID begins with ASIA. When they expire, the copies wait for new ones" />
          <AuthorityField key={pem} ref={authority} defaultValue={pem} hint="PEM, where the endpoint’s certificate is not from a public authority; of another Keystead its aws-ca.pem" />
          {error && <InlineError error={error} consequence="Nothing was saved; type the secrets again." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={missing || wrongName || wrongRegion}>{missing ? 'Fill in the rest first' : before ? 'Save' : 'Add the remote'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

function DeleteRemote({ of, onClose }: { readonly of: Remote; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, send } = useRequest();
  const remove = (): Promise<void> =>
    send(() => client.secretsmanager.deleteRemote({ Name: of.Name }), async () => {
      await queries.invalidateQueries({ queryKey: REMOTES });
      onClose();
    });
  return (
    <Dialog title={`Delete ${of.Name}`} held={busy} onClose={onClose} className="w-[440px]">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">Its access key is forgotten here. What is at the remote stays as it is, and the access key stays valid there until it is taken away there.</p>
        {error && <InlineError error={error} consequence="The remote is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
        <Button tall kind="danger" busy={busy} onClick={() => { void remove(); }}>Delete {of.Name}</Button>
      </DialogFoot>
    </Dialog>
  );
}
