/** What a token can do, as it was probed: a list to search, with what each mechanism is used for here. */
import { useDeferredValue, useState } from 'react';
import { specName, usageWords } from '../format.ts';
import { errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import { Check, FIELD } from '../parts/field.tsx';
import { useMechanisms, type Mechanism, type Token } from './data.ts';
import { mechanismUse } from './words.ts';

const sizes = ({ MinKeySize: least, MaxKeySize: most }: Mechanism): string => (most <= 0 ? '' : least === most ? String(most) : `${String(least)} to ${String(most)}`);

export function Mechanisms({ token }: { readonly token: Token }) {
  const { data, error } = useMechanisms(token);
  const [filter, setFilter] = useState('');
  const [used, setUsed] = useState(true);
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  if (error) return <InlineError error={errorOf(error)} />;
  if (!data) return <div className="late"><ProgressRow label="Asking the token" /></div>;
  const rows = data.Mechanisms.filter((one) => (!used || wanted !== '' || mechanismUse(one) !== undefined) && `${one.Mechanism} ${mechanismUse(one) ?? ''}`.toLowerCase().includes(wanted));
  const kinds = [...new Map(data.Offers.map(({ KeySpec, KeyUsage }) => [`${KeySpec} ${KeyUsage}`, `${specName(KeySpec)}, ${usageWords(KeyUsage)}`])).values()];
  return (
    <div className="flex flex-col gap-3">
      <p className="text-fg-2"><span className="text-fg">Keys that it can hold here: </span>{kinds.length === 0 ? 'none.' : `${kinds.join('; ')}.`}</p>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <input aria-label="Search mechanisms" placeholder={`Search ${String(data.Mechanisms.length)} mechanisms`} value={filter} spellCheck={false} autoComplete="off" onChange={(event) => { setFilter(event.target.value); }} className={`${FIELD} max-w-[260px]`} />
        <Check checked={used} onCheck={setUsed} words="Only those that Keystead uses" />
      </div>
      <div className="edge max-h-[300px] overflow-y-auto rounded-control" tabIndex={0} role="region" aria-label="Mechanisms">
        <table className="w-full text-left text-[12px]/[18px]">
          <thead className="text-fg-3"><tr className="h-8"><th scope="col" className="px-3 font-medium">Mechanism</th><th scope="col" className="px-3 font-medium">Key sizes</th><th scope="col" className="px-3 font-medium">What Keystead does with it</th></tr></thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.Mechanism} className="min-h-8 align-top shadow-[inset_0_1px_0_var(--line)]">
                <td className="px-3 py-1.5 font-mono break-all md:whitespace-nowrap">{one.Mechanism}</td>
                <td className="px-3 py-1.5 whitespace-nowrap text-fg-2 tabular-nums">{sizes(one)}</td>
                <td className="px-3 py-1.5">{mechanismUse(one) ?? <span className="text-fg-3">Nothing</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p className="px-3 py-3 text-fg-2">No mechanism matches.</p>}
      </div>
    </div>
  );
}
