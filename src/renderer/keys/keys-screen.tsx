/** Keys: the list, the filter, and beside it the key. Below 1040 pixels the key takes the list's place. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useQueryClient } from '@tanstack/react-query';
import { ListFilter, Plus } from 'lucide-react';
import { useCallback, useDeferredValue, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { copyText } from '../clipboard.ts';
import { counted, plural, specName, usageWords } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { EmptyState, errorOf, InlineError, ProgressRow, SkeletonRows } from '../parts/feedback.tsx';
import { Kbd } from '../parts/kbd.tsx';
import { useToast } from '../parts/toast.tsx';
import { useVault } from '../vault/context.ts';
import { focusList, holdFocus, SIDE_BY_SIDE } from '../vault/global-keys.ts';
import { letterOf } from '../vault/letters.ts';
import { actionRow, actionsOf } from './actions.ts';
import { keyQuery, useDescribed, useKeys, type KeyRow } from './data.ts';
import { KeyDetail } from './key-detail.tsx';
import { KeyList } from './key-list.tsx';
import { finderOf } from './rows.ts';

/** Also found by what is known of a key: "rsa", "sign", "disabled", and by the wire's words. */
function textOf(row: KeyRow, known: KeyMetadata | undefined): string {
  if (!known) return row.text;
  const more = `${known.Description} ${specName(known.KeySpec)} ${known.KeySpec} ${usageWords(known.KeyUsage)} ${known.KeyUsage} ${known.KeyState} cmk`;
  return `${row.text} ${more.toLowerCase()} ${known.Origin === 'AWS_CLOUDHSM' ? 'hardware token hsm pkcs#11 aws_cloudhsm' : ''} ${actionsOf(known).map((action) => actionRow(action).operation.toLowerCase()).join(' ')}`;
}
/** Beyond this many keys only names and ids are searched, which takes a few milliseconds for a hundred thousand. */
const DEEP = 2000;


export function KeysScreen() {
  const { show, readOnly } = useVault();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const say = useToast();
  const { key: chosen } = useSearch({ from: '/keys' });
  const { rows, whole, error, retry } = useKeys();
  const [filter, setFilter] = useState('');
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const input = useRef<HTMLInputElement>(null);
  const detail = useRef<HTMLDivElement>(null);
  const deep = rows !== undefined && rows.length <= DEEP;
  // Only what was drawn is known of before: all are asked for once somebody filters.
  const { round, reading } = useDescribed(deep && wanted !== '' ? rows : undefined);
  // What is known of keys grows while the list is shown, so a small list is searched whole each time.
  const find = useMemo(() => {
    if (!rows) return undefined;
    if (!deep) return finderOf(rows, ({ text }) => text);
    return (text: string) => {
      const found = rows.filter((row) => textOf(row, queries.getQueryData<KeyMetadata>(keyQuery(row.id))).includes(text));
      // Those that are called so stand before those of which it is said.
      return [...found.filter((row) => row.text.includes(text)), ...found.filter((row) => !row.text.includes(text))];
    };
  }, [rows, deep, queries, round]);
  const shownRows = useMemo(() => (wanted === '' ? rows : find?.(wanted)), [rows, find, wanted]);
  // Where both fit side by side, the first key stands there until another is chosen.
  const selected = chosen ?? (whole && window.innerWidth >= SIDE_BY_SIDE ? rows?.[0]?.id : undefined);
  const current = useMemo(() => rows?.find((row) => row.id === selected), [rows, selected]);
  const select = useCallback((id: string | undefined): void => { void navigate({ to: '/keys', search: id === undefined ? {} : { key: id }, replace: true }); }, [navigate]);
  const open = useCallback((): void => { detail.current?.focus(); }, []);
  const back = useCallback((): void => {
    // Side by side, the list goes on from the key that was shown.
    if (window.innerWidth < SIDE_BY_SIDE) select(undefined);
    setTimeout(focusList, 0);
  }, [select]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && detail.current?.contains(event.target as Node)) {
      back();
      return;
    }
    const letter = letterOf(event);
    if (letter === undefined) return;
    const known = current && queries.getQueryData<KeyMetadata>(keyQuery(current.id));
    // One in a token that is not connected: connecting is the first step.
    const away = known?.KeyState === 'Unavailable' ? known.CustomKeyStoreId : undefined;
    const action = known && actionsOf(away === undefined ? known : { ...known, KeyState: 'Enabled' }).find((name) => actionRow(name).shortcut?.toLowerCase() === letter);
    if (letter === '/') input.current?.focus();
    else if (letter === 'n' && !readOnly) show({ kind: 'create' });
    else if (letter === 'c' && current) void copyText(current.id).then((done) => { if (done) say('Key ID copied'); });
    else if (action) show(away === undefined ? { kind: 'use', keyId: current.id, action } : { kind: 'connect-store', storeId: away, then: { kind: 'use', keyId: current.id, action } });
    else return;
    event.preventDefault();
  };

  return (
    <div className="flex min-h-0 flex-1 flex-col" onKeyDown={onKeyDown}>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 pr-3 pl-4 shadow-[inset_0_-1px_0_var(--line)]">
        <h1 className="text-[14px] font-semibold">Keys</h1>
        <span className="text-[12px] text-fg-2">AWS KMS</span>
        {!readOnly && <Button kind="primary" className="ml-auto" icon={<Plus size={14} strokeWidth={1.8} />} shortcut="N" onClick={() => { show({ kind: 'create' }); }}>New key</Button>}
      </header>
      {rows?.length === 0 && (
        <div ref={holdFocus} data-pane="list" tabIndex={-1} className="min-h-0 flex-1 bg-pane focus-visible:-outline-offset-2">
          <EmptyState title="No keys yet. A key encrypts, signs or authenticates, and never leaves this vault." command="keystead kms create-key">{!readOnly && <Button kind="primary" tall onClick={() => { show({ kind: 'create' }); }}>Make the first key</Button>}</EmptyState>
        </div>
      )}
      <div className={`min-h-0 flex-1 ${rows?.length === 0 ? 'hidden' : 'flex'}`}>
        <section aria-label="List of keys" className={`flex w-[340px] shrink-0 flex-col shadow-[inset_-1px_0_0_var(--line)] max-[1040px]:w-full ${current ? 'max-[1040px]:hidden' : ''}`}>
          <div className="px-3 pt-2.5 pb-2">
            <label className="edge flex h-[30px] items-center gap-2 rounded-row bg-raised px-2.5 text-fg-2 has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-brass [[data-theme=light]_&]:bg-pane">
              <ListFilter size={15} strokeWidth={1.6} aria-hidden="true" />
              <span className="sr-only">Filter keys</span>
              <input
                ref={input}
                value={filter}
                onChange={(event) => { setFilter(event.target.value); }}
                onKeyDown={(event) => {
                  if (event.key === 'Escape' && filter !== '') { event.stopPropagation(); setFilter(''); }
                  else if (event.key === 'ArrowDown' || event.key === 'Escape' || event.key === 'Enter') {
                    event.preventDefault();
                    if (event.key !== 'Escape' && shownRows?.[0] && !shownRows.some(({ id }) => id === selected)) select(shownRows[0].id);
                    focusList();
                  }
                }}
                placeholder={rows && whole ? `Filter ${plural(rows.length, 'key')}` : 'Filter'}
                spellCheck={false}
                autoComplete="off"
                className="min-w-0 flex-1 bg-transparent text-fg outline-none focus-visible:outline-none"
              />
              <Kbd>/</Kbd>
            </label>
          </div>
          {error ? <div className="p-3"><InlineError error={errorOf(error)}><Button kind="ghost" onClick={retry}>Try again</Button></InlineError></div>
          : !shownRows ? <SkeletonRows rows={8} height={52} />
          : shownRows.length === 0 && reading ? <div className="late p-3"><ProgressRow label="Reading what the keys are" /></div>
          : shownRows.length === 0 ? <EmptyState title={`No keys match “${filter.trim()}”`}><Button onClick={() => { setFilter(''); input.current?.focus(); }}>Clear the filter</Button></EmptyState>
          : <KeyList rows={shownRows} selected={selected} onSelect={select} onOpen={open} />}
          <p role="status" className="sr-only">{wanted !== '' && shownRows && !reading ? `${counted(shownRows.length)} of ${counted(rows?.length ?? 0)}` : ''}</p>
        </section>
        <section ref={detail} aria-label="Key" data-pane="detail" tabIndex={-1} className={`min-w-0 flex-1 overflow-y-auto bg-pane focus-visible:-outline-offset-2 ${current ? '' : 'max-[1040px]:hidden'}`}>
          {current ? <KeyDetail key={current.id} row={current} onBack={back} /> : rows && rows.length > 0 ? <EmptyState title="Choose a key to see and use it" /> : null}
        </section>
      </div>
    </div>
  );
}
