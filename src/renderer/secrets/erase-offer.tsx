/** After an import: the plain file overwritten and deleted, if the person wants it, and what that cannot promise. */
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';

interface EraseOfferProps {
  readonly importId: string;
  readonly path: string;
  /** Entries of the file that are not in the vault. */
  readonly left: number;
  readonly onBusy: (busy: boolean) => void;
}

export function EraseOffer({ importId, path, left, onBusy }: EraseOfferProps) {
  const [step, setStep] = useState<'offered' | 'asked' | 'erasing' | 'erased'>('offered');
  const [error, setError] = useState<CallError>();
  const erase = async (): Promise<void> => {
    setStep('erasing');
    onBusy(true);
    const answer = await client.secretsmanager.eraseImportedFile({ ImportId: importId, Path: path, NotImported: left });
    onBusy(false);
    setError(answer.ok ? undefined : answer.error);
    setStep(answer.ok ? 'erased' : 'offered');
  };
  const name = <bdi className="font-mono text-[12.5px] break-all">{path}</bdi>;
  if (step === 'erased') return <p role="status" className="text-fg-2">{name} was overwritten and deleted. An SSD, a copy-on-write file system, a snapshot or a backup may still have what was in it.</p>;
  return (
    <section aria-label="The file" className="edge-2 flex flex-col gap-3 rounded-card p-4">
      <p>{name} still holds every value in the clear.</p>
      {step === 'offered' ? <Button className="self-start" icon={<Trash2 size={14} strokeWidth={1.6} />} onClick={() => { setStep('asked'); }}>Overwrite and delete the file…</Button> : (
        <>
          {left > 0 && <p className="text-warn">{plural(left, 'entry', 'entries')} of it {left === 1 ? 'was' : 'were'} not imported: the vault does not have {left === 1 ? 'it' : 'them'} as the file does.</p>}
          <p className="text-fg-2">This cannot be undone. An SSD, a copy-on-write file system (Btrfs, ZFS, APFS), a snapshot, a backup or a synchronised folder may keep what was in it all the same: change what matters most at its service.</p>
          <div className="flex gap-2"><Button disabled={step === 'erasing'} onClick={() => { setStep('offered'); }}>Keep the file</Button><Button kind="danger" busy={step === 'erasing'} onClick={() => { if (step === 'asked') void erase(); }}>{step === 'erasing' ? 'Erasing…' : 'Overwrite and delete'}</Button></div>
        </>
      )}
      {error && <InlineError error={error} consequence="If it says nothing else, the file is as it was." />}
    </section>
  );
}
