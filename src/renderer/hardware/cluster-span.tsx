/** A key store made to span one more token. Both security officers' PINs are in their fields alone, and taken out when they are sent. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Progress } from '../../shared/wire/messages.ts';
import { client } from '../client.ts';
import { plural, sentence, specName } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { SelectField } from '../parts/field.tsx';
import { PasswordField, type PasswordHandle } from '../parts/password-field.tsx';
import { isBehind, type Cluster } from './cluster-words.ts';
import { refreshHardware, type Token } from './data.ts';
import { Warned } from './parts.tsx';
import { insistsAfter, wrongPin, type Officer } from './span-tries.ts';
import { nameOf } from './token-names.ts';

interface SpanStoreProps {
  readonly cluster: Cluster;
  /** Those that could join: in no key store, with a PIN. */
  readonly tokens: readonly Joinable[];
  readonly onClose: () => void;
}
/** A token that KMS has a name for, as every initialised one has. */
export type Joinable = Token & { readonly CloudHsmClusterId: string };
export const isJoinable = (token: Token): token is Joinable => token.Initialized && token.PinSet && token.PinState !== 'locked' && token.CloudHsmClusterId !== undefined;
const isLay = ({ Module }: { readonly Module: string }): boolean => Module.includes('softhsm');

/** Why nothing can join now; undefined where a token can. */
function unjoinable({ State, Keys, CustomKeyStoreName: name }: Cluster, members: Cluster['Members'], tokens: readonly Token[]): string | undefined {
  if (State === 'single' && Keys > 0) return `${name} has keys that were made never to leave its token. Make another key store, and let its tokens join before its first key.`;
  if (members.length === 0) return `No token of ${name} answers. Bring one back first: keys are copied from it.`;
  return tokens.length === 0 ? 'No other token is there that has a PIN and is in no key store. Put one in, or initialise one, then look again.' : undefined;
}

export function SpanStore({ cluster, tokens, onClose }: SpanStoreProps) {
  const queries = useQueryClient();
  const [after, setAfter] = useState<Cluster>();
  const [progress, setProgress] = useState<Progress>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const [wrong, setWrong] = useState<string>();
  /** Whose PIN is at its last try, as was said: going on uses it. */
  const [insists, setInsists] = useState<readonly Officer[]>([]);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  // As they were when it was opened: the one that joins is free no longer once it has.
  const [free] = useState(tokens);
  const [members] = useState(() => cluster.Members.filter(({ Health }) => Health === 'connected'));
  const [before] = useState(cluster);
  const [joining, setJoining] = useState(free[0]?.CloudHsmClusterId ?? '');
  const [through, setThrough] = useState(members[0]?.CloudHsmClusterId ?? '');
  const user = useRef<PasswordHandle>(null);
  const officer = useRef<PasswordHandle>(null);
  const memberOfficer = useRef<PasswordHandle>(null);
  const why = unjoinable(before, members, free);
  const guest = free.find(({ CloudHsmClusterId: id }) => id === joining);
  const host = members.find(({ CloudHsmClusterId: id }) => id === through);
  const name = before.CustomKeyStoreName;
  const isUserAtLast = error?.code === 'PinLockedException' && error.details?.['pin'] === 'user' && error.details['tries'] === 'last';

  const submit = async (): Promise<void> => {
    if (!guest || !host) return;
    const asked = [...(guest.LoggedIn ? [] : [user.current]), officer.current, memberOfficer.current];
    const empty = asked.find((one) => (one?.read().length ?? 0) < 4);
    if (empty !== undefined) {
      setWrong('Every PIN is asked for. Nothing was tried.');
      empty?.focus();
      return;
    }
    setWrong(undefined);
    setError(undefined);
    const Pin = guest.LoggedIn ? undefined : user.current?.take();
    const SecurityOfficerPin = officer.current?.take();
    const MemberSecurityOfficerPin = memberOfficer.current?.take();
    if (!SecurityOfficerPin || !MemberSecurityOfficerPin) return;
    const control = new AbortController();
    running.current = control;
    setBusy(true);
    setProgress({ done: 0, total: 0, unit: 'records' });
    const answer = await client.hardware.addTokenToKeyStore({ CustomKeyStoreId: before.CustomKeyStoreId, CloudHsmClusterId: guest.CloudHsmClusterId, ...(Pin ? { Pin } : {}), SecurityOfficerPin, Member: host.CloudHsmClusterId, MemberSecurityOfficerPin, ...(insists.includes('guest') ? { LastTry: true as const } : {}), ...(insists.includes('host') ? { MemberLastTry: true as const } : {}) }, { progress: setProgress, signal: control.signal });
    await refreshHardware(queries);
    setProgress(undefined);
    setBusy(false);
    if (answer.ok) return setAfter(answer.output);
    const at = { guest: guest.CloudHsmClusterId, host: host.CloudHsmClusterId };
    setInsists(insistsAfter(insists, answer.error, at));
    if (answer.error.code === 'IncorrectPinException') {
      setWrong(sentence(answer.error.message.replaceAll('`', '')));
      const whose = wrongPin(answer.error, at);
      // Once they are no longer disabled.
      setTimeout(() => { (whose === 'host' ? memberOfficer : whose === 'guest' || guest.LoggedIn ? officer : user).current?.focus(); }, 0);
    } else setError(answer.error);
  };

  return (
    <Dialog title={after ? `${name} spans ${plural(after.Members.length, 'token')}` : `Let ${name} span another token`} onClose={onClose} held={busy} className="w-[500px]">
      {after ? <Joined before={before} after={after} onClose={onClose} /> : why !== undefined || !guest || !host ? (
        <>
          <div className="px-5 pt-2 pb-3"><p role="alert" className="tint-warn rounded-card px-3 py-2.5">{why}</p></div>
          <DialogFoot><Button tall autoFocus onClick={onClose}>Close</Button></DialogFoot>
        </>
      ) : (
        <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
          <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
            <p className="text-fg-2">Each key is copied to the token that joins, under a wrapping key that only these tokens trust. Until the cluster is sealed, its keys stay extractable to such a key and to nothing else. Some kinds of key cannot travel (with SoftHSM: Ed25519): each is tried out now, and what does not arrive is not offered in this key store any more.</p>
            <SelectField label="Token that joins" value={joining} options={free.map((one) => [one.CloudHsmClusterId, `${nameOf(one)}, serial ${one.Serial}`] as const)} onPick={(id) => { setJoining(id); setInsists([]); setError(undefined); }} />
            {!guest.LoggedIn && <PasswordField ref={user} label={`User PIN of ${nameOf(guest)}`} autoComplete="off" disabled={busy} hint="Kept in the module’s process until lock" />}
            <PasswordField ref={officer} label={`Security officer’s PIN of ${nameOf(guest)}`} autoComplete="off" disabled={busy} hint="Goes to a process of its own that ends at once; not kept" />
            {members.length > 1 && <SelectField label="Keys are copied from" value={through} options={members.map((one) => [one.CloudHsmClusterId, nameOf(one)] as const)} onPick={(id) => { setThrough(id); setInsists([]); setError(undefined); }} />}
            <PasswordField ref={memberOfficer} label={`Security officer’s PIN of ${nameOf(host)}`} autoComplete="off" disabled={busy} hint="Its officer marks the new token’s key as trusted; not kept either" />
            {(isLay(guest) || isLay(host)) && <Warned>SoftHSM lets a security officer make public objects only: the new trusted key lies in plain among the token’s files on the disk until it is copied to a private object, moments later.</Warned>}
            {error?.code === 'CancelledException' && <p role="status" className="tint-warn rounded-card px-3 py-2.5">Cancelled. The token did not join; what was made on it for that was removed where it answers.</p>}
            {error && error.code !== 'CancelledException' && <InlineError error={error} consequence="The token did not join; what was made on it for that was removed where it answers." />}
            {insists.map((one) => <Warned key={one}>Going on uses the last try that {one === 'guest' ? nameOf(guest) : nameOf(host)} says is left. One more wrong PIN of its security officer locks it for good.</Warned>)}
            {isUserAtLast && <Warned>It is the user’s PIN of {nameOf(guest)} that has one try left. Log in to the token by itself first, where the last try can be used; only the officers’ PINs are asked for here then.</Warned>}
          </div>
          {/* Below what scrolls: in sight in the smallest window, too. */}
          {(busy || wrong !== undefined) && (
            <div className="px-5 pt-2 pb-1">
              {wrong !== undefined && <p role="alert" className="text-[12px]/4 text-danger">{wrong}</p>}
              {busy && <ProgressRow label={progress?.unit === 'keys' ? 'Copying the keys' : 'Making and trying the wrapping keys'} done={progress?.done} total={progress?.total} />}
            </div>
          )}
          <DialogFoot><Button tall onClick={() => { if (busy) running.current?.abort(); else onClose(); }}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{busy ? 'Joining…' : insists.length > 0 ? 'Use the last try' : 'Let it join'}</Button></DialogFoot>
        </form>
      )}
    </Dialog>
  );
}

function Joined({ before, after, onClose }: { readonly before: Cluster; readonly after: Cluster; readonly onClose: () => void }) {
  const lost = before.KeySpecs.filter((spec) => !after.KeySpecs.includes(spec));
  const behind = after.Members.filter(isBehind);
  return (
    <>
      <div className="flex flex-col gap-3 px-5 pt-2 pb-3">
        <p role="status">{behind.length === 0 ? 'Every key is on every token that answers.' : `${behind.map(nameOf).join(' and ')} could not be given every key yet: bring the cluster level.`} Requests are spread over the tokens from now on.</p>
        {lost.length > 0 && <p className="text-fg-2">Not offered in it any more, since it could not travel: <b className="font-medium text-fg">{lost.map(specName).join(', ')}</b>.</p>}
        <p className="text-fg-2">When no further token is to join, seal the cluster.</p>
      </div>
      <DialogFoot><Button tall kind="primary" autoFocus onClick={onClose}>Close</Button></DialogFoot>
    </>
  );
}
