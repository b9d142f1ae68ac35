import type { ComponentProps } from 'react';
import { FIELD, Labelled } from './field.tsx';

/** The certificate of an authority, as PEM: trusted at one address in place of the usual ones. */
export function AuthorityField({ hint, ...rest }: { readonly hint: string } & Omit<ComponentProps<'textarea'>, 'className'>) {
  return (
    <Labelled label="Certificate authority" hint={hint}>
      {(ids) => <textarea rows={3} spellCheck={false} maxLength={262_144} placeholder="-----BEGIN CERTIFICATE-----" {...rest} {...ids} className={`${FIELD} h-auto! py-1.5 font-mono text-[12px]`} />}
    </Labelled>
  );
}
