/** Fields with their label above and their hint or error below, tied together for a reader. */
import { useId, type ComponentProps, type ReactNode } from 'react';

export const FIELD = 'edge-field h-[34px] w-full min-w-0 rounded-control bg-raised px-2.5 text-fg disabled:opacity-60 [[data-theme=light]_&]:bg-pane';

interface Around {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
}

function Below({ id, hint, error }: { readonly id: string; readonly hint: ReactNode; readonly error: string | undefined }) {
  if (error !== undefined) return <p id={id} role="alert" className="mt-1.5 text-[12px]/4 text-danger">{error}</p>;
  return hint === undefined ? null : <div id={id} className="mt-1.5 text-[12px]/4 text-fg-3">{hint}</div>;
}

export function Labelled({ label, hint, error, children }: Around & { readonly children: (ids: { readonly id: string; readonly 'aria-describedby': string | undefined; readonly 'aria-invalid': boolean }) => ReactNode }) {
  const id = useId();
  const below = `${id}-below`;
  const described = hint !== undefined || error !== undefined;
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-[12px]/4 font-medium text-fg-2">{label}</label>
      {children({ id, 'aria-describedby': described ? below : undefined, 'aria-invalid': error !== undefined })}
      <Below id={below} hint={hint} error={error} />
    </div>
  );
}

export function TextField({ label, hint, error, className = '', ...rest }: Around & ComponentProps<'input'>) {
  return <Labelled label={label} hint={hint} error={error}>{(ids) => <input spellCheck={false} autoComplete="off" {...rest} {...ids} className={`${FIELD} ${className}`} />}</Labelled>;
}

export function SelectField<T extends string>({ label, hint, value, options, onPick }: Around & { readonly value: T; readonly options: readonly (readonly [T, string])[]; readonly onPick: (value: T) => void }) {
  return (
    <Labelled label={label} hint={hint}>
      {(ids) => (
        <select
          {...ids}
          value={value}
          className={`${FIELD} select pr-7`}
          onChange={(event) => {
            const picked = options.find(([name]) => name === event.target.value);
            if (picked) onPick(picked[0]);
          }}
        >
          {options.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
        </select>
      )}
    </Labelled>
  );
}

/** A few choices side by side. */
export function Segmented<T extends string>({ label, value, options, onPick, small = false }: { readonly label: string; readonly value: T; readonly options: readonly (readonly [T, string])[]; readonly onPick: (value: T) => void; readonly small?: boolean }) {
  const name = useId();
  return (
    <fieldset className="edge inline-flex max-w-full self-start overflow-x-auto rounded-control bg-raised p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map(([choice, words]) => (
        <label key={choice} className={`relative grid place-items-center rounded-[5px] font-medium text-fg-2 has-checked:bg-line-2 has-checked:text-fg has-focus-visible:outline-2 has-focus-visible:outline-brass ${small ? 'h-6 px-2 text-[12px]' : 'h-7 px-3'}`}>
          <input type="radio" name={name} checked={choice === value} onChange={() => { onPick(choice); }} className="absolute inset-0 appearance-none focus-visible:outline-none" />
          <span className="pointer-events-none">{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

export const Check = ({ checked, onCheck, words }: { readonly checked: boolean; readonly onCheck: (checked: boolean) => void; readonly words: string }) => (
  <label className="flex min-h-6 items-center gap-2"><input type="checkbox" className="size-4 accent-[var(--brass)]" checked={checked} onChange={(event) => { onCheck(event.target.checked); }} />{words}</label>
);
