/** One token: what it says of itself, the keys on it, and what it can do. */
import { Ellipsis, Eraser, KeyRound, LockKeyholeOpen, LogIn, Plus } from 'lucide-react';
import { DropdownMenu, Tabs } from 'radix-ui';
import { useState } from 'react';
import { Button, IconButton } from '../parts/button.tsx';
import { MENU, MenuItem, MenuLine } from '../parts/menu.tsx';
import type { KeyStore, Token } from './data.ts';
import { ChipTile, Fact, StateSaid } from './parts.tsx';
import { Mechanisms } from './mechanisms.tsx';
import { TokenKeys } from './token-keys.tsx';
import { nameOf } from './token-names.ts';
import { clockWords, moduleName, tokenFlags, tokenState, TRIES } from './words.ts';

const ICON = { size: 14, strokeWidth: 1.6 } as const;
const TAB = '-mb-px border-b-2 border-transparent px-0.5 pt-1 pb-1.5 font-medium text-fg-2 hover:text-fg data-[state=active]:border-brass data-[state=active]:text-fg';

export type TokenAct = 'login' | 'initialise' | 'pin' | 'reset-pin' | 'store';

interface TokenCardProps {
  readonly token: Token;
  readonly store: KeyStore | undefined;
  /** Absent: nothing is changed now. */
  readonly act: ((what: TokenAct) => void) | undefined;
}

export function TokenCard({ token, store, act }: TokenCardProps) {
  const [tab, setTab] = useState('about');
  const name = token.Initialized ? nameOf(token) : 'Empty token';
  const said = tokenState(token);
  const clock = clockWords(token);
  const tries = token.Initialized ? TRIES[token.PinState] : undefined;
  const canLogIn = token.Initialized && token.PinSet && token.PinState !== 'locked' && !token.LoggedIn;
  return (
    <section aria-label={`Token ${name}`} className="edge mt-2.5 rounded-card bg-raised first:mt-0 [[data-theme=light]_&]:bg-pane">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3 pb-2.5">
        <ChipTile off={!token.Initialized} />
        <div className="min-w-[180px] flex-1">
          <h3 className="truncate text-[14px]/[20px] font-semibold"><bdi>{name}</bdi></h3>
          <p className="flex flex-wrap items-center gap-x-2 text-[12px]/[18px] text-fg-2"><StateSaid said={said} /><span aria-hidden="true">·</span><bdi>{token.Model}</bdi><span aria-hidden="true">·</span><span>{token.Serial === '' ? 'no serial number yet' : <>serial <code className="font-mono">{token.Serial}</code></>}</span></p>
        </div>
        {act && canLogIn && <Button icon={<LogIn {...ICON} />} onClick={() => { act('login'); }}>Give the PIN…</Button>}
        {act && !token.Initialized && <Button icon={<Plus {...ICON} />} onClick={() => { act('initialise'); }}>Initialise…</Button>}
        {act && token.Initialized && token.PinSet && !store && <Button icon={<Plus {...ICON} />} onClick={() => { act('store'); }}>New key store…</Button>}
        {act && token.Initialized && (
          <DropdownMenu.Root modal={false}>
            <DropdownMenu.Trigger asChild><IconButton label={`More for token ${name}`}><Ellipsis size={16} strokeWidth={1.8} /></IconButton></DropdownMenu.Trigger>
            <DropdownMenu.Content align="end" sideOffset={4} className={MENU} onCloseAutoFocus={(event) => { if (document.querySelector('dialog[open]')) event.preventDefault(); }}>
              {token.PinSet && token.PinState !== 'locked' && <MenuItem icon={<KeyRound {...ICON} />} onSelect={() => { act('pin'); }}>Change the PIN…</MenuItem>}
              <MenuItem icon={<LockKeyholeOpen {...ICON} />} onSelect={() => { act('reset-pin'); }}>Set a new PIN as security officer…</MenuItem>
              <MenuLine />
              <MenuItem danger icon={<Eraser {...ICON} />} onSelect={() => { act('initialise'); }}>Erase and initialise…</MenuItem>
            </DropdownMenu.Content>
          </DropdownMenu.Root>
        )}
      </div>
      {tries !== undefined && (
        <div className={`mx-4 mb-2.5 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-control px-3 py-2 ${token.PinState === 'locked' ? 'tint-danger' : 'tint-warn'}`}>
          <p className="min-w-0 flex-1">{tries}</p>
          {act && token.PinState === 'locked' && <Button onClick={() => { act('reset-pin'); }}>Set a new PIN…</Button>}
        </div>
      )}
      {clock !== undefined && <p className="tint-warn mx-4 mb-2.5 rounded-control px-3 py-2">{clock}</p>}
      {token.NotRecorded !== undefined && <p className="tint-warn mx-4 mb-2.5 rounded-control px-3 py-2">{token.NotRecorded === 1 ? 'One key that this vault made on it is not recorded' : `${String(token.NotRecorded)} keys that this vault made on it are not recorded`}. See “Keys on it”: adopt or delete.</p>}
      {token.Initialized ? (
        <Tabs.Root value={tab} onValueChange={setTab}>
          <Tabs.List aria-label={`About ${name}`} className="flex gap-4 px-4 shadow-[inset_0_-1px_0_var(--line)]">
            <Tabs.Trigger value="about" className={TAB}>About</Tabs.Trigger>
            <Tabs.Trigger value="keys" className={TAB}>Keys on it</Tabs.Trigger>
            <Tabs.Trigger value="mechanisms" className={TAB}>Mechanisms</Tabs.Trigger>
          </Tabs.List>
          <Tabs.Content value="about" className="px-4 pt-3 pb-4"><About token={token} store={store} /></Tabs.Content>
          <Tabs.Content value="keys" className="px-4 pt-3 pb-4"><TokenKeys token={token} store={store} changeable={act !== undefined} onLogIn={act && canLogIn ? () => { act('login'); } : undefined} /></Tabs.Content>
          <Tabs.Content value="mechanisms" className="px-4 pt-3 pb-4"><Mechanisms token={token} /></Tabs.Content>
        </Tabs.Root>
      ) : <p className="px-4 pb-4 text-fg-2">Nothing is on it. Initialising gives it a label and its PINs.</p>}
    </section>
  );
}

const sessions = ({ Sessions: open, MaxSessions: most }: Token): string => `${open === undefined ? 'The token does not say' : `${String(open)} open`}${most === undefined || most === 0 ? '' : ` of ${String(most)}`}`;

const About = ({ token, store }: { readonly token: Token; readonly store: KeyStore | undefined }) => (
  <dl className="grid grid-cols-[repeat(auto-fill,minmax(180px,1fr))] gap-x-6 gap-y-3">
    <Fact name="Manufacturer"><bdi>{token.Manufacturer === '' ? 'Not said' : token.Manufacturer}</bdi></Fact>
    <Fact name="Firmware, hardware"><span className="font-mono text-[12.5px]">{token.FirmwareVersion}, {token.HardwareVersion}</span></Fact>
    <Fact name="Sessions">{sessions(token)}</Fact>
    <Fact name="Key store">{store ? <bdi>{store.CustomKeyStoreName}</bdi> : 'None'}</Fact>
    <Fact name="Slot"><span className="font-mono text-[12.5px]" title={token.SlotDescription}>{token.Slot}</span></Fact>
    <Fact name="Module"><span className="font-mono text-[12.5px] break-all" title={token.Module}>{moduleName(token.Module)}</span></Fact>
    <Fact name="Known to KMS as"><code className="font-mono text-[12px] break-all">{token.CloudHsmClusterId}</code></Fact>
    <Fact name="Its flags">{tokenFlags(token).join(', ')}</Fact>
  </dl>
);
