/** What came out, with copy and save for what is public. A value is revealed here and saved by the command line alone. */
import { Download, ShieldCheck } from 'lucide-react';
import { Fragment, useState } from 'react';
import { canSave, saveFile } from '../clipboard.ts';
import { byteCount } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Segmented } from '../parts/field.tsx';
import { toText } from '../encoding.ts';

export interface PublicBytes {
  readonly label: string;
  readonly bytes: Uint8Array;
  /** Suggested name of a file. */
  readonly file: string;
  /** Shown in place of an encoding: PEM. */
  readonly text?: string;
  /** What is copied, where it is text; PEM unless said. */
  readonly what?: string;
}

export function PublicResult({ label, bytes, file, text, what = 'PEM' }: PublicBytes) {
  const [encoding, setEncoding] = useState<'base64' | 'hex'>('base64');
  const [saved, setSaved] = useState<string>();
  const shown = text ?? toText(bytes, encoding);
  const save = async (): Promise<void> => {
    const whole = text === undefined ? Uint8Array.from(bytes) : new TextEncoder().encode(text);
    const how = await saveFile(file, whole);
    setSaved(how === 'saved' ? 'Saved' : how === 'refused' ? 'This window may not write files. Copy it, or use the command line.' : undefined);
  };
  return (
    <div>
      <div className="mb-1.5 flex h-7 items-center gap-2">
        <h3 className="flex-1 text-[12px]/4 font-medium text-fg-2">{label} <span className="font-normal text-fg-3">{byteCount(bytes.length)}</span></h3>
        {text === undefined && <Segmented small label="Shown as" value={encoding} options={[['base64', 'Base64'], ['hex', 'Hex']]} onPick={setEncoding} />}
      </div>
      <pre tabIndex={0} aria-label={label} className={`edge max-h-44 overflow-auto rounded-card bg-raised px-3 py-2 font-mono text-[12px]/[18px] ${text === undefined ? 'break-all whitespace-pre-wrap' : 'px-2 text-[10.5px]'}`}>{shown}</pre>
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <CopyButton wide text={shown} what={text === undefined ? encoding : what} />
        {canSave() && <Button icon={<Download size={14} strokeWidth={1.6} />} onClick={() => { void save(); }}>Save as a file</Button>}
        <span role="status" className="text-[12px] text-fg-2">{saved}</span>
      </div>
    </div>
  );
}

/** Only ever from the vault's own yes. */
export const Verdict = ({ title, about }: { readonly title: string; readonly about: string }) => (
  <div role="status" className="tint-ok flex items-center gap-3 rounded-card px-3 py-2.5">
    <ShieldCheck size={18} strokeWidth={1.6} className="shrink-0 text-ok" aria-hidden="true" />
    <span><span className="block font-medium">{title}</span><span className="block text-[12px]/4 text-fg-2">{about}</span></span>
  </div>
);

export const CommandLine = ({ command, title = 'The same on the command line' }: { readonly command: string; readonly title?: string }) => (
  <div>
    <h3 className="mb-1.5 text-[12px]/4 font-medium text-fg-2">{title}</h3>
    <div className="edge flex items-start gap-1 rounded-card bg-raised py-1 pr-1 pl-3">
      <code className="min-w-0 flex-1 py-1 font-mono text-[12px]/[18px] text-fg-2">{command.split(' ').map((word, i) => <Fragment key={i}>{i > 0 && ' '}<span className="inline-block break-all">{word}</span></Fragment>)}</code>
      <CopyButton text={command} what="the command" />
    </div>
  </div>
);
