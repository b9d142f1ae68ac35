/** Unlock: the password, or whatever else the vault's header says can open it; for a token its PIN. Esc gives up an attempt that is under way. */
import { ChevronRight, CornerDownLeft, Fingerprint, KeyRound, Link2, LoaderCircle, ScrollText, SquareTerminal, Usb } from 'lucide-react';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { DEMO_PASSWORD } from '../../shared/model/demo.ts';
import { client } from '../client.ts';
import { now, useNow } from '../clock.ts';
import { lastPart, plural, sentence, shortPath } from '../format.ts';
import { InlineError } from '../parts/feedback.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { Tumbler } from '../pictures/tumbler.tsx';
import { GateFrame } from './gate-frame.tsx';
import { TokenModule, TokenSlotField, useTokenFactor, type TokenWith } from './token-factor.tsx';

type Status = Output<'vault:Status'>;
type Way = 'password' | 'recovery' | 'keychain' | 'token';
const ICON = { size: 16, strokeWidth: 1.6 } as const;
const WRONG = new Set(['IncorrectPasswordException', 'IncorrectRecoveryCodeException', 'IncorrectPinException', 'ValidationException']);
const FIELD = {
  password: { label: 'Password', hint: undefined },
  recovery: { label: 'Recovery code', hint: 'Seven groups of four; hyphens and case do not matter' },
  token: { label: 'PIN', hint: 'It goes to the token\'s module and is not kept' },
} as const;

type Opening = { readonly Password: SecretBytes } | { readonly RecoveryCode: SecretBytes } | { readonly Keychain: true } | ({ readonly TokenPin: SecretBytes } & TokenWith);

const secondsIn = (error: CallError): number => Number(error.details?.['retryAfterSeconds'] ?? 0) || 0;

/** No wait is over at once, also for a clock that last ticked before it. */
const endOf = (seconds: number): number => (seconds > 0 ? now() + seconds * 1000 : 0);

export function UnlockScreen({ status, onSettled }: { readonly status: Status; readonly onSettled: () => void }) {
  const ways = status.SlotTypes ?? ['password'];
  const tokens = status.TokenSlots ?? [];
  const [way, setWay] = useState<Exclude<Way, 'keychain'>>(ways.includes('password') ? 'password' : ways.includes('recovery') || tokens.length === 0 ? 'recovery' : 'token');
  const [busy, setBusy] = useState(false);
  const [opened, setOpened] = useState(false);
  const [error, setError] = useState<CallError>();
  const token = useTokenFactor(tokens, error);
  const { chosen } = token;
  const [waitUntil, setWaitUntil] = useState(() => endOf(status.RetryAfterSeconds ?? 0));
  const field = useRef<PasswordHandle>(null);
  const attempt = useRef(0);
  const running = useRef<AbortController>(undefined);
  const time = useNow(500);
  const wait = Math.max(0, Math.ceil((waitUntil - time) / 1000));
  const typed = ways.includes('password') || ways.includes('recovery') || tokens.length > 0;
  const folder = lastPart(status.Folder);

  const giveUp = useCallback(() => { attempt.current += 1; running.current?.abort(); setBusy(false); }, []);
  useEffect(() => {
    if (!busy) return undefined;
    const onKey = (event: KeyboardEvent): void => { if (event.key === 'Escape') giveUp(); };
    window.addEventListener('keydown', onKey);
    return () => { window.removeEventListener('keydown', onKey); };
  }, [busy, giveUp]);
  // The field is disabled while an attempt runs and cannot hold the focus.
  useEffect(() => { if (!busy) field.current?.focus(); }, [busy, way]);

  const unlock = async (input: Opening): Promise<void> => {
    attempt.current += 1;
    const mine = attempt.current;
    setBusy(true);
    setError(undefined);
    running.current = new AbortController();
    const answer = await client.vault.unlock(input, { signal: running.current.signal });
    if (mine !== attempt.current) {
      // Given up meanwhile: what opened after all is closed again.
      if (answer.ok) await client.vault.lock();
      return;
    }
    if (answer.ok) {
      setOpened(true);
      setTimeout(onSettled, 280);
      return;
    }
    setBusy(false);
    setError(answer.error);
    setWaitUntil(endOf(secondsIn(answer.error)));
  };
  const submit = (): void => {
    const secret = busy || wait > 0 ? undefined : field.current?.take();
    if (secret) void unlock(way === 'password' ? { Password: secret } : way === 'recovery' ? { RecoveryCode: secret } : { TokenPin: secret, ...token.given });
    else field.current?.focus();
  };

  const wrong = error && WRONG.has(error.code) ? sentence(error.message) : undefined;
  const delayed = wait > 0 ? `Wait ${plural(wait, 'second')}, then try again.` : undefined;
  const below = [wrong, delayed].filter((text) => text !== undefined).join(' ');
  const others: readonly (readonly [Way, string, string, ReactNode])[] = [
    ['keychain', 'Unlock with this computer\'s keychain', 'Whoever uses this session can do so', <Fingerprint key="i" {...ICON} />],
    ['token', tokens.length > 1 ? 'Use a hardware token' : `Use token ${tokens[0]?.Token ?? ''}`, tokens.length > 1 ? `One of ${String(tokens.length)}, with its PIN` : `Its PIN; serial number ${tokens[0]?.Serial ?? ''}`, <Usb key="i" {...ICON} />],
    ['password', 'Use the password', 'The one chosen for this vault', <KeyRound key="i" {...ICON} />],
    ['recovery', 'Use the recovery code', 'The printed sheet, 28 characters', <ScrollText key="i" {...ICON} />],
  ];

  return (
    <GateFrame
      foot={
        <>
          <span className="flex items-center gap-1.5"><Link2 size={14} strokeWidth={1.6} aria-hidden="true" />The trail keeps recording</span>
          <span className="flex items-center gap-1.5"><SquareTerminal size={14} strokeWidth={1.6} aria-hidden="true" />The command line is refused until you unlock</span>
        </>
      }
    >
      <div className="mt-[46px] mb-[42px]"><Tumbler publicId={status.VaultId ?? folder} open={opened} /></div>
      <h1 className="max-w-full truncate text-[24px]/[30px] font-semibold">{folder} is {opened ? 'open' : 'locked'}</h1>
      <p className="mt-1.5 max-w-full truncate font-mono text-[12px] text-fg-3" title={status.Folder}>{shortPath(status.Folder)}</p>
      {status.Throwaway && <p className="mt-3 text-[12px] text-fg-2"><b className="font-semibold text-brass">Demo</b>, nothing here is kept. Its password is <code className="font-mono text-fg">{DEMO_PASSWORD}</code></p>}
      <div className="mt-6 w-[372px] max-w-full">
        {typed && (
          <form className="flex flex-col gap-3.5" onSubmit={(event) => { event.preventDefault(); submit(); }}>
            {way === 'token' && <TokenSlotField factor={token} disabled={busy} onPick={() => { setError(undefined); }} />}
            <PasswordField
              key={way === 'token' ? chosen?.SlotId : way}
              ref={field}
              tall
              autoFocus
              disabled={busy || opened}
              label={way === 'token' && chosen ? `PIN of token ${chosen.Token}` : FIELD[way].label}
              autoComplete={way === 'password' ? 'current-password' : 'off'}
              error={below === '' ? undefined : below}
              hint={busy && !opened ? 'Esc cancels' : way === 'token' && token.lastTry ? 'Unlocking now uses the last try that the token says is left' : FIELD[way].hint}
              action={
                <button type="submit" disabled={busy || opened || wait > 0} className="inline-flex h-[30px] items-center gap-2 rounded-[6px] bg-ink px-2.5 font-medium text-on-ink hover:opacity-90 disabled:opacity-70">
                  {busy && !opened ? <><LoaderCircle size={14} className="animate-spin motion-reduce:animate-none" />Unlocking…</> : <>Unlock<span aria-hidden="true" className="grid h-[18px] w-5 place-items-center rounded-[4px] shadow-[inset_0_0_0_1px_color-mix(in_oklab,var(--on-ink)_45%,transparent)]"><CornerDownLeft size={11} /></span></>}
                </button>
              }
            />
          </form>
        )}
        {error && wrong === undefined && error.code !== 'UnlockDelayedException' && error.code !== 'CancelledException' && <div className="mt-4"><InlineError error={error} consequence="The vault stays locked." /></div>}
        {way === 'token' && <TokenModule factor={token} onVouch={() => { field.current?.focus(); }} />}
        <ul className="mt-4 flex flex-col gap-1">
          {others.map(([name, title, about, icon]) =>
            ways.includes(name) && name !== way && (name !== 'token' || tokens.length > 0) ? (
              <li key={name}>
                <button
                  type="button"
                  disabled={busy || opened}
                  className="hover-tint -mx-2 flex w-[calc(100%+16px)] items-center gap-3 rounded-row px-2 py-1 text-left disabled:opacity-50"
                  onClick={() => {
                    setError(undefined);
                    token.leave();
                    if (name === 'keychain') void unlock({ Keychain: true });
                    else setWay(name);
                  }}
                >
                  <span aria-hidden="true" className="text-fg-2">{icon}</span>
                  <span className="min-w-0 flex-1"><span className="block font-medium">{title}</span><span className="block text-[11px]/4 text-fg-3">{about}</span></span>
                  <ChevronRight size={14} strokeWidth={1.6} className="text-fg-3" aria-hidden="true" />
                </button>
              </li>
            ) : null,
          )}
        </ul>
      </div>
    </GateFrame>
  );
}
