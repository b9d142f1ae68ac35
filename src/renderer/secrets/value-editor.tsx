/**
 * A value on its way in: as named fields, or as one text. Uncontrolled: what is typed lives in the elements alone, and whoever submits
 * takes it out as bytes, which empties them. JSON or `NAME=value` lines pasted into a name become fields, and so does text that is turned
 * into fields; the other way round fields become JSON.
 */
import { Dices, Eye, EyeOff, Plus, X } from 'lucide-react';
import { useImperativeHandle, useRef, useState, type ClipboardEvent, type Ref } from 'react';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { FIELD, Segmented } from '../parts/field.tsx';
import { fieldsToValue, pastedFields, type Pasted, type Typed } from './fields.ts';
import { Generator } from './generator.tsx';

export interface EditorHandle {
  /** The value, the caller's to wipe; undefined when nothing was given. `before`: what fields that were left empty keep. */
  take(before?: SecretBytes): { readonly value: SecretBytes | undefined } | { readonly problem: string };
}

interface Row {
  readonly id: number;
  /** Of a field that the secret has: its value stays unless another is typed. */
  readonly kept: boolean;
  /** A number, a truth value, an object: it came as JSON, and is written as such. */
  readonly json?: boolean;
  /** It has several lines, which a field of one line would take away. */
  readonly lines?: boolean;
}
type ValueField = HTMLInputElement | HTMLTextAreaElement;
const hasLines = (text: string): boolean => /[\r\n]/.test(text);
type Mode = 'fields' | 'text';

const MOST_TEXT = 65_536;

/** What is wrong with two fields of one name, of which JSON would keep the last; undefined: there are none. */
function doubled(typed: readonly Typed[]): string | undefined {
  const twice = typed.find(({ name }, at) => typed.findIndex((one) => one.name === name) < at);
  return twice && `Two fields are called ${twice.name}.`;
}

export function ValueEditor({ ref, names = [], asText = false }: { readonly ref: Ref<EditorHandle>; readonly names?: readonly string[]; readonly asText?: boolean }) {
  const [mode, setMode] = useState<Mode>(asText ? 'text' : 'fields');
  const next = useRef(Math.max(1, names.length));
  const [rows, setRows] = useState<readonly Row[]>(() => (names.length === 0 ? [{ id: 0, kept: false }] : names.map((_, id) => ({ id, kept: true }))));
  const nameInputs = useRef(new Map<number, HTMLInputElement>());
  const valueInputs = useRef(new Map<number, ValueField>());
  const text = useRef<HTMLTextAreaElement>(null);
  const [generating, setGenerating] = useState<number>();
  const [shown, setShown] = useState(false);
  const [stays, setStays] = useState(false);
  const [clash, setClash] = useState<string>();

  const typedFields = (): readonly Typed[] => rows.flatMap(({ id, kept, json = false }) => {
    const name = nameInputs.current.get(id)?.value.trim() ?? '';
    const given = valueInputs.current.get(id)?.value ?? '';
    return name === '' && given === '' ? [] : [{ name, text: kept && given === '' ? undefined : given, json }];
  });

  useImperativeHandle(ref, () => ({
    take(before) {
      const empty = (): void => { for (const element of [...valueInputs.current.values(), text.current]) if (element) element.value = ''; };
      if (mode === 'text') {
        const given = text.current?.value ?? '';
        if (given === '') return { value: undefined };
        const value = SecretBytes.take(new TextEncoder().encode(given));
        empty();
        return { value };
      }
      const typed = typedFields();
      if (typed.some(({ name }) => name === '')) return { problem: 'A field has a value and no name.' };
      const twice = doubled(typed);
      if (twice !== undefined) return { problem: twice };
      if (typed.length === 0) return { value: undefined };
      const value = fieldsToValue(typed, before);
      empty();
      return { value };
    },
  }));

  /** `first`: a row that is there and takes the first of them. */
  const fill = (fields: readonly Pasted[], others: readonly Row[], first?: number): void => {
    const made = fields.map(([, value, json], at): Row => ({ id: at === 0 && first !== undefined ? first : next.current++, kept: false, json, lines: hasLines(value) }));
    setRows([...others.flatMap((row) => (row.id === first ? made.slice(0, 1) : [row])), ...made.slice(first === undefined ? 0 : 1)]);
    // Once the new rows are there.
    setTimeout(() => {
      fields.forEach(([name, value], at) => {
        const [nameInput, valueInput] = [nameInputs.current.get(made[at]?.id ?? -1), valueInputs.current.get(made[at]?.id ?? -1)];
        if (nameInput) nameInput.value = name;
        if (valueInput) valueInput.value = value;
      });
    }, 0);
  };
  const onPaste = (event: ClipboardEvent<HTMLInputElement>, id: number): void => {
    const fields = pastedFields(event.clipboardData.getData('text/plain'));
    if (!fields || event.currentTarget.value !== '') return;
    event.preventDefault();
    fill(fields, rows, id);
  };
  /** A key, a certificate: the field becomes one of several lines, with what it held. */
  const onLines = (event: ClipboardEvent<HTMLInputElement>, id: number): void => {
    const given = event.clipboardData.getData('text/plain').replace(/\r\n?/g, '\n');
    if (!hasLines(given.trimEnd())) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = event.currentTarget;
    const whole = `${value.slice(0, selectionStart ?? value.length)}${given}${value.slice(selectionEnd ?? value.length)}`;
    setRows(rows.map((row) => (row.id === id ? { ...row, lines: true } : row)));
    setTimeout(() => {
      const field = valueInputs.current.get(id);
      if (!field) return;
      field.value = whole;
      field.focus();
    }, 0);
  };
  const onMode = (to: Mode): void => {
    const element = text.current;
    setStays(false);
    if (to === mode || !element) return;
    if (to === 'text') {
      const typed = typedFields();
      const twice = doubled(typed);
      setClash(twice);
      if (twice !== undefined) return;
      // What stays as it is is not known here: the text begins empty.
      if (typed.length > 0 && !rows.some(({ kept }) => kept)) {
        using value = fieldsToValue(typed);
        element.value = value.borrow((bytes) => new TextDecoder().decode(bytes));
      }
    } else if (element.value.trim() !== '') {
      const fields = pastedFields(element.value);
      setStays(fields === undefined);
      if (!fields) return;
      element.value = '';
      fill(fields, []);
    }
    setMode(to);
  };
  /** Once its row is there. */
  const goTo = (row: Row | undefined): void => { setTimeout(() => { nameInputs.current.get(row?.id ?? -1)?.focus(); }, 0); };
  const add = (): void => {
    const row = { id: next.current++, kept: false };
    setRows([...rows, row]);
    goTo(row);
  };
  const drop = (at: number): void => {
    setRows(rows.filter((_, one) => one !== at));
    goTo(rows[at + 1] ?? rows[at - 1]);
  };
  const put = (id: number, value: SecretBytes): void => {
    const input = valueInputs.current.get(id);
    if (!input) return;
    input.value = value.borrow((bytes) => new TextDecoder().decode(bytes));
    input.focus();
  };

  return (
    <div>
      <div className="mb-1.5 flex items-center gap-2">
        <span className="flex-1 text-[12px]/4 font-medium text-fg-2">Value</span>
        {mode === 'fields' && <IconButton label={shown ? 'Hide what is typed' : 'Show what is typed'} aria-pressed={shown} onClick={() => { setShown(!shown); }}>{shown ? <EyeOff size={15} strokeWidth={1.6} /> : <Eye size={15} strokeWidth={1.6} />}</IconButton>}
        <Segmented small label="Value as" value={mode} options={[['fields', 'Fields'], ['text', 'Text']]} onPick={onMode} />
      </div>
      <div hidden={mode !== 'text'}>
        <textarea ref={text} aria-label="Text of the value" rows={6} maxLength={MOST_TEXT} spellCheck={false} autoComplete="off" onInput={() => { setStays(false); }} className={`${FIELD} h-auto resize-y py-2 font-secret text-[12.5px]/[20px]`} />
        {stays ? <p role="alert" className="mt-1 text-[12px]/4 text-danger">It has no fields: it is no JSON object and no NAME=value lines, or a number or a line end in it would be written another way.</p> : names.length > 0 && <p className="mt-1 text-[12px]/4 text-fg-3">It takes the place of every field.</p>}
      </div>
      <div hidden={mode !== 'fields'} onInput={() => { setClash(undefined); }}>
        {clash !== undefined && <p role="alert" className="mb-1.5 text-[12px]/4 text-danger">{clash}</p>}
        <div className="flex flex-col gap-1.5">
          {rows.map(({ id, kept, json = false, lines = false }, at) => (
            <div key={id} className="flex flex-col gap-1.5">
              <div className="flex items-center gap-1.5">
                <input ref={(element) => { if (element) nameInputs.current.set(id, element); else nameInputs.current.delete(id); }} defaultValue={kept ? names[id] : ''} readOnly={kept} aria-label={`Name of field ${String(at + 1)}`} placeholder={at === 0 ? 'username' : 'password'} maxLength={256} spellCheck={false} autoComplete="off" onPaste={(event) => { onPaste(event, id); }} className={`${FIELD} w-36! shrink-0 font-mono text-[12.5px] read-only:text-fg-2`} />
                {lines
                  ? <textarea ref={(element) => { if (element) valueInputs.current.set(id, element); else valueInputs.current.delete(id); }} rows={4} aria-label={`Value of field ${String(at + 1)}`} autoComplete="off" spellCheck={false} maxLength={MOST_TEXT} className={`${FIELD} h-auto resize-y py-1.5 font-secret ${shown ? '' : '[-webkit-text-security:disc]'}`} />
                  : <input ref={(element) => { if (element) valueInputs.current.set(id, element); else valueInputs.current.delete(id); }} type={shown ? 'text' : 'password'} aria-label={`Value of field ${String(at + 1)}`} placeholder={kept ? 'stays as it is' : ''} autoComplete="off" spellCheck={false} maxLength={MOST_TEXT} onPaste={(event) => { onLines(event, id); }} className={`${FIELD} font-secret`} />}
                {json && <span title="No text: it is written as the JSON that it is" className="text-[12px] text-fg-3">JSON</span>}
                <IconButton label={`Generate a value for field ${String(at + 1)}`} aria-expanded={generating === id} onClick={() => { setGenerating(generating === id ? undefined : id); }}><Dices size={15} strokeWidth={1.6} /></IconButton>
                {rows.length > 1 && <IconButton label={`Remove field ${String(at + 1)}`} onClick={() => { drop(at); }}><X size={15} strokeWidth={1.6} /></IconButton>}
              </div>
              {generating === id && <Generator label={`Generate a value for field ${String(at + 1)}`} onMade={(value) => { put(id, value); }} onClose={() => { setGenerating(undefined); }} />}
            </div>
          ))}
        </div>
        <div className="mt-1.5 flex items-center gap-2"><Button kind="ghost" className="-ml-2" icon={<Plus size={14} strokeWidth={1.6} />} onClick={add}>Add a field</Button><span className="text-[12px] text-fg-3">Paste JSON or NAME=value lines into a name</span></div>
      </div>
    </div>
  );
}
