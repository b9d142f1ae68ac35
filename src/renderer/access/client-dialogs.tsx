/** A client made, given a new key, or forgotten. A secret access key is shown by the one field that reveals, and is gone with the dialog. */
import { useQueryClient } from '@tanstack/react-query';
import { Copy } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { ClientRole } from '../../shared/api/access.ts';
import type { Output } from '../../shared/api/index.ts';
import { exportLine, variablesOf, type DoorFacts } from '../../shared/model/aws-variables.ts';
import { isClientName } from '../../shared/model/ids.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { useCopyValue } from '../parts/copy-value.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Segmented, TextField } from '../parts/field.tsx';
import { SecretField } from '../parts/secret-field.tsx';
import { useWindow } from '../window-state.ts';
import { refreshAccess, useDoor, type AwsClient } from './data.ts';

type Made = Output<'access:CreateClient'>;

const ROLE_WORDS: Readonly<Record<ClientRole, string>> = { user: 'Uses keys, reads secrets', administrator: 'Also manages them' };
/** After a client's name. */
export const ROLE_SAYS: Readonly<Record<ClientRole, string>> = { user: 'uses keys and reads secrets', administrator: 'uses and manages keys and secrets' };
const ROLES: readonly (readonly [ClientRole, string])[] = [['user', ROLE_WORDS.user], ['administrator', ROLE_WORDS.administrator]];

/** What the vault answered with, until the dialog goes. */
function useMade(): { readonly made: Omit<Made, 'SecretAccessKey'> | undefined; readonly secret: () => Made['SecretAccessKey'] | undefined; readonly keep: (made: Made) => void } {
  const held = useRef<Made['SecretAccessKey']>(undefined);
  const [made, setMade] = useState<Omit<Made, 'SecretAccessKey'>>();
  useEffect(() => () => { held.current?.[Symbol.dispose](); }, []);
  const secret = useCallback(() => held.current, []);
  const keep = useCallback(({ SecretAccessKey, ...rest }: Made) => {
    held.current = SecretAccessKey;
    setMade(rest);
  }, []);
  return { made, secret, keep };
}

/** All that a shell has to know, secret and all, without making a string of the secret: its characters need no quoting. */
function forShell(accessKeyId: string, secret: Uint8Array, door: DoorFacts): SecretBytes {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const parts = [encode(`${exportLine('AWS_ACCESS_KEY_ID', accessKeyId)}export AWS_SECRET_ACCESS_KEY='`), secret, encode(`'\n${variablesOf(door).map(([name, value]) => exportLine(name, value)).join('')}`)];
  const whole = SecretBytes.allocate(parts.reduce((sum, part) => sum + part.length, 0));
  whole.borrow((bytes) => {
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
  });
  return whole;
}

function CopyForShell({ accessKeyId, secret }: { readonly accessKeyId: string; readonly secret: () => SecretBytes | undefined }) {
  const { data: door } = useDoor();
  const copying = useCopyValue();
  if (!door) return null;
  const copy = (): void => {
    const value = secret()?.borrow((bytes) => forShell(accessKeyId, bytes, door));
    if (value) void copying.run(() => client.window.copyValue({ Value: value }));
  };
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <Button busy={copying.busy} icon={<Copy size={14} strokeWidth={1.6} />} onClick={copy}>Copy all for a shell</Button>
        {copying.chip ?? <span className="text-[12px]/4 text-fg-3">Both, with endpoint, region and authority</span>}
      </div>
      {copying.error && <InlineError error={copying.error} consequence="Nothing was copied." />}
    </div>
  );
}

function MadeKey({ made, secret, onClose }: { readonly made: Omit<Made, 'SecretAccessKey'>; readonly secret: () => Made['SecretAccessKey'] | undefined; readonly onClose: () => void }) {
  const { Copies } = useWindow();
  return (
    <Dialog title={`Access key of ${made.Name}`} held onClose={onClose} className="w-[480px]">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">The secret is shown this once. Whoever has it acts as <bdi className="font-mono text-[12px] break-all text-fg">{made.Arn}</bdi> on this machine.</p>
        <div>
          <p className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Access key ID</p>
          <div className="edge flex items-center gap-2 rounded-card bg-raised p-1.5 pl-3"><code className="flex-1 font-mono text-[12.5px] break-all">{made.AccessKeyId}</code><CopyButton text={made.AccessKeyId} what="the access key ID" /></div>
        </div>
        <SecretField label="Secret access key" secret={secret} />
        {Copies && <CopyForShell accessKeyId={made.AccessKeyId} secret={secret} />}
      </div>
      <DialogFoot><Button tall kind="primary" onClick={onClose}>I have it</Button></DialogFoot>
    </Dialog>
  );
}

function RoleChoice({ role, onPick }: { readonly role: ClientRole; readonly onPick: (role: ClientRole) => void }) {
  return (
    <div className="flex flex-col gap-1.5">
      <p className="text-[12px]/4 font-medium text-fg-2">What it may do</p>
      <Segmented label="What it may do" value={role} options={ROLES} onPick={onPick} />
      <p className="text-[12px]/4 text-fg-3">{role === 'user' ? 'Encrypts, decrypts, signs, and reads the value of every secret; makes and changes nothing.' : 'Also makes, changes, disables and deletes keys and secrets.'}</p>
    </div>
  );
}

export function CreateClient({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { made, secret, keep } = useMade();
  const [name, setName] = useState('');
  const [role, setRole] = useState<ClientRole>('user');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const wrong = name !== '' && !isClientName(name);
  const submit = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.access.createClient({ Name: name, Role: role });
    setBusy(false);
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) keep(answer.output);
    await refreshAccess(queries);
  };
  if (made) return <MadeKey made={made} secret={secret} onClose={onClose} />;
  return (
    <Dialog title="New client" held={busy} onClose={onClose} className="w-[440px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && name !== '' && !wrong) void submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">A program with an access key of its own, so that the trail says which one it was and you can take it away again.</p>
          <TextField label="Name" value={name} maxLength={64} onChange={(event) => { setName(event.target.value); }} hint="As the trail will show it: orders-api, terraform" error={wrong ? 'Only a-z, A-Z, 0-9 and + = , . @ _ -' : undefined} />
          <RoleChoice role={role} onPick={setRole} />
          {error && <InlineError error={error} consequence="No client was made." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={name === '' || wrong}>{name === '' ? 'Name it first' : 'Make its access key'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

export function RotateKey({ of, onClose }: { readonly of: AwsClient; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { made, secret, keep } = useMade();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const rotate = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.access.rotateClientKey({ Name: of.Name });
    setBusy(false);
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) keep(answer.output);
    await refreshAccess(queries);
  };
  if (made) return <MadeKey made={made} secret={secret} onClose={onClose} />;
  return (
    <Dialog title={`A new access key for ${of.Name}`} held={busy} onClose={onClose} className="w-[440px]">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2"><code className="font-mono text-[12px] text-fg">{of.AccessKeyId}</code> is refused from then on: {of.Name} needs the new one to go on.</p>
        {error && <InlineError error={error} consequence="The key is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
        <Button tall kind="primary" busy={busy} onClick={() => { if (!busy) void rotate(); }}>Make a new key</Button>
      </DialogFoot>
    </Dialog>
  );
}

export function ChangeRole({ of, onClose }: { readonly of: AwsClient; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [role, setRole] = useState(of.Role);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const change = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.access.updateClient({ Name: of.Name, Role: role });
    setBusy(false);
    await refreshAccess(queries);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <Dialog title={`What ${of.Name} may do`} held={busy} onClose={onClose} className="w-[440px]">
      <form onSubmit={(event) => { event.preventDefault(); if (!busy && role !== of.Role) void change(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <RoleChoice role={role} onPick={setRole} />
          <p className="text-[12px]/4 text-fg-3">From its next request on; its access key stays.</p>
          {error && <InlineError error={error} consequence="The client is as it was." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={role === of.Role}>{role === of.Role ? 'This is what it may do now' : 'Change it'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

export function DeleteClient({ of, onClose }: { readonly of: AwsClient; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const remove = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.access.deleteClient({ Name: of.Name });
    setBusy(false);
    await refreshAccess(queries);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <Dialog title={`Delete ${of.Name}`} held={busy} onClose={onClose} className="w-[440px]">
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">Its access key is refused from then on, and cannot be brought back. What it encrypted stays readable to others who may use the key.</p>
        {error && <InlineError error={error} consequence="The client is as it was." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
        <Button tall kind="danger" busy={busy} onClick={() => { if (!busy) void remove(); }}>Delete {of.Name}</Button>
      </DialogFoot>
    </Dialog>
  );
}
