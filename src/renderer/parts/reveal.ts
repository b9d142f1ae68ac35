/** Showing a value for 30 seconds in one element: what ends it is the time, the window losing the focus, lock, and leaving. */
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { now, useNow } from '../clock.ts';
import { isReadable, toText } from '../encoding.ts';

export const SHOWN_MS = 30_000;
export const MASK = '••••••••••••';

export interface Reveal {
  readonly out: RefObject<HTMLPreElement | null>;
  readonly open: boolean;
  /** Seconds left. */
  readonly rest: number;
  readonly asText: boolean;
  /** Shows the value that `read` gives, and wipes it; false: there was none. `lasts`: milliseconds, asked after the reading. */
  show(read: () => Promise<SecretBytes | undefined>, lasts?: () => number): Promise<boolean>;
  hide(): void;
}

export function useReveal(): Reveal {
  const out = useRef<HTMLPreElement>(null);
  /** Between the answer and the element that is drawn for it. */
  const held = useRef<SecretBytes>(undefined);
  const gone = useRef(false);
  const [until, setUntil] = useState<number>();
  const [asText, setAsText] = useState(true);
  const time = useNow(1000);
  const hide = useCallback(() => { setUntil(undefined); }, []);
  const open = until !== undefined;

  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      held.current?.[Symbol.dispose]();
    };
  }, []);
  useEffect(() => {
    const element = out.current;
    if (until === undefined || !element) return undefined;
    held.current?.borrow((bytes) => {
      const readable = isReadable(bytes);
      setAsText(readable);
      element.textContent = toText(bytes, readable ? 'text' : 'base64');
    });
    held.current?.[Symbol.dispose]();
    held.current = undefined;
    window.addEventListener('blur', hide);
    const timer = setTimeout(hide, until - now());
    return () => {
      element.textContent = '';
      window.removeEventListener('blur', hide);
      clearTimeout(timer);
    };
  }, [until, hide]);

  return {
    out,
    open,
    // The tick may be a second old.
    rest: until === undefined ? 0 : Math.min(SHOWN_MS / 1000, Math.max(0, Math.ceil((until - time) / 1000))),
    asText,
    async show(read, lasts = () => SHOWN_MS) {
      const value = await read();
      if (gone.current) value?.[Symbol.dispose]();
      if (!value || gone.current) return false;
      held.current?.[Symbol.dispose]();
      held.current = value;
      setUntil(now() + Math.min(SHOWN_MS, lasts()));
      return true;
    },
    hide,
  };
}
