/** Dialogs of a secret: a new one, a new value, its description, its deletion. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { EXPIRES, expiryIn } from '../../shared/model/expiry.ts';
import { isSecretName } from '../../shared/model/ids.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { useToast } from '../parts/toast.tsx';
import { pathOf, readValue, refreshSecrets, restoreSecret, useSecret } from './data.ts';
import { namesIn } from './fields.ts';
import { KeyField } from './key-field.tsx';
import { ValueEditor, type EditorHandle } from './value-editor.tsx';

const NAME_RULE = 'A name has letters, digits and / _ + = . @ - and no spaces.';

export function CreateSecret({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const name = useRef<HTMLInputElement>(null);
  const [description, key] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const editor = useRef<EditorHandle>(null);
  const [problem, setProblem] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);

  const create = async (): Promise<void> => {
    const given = name.current?.value.trim() ?? '';
    setProblem(isSecretName(given) ? undefined : NAME_RULE);
    if (!isSecretName(given)) {
      name.current?.focus();
      return;
    }
    const taken = editor.current?.take() ?? { value: undefined };
    setWrong('problem' in taken ? taken.problem : undefined);
    if ('problem' in taken) return;
    setBusy(true);
    const [about, wrapping] = [description, key].map(({ current }) => current?.value.trim() ?? '');
    const answer = await client.secretsmanager.createSecret({ Name: given, ...(about === '' ? {} : { Description: about }), ...(wrapping === '' ? {} : { KmsKeyId: wrapping }), ...(taken.value ? { SecretString: taken.value } : {}) });
    setBusy(false);
    if (!answer.ok) {
      setError(answer.error);
      return;
    }
    await refreshSecrets(queries);
    void navigate({ to: '/secrets', search: { secret: given } });
    onClose();
  };

  return (
    <Dialog title="New secret" onClose={onClose} held={busy} className="w-[560px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void create(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          <TextField ref={name} label="Name" maxLength={512} placeholder="prod/orders/postgres" error={problem} autoFocus hint="Slashes group it with others; it cannot be changed later" />
          <ValueEditor ref={editor} />
          {wrong !== undefined && <p role="alert" className="-mt-2 text-[12px]/4 text-danger">{wrong}</p>}
          <TextField ref={description} label="Description" maxLength={2048} hint="For people; not secret" />
          <KeyField ref={key} hint="A symmetric key of this vault, also one in a token. Left empty: the vault’s own key for secrets" />
          {error && <InlineError error={error} consequence="No secret was made; type its value again." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy}>{busy ? 'Creating…' : 'Create secret'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

interface EditProps {
  readonly name: string;
  readonly onClose: () => void;
}

export function ChangeSecret({ name, onClose }: EditProps) {
  const queries = useQueryClient();
  const { data } = useSecret(name);
  const editor = useRef<EditorHandle>(null);
  const [before, setBefore] = useState<{ readonly versionId: string | undefined; readonly names: readonly string[] | undefined }>();
  const [wrong, setWrong] = useState<string>();
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const current = data && Object.entries(data.VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
  const known = data !== undefined;
  useEffect(() => {
    if (!known) return;
    const look = async (): Promise<void> => {
      if (current === undefined) {
        setBefore({ versionId: undefined, names: [] });
        return;
      }
      const { kind, bytes, versionId } = await readValue(name, current);
      using value = bytes;
      setBefore({ versionId, names: kind === 'text' ? namesIn(value) : undefined });
    };
    look().catch((thrown: unknown) => { setError(errorOf(thrown)); });
  }, [known, current, name]);

  const save = async (): Promise<void> => {
    setError(undefined);
    setBusy(true);
    try {
      // What stays is read at the last moment, and only where something may stay.
      using value = before?.versionId !== undefined && before.names ? (await readValue(name, before.versionId)).bytes : undefined;
      const taken = editor.current?.take(value) ?? { value: undefined };
      const problem = 'problem' in taken ? taken.problem : taken.value ? undefined : 'Give it a value.';
      setWrong(problem);
      if ('problem' in taken || !taken.value) return;
      const answer = await client.secretsmanager.putSecretValue({ SecretId: name, SecretString: taken.value });
      if (!answer.ok) {
        setError(answer.error);
        return;
      }
      await refreshSecrets(queries);
      onClose();
    } catch (thrown) {
      setError(errorOf(thrown));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={`New value for ${pathOf(name)[1]}`} onClose={onClose} held={busy} className="w-[560px]">
      <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy && before) void save(); }}>
        <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
          {before ? <ValueEditor ref={editor} names={before.names ?? []} asText={before.names === undefined} /> : !error && <p role="status" className="late text-fg-2">Reading its fields…</p>}
          {wrong !== undefined && <p role="alert" className="-mt-2 text-[12px]/4 text-danger">{wrong}</p>}
          <p className="text-[12px] text-fg-3">Programs get it from now on. The value that is current becomes Previous, and you can go back to it.</p>
          {error && <InlineError error={error} consequence="The value is as it was." />}
        </div>
        <DialogFoot>
          <Button tall onClick={onClose} disabled={busy}>Cancel</Button>
          <Button tall kind="primary" type="submit" busy={busy} disabled={!before}>{busy ? 'Saving…' : 'Save as the current version'}</Button>
        </DialogFoot>
      </form>
    </Dialog>
  );
}

export function DescribeSecret({ name, onClose }: EditProps) {
  const queries = useQueryClient();
  const { data } = useSecret(name);
  const [input, expires, key] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const [wrong, setWrong] = useState<string>();
  const { busy, error, send } = useRequest();
  const before = data?.Tags.find(({ Key }) => Key === EXPIRES)?.Value ?? '';
  const done = async (): Promise<void> => {
    await refreshSecrets(queries);
    onClose();
  };
  const tag = (date: string) => (date === '' ? client.secretsmanager.untagResource({ SecretId: name, TagKeys: [EXPIRES] }) : client.secretsmanager.tagResource({ SecretId: name, Tags: [{ Key: EXPIRES, Value: date }] }));
  const save = async (): Promise<void> => {
    const date = expires.current?.value.trim() ?? '';
    setWrong(date === '' || date === before || expiryIn(date) !== undefined ? undefined : 'A date like 2027-01-31, or one with a time like 2027-01-31T12:00Z');
    if (date !== '' && date !== before && expiryIn(date) === undefined) return;
    const [description, wrapping] = [input, key].map(({ current }) => current?.value.trim() ?? '');
    await send<object>(async () => {
      const tagged = date === before ? undefined : await tag(date);
      return tagged?.ok === false ? tagged : client.secretsmanager.updateSecret({ SecretId: name, Description: description, ...(wrapping === (data?.KmsKeyId ?? '') ? {} : { KmsKeyId: wrapping }) });
    }, done);
  };
  return (
    <Dialog title={`Describe ${pathOf(name)[1]}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <TextField ref={input} label="Description" defaultValue={data?.Description ?? ''} maxLength={2048} autoFocus hint="For people; not secret" />
          <TextField ref={expires} label="Expires" defaultValue={before} maxLength={40} placeholder="2027-01-31" error={wrong} className="w-56! font-mono" hint="When what it holds stops working by itself: you are told a week before. Kept as the tag expires" />
          <KeyField ref={key} defaultValue={data?.KmsKeyId ?? ''} hint="With another one, the current, previous and pending version are encrypted anew at once. Left empty: the vault’s own key for secrets" />
          {error && <InlineError error={error} consequence="Description and key are as they were." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>Save</Button></DialogFoot>
      </form>
    </Dialog>
  );
}

export function DeleteSecret({ name, onClose }: EditProps) {
  const queries = useQueryClient();
  const say = useToast();
  const [days, setDays] = useState('30');
  const { busy, error, send } = useRequest();
  const navigate = useNavigate();
  const count = Number(days);
  const valid = Number.isInteger(count) && count >= 7 && count <= 30;
  const last = pathOf(name)[1];
  const undo = async (): Promise<void> => {
    // It says on its own page why it is not restored.
    if ((await restoreSecret(queries, name)) === false) await navigate({ to: '/secrets', search: { secret: name } });
  };
  const schedule = (): Promise<void> =>
    send(() => client.secretsmanager.deleteSecret({ SecretId: name, RecoveryWindowInDays: count }), async () => {
      await refreshSecrets(queries);
      say(`${last} is deleted in ${String(count)} days`, () => { void undo(); });
      onClose();
    });
  return (
    <Dialog title={`Delete ${last}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (valid) void schedule(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">Programs that ask for <span className="font-mono text-[12.5px] break-all">{name}</span> get an error from now on. It is destroyed with all of its versions after the waiting time; until then you can restore it.</p>
          <TextField label="Waiting time in days" type="number" inputMode="numeric" min={7} max={30} value={days} onChange={(event) => { setDays(event.target.value); }} error={valid ? undefined : 'From 7 to 30 days'} className="w-24!" />
          {error && <InlineError error={error} consequence="The secret is as it was." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="danger" type="submit" busy={busy} disabled={!valid}>{busy ? 'Deleting…' : `Delete in ${valid ? String(count) : '…'} days`}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
