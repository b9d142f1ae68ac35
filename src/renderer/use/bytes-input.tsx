/**
 * Bytes to work on: typed or pasted as text, hexadecimal or base64, or a file, dropped or picked. What is typed stays in the text
 * area alone until it is read; the page knows its length.
 */
import { FileUp, X } from 'lucide-react';
import { useId, useImperativeHandle, useRef, useState, type DragEvent, type Ref } from 'react';
import { ENCODING_WORDS, ENCODINGS, fromPem, fromText, isReadable, toText, type Encoding } from '../encoding.ts';
import { byteCount } from '../format.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { Segmented } from '../parts/field.tsx';

/** A file that the person chose in the desktop's dialog: the vault reads it, this page does not. */
export interface Picked {
  readonly path: string;
  readonly name: string;
  readonly size: number;
}
export type ReadBytes = { readonly bytes: Uint8Array<ArrayBuffer>; readonly file?: string } | { readonly problem: string };

export interface BytesHandle {
  read(): Promise<ReadBytes>;
  /** The file that was chosen by `pick`, which this page cannot read. */
  picked(): Picked | undefined;
  clear(): void;
  focus(): void;
}

interface BytesInputProps {
  readonly label: string;
  readonly ref: Ref<BytesHandle>;
  readonly limit: number;
  readonly encoding?: Encoding;
  /** Said when there is more than the limit. */
  readonly over?: string | undefined;
  readonly problem?: string | undefined;
  readonly rows?: number;
  /** The label of PEM that is read as the bytes in it, typed or from a file, however the rest is written. */
  readonly pem?: string | undefined;
  /** Where the vault itself can read the file: the desktop's dialog in place of the page's. */
  readonly pick?: (() => Promise<Picked | undefined>) | undefined;
  readonly onChange?: () => void;
}

const FILE_MOST = 256 * 1024 * 1024;
export function BytesInput({ label, ref, limit, encoding: first = 'text', over, problem, rows = 4, pem, pick, onChange }: BytesInputProps) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const file = useRef<File | Picked>(undefined);
  const [named, setNamed] = useState<string>();
  const [byVault, setByVault] = useState(false);
  const [size, setSize] = useState(0);
  const [bad, setBad] = useState(false);
  const [dragging, setDragging] = useState(false);
  const [encoding, setEncoding] = useState<Encoding>(first);

  const bytesOf = (text: string, as: Encoding): Uint8Array<ArrayBuffer> | undefined => (pem === undefined ? undefined : fromPem(pem, text)) ?? fromText(text, as);
  const measure = (as: Encoding): void => {
    const text = area.current?.value ?? '';
    const bytes = bytesOf(text, as);
    setBad(text !== '' && bytes === undefined);
    setSize(bytes?.length ?? 0);
    onChange?.();
  };
  const hold = (given: File | Picked | undefined): void => {
    file.current = given;
    setNamed(given?.name);
    setByVault(given !== undefined && !(given instanceof File));
    if (area.current) area.current.value = '';
    setBad(false);
    setSize(given?.size ?? 0);
    onChange?.();
  };
  useImperativeHandle(ref, () => ({
    read: async () => {
      if (file.current instanceof File) {
        if (file.current.size > FILE_MOST) return { problem: `A file that is dropped is read by this window, up to ${byteCount(FILE_MOST)}. ${pick ? 'Choose a larger one with File.' : 'For a larger one: keystead file sign.'}` };
        try {
          const { name } = file.current;
          const bytes = new Uint8Array(await file.current.arrayBuffer());
          return { bytes: (pem !== undefined && isReadable(bytes) ? fromPem(pem, toText(bytes, 'text')) : undefined) ?? bytes, file: name };
        } catch {
          return { problem: 'The file cannot be read any more. Choose it again.' };
        }
      }
      const text = area.current?.value ?? '';
      const bytes = bytesOf(text, encoding);
      if (text === '' || bytes?.length === 0) return { problem: `${label} is empty.` };
      return bytes ? { bytes } : { problem: `This is not ${encoding === 'hex' ? 'hexadecimal' : 'base64'}${pem === undefined ? '' : ', and no PEM of a public key'}.` };
    },
    picked: () => (file.current instanceof File ? undefined : file.current),
    clear: () => { hold(undefined); },
    focus: () => { area.current?.focus(); },
  }));

  const onDrag = (event: DragEvent): void => {
    event.preventDefault();
    if (event.type === 'drop') hold(event.dataTransfer.files[0]);
    setDragging(event.type === 'dragover');
  };
  const tooMuch = !byVault && size > limit;
  const said = problem ?? (bad ? `This is not ${encoding === 'hex' ? 'hexadecimal' : 'base64'}${pem === undefined ? '' : ', and no PEM of a public key'}.` : tooMuch ? (over ?? `At most ${byteCount(limit)}.`) : byVault ? 'The vault reads it, however large it is.' : undefined);
  return (
    <div onDragOver={onDrag} onDragLeave={onDrag} onDrop={onDrag}>
      <div className="mb-1.5 flex h-7 items-center gap-2">
        <label htmlFor={id} className="flex-1 text-[12px]/4 font-medium text-fg-2">{label}</label>
        {named === undefined && <Segmented small label={`How ${label.toLowerCase()} is written`} value={encoding} options={ENCODINGS.map((one) => [one, ENCODING_WORDS[one]] as const)} onPick={(one) => { setEncoding(one); measure(one); }} />}
        <Button kind="ghost" icon={<FileUp size={14} strokeWidth={1.6} />} onClick={() => { if (pick) void pick().then((one) => { if (one) hold(one); }); else picker.current?.click(); }}>File</Button>
        <input ref={picker} type="file" tabIndex={-1} aria-hidden="true" className="hidden" onChange={(event) => { hold(event.target.files?.[0]); event.target.value = ''; }} />
      </div>
      {named === undefined ? (
        <textarea
          ref={area}
          id={id}
          rows={rows}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          placeholder="Type, paste, or drop a file here"
          aria-invalid={said !== undefined}
          aria-describedby={`${id}-below`}
          onInput={() => { measure(encoding); }}
          className={`edge-field block w-full resize-y rounded-control bg-raised px-2.5 [[data-theme=light]_&]:bg-pane py-2 font-mono text-[12.5px]/[18px] ${dragging ? 'tint-brass' : ''}`}
        />
      ) : (
        <div className="edge-2 flex h-11 items-center gap-2 rounded-control bg-raised pr-1.5 pl-3">
          <FileUp size={15} strokeWidth={1.6} className="text-fg-2" aria-hidden="true" />
          <span id={id} className="min-w-0 flex-1 truncate font-medium">{named}</span>
          <IconButton label={`Remove ${named}`} onClick={() => { hold(undefined); }}><X size={15} strokeWidth={1.6} /></IconButton>
        </div>
      )}
      <p id={`${id}-below`} className="mt-1.5 flex gap-3 text-[12px]/4">
        <span role={said === undefined || byVault ? undefined : 'alert'} className={`flex-1 ${problem !== undefined || bad ? 'text-danger' : 'text-fg-2'}`}>{said}</span>
        <span className={tooMuch ? 'text-warn' : 'text-fg-3'}>{byVault ? byteCount(size) : `${byteCount(size)} of ${byteCount(limit)}`}</span>
      </p>
    </div>
  );
}
