/** The value of a version as fields. Nothing of it is asked for before somebody wants to see it; then names only, and each value for itself. */
import { Braces, Copy, Eye } from 'lucide-react';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client, outputOf } from '../client.ts';
import { now } from '../clock.ts';
import { counted, plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { useCopyValue, type CopyCall } from '../parts/copy-value.tsx';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { MASK } from '../parts/reveal.ts';
import { useHeldFocus } from '../vault/global-keys.ts';
import { useWindow } from '../window-state.ts';
import { readValue } from './data.ts';
import { FieldRow } from './field-row.tsx';
import { fieldOf, namesIn, seedsIn } from './fields.ts';

interface Shape {
  readonly kind: 'text' | 'bytes';
  readonly size: number;
  /** Absent: one value and no fields. */
  readonly names: readonly string[] | undefined;
  /** Those of the names that hold the seed of one-time codes. */
  readonly seeds: ReadonlySet<string>;
}

export function ValueCard({ name, versionId, stage }: { readonly name: string; readonly versionId: string; readonly stage: string }) {
  const [shape, setShape] = useState<Shape>();
  const [whole, setWhole] = useState(false);
  const [failed, setFailed] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const copying = useCopyValue();
  const { Copies } = useWindow();
  useHeldFocus('detail', String(shape !== undefined));
  const look = async (): Promise<void> => {
    setBusy(true);
    setFailed(undefined);
    try {
      const { kind, bytes } = await readValue(name, versionId);
      using value = bytes;
      setShape({ kind, size: value.length, names: kind === 'text' ? namesIn(value) : undefined, seeds: kind === 'text' ? seedsIn(value) : new Set() });
    } catch (error) {
      setFailed(errorOf(error));
    }
    setBusy(false);
  };
  /** Past this page: the vault's process reads the value, or one field of it, and gives it to whoever pastes it. */
  const copyOf = (member?: string): CopyCall => () =>
    client.window.copyOutput({ Operation: 'secretsmanager:GetSecretValue', Input: { SecretId: name, VersionId: versionId }, ...(member === undefined ? {} : { Member: member }) });
  const wholeValue = async () => (await readValue(name, versionId)).bytes;
  const field = async (one: string) => {
    using value = (await readValue(name, versionId)).bytes;
    return fieldOf(value, one);
  };
  const names = whole ? undefined : shape?.names;
  const sizeWords = shape && (names ? plural(names.length, 'field') : `${counted(shape.size)} ${shape.size === 1 ? 'byte' : 'bytes'}${shape.kind === 'text' ? ' of text' : ''}`);
  return (
    <section aria-label="Value" className="edge mt-5 overflow-hidden rounded-card bg-raised">
      <header className="flex min-h-10 flex-wrap items-center gap-x-2 pr-1.5 pl-3.5 shadow-[inset_0_-1px_0_var(--line)]">
        <h3 className="font-semibold whitespace-nowrap">{stage === 'AWSCURRENT' ? 'Current value' : 'Value'}</h3>
        <code className="rounded-chip bg-line px-1.5 font-mono text-[11px] text-fg-2">{stage}</code>
        <span className="text-[12px] whitespace-nowrap text-fg-3">{sizeWords}</span>
        <span className="ml-auto flex items-center gap-1">
          {copying.chip}
          {shape?.names && <Button kind="ghost" icon={<Braces size={14} strokeWidth={1.6} />} aria-pressed={whole} onClick={() => { setWhole(!whole); }}>{whole ? 'Fields' : 'JSON'}</Button>}
          {Copies && <Button kind="ghost" busy={copying.busy} icon={<Copy size={14} strokeWidth={1.6} />} onClick={() => { void copying.run(copyOf()); }}>Copy all</Button>}
        </span>
      </header>
      {(failed ?? copying.error) && <div className="p-3"><InlineError error={failed ?? copying.error ?? { code: 'InternalException', message: '' }} consequence={failed ? 'The value was not read.' : 'Nothing was copied.'} /></div>}
      {!shape ? (
        <div className="flex min-h-11 items-center gap-3 px-3.5 py-2">
          <span className="flex-1 font-secret tracking-widest text-fg-2"><span aria-hidden="true">{MASK}</span><span className="sr-only">Value, hidden</span></span>
          <Button busy={busy} data-reveal icon={<Eye size={14} strokeWidth={1.6} />} shortcut="R" onClick={() => { void look(); }}>{busy ? 'Reading…' : 'Show its fields'}</Button>
        </div>
      ) : names ? names.flatMap((one, i) => [
        <FieldRow key={`${versionId}/${one}`} name={one} read={() => field(one)} copy={copyOf(one)} first={i === 0} />,
        ...(shape.seeds.has(one) ? [<CodeRow key={`${versionId}/${one}/code`} name={name} versionId={versionId} member={one} />] : []),
      ])
      : <FieldRow key={`${versionId}/`} name={whole ? 'JSON' : 'Value'} mono={false} read={wholeValue} copy={copyOf()} first />}
    </section>
  );
}

/** The code of now, made from the seed by the vault: the seed itself does not come here for it. */
function CodeRow({ name, versionId, member }: { readonly name: string; readonly versionId: string; readonly member: string }) {
  const until = useRef(0);
  const Input = { SecretId: name, VersionId: versionId, Member: member };
  const read = async () => {
    const { Code, ExpirationDate } = outputOf(await client.secretsmanager.getOneTimeCode(Input));
    until.current = ExpirationDate * 1000;
    return Code;
  };
  return <FieldRow name="One-time code" mono={false} read={read} lasts={() => Math.max(1000, until.current - now())} copy={() => client.window.copyOutput({ Operation: 'secretsmanager:GetOneTimeCode', Input, Field: 'Code' })} />;
}
