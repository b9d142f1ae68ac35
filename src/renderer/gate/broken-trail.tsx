/** The gate of a vault whose trail cannot be gone on with: nothing can be recorded, so nothing is done but what mends that. */
import { Link2Off } from 'lucide-react';
import type { Output } from '../../shared/api/index.ts';
import { lastPart, sentence, shortPath } from '../format.ts';
import { Misfit } from '../pictures/misfit.tsx';
import { WayOn } from '../trail/way-on.tsx';
import { GateFrame } from './gate-frame.tsx';

export function BrokenTrail({ status }: { readonly status: Output<'vault:Status'> }) {
  return (
    <GateFrame foot={<span className="flex items-center gap-1.5"><Link2Off size={14} strokeWidth={1.6} aria-hidden="true" />Every door is refused while that is so</span>}>
      <div className="mt-[46px] mb-8 w-[344px] max-w-full"><Misfit found="The trail" intact={undefined} /></div>
      <h1 className="max-w-full truncate text-[24px]/[30px] font-semibold">The trail of {lastPart(status.Folder)} is broken</h1>
      <p className="mt-1.5 max-w-full truncate font-mono text-[12px] text-fg-3" title={status.Folder}>{shortPath(status.Folder)}</p>
      <div className="mt-6 flex w-[440px] max-w-full flex-col gap-4">
        {status.Problem !== undefined && <p role="alert" className="tint-danger rounded-card px-3 py-2.5 break-words">{sentence(status.Problem)}</p>}
        <p className="text-fg-2">Nothing can be recorded, so the vault stays locked. Put the folder back from a copy, or keep what is there as evidence and begin a new chain.</p>
        <WayOn status={status} />
      </div>
    </GateFrame>
  );
}
