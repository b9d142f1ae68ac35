/**
 * A value that is hidden until it is revealed, and for 30 seconds then. Its characters are written into one element and taken out
 * again; what hides them: the button, the time, the window losing the focus, lock, and leaving. A mask is always twelve dots.
 */
import { Copy, Eye, EyeOff } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { client } from '../client.ts';
import { now, useNow } from '../clock.ts';
import { isReadable, toText } from '../encoding.ts';
import { useWindow } from '../window-state.ts';
import { Button } from './button.tsx';
import { useCopyValue } from './copy-value.tsx';
import { InlineError } from './feedback.tsx';

const SHOWN_MS = 30_000;
const MASK = '••••••••••••';

export function SecretField({ label, secret }: { readonly label: string; readonly secret: () => SecretBytes | undefined }) {
  const out = useRef<HTMLPreElement>(null);
  const [until, setUntil] = useState<number>();
  const [extended, setExtended] = useState(false);
  const [asText, setAsText] = useState(true);
  const time = useNow(1000);
  const { Copies } = useWindow();
  const copying = useCopyValue();
  const hide = useCallback(() => { setUntil(undefined); }, []);
  const open = until !== undefined;
  // The tick may be a second old.
  const rest = open ? Math.min((extended ? 2 : 1) * (SHOWN_MS / 1000), Math.max(0, Math.ceil((until - time) / 1000))) : 0;

  useEffect(() => {
    const element = out.current;
    if (!open || !element) return undefined;
    secret()?.borrow((bytes) => {
      const readable = isReadable(bytes);
      setAsText(readable);
      element.textContent = toText(bytes, readable ? 'text' : 'base64');
    });
    window.addEventListener('blur', hide);
    return () => {
      element.textContent = '';
      window.removeEventListener('blur', hide);
    };
  }, [open, secret, hide]);
  useEffect(() => {
    if (until === undefined) return undefined;
    const timer = setTimeout(hide, until - now());
    return () => { clearTimeout(timer); };
  }, [until, hide]);

  const copy = (): void => {
    const value = secret()?.borrow((bytes) => SecretBytes.copy(bytes));
    if (value) void copying.run(() => client.window.copyValue({ Value: value }));
  };

  return (
    <div>
      <div className="mb-1.5 flex min-h-6 items-center gap-2 text-[12px]/4">
        <span className="font-medium text-fg-2">{label}</span>
        {open && <span className="text-fg-3">{asText ? 'text' : 'base64'}, hides in {rest} s</span>}
        <span role="status" className="sr-only">{open ? `${label} shown for 30 seconds` : ''}</span>
        <span className="ml-auto">{copying.chip}</span>
      </div>
      <div className={`edge flex rounded-card bg-raised p-1.5 pl-3 ${open ? 'flex-col gap-1' : 'items-center gap-2'}`}>
        {open ? <pre ref={out} tabIndex={0} aria-label={label} className="max-h-48 min-w-0 overflow-auto py-1 font-secret text-[12.5px]/[20px] break-all whitespace-pre-wrap" />
        : <span className="flex-1 py-1 font-secret tracking-widest text-fg-2"><span aria-hidden="true">{MASK}</span><span className="sr-only">{label}, hidden</span></span>}
        <span className="flex justify-end gap-1">
          {open && !extended && <Button kind="ghost" onClick={() => { setExtended(true); setUntil(until + SHOWN_MS); }}>More time</Button>}
          {Copies && <Button kind="ghost" busy={copying.busy} icon={<Copy size={14} strokeWidth={1.6} />} onClick={copy}>Copy</Button>}
          <Button kind="ghost" aria-pressed={open} icon={open ? <EyeOff size={14} strokeWidth={1.6} /> : <Eye size={14} strokeWidth={1.6} />} onClick={() => { if (open) hide(); else { setExtended(false); setUntil(now() + SHOWN_MS); } }}>{open ? 'Hide' : 'Reveal'}</Button>
        </span>
      </div>
      {copying.error && <div className="mt-2"><InlineError error={copying.error} consequence="Nothing was copied." /></div>}
    </div>
  );
}
