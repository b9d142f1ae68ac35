/** One field of a value: its name, twelve dots, and ways to see or copy it. */
import { Copy, Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { IconButton } from '../parts/button.tsx';
import { useCopyValue, type CopyCall } from '../parts/copy-value.tsx';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { MASK, useReveal } from '../parts/reveal.ts';
import { useWindow } from '../window-state.ts';

interface FieldRowProps {
  readonly name: string;
  readonly mono?: boolean;
  /** The caller's to wipe. */
  readonly read: () => Promise<SecretBytes | undefined>;
  /** Past this page. */
  readonly copy: CopyCall;
  /** For what is good for a time: milliseconds that are left of what was read. */
  readonly lasts?: () => number;
  /** Answers `R`, where it is the only field. */
  readonly first?: boolean;
}

export function FieldRow({ name, mono = true, read, copy, lasts, first = false }: FieldRowProps) {
  const reveal = useReveal();
  const copying = useCopyValue();
  const { Copies } = useWindow();
  const [failed, setFailed] = useState<CallError>();
  const show = async (): Promise<void> => {
    setFailed(undefined);
    try {
      await reveal.show(read, lasts);
    } catch (error) {
      setFailed(errorOf(error));
    }
  };
  const error = failed ?? copying.error;
  return (
    <div className="border-t border-line px-3.5 py-1.5 first:border-t-0">
      <div className="flex items-start gap-x-3">
        <div className="flex min-h-7 min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
          <span className={`w-32 shrink-0 text-fg-2 ${mono ? 'truncate font-mono text-[12.5px]' : ''}`} title={name}>{name}</span>
          <span className="min-w-[120px] flex-1">
            {reveal.open ? <pre ref={reveal.out} tabIndex={0} aria-label={name} className="max-h-56 overflow-auto font-secret text-[12.5px]/[20px] break-all whitespace-pre-wrap" />
            : <span className="font-secret tracking-widest text-fg-2"><span aria-hidden="true">{MASK}</span><span className="sr-only">{name}, hidden</span></span>}
          </span>
          {reveal.open && <span className="shrink-0 text-[12px] whitespace-nowrap text-fg-3">{reveal.asText ? '' : 'base64, '}{lasts ? 'good for' : 'hides in'} {reveal.rest} s</span>}
          {copying.chip}
        </div>
        <span className="flex shrink-0">
          <IconButton label={reveal.open ? `Hide ${name}` : `Reveal ${name}`} aria-pressed={reveal.open} data-reveal={first || undefined} onClick={() => { if (reveal.open) reveal.hide(); else void show(); }}>{reveal.open ? <EyeOff size={15} strokeWidth={1.6} /> : <Eye size={15} strokeWidth={1.6} />}</IconButton>
          {Copies && <IconButton label={`Copy ${name}`} busy={copying.busy} onClick={() => { setFailed(undefined); void copying.run(copy); }}><Copy size={15} strokeWidth={1.6} /></IconButton>}
        </span>
        <span role="status" className="sr-only">{reveal.open ? `${name} shown for 30 seconds` : ''}</span>
      </div>
      {error && <div className="mt-1.5 mb-1"><InlineError error={error} consequence={failed ? 'The value was not read.' : 'Nothing was copied.'} /></div>}
    </div>
  );
}
