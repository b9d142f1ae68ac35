/** What can be done about a broken trail: at the gate, and beside the record where it breaks. */
import { useState } from 'react';
import { lastPart } from '../format.ts';
import { Button } from '../parts/button.tsx';
import type { ProofKind } from '../settings/proof.tsx';
import type { Output } from '../../shared/api/index.ts';
import { ExportEvidence } from './export-evidence.tsx';
import { NewChain } from './new-chain.tsx';

const isProof = (type: string): type is ProofKind => type === 'password' || type === 'recovery' || type === 'keychain' || type === 'token';

interface WayOnProps {
  readonly status: Output<'vault:Status'>;
  readonly seen?: Pick<Output<'trail:StartNewChain'>, 'Broken' | 'Records'>;
}

export function WayOn({ status, seen }: WayOnProps) {
  const [dialog, setDialog] = useState<'export' | 'chain'>();
  const close = (): void => { setDialog(undefined); };
  return (
    <>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => { setDialog('export'); }}>Export evidence…</Button>
        <Button onClick={() => { setDialog('chain'); }}>{seen ? 'Start a new chain…' : 'See what is broken…'}</Button>
      </div>
      {dialog === 'export' && <ExportEvidence folder={status.Folder} onClose={close} />}
      {dialog === 'chain' && <NewChain name={lastPart(status.Folder)} kinds={(status.SlotTypes ?? ['password']).filter(isProof)} seen={seen} onClose={close} />}
    </>
  );
}
