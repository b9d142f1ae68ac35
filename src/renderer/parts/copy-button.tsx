/** Copies public text, and says so to the eye and to a reader. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { copyText } from '../clipboard.ts';
import { Button, IconButton } from './button.tsx';

export function CopyButton({ text, what, wide = false }: { readonly text: string; readonly what: string; readonly wide?: boolean }) {
  const [said, setSaid] = useState<'copied' | 'refused'>();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => { setSaid(undefined); }, 2000);
    return () => { clearTimeout(timer); };
  }, [said]);
  const copy = (): void => { void copyText(text).then((done) => { setSaid(done ? 'copied' : 'refused'); }); };
  const Icon = said === 'copied' ? Check : Copy;
  const icon = <Icon size={14} strokeWidth={1.6} className={said === 'copied' ? 'text-ok' : ''} />;
  const words = said === 'refused' ? 'The system refused the clipboard' : said === 'copied' ? 'Copied' : undefined;
  return (
    <>
      {wide ? <Button icon={icon} onClick={copy}>{words ?? `Copy ${what}`}</Button> : <IconButton label={words ?? `Copy ${what}`} onClick={copy}>{icon}</IconButton>}
      <span role="status" className="sr-only">{words}</span>
    </>
  );
}
