/** Checkpoints: who signs them, a new one to keep elsewhere, and an old one held against the trail. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, ShieldCheck, TriangleAlert, X } from 'lucide-react';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { useNow } from '../clock.ts';
import { ago, counted, exact } from '../format.ts';
import { ConnectGate } from '../hardware/connect-gate.tsx';
import { isUndone } from '../hardware/connect.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { describedQuery, useKey, useKeyName } from '../keys/data.ts';
import { StateWord } from '../keys/state-word.tsx';
import { Button, IconButton } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { SelectField } from '../parts/field.tsx';
import { useRequest } from '../parts/request.ts';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { BytesInput, type BytesHandle } from '../use/bytes-input.tsx';
import { CommandLine, PublicResult } from '../use/result.tsx';
import { useVault } from '../vault/context.ts';
import { LOOKED_AT, useCheckpointKey, useCheckpointKeys, useLastCheckpoint, useRefreshCheckpoints, type CheckpointKey } from './checkpoint-data.ts';
import { judged, type Judged } from './checkpoint-words.ts';
import { TRAIL } from './data.ts';

const ENVELOPE_MOST = 65_536;
const H3 = 'mb-2 text-[12.5px]/[18px] font-semibold';

/** Who signs, in a line: the vault always does. */
export function Signers({ of }: { readonly of: CheckpointKey | null | undefined }) {
  if (of === undefined) return null;
  if (of === null) return <span>Checkpoints are signed by this vault alone</span>;
  return of.exists ? <KeySigner id={of.id} /> : <span className="text-warn">The key that signs checkpoints was deleted</span>;
}

function KeySigner({ id }: { readonly id: string }) {
  const name = useKeyName(id);
  const { data } = useKey(id);
  return <span className="inline-flex flex-wrap items-center gap-x-2">Checkpoints are signed by this vault and <b className="font-medium text-fg">{name}</b>{data?.Origin === 'AWS_CLOUDHSM' && <HardwareBadge />}</span>;
}

export function Checkpoints({ onClose }: { readonly onClose: () => void }) {
  const key = useCheckpointKey();
  const [busy, setBusy] = useState(false);
  const head = (
    <div className="flex items-center gap-3 px-5 pt-4 pb-3 shadow-[inset_0_-1px_0_var(--line-2)]">
      <span className="min-w-0 flex-1 text-[15px]/[22px] font-semibold">Checkpoints</span>
      <IconButton label="Close" disabled={busy} onClick={onClose}><X size={16} strokeWidth={1.6} /></IconButton>
    </div>
  );
  return (
    <Dialog sheet title="Checkpoints" head={head} held={busy} onClose={onClose}>
      <div className="flex min-h-0 flex-1 flex-col gap-6 overflow-y-auto px-5 pt-4 pb-5">
        <p className="text-fg-2">A checkpoint says how far the trail has come, signed. Kept on another machine, it shows later that the trail was rewritten, cut, or put back, whoever did it here.</p>
        {key === undefined ? <ProgressRow label="Asking who signs" /> : <><Who of={key} /><Make of={key} onBusy={setBusy} /><Check of={key} /></>}
      </div>
    </Dialog>
  );
}

function Who({ of }: { readonly of: CheckpointKey | null }) {
  const { readOnly } = useVault();
  const refresh = useRefreshCheckpoints();
  const [choosing, setChoosing] = useState(false);
  return (
    <section>
      <h3 className={H3}>Who signs</h3>
      <ul className="edge divide-y divide-line rounded-control">
        <li className="flex min-h-[52px] items-center gap-3 px-3 py-2"><ShieldCheck size={18} strokeWidth={1.6} className="mx-1.5 text-fg-2" aria-hidden="true" /><span className="min-w-0 flex-1"><span className="block font-medium">This vault</span><span className="block text-[12px]/4 text-fg-2">Ed25519, a key for nothing else; always</span></span></li>
        {of && <li className="flex min-h-[52px] items-center gap-3 px-3 py-2">{of.exists ? <Second id={of.id} /> : <span className="min-w-0 flex-1 text-warn">The key that signed besides the vault was deleted. Choose another, or none.</span>}</li>}
      </ul>
      {!readOnly && !choosing && <Button className="mt-2.5" onClick={() => { setChoosing(true); }}>{of ? 'Choose another key…' : 'Have a key sign, too…'}</Button>}
      {!readOnly && choosing && <Choose of={of} onDone={async () => { await refresh(); setChoosing(false); }} />}
      {of === null && <p className="mt-2 text-[12px]/[18px] text-fg-3">Whoever takes over this machine has the vault’s key, too. A key in a token signs only while the token is there.</p>}
    </section>
  );
}

function Second({ id }: { readonly id: string }) {
  const name = useKeyName(id);
  const { data } = useKey(id);
  const at = useNow(60_000);
  const inToken = data?.Origin === 'AWS_CLOUDHSM';
  return (
    <>
      <KeyGlyph publicId={id} size="S" state={data?.KeyState ?? 'Enabled'} hardware={inToken} />
      <span className="min-w-0 flex-1"><span className="block truncate font-medium">{name}</span>{data && <span className="flex flex-wrap gap-x-2 text-[12px]/4 text-fg-2"><StateWord value={data} at={at} />{inToken && <HardwareBadge />}</span>}</span>
    </>
  );
}

/** No name of a key. */
const NONE = '';
function Choose({ of, onDone }: { readonly of: CheckpointKey | null; readonly onDone: () => Promise<void> }) {
  const keys = useCheckpointKeys();
  const { busy, error, send } = useRequest();
  const [picked, setPicked] = useState<string>();
  if (!keys) return <div className="mt-2.5"><ProgressRow label="Looking for keys that sign" /></div>;
  const inTokens = (hardware: boolean) => keys.filter(({ value }) => (value.Origin === 'AWS_CLOUDHSM') === hardware).map(({ row, value }) => [row.id, `${row.name}${hardware ? ', in a token' : ''}${value.KeyState === 'Enabled' ? '' : `, ${value.KeyState === 'Unavailable' ? 'not connected' : 'disabled'}`}`] as const);
  const options = [...inTokens(true), ...inTokens(false), [NONE, 'No key: the vault alone'] as const];
  const chosen = picked ?? (of?.exists === true ? of.id : (options[0]?.[0] ?? NONE));
  return (
    <form className="mt-2.5 flex flex-col gap-2.5" onSubmit={(event) => { event.preventDefault(); void send(() => client.trail.setCheckpointKey(chosen === NONE ? {} : { KeyId: chosen }), onDone); }}>
      <SelectField label="Signs besides the vault" value={chosen} options={options} onPick={setPicked} hint="Keys on RSA, a NIST curve or Ed25519, for signing" />
      {error && <InlineError error={error} consequence="Who signs is as it was." />}
      <div className="flex gap-2"><Button kind="primary" type="submit" busy={busy}>{chosen === NONE ? 'Let the vault sign alone' : 'Let it sign'}</Button><Button onClick={() => { void onDone(); }}>Cancel</Button></div>
    </form>
  );
}

interface Made {
  readonly envelope: Uint8Array;
  readonly index: number;
  readonly signed: boolean;
}

function Make({ of, onBusy }: { readonly of: CheckpointKey | null; readonly onBusy: (busy: boolean) => void }) {
  const queries = useQueryClient();
  const refresh = useRefreshCheckpoints();
  const last = useLastCheckpoint();
  const at = useNow(30_000);
  const key = of?.exists === true ? of.id : undefined;
  const name = useKeyName(key ?? '');
  const { data } = useQuery({ ...describedQuery(key ?? ''), enabled: key !== undefined });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const [made, setMade] = useState<Made>();
  const [missing, setMissing] = useState<CallError>();
  const work = async (act: () => Promise<void>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    onBusy(true);
    await act();
    setBusy(false);
    onBusy(false);
  };
  const sign = async (before: Made): Promise<void> => {
    setMissing(undefined);
    if (key === undefined) return;
    const answer = await client.trail.signCheckpoint({ Checkpoint: before.envelope, KeyId: key });
    if (answer.ok) setMade({ ...before, envelope: answer.output.Checkpoint, signed: true });
    else setMissing(answer.error);
  };
  const make = (): Promise<void> =>
    work(async () => {
      setError(undefined);
      setMade(undefined);
      const answer = await client.trail.exportCheckpoint();
      if (!answer.ok) return setError(answer.error);
      const exported = { envelope: answer.output.Checkpoint, index: answer.output.Index, signed: false };
      setMade(exported);
      await sign(exported);
      // Not waited for: the sheet is held while something is signed, and that is done.
      void Promise.all([refresh(), queries.invalidateQueries({ queryKey: TRAIL })]);
    });
  const storeId = missing && isUndone(missing) && data?.Origin === 'AWS_CLOUDHSM' ? data.CustomKeyStoreId : undefined;
  return (
    <section aria-label="A new checkpoint">
      <h3 className={H3}>A new one</h3>
      <p className="mb-2.5 text-fg-2">{last === undefined ? ' ' : last === null ? `None was signed within the last ${counted(LOOKED_AT)} records.` : <>Last signed <span title={exact(last)}>{ago(last, at)}</span>.</>}</p>
      {!made && <Button kind="primary" tall busy={busy} onClick={() => { void make(); }}>Sign a checkpoint</Button>}
      {busy && made && !made.signed && key !== undefined && <ProgressRow label={`Asking ${name} to sign, too`} />}
      {error && <div className="mt-2.5"><InlineError error={error} consequence="No checkpoint was signed." /></div>}
      {made && (
        <div className="flex flex-col gap-4">
          <p role="status" className="tint-ok flex gap-2.5 rounded-card px-3 py-2.5"><ShieldCheck size={16} strokeWidth={1.6} className="mt-0.5 shrink-0 text-ok" aria-hidden="true" /><span>Signed up to record {counted(made.index)} by this vault{made.signed ? <> and <b className="font-medium">{name}</b></> : ''}. Keep it on another machine.</span></p>
          {missing && storeId === undefined && <InlineError error={missing} consequence={`The vault has signed it, ${name} has not.`}><Button kind="ghost" onClick={() => { void work(() => sign(made)); }}>Ask it again</Button></InlineError>}
          {storeId !== undefined && <section aria-label="Connect the token" className="flex flex-col gap-2.5"><p className="text-fg-2">{name} has not signed it: its token is not connected. What the vault has signed stands either way.</p><ConnectGate storeId={storeId} onConnected={(already) => { if (!already) void work(() => sign(made)); }} /></section>}
          <PublicResult label="Checkpoint" what="the checkpoint" bytes={made.envelope} text={new TextDecoder().decode(made.envelope)} file={`checkpoint-${String(made.index)}.json`} />
        </div>
      )}
    </section>
  );
}

const TONES: Readonly<Record<Judged['tone'], readonly [tint: string, text: string, icon: typeof ShieldCheck]>> = { ok: ['tint-ok', 'text-ok', ShieldCheck], warn: ['tint-warn', 'text-warn', TriangleAlert], danger: ['tint-danger', 'text-danger', CircleAlert] };

function Check({ of }: { readonly of: CheckpointKey | null }) {
  const key = of?.exists === true ? of.id : undefined;
  const name = useKeyName(key ?? '');
  const input = useRef<BytesHandle>(null);
  const { busy, error, send } = useRequest();
  const [problem, setProblem] = useState<string>();
  const [found, setFound] = useState<Judged>();
  const check = async (): Promise<void> => {
    setFound(undefined);
    const given = await input.current?.read();
    if (!given || 'problem' in given || given.bytes.length === 0) {
      setProblem(given && 'problem' in given ? given.problem : 'Choose the file of a checkpoint, or paste it.');
      return;
    }
    await send(() => client.trail.verifyCheckpoint({ Checkpoint: given.bytes, ...(key === undefined ? {} : { KeyId: key }) }), (checked) => { setFound(judged(checked, key === undefined ? undefined : name)); return Promise.resolve(); });
  };
  const [tint, text, Icon] = TONES[found?.tone ?? 'ok'];
  return (
    <section aria-label="A checkpoint that you kept">
      <h3 className={H3}>One that you kept</h3>
      <form className="flex flex-col gap-2.5" onSubmit={(event) => { event.preventDefault(); void check(); }}>
        <BytesInput ref={input} label="Checkpoint" limit={ENVELOPE_MOST} rows={3} problem={problem} onChange={() => { setProblem(undefined); setFound(undefined); }} />
        <div><Button type="submit" busy={busy}>{busy ? 'Holding it against the trail…' : 'Hold it against the trail'}</Button></div>
        {error && <InlineError error={error} consequence="Nothing was found out." />}
        {found && <div role="status" className={`${tint} flex gap-2.5 rounded-card px-3 py-2.5`}><Icon size={16} strokeWidth={1.6} className={`mt-0.5 shrink-0 ${text}`} aria-hidden="true" /><span><b className="block font-medium">{found.title}</b><span className="block text-[12px]/[18px] text-fg-2">{found.about}</span></span></div>}
        <CommandLine command="keystead trail verify-checkpoint --checkpoint fileb://checkpoint.json" />
      </form>
    </section>
  );
}
