/** Tags of something: as chips that can be taken off, and the dialog that adds one. */
import { Plus, X } from 'lucide-react';
import { useRef } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import { Button, IconButton } from './button.tsx';
import { Dialog, DialogFoot } from './dialog.tsx';
import { InlineError } from './feedback.tsx';
import { TextField } from './field.tsx';
import { useRequest } from './request.ts';

export const CHIP = 'inline-flex items-center gap-1 rounded-chip bg-raised px-1.5 text-[12px] [[data-theme=dark]_&]:bg-line';

/** A tag that is there, as it is changed. */
export interface TagBefore {
  readonly name: string;
  readonly value: string;
}

interface TagChipsProps {
  /** Undefined: not known yet. */
  readonly tags: readonly (readonly [name: string, value: string])[] | undefined;
  readonly changeable: boolean;
  readonly failed: CallError | undefined;
  readonly onAdd: () => void;
  readonly onChange: (name: string, value: string) => void;
  readonly onRemove: (name: string) => Promise<void>;
}

export function TagChips({ tags, changeable, failed, onAdd, onChange, onRemove }: TagChipsProps) {
  return (
    <>
      {tags?.length === 0 && <span className="text-fg-3">None</span>}
      {tags?.map(([name, value]) => (
        <span key={name} className={CHIP}>
          {changeable
            ? <button type="button" className="inline-flex min-h-6 cursor-pointer items-center gap-1 rounded-chip hover:underline" onClick={() => { onChange(name, value); }}><span className="sr-only">{`Change the tag ${name}, ${value === '' ? 'without a value' : value}`}</span><bdi aria-hidden="true">{name}</bdi><span aria-hidden="true" className="text-fg-2"><bdi>{value}</bdi></span></button>
            : <><bdi>{name}</bdi><span className="text-fg-2"><bdi>{value}</bdi></span></>}
          {changeable && <IconButton label={`Remove the tag ${name}`} className="size-6" onClick={() => { void onRemove(name); }}><X size={13} strokeWidth={1.6} /></IconButton>}
        </span>
      ))}
      {changeable && <IconButton label="Add a tag" onClick={onAdd}><Plus size={14} strokeWidth={1.6} /></IconButton>}
      {failed && <div className="basis-full"><InlineError error={failed} consequence="The tags are as they were." /></div>}
    </>
  );
}

interface TagDialogProps {
  /** What is tagged. */
  readonly of: string;
  /** One that is there and is to have another value; absent: a new one. */
  readonly before?: TagBefore | undefined;
  readonly add: (name: string, value: string) => Promise<Answer<object>>;
  readonly onAdded: () => Promise<void>;
  readonly onClose: () => void;
}

export function TagDialog({ of, before, add, onAdded, onClose }: TagDialogProps) {
  const [name, value] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const { busy, error, send } = useRequest();
  const submit = (): Promise<void> =>
    send(() => add(before?.name ?? name.current?.value.trim() ?? '', value.current?.value.trim() ?? ''), async () => {
      await onAdded();
      onClose();
    });
  return (
    <Dialog title={before ? `Tag ${before.name} of ${of}` : `Tag ${of}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          {!before && <TextField ref={name} label="Tag" maxLength={128} required autoFocus placeholder="team" hint="A tag of this name that is there gets the other value" />}
          <TextField ref={value} label="Value" defaultValue={before?.value} autoFocus={before !== undefined} maxLength={256} placeholder="orders" hint="For people and programs; not secret" />
          {error && <InlineError error={error} consequence="The tags are as they were." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{before ? 'Save value' : 'Add tag'}</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
