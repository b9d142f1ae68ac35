/** What went wrong, what is under way, what is not there. Errors stay in place; only a reversible success is a toast. */
import { CircleAlert, CircleX, LoaderCircle } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { CallFailure } from '../client.ts';
import { copyText } from '../clipboard.ts';
import { sentence } from '../format.ts';
import { Button } from './button.tsx';

export const errorOf = (thrown: unknown): CallError =>
  thrown instanceof CallFailure ? thrown.error : { code: 'InternalException', message: 'the window failed; close and open it' };

interface InlineErrorProps {
  readonly error: CallError;
  readonly requestId?: string | undefined;
  /** What did not happen: "Nothing was signed." */
  readonly consequence?: string;
  /** In place of the error's own: what another program calls it. */
  readonly code?: string;
  readonly children?: ReactNode;
}

export function InlineError({ error, requestId, consequence, code = error.code, children }: InlineErrorProps) {
  const [copied, setCopied] = useState(false);
  const details = `${code}: ${error.message}${requestId ? `\nrequest ${requestId}` : ''}`;
  return (
    <div role="alert" className="tint-danger rounded-card px-3 py-2.5">
      <div className="flex gap-2.5">
        <CircleAlert size={16} strokeWidth={1.6} className="mt-0.5 shrink-0 text-danger" aria-hidden="true" />
        <div className="min-w-0 flex-1">
          <p className="break-words">{sentence(error.message)}{consequence === undefined ? '' : ` ${consequence}`}</p>
          <div className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1">
            <code className="font-mono text-[12px] text-danger">{code}</code>
            <button type="button" className="h-6 rounded-[5px] text-[12px] font-medium text-fg-2 underline decoration-line-2 underline-offset-2 hover:text-fg" onClick={() => { void copyText(details).then(setCopied); }}>
              {copied ? 'Copied' : 'Copy details'}
            </button>
            {children}
          </div>
        </div>
      </div>
    </div>
  );
}

interface ProgressRowProps {
  readonly label: string;
  readonly done?: number | undefined;
  readonly total?: number | undefined;
  readonly detail?: string | undefined;
  readonly onCancel?: (() => void) | undefined;
}

export function ProgressRow({ label, done, total, detail, onCancel }: ProgressRowProps) {
  const known = done !== undefined && total !== undefined && total > 0;
  return (
    <div className="flex items-center gap-3" role="status">
      <LoaderCircle size={16} strokeWidth={1.6} className="shrink-0 animate-spin text-brass motion-reduce:animate-none" aria-hidden="true" />
      <span className="font-medium">{label}</span>
      {known && <progress value={done} max={total} aria-label={label} className="h-1 w-40 appearance-none overflow-hidden rounded-full [&::-webkit-progress-bar]:bg-line-2 [&::-webkit-progress-value]:bg-glyph" />}
      {detail !== undefined && <span className="text-[12px] text-fg-3">{detail}</span>}
      {onCancel && <Button kind="ghost" icon={<CircleX size={14} strokeWidth={1.6} />} onClick={onCancel}>Cancel</Button>}
    </div>
  );
}

export function EmptyState({ title, children, command }: { readonly title: string; readonly children?: ReactNode; readonly command?: string }) {
  return (
    <div className="grid h-full place-items-center p-8">
      <div className="flex max-w-[360px] flex-col items-center gap-4 text-center">
        <p className="text-fg-2">{title}</p>
        {children}
        {command !== undefined && <code className="edge rounded-chip bg-raised px-2.5 py-1 font-mono text-[12px] text-fg-2">{command}</code>}
      </div>
    </div>
  );
}

export const SkeletonRows = ({ rows, height }: { readonly rows: number; readonly height: number }) => (
  <div role="status" aria-label="Loading" className="late">
    {Array.from({ length: rows }, (_, i) => (
      <div key={i} className="flex items-center gap-3 px-3" style={{ height }}>
        <span className="size-[30px] rounded-[7px] bg-raised" />
        <span className="flex-1"><span className="block h-2.5 w-1/2 rounded bg-raised" /><span className="mt-2 block h-2 w-3/4 rounded bg-raised" /></span>
      </div>
    ))}
  </div>
);
