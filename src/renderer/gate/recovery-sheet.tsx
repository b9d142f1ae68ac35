/**
 * A new recovery code, shown this once. Its characters are written into the page's elements and taken out again; they never pass
 * through React. Two groups are typed back before it counts as kept.
 */
import { Download } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { canSave, saveFile } from '../clipboard.ts';
import { Button } from '../parts/button.tsx';
import { FIELD } from '../parts/field.tsx';

const GROUPS = [0, 1, 2, 3, 4, 5, 6] as const;
/** Bytes of a group and the hyphen after it. */
const PITCH = 5;

const groupText = (code: SecretBytes, group: number): string => code.borrow((bytes) => String.fromCharCode(...bytes.subarray(group * PITCH, group * PITCH + 4)));
/** Crockford's reading of what people confuse. */
const canonical = (text: string): string => text.trim().toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');

interface RecoverySheetProps {
  readonly code: SecretBytes;
  readonly vault: string;
  readonly onDone: () => void;
}

/** Which two groups are asked for: spread by the code itself, so that it is not always the first ones. */
const askedOf = (code: SecretBytes): readonly [number, number] =>
  code.borrow((bytes) => {
    const first = (bytes[0] ?? 0) % 7;
    const second = (first + 1 + ((bytes[6] ?? 0) % 6)) % 7;
    return first < second ? [first, second] : [second, first];
  });

export function RecoverySheet({ code, vault, onDone }: RecoverySheetProps) {
  const [step, setStep] = useState<'show' | 'retype'>('show');
  const [wrong, setWrong] = useState(false);
  const [saved, setSaved] = useState<'saved' | 'cancelled' | 'refused'>();
  const list = useRef<HTMLOListElement>(null);
  const inputs = useRef<(HTMLInputElement | null)[]>([]);
  const asked = askedOf(code);

  useEffect(() => {
    const cells = step === 'show' ? list.current?.querySelectorAll('b') : undefined;
    cells?.forEach((cell, group) => { cell.textContent = groupText(code, group); });
    // What was pressed to come here is gone: the keyboard goes on from the code.
    if (step === 'show' && document.activeElement === document.body) list.current?.focus();
    return () => { cells?.forEach((cell) => { cell.textContent = ''; }); };
  }, [code, step]);

  const save = async (): Promise<void> => {
    const lines = new TextEncoder().encode(`Keystead recovery code of ${vault}\n\n${GROUPS.map((group) => groupText(code, group)).join('-')}\n`);
    setSaved(await saveFile(`keystead-recovery-${vault.replace(/[^\w.-]+/g, '-')}.txt`, lines, true));
    lines.fill(0);
  };
  const check = (): void => {
    const right = asked.every((group, i) => canonical(inputs.current[i]?.value ?? '') === groupText(code, group));
    for (const input of inputs.current) if (input) input.value = '';
    if (right) onDone();
    else {
      setWrong(true);
      inputs.current[0]?.focus();
    }
  };

  if (step === 'retype') {
    return (
      <form onSubmit={(event) => { event.preventDefault(); check(); }}>
        <p className="text-fg-2">Type two groups back from your sheet, so that you know it is readable.</p>
        <div className="mt-5 flex gap-4">
          {asked.map((group, i) => (
            <label key={group} className="flex-1 text-[12px]/4 font-medium text-fg-2">
              <span className="mb-1.5 block">Group {group + 1}</span>
              <input ref={(element) => { inputs.current[i] = element; }} autoFocus={i === 0} autoComplete="off" spellCheck={false} maxLength={4} aria-invalid={wrong} className={`${FIELD} text-center font-secret text-[15px] tracking-[.2em] uppercase`} />
            </label>
          ))}
        </div>
        {wrong && <p role="alert" className="mt-2 text-[12px] text-danger">These are not the two groups. Check the sheet, or show the code again.</p>}
        <div className="mt-7 flex justify-between gap-2">
          <Button tall onClick={() => { setWrong(false); setStep('show'); }}>Show the code again</Button>
          <Button tall kind="primary" type="submit">Check and finish</Button>
        </div>
      </form>
    );
  }
  return (
    <div>
      <p className="text-fg-2">It opens the vault when the password is forgotten. It is shown this once; keep it on paper, away from this computer. Whoever has it can open the vault.</p>
      <div className="mt-5">
        <ol ref={list} tabIndex={-1} aria-label="Recovery code, seven groups of four" className="edge grid grid-cols-4 gap-x-4 gap-y-3 rounded-card bg-raised p-4">
          {GROUPS.map((group) => (
            <li key={group} className="flex items-baseline gap-2"><span className="text-[11px] text-fg-3">{group + 1}</span><b className="font-secret text-[16px] font-medium tracking-[.12em]" /></li>
          ))}
        </ol>
      </div>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {canSave() && <Button icon={<Download size={14} strokeWidth={1.6} />} onClick={() => { void save(); }}>Save as a file</Button>}
        <span role="status" className="text-[12px] text-fg-3">{saved === 'saved' ? 'Saved. Move it off this computer.' : saved === 'refused' ? 'This window may not write files; write it down.' : ''}</span>
      </div>
      <div className="mt-7 flex justify-end"><Button tall kind="primary" onClick={() => { setStep('retype'); }}>I have it, type two groups back</Button></div>
    </div>
  );
}
