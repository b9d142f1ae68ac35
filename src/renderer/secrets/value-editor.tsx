/**
 * A value on its way in: as named fields, or as one text. Uncontrolled: what is typed lives in the elements alone, and whoever submits
 * takes it out as bytes, which empties them. JSON or `NAME=value` lines pasted into a name become fields.
 */
import { Dices, Plus, X } from 'lucide-react';
import { useImperativeHandle, useRef, useState, type ClipboardEvent, type Ref } from 'react';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { FIELD, Segmented } from '../parts/field.tsx';
import { fieldsToValue, pastedFields, type Typed } from './fields.ts';
import { Generator } from './generator.tsx';

export interface EditorHandle {
  /** The value, the caller's to wipe; undefined when nothing was given. `before`: what fields that were left empty keep. */
  take(before?: SecretBytes): { readonly value: SecretBytes | undefined } | { readonly problem: string };
}

interface Row {
  readonly id: number;
  /** Of a field that the secret has: its value stays unless another is typed. */
  readonly kept: boolean;
}

const MOST_TEXT = 65_536;

export function ValueEditor({ ref, names = [], asText = false }: { readonly ref: Ref<EditorHandle>; readonly names?: readonly string[]; readonly asText?: boolean }) {
  const [mode, setMode] = useState<'fields' | 'text'>(asText ? 'text' : 'fields');
  const next = useRef(Math.max(1, names.length));
  const [rows, setRows] = useState<readonly Row[]>(() => (names.length === 0 ? [{ id: 0, kept: false }] : names.map((_, id) => ({ id, kept: true }))));
  const nameInputs = useRef(new Map<number, HTMLInputElement>());
  const valueInputs = useRef(new Map<number, HTMLInputElement>());
  const text = useRef<HTMLTextAreaElement>(null);
  const [generating, setGenerating] = useState<number>();

  useImperativeHandle(ref, () => ({
    take(before) {
      if (mode === 'text') {
        const element = text.current;
        if (!element || element.value === '') return { value: undefined };
        const value = SecretBytes.take(new TextEncoder().encode(element.value));
        element.value = '';
        return { value };
      }
      const typed: Typed[] = [];
      for (const { id, kept } of rows) {
        const name = nameInputs.current.get(id)?.value.trim() ?? '';
        const given = valueInputs.current.get(id)?.value ?? '';
        if (name === '' && given === '') continue;
        if (name === '') return { problem: 'A field has a value and no name.' };
        if (typed.some((one) => one.name === name)) return { problem: `Two fields are called ${name}.` };
        typed.push({ name, text: kept && given === '' ? undefined : given });
      }
      if (typed.length === 0) return { value: undefined };
      const value = fieldsToValue(typed, before);
      for (const input of valueInputs.current.values()) input.value = '';
      return { value };
    },
  }), [mode, rows]);

  const add = (count: number): readonly number[] => {
    const ids = Array.from({ length: count }, () => next.current++);
    setRows((before) => [...before, ...ids.map((id) => ({ id, kept: false }))]);
    return ids;
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>, id: number): void => {
    const pasted = event.clipboardData.getData('text/plain');
    const fields = pastedFields(pasted);
    if (!fields || event.currentTarget.value !== '') return;
    event.preventDefault();
    if (fields === 'whole') {
      setMode('text');
      setTimeout(() => { if (text.current) text.current.value = pasted; }, 0);
      return;
    }
    const ids = [id, ...add(fields.length - 1)];
    // Once the new rows are there.
    setTimeout(() => {
      fields.forEach(([name, value], at) => {
        const [nameInput, valueInput] = [nameInputs.current.get(ids[at] ?? -1), valueInputs.current.get(ids[at] ?? -1)];
        if (nameInput) nameInput.value = name;
        if (valueInput) valueInput.value = value;
      });
    }, 0);
  };
  const put = (id: number, value: SecretBytes): void => {
    const input = valueInputs.current.get(id);
    if (!input) return;
    input.value = value.borrow((bytes) => new TextDecoder().decode(bytes));
    input.focus();
  };

  return (
    <div>
      <div className="mb-1.5 flex items-center gap-2"><span className="flex-1 text-[12px]/4 font-medium text-fg-2">Value</span><Segmented small label="Value as" value={mode} options={[['fields', 'Fields'], ['text', 'Text']]} onPick={setMode} /></div>
      {mode === 'text' ? <textarea ref={text} aria-label="Text of the value" rows={6} maxLength={MOST_TEXT} spellCheck={false} autoComplete="off" className={`${FIELD} h-auto resize-y py-2 font-secret text-[12.5px]/[20px]`} /> : (
        <>
          <div className="flex flex-col gap-1.5">
            {rows.map(({ id, kept }, at) => (
              <div key={id} className="flex flex-col gap-1.5">
              <div className="flex items-center gap-1.5">
                <input ref={(element) => { if (element) nameInputs.current.set(id, element); else nameInputs.current.delete(id); }} defaultValue={kept ? names[id] : ''} readOnly={kept} aria-label={`Name of field ${String(at + 1)}`} placeholder={at === 0 ? 'username' : 'password'} maxLength={256} spellCheck={false} autoComplete="off" onPaste={(event) => { onPaste(event, id); }} className={`${FIELD} w-36! shrink-0 font-mono text-[12.5px] read-only:text-fg-2`} />
                <input ref={(element) => { if (element) valueInputs.current.set(id, element); else valueInputs.current.delete(id); }} type="password" aria-label={`Value of field ${String(at + 1)}`} placeholder={kept ? 'stays as it is' : ''} autoComplete="off" spellCheck={false} maxLength={MOST_TEXT} className={`${FIELD} font-secret`} />
                <IconButton label={`Generate a value for field ${String(at + 1)}`} aria-expanded={generating === id} onClick={() => { setGenerating(generating === id ? undefined : id); }}><Dices size={15} strokeWidth={1.6} /></IconButton>
                {rows.length > 1 && <IconButton label={`Remove field ${String(at + 1)}`} onClick={() => { setRows(rows.filter((row) => row.id !== id)); }}><X size={15} strokeWidth={1.6} /></IconButton>}
              </div>
              {generating === id && <Generator label={`Generate a value for field ${String(at + 1)}`} onMade={(value) => { put(id, value); }} onClose={() => { setGenerating(undefined); }} />}
              </div>
            ))}
          </div>
          <div className="mt-1.5 flex items-center gap-2"><Button kind="ghost" className="-ml-2" icon={<Plus size={14} strokeWidth={1.6} />} onClick={() => { add(1); }}>Add a field</Button><span className="text-[12px] text-fg-3">Paste JSON or NAME=value lines into a name</span></div>
        </>
      )}
    </div>
  );
}
