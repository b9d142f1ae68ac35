/** Copying a value: the vault's process puts it into the clipboard, so that it is in no element of the page, and takes it out again. */
import { Check } from 'lucide-react';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import type { Answer, CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { now, useNow } from '../clock.ts';

type Copied = Output<'window:CopyValue'>;

const ENCODED = { text: '', base64: ' as base64', hex: ' as hex' } as const;

export type CopyCall = () => Promise<Answer<Copied>>;

interface CopyValue {
  readonly busy: boolean;
  readonly error: CallError | undefined;
  /** What was copied, and how long it stays; null when nothing was. */
  readonly chip: ReactNode;
  run(copy: CopyCall): Promise<void>;
  forget(): void;
}

export function useCopyValue(): CopyValue {
  const [copied, setCopied] = useState<Copied>();
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const over = useCallback(() => { setCopied(undefined); }, []);
  const clear = async (): Promise<void> => {
    const answer = await client.window.clearClipboard();
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) over();
  };
  return {
    busy,
    error,
    chip: copied ? <CopiedChip until={copied.ClearsAt === undefined ? undefined : copied.ClearsAt * 1000} encoded={ENCODED[copied.Encoding]} onClear={() => { void clear(); }} onOver={over} /> : null,
    async run(copy) {
      setBusy(true);
      const answer = await copy();
      setBusy(false);
      setError(answer.ok ? undefined : answer.error);
      setCopied(answer.ok ? answer.output : undefined);
    },
    forget() {
      setError(undefined);
      over();
    },
  };
}

function CopiedChip({ until, encoded, onClear, onOver }: { readonly until: number | undefined; readonly encoded: string; readonly onClear: () => void; readonly onOver: () => void }) {
  const time = useNow(1000);
  const rest = until === undefined ? undefined : Math.max(0, Math.ceil((until - time) / 1000));
  useEffect(() => {
    if (until === undefined) return undefined;
    const timer = setTimeout(onOver, Math.max(0, until - now()));
    return () => { clearTimeout(timer); };
  }, [until, onOver]);
  return (
    <span className="tint-ok inline-flex h-6 items-center gap-1.5 rounded-chip pr-1 pl-2 text-[12px]">
      <Check size={13} strokeWidth={1.8} className="text-ok" aria-hidden="true" />
      <span role="status" className="sr-only">{`Copied${encoded}`}</span>
      <span aria-hidden="true" className="whitespace-nowrap">{rest === undefined ? `Copied${encoded}, clears at lock` : `Copied${encoded}, clears in ${String(rest)} s`}</span>
      <button type="button" onClick={onClear} className="h-6 rounded-[5px] px-1.5 font-medium text-fg-2 hover:text-fg">Clear now</button>
    </span>
  );
}
