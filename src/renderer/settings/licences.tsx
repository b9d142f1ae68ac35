/** Whose work is in the program, and on which terms. */
import { useQuery } from '@tanstack/react-query';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { ProgressRow } from '../parts/feedback.tsx';

export function Licences({ onClose }: { readonly onClose: () => void }) {
  const { data } = useQuery({ queryKey: ['licences'], queryFn: () => import('virtual:licences'), staleTime: Infinity });
  return (
    <Dialog title="Third-party licences" onClose={onClose} className="w-[620px]">
      <div className="flex flex-col gap-3 px-5 pt-2 pb-3">
        {data ? <p className="text-fg-2">{plural(data.packages.length, 'package')} by others are in Keystead. Each stays under the terms of those who wrote it.</p> : <ProgressRow label="Reading the licences" />}
        {data && (
          <ul aria-label="Packages" tabIndex={0} className="edge max-h-[50vh] divide-y divide-line overflow-y-auto rounded-card focus-visible:-outline-offset-2">
            {data.packages.map(({ name, version, licence, text }) => (
              <li key={`${name} ${version}`} className="px-3 py-2">
                <details>
                  <summary className="flex cursor-default items-baseline gap-2 rounded-chip"><span className="min-w-0 truncate font-medium">{name}</span><span className="text-[12px] text-fg-2 tabular-nums">{version}</span><span className="ml-auto shrink-0 text-[12px] text-fg-2">{licence}</span></summary>
                  <p className="mt-2 font-mono text-[11px]/4 break-words whitespace-pre-wrap text-fg-2">{data.texts[text] === '' ? `The package brings no text of its own; its terms are those of ${licence}.` : data.texts[text]}</p>
                </details>
              </li>
            ))}
          </ul>
        )}
      </div>
      <DialogFoot><Button tall kind="primary" onClick={onClose}>Close</Button></DialogFoot>
    </Dialog>
  );
}
