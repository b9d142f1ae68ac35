/** Secrets: the list, the search, and beside it the secret. Below 1040 pixels the secret takes the list's place. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { FileInput, ListFilter, Plus } from 'lucide-react';
import { memo, useCallback, useRef, useState, type DragEvent, type KeyboardEvent } from 'react';
import { copyText } from '../clipboard.ts';
import { plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { EmptyState, errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { Kbd } from '../parts/kbd.tsx';
import { usePainted } from '../painted.ts';
import { useToast } from '../parts/toast.tsx';
import { useVault } from '../vault/context.ts';
import { focusList, holdFocus, SIDE_BY_SIDE } from '../vault/global-keys.ts';
import { letterOf } from '../vault/letters.ts';
import { searchWords, useSecrets } from './data.ts';
import { openFile } from './import-data.ts';
import { SecretDetail } from './secret-detail.tsx';
import { SecretList } from './secret-list.tsx';


/** A letter in the search is on the screen at the next frame: what it does not change is not made anew for it. */
const List = memo(SecretList);
const Detail = memo(SecretDetail);

export function SecretsScreen() {
  const { show, readOnly } = useVault();
  const navigate = useNavigate();
  const say = useToast();
  const { secret: chosen } = useSearch({ from: '/secrets' });
  const [filter, setFilter] = useState('');
  const words = usePainted(searchWords(filter));
  const { secrets, more, loadMore, error, retry } = useSecrets(words);
  const input = useRef<HTMLInputElement>(null);
  const detail = useRef<HTMLDivElement>(null);
  // Where both fit side by side, the first secret stands there until another is chosen.
  const selected = chosen ?? (window.innerWidth >= SIDE_BY_SIDE ? secrets?.[0]?.Name : undefined);
  const none = secrets?.length === 0 && words === '';
  const select = useCallback((name: string | undefined): void => { void navigate({ to: '/secrets', search: name === undefined ? {} : { secret: name }, replace: true }); }, [navigate]);
  const open = useCallback((): void => { detail.current?.focus(); }, []);
  const back = useCallback((): void => {
    // Side by side, the list goes on from the secret that was shown.
    if (window.innerWidth < SIDE_BY_SIDE) select(undefined);
    setTimeout(focusList, 0);
  }, [select]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && detail.current?.contains(event.target as Node)) {
      back();
      return;
    }
    const letter = letterOf(event);
    if (letter === '/') input.current?.focus();
    else if (letter === 'n' && !readOnly) show({ kind: 'create-secret' });
    else if (letter === 'i' && !readOnly) show({ kind: 'import-secrets' });
    else if (letter === 'c' && selected !== undefined) void copyText(selected).then((done) => { if (done) say('Name copied'); });
    else if (letter === 'r') detail.current?.querySelector<HTMLElement>('[data-reveal]')?.click();
    else return;
    event.preventDefault();
  };

  const [dragging, setDragging] = useState(false);
  const onDrag = (event: DragEvent): void => {
    // Of a dialog over the screen, which has a place of its own for it.
    if (readOnly || event.target instanceof Element && event.target.closest('dialog')) return;
    event.preventDefault();
    setDragging(event.type === 'dragover');
    const [file] = event.type === 'drop' ? event.dataTransfer.files : [];
    if (file) void openFile(file).then((first) => { show({ kind: 'import-secrets', first }); });
  };

  return (
    <div className={`flex min-h-0 flex-1 flex-col ${dragging ? 'tint-brass' : ''}`} onKeyDown={onKeyDown} onDragOver={onDrag} onDragLeave={onDrag} onDrop={onDrag}>
      <header className="drag flex h-[47px] shrink-0 items-center gap-2 pr-3 pl-4 shadow-[inset_0_-1px_0_var(--line)]">
        <h1 className="text-[14px] font-semibold">Secrets</h1>
        <span className="text-[12px] text-fg-2">Secrets Manager</span>
        {!readOnly && <Button className="ml-auto" icon={<FileInput size={14} strokeWidth={1.6} />} shortcut="I" onClick={() => { show({ kind: 'import-secrets' }); }}>Import</Button>}
        {!readOnly && <Button kind="primary" icon={<Plus size={14} strokeWidth={1.8} />} shortcut="N" onClick={() => { show({ kind: 'create-secret' }); }}>New secret</Button>}
      </header>
      {none && (
        <div ref={holdFocus} data-pane="list" tabIndex={-1} className="min-h-0 flex-1 bg-pane focus-visible:-outline-offset-2">
          <EmptyState title="No secrets yet. A secret keeps a password, a token or a whole configuration, in versions that you can go back to." command="keystead secret create --name NAME --secret-string -">{!readOnly && <Button kind="primary" tall onClick={() => { show({ kind: 'create-secret' }); }}>Make the first secret</Button>}{!readOnly && <Button tall onClick={() => { show({ kind: 'import-secrets' }); }}>Import a file</Button>}</EmptyState>
        </div>
      )}
      <div className={`min-h-0 flex-1 ${none ? 'hidden' : 'flex'}`}>
        <section aria-label="List of secrets" className={`flex w-[340px] shrink-0 flex-col shadow-[inset_-1px_0_0_var(--line)] max-[1040px]:w-full ${selected === undefined ? '' : 'max-[1040px]:hidden'}`}>
          <div className="px-3 pt-2.5 pb-2">
            <label className="edge flex h-[30px] items-center gap-2 rounded-row bg-raised px-2.5 text-fg-2 has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-brass [[data-theme=light]_&]:bg-pane">
              <ListFilter size={15} strokeWidth={1.6} aria-hidden="true" />
              <span className="sr-only">Search secrets</span>
              <input
                ref={input}
                value={filter}
                onChange={(event) => { setFilter(event.target.value); }}
                onKeyDown={(event) => {
                  if (event.key === 'Escape' && filter !== '') { event.stopPropagation(); setFilter(''); }
                  else if (event.key === 'ArrowDown' || event.key === 'Escape' || event.key === 'Enter') {
                    event.preventDefault();
                    if (event.key !== 'Escape' && secrets?.[0] && !secrets.some(({ Name }) => Name === selected)) select(secrets[0].Name);
                    focusList();
                  }
                }}
                placeholder="Search names, descriptions, tags"
                spellCheck={false}
                autoComplete="off"
                className="min-w-0 flex-1 bg-transparent text-fg outline-none focus-visible:outline-none"
              />
              <Kbd>/</Kbd>
            </label>
          </div>
          {error ? <div className="p-3"><InlineError error={errorOf(error)}><Button kind="ghost" onClick={retry}>Try again</Button></InlineError></div>
          : !secrets ? <SkeletonRows rows={8} height={52} />
          : secrets.length === 0 ? <EmptyState title={`No secrets match “${filter.trim()}”`}><Button onClick={() => { setFilter(''); input.current?.focus(); }}>Clear the search</Button></EmptyState>
          : <List secrets={secrets} selected={selected} onSelect={select} onOpen={open} onEnd={more ? loadMore : undefined} />}
          <p role="status" className="sr-only">{words !== '' && secrets ? `${plural(secrets.length, 'secret')}${more ? ' and more' : ''}` : ''}</p>
        </section>
        <section ref={detail} aria-label="Secret" data-pane="detail" tabIndex={-1} className={`min-w-0 flex-1 overflow-y-auto bg-pane focus-visible:-outline-offset-2 ${selected === undefined ? 'max-[1040px]:hidden' : ''}`}>
          {selected !== undefined ? <Detail key={selected} name={selected} onBack={back} /> : secrets && secrets.length > 0 ? <EmptyState title="Choose a secret to see and use it" /> : null}
        </section>
      </div>
    </div>
  );
}
