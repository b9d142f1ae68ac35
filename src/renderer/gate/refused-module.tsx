/** A token's module that a locked vault does not load by itself: its hash, and the word of whoever unlocks where that is enough. */
import type { CallError } from '../../shared/api/client.ts';
import { Hash } from '../hardware/parts.tsx';
import { Check } from '../parts/field.tsx';

/** The file's SHA-256, of an error that is about one. `vouch`: saying that it is the right one lets it be loaded. */
export function refusedModule({ code, details }: CallError): { readonly sha256: string; readonly vouch: boolean } | undefined {
  const sha256 = details?.['sha256'];
  return code === 'ModuleRefusedException' && sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256) ? { sha256, vouch: details?.['vouch'] === 'true' } : undefined;
}

interface RefusedModuleProps {
  readonly sha256: string;
  readonly vouch: boolean;
  readonly checked: boolean;
  readonly onCheck: (checked: boolean) => void;
}

export const RefusedModule = ({ sha256, vouch, checked, onCheck }: RefusedModuleProps) => (
  <div className="mt-4 flex flex-col gap-3">
    <Hash label="SHA-256 of the file as it is now" value={sha256} />
    {vouch ? (
      <div>
        <Check checked={checked} onCheck={onCheck} words="This is my module: load it" />
        <p className="mt-1 pl-6 text-[12px]/[18px] text-fg-2">Compare it first with what the package or the maker says. What the file does, it does with your rights, and it gets the PIN. Then give the PIN again.</p>
      </div>
    ) : <p className="text-[12px]/[18px] text-fg-2">Use another way in. In Hardware, agree to the new file if it was updated; then add the token as a way in again.</p>}
  </div>
);
