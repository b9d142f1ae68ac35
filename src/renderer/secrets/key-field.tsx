/** The key that a secret is encrypted with: typed, or one of the vault's names picked. */
import { useId, type ReactNode, type Ref } from 'react';
import { useKeys } from '../keys/data.ts';
import { TextField } from '../parts/field.tsx';

/** More are typed: nobody looks through them. */
const MOST = 200;

export function KeyField({ ref, defaultValue = '', hint }: { readonly ref: Ref<HTMLInputElement>; readonly defaultValue?: string; readonly hint: ReactNode }) {
  const list = useId();
  const names = useKeys().rows?.flatMap(({ aliases }) => aliases).slice(0, MOST) ?? [];
  return (
    <div>
      <TextField ref={ref} list={list} label="Encryption key" defaultValue={defaultValue} maxLength={2048} placeholder="alias/aws/secretsmanager" className="font-mono text-[12.5px]" hint={hint} />
      <datalist id={list}>{names.map((name) => <option key={name} value={name} />)}</datalist>
    </div>
  );
}
