/** Small changes to a key: its description, another name. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { isAliasName } from '../../shared/model/ids.ts';
import { client } from '../client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { refreshKey, useKey, useKeyName, useKeys } from './data.ts';

interface EditProps {
  readonly keyId: string;
  readonly onClose: () => void;
}

export function EditDescription({ keyId, onClose }: EditProps) {
  const queries = useQueryClient();
  const { data } = useKey(keyId);
  const name = useKeyName(keyId);
  const input = useRef<HTMLInputElement>(null);
  const { busy, error, send } = useRequest();
  const save = (): Promise<void> =>
    send(() => client.kms.updateKeyDescription({ KeyId: keyId, Description: input.current?.value.trim() ?? '' }), async () => {
      await refreshKey(queries, keyId);
      onClose();
    });
  return (
    <Dialog title={`Describe ${name}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <TextField ref={input} label="Description" defaultValue={data?.Description ?? ''} maxLength={8192} autoFocus hint="For people; not secret" />
          {error && <InlineError error={error} consequence="The description is as it was." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>Save description</Button></DialogFoot>
      </form>
    </Dialog>
  );
}

export function AddAlias({ keyId, onClose }: EditProps) {
  const queries = useQueryClient();
  const { rows } = useKeys();
  const name = useKeyName(keyId);
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  const { busy, error, send } = useRequest();
  /** The alias and the key that has it now. */
  const [taken, setTaken] = useState<{ readonly alias: string; readonly by: string }>();
  const add = async (): Promise<void> => {
    const alias = `alias/${(input.current?.value ?? '').trim().replace(/^alias\//, '')}`;
    if (!isAliasName(alias) || alias.startsWith('alias/aws/')) {
      setProblem('A name has letters, digits, / _ and -, and does not begin with aws/.');
      return;
    }
    setProblem(undefined);
    const owner = rows?.find((row) => row.aliases.includes(alias));
    const move = taken?.alias === alias;
    if (owner && owner.id !== keyId && !move) {
      setTaken({ alias, by: owner.name });
      return;
    }
    await send(() => (move ? client.kms.updateAlias({ AliasName: alias, TargetKeyId: keyId }) : client.kms.createAlias({ AliasName: alias, TargetKeyId: keyId })), async () => {
      await refreshKey(queries);
      onClose();
    });
  };
  return (
    <Dialog title={`Another name for ${name}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); void add(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <TextField ref={input} label="Alias" placeholder="orders/data" maxLength={256} autoFocus error={problem} hint="Programs can name the key by it" onInput={() => { setTaken(undefined); }} />
          {taken && <p role="alert" className="tint-warn rounded-card px-3 py-2.5"><code className="font-mono">{taken.alias}</code> names {taken.by} now. If it moves, programs that use the name reach {name} from then on. What was done with {taken.by} still needs {taken.by}.</p>}
          {error && <InlineError error={error} consequence="No name was added." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{taken ? 'Move the alias here' : 'Add alias'}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
