/** Using a key: a sheet over the right of the window. One key, its actions, one result. */
import { useQueryClient } from '@tanstack/react-query';
import { Copy, X } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { offered, type Algorithm } from '../../shared/model/algorithms.ts';
import { actionRow, actionsOf, type BytesAction, type UseAction } from '../keys/actions.ts';
import { refreshUse, useKey, useKeys } from '../keys/data.ts';
import { ConnectGate } from '../hardware/connect-gate.tsx';
import { isCrash, isUndone } from '../hardware/connect.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { Button, IconButton } from '../parts/button.tsx';
import { client } from '../client.ts';
import { toText } from '../encoding.ts';
import { byteCount } from '../format.ts';
import { useWindow } from '../window-state.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { useCopyValue } from '../parts/copy-value.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { Segmented, SelectField } from '../parts/field.tsx';
import { SecretField } from '../parts/secret-field.tsx';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { BytesInput, type BytesHandle, type Picked } from './bytes-input.tsx';
import { commandFor } from './command.ts';
import { FileForm } from './file-form.tsx';
import { ContextRows, contextOf, contextProblem, type ContextRow } from './context-rows.tsx';
import { RequestForm } from './request-form.tsx';
import { CommandLine, PublicResult, Verdict } from './result.tsx';
import { encryptLimit, LIMIT, run, takesDigest, type Outcome } from './run.ts';

const LINK = 'font-medium text-fg-2 underline underline-offset-2 hover:text-fg';

interface Words {
  readonly input?: string;
  readonly proof?: string;
  readonly act: string;
  readonly nothing: string;
}
/** Input that is bytes in base64, up to what the vault takes. */
const BASE64_LIMITS: Partial<Record<BytesAction, number>> = { decrypt: 6144, decapsulate: 6144, 'shared-secret': 8192 };
/** What may be given as PEM: openssl writes it so, and so does the page of a key. */
const PEMS: Partial<Record<BytesAction, string>> = { 'shared-secret': 'PUBLIC KEY' };
/** What a secret that came out is called. */
const SECRETS: Partial<Record<BytesAction, string>> = { 'data-key': 'Data key in the clear', 'shared-secret': 'Shared secret', encapsulate: 'Shared secret', decapsulate: 'Shared secret' };
const WORDS: Record<BytesAction, Words> = {
  encrypt: { input: 'Plaintext', act: 'Encrypt', nothing: 'Nothing was encrypted.' },
  decrypt: { input: 'Ciphertext', act: 'Decrypt', nothing: 'Nothing was decrypted.' },
  'data-key': { act: 'Make a data key', nothing: 'No data key was made.' },
  sign: { input: 'Message', act: 'Sign', nothing: 'Nothing was signed.' },
  verify: { input: 'Message', proof: 'Signature', act: 'Verify', nothing: 'Take the message as not signed by this key.' },
  mac: { input: 'Message', act: 'Make a MAC', nothing: 'No MAC was made.' },
  'verify-mac': { input: 'Message', proof: 'MAC', act: 'Verify', nothing: 'Take the message as not authenticated by this key.' },
  'shared-secret': { input: 'Public key of the other side', act: 'Agree', nothing: 'No secret was agreed on.' },
  encapsulate: { act: 'Encapsulate', nothing: 'No secret was made.' },
  decapsulate: { input: 'What Encapsulate gave', act: 'Decapsulate', nothing: 'No secret was recovered.' },
  'public-key': { act: 'Show the public key', nothing: 'No public key was shown.' },
};

async function pickFile(): Promise<Picked | undefined> {
  const answer = await client.window.pickFile({});
  if (!answer.ok) return undefined;
  const { Path, Name, Size } = answer.output;
  return Path === undefined ? undefined : { path: Path, name: Name ?? Path, size: Size ?? 0 };
}

export function UsePanel({ keyId, first, onClose }: { readonly keyId: string; readonly first: UseAction; readonly onClose: () => void }) {
  const { data } = useKey(keyId);
  const row = useKeys().rows?.find((one) => one.id === keyId);
  const [action, setAction] = useState(first);
  const [busy, setBusy] = useState(false);
  if (!data || !row) return null;
  const head = (
    <div className="flex flex-col gap-3 px-5 pt-4 pb-3 shadow-[inset_0_-1px_0_var(--line-2)]">
      <div className="flex items-center gap-3">
        <KeyGlyph publicId={keyId} size="M" state={data.KeyState} hardware={data.Origin === 'AWS_CLOUDHSM'} />
        <span className="min-w-0 flex-1"><span className="block truncate text-[15px]/[22px] font-semibold">{row.name}</span><span className="flex gap-2 text-[12px]/4"><code className="font-mono text-fg-3">{actionRow(action).operation}</code>{data.Origin === 'AWS_CLOUDHSM' && <HardwareBadge />}</span></span>
        <IconButton label="Close" disabled={busy} onClick={onClose}><X size={16} strokeWidth={1.6} /></IconButton>
      </div>
      <Segmented label="Action" value={action} options={actionsOf(data.KeyState === 'Unavailable' ? { ...data, KeyState: 'Enabled' } : data).map((one) => [one, actionRow(one).label] as const)} onPick={(next) => { if (!busy) setAction(next); }} />
    </div>
  );
  return (
    <Dialog sheet title={`${actionRow(action).verb} ${row.name}`} head={head} held={busy} onClose={onClose}>
      {action === 'file' ? <FileForm keyId={keyId} reference={row.aliases[0] ?? keyId} onBusy={setBusy} />
      : action === 'request' ? <RequestForm value={data} reference={row.aliases[0] ?? keyId} name={row.name} />
      : <UseForm key={action} action={action} value={data} reference={row.aliases[0] ?? keyId} onOther={setAction} />}
    </Dialog>
  );
}

interface UseFormProps {
  readonly action: BytesAction;
  readonly value: KeyMetadata;
  readonly reference: string;
  readonly onOther: (action: UseAction) => void;
}

function UseForm({ action, value, reference, onOther }: UseFormProps) {
  const queries = useQueryClient();
  const algorithms = offered(value.KeySpec, value.KeyUsage, value.Origin === 'AWS_CLOUDHSM');
  const [algorithm, setAlgorithm] = useState<Algorithm | undefined>(algorithms.find((name) => name.endsWith('OAEP_SHA_256')) ?? algorithms[0]);
  const [rows, setRows] = useState<readonly ContextRow[]>([]);
  const [dataKeySpec, setDataKeySpec] = useState<'AES_256' | 'AES_128'>('AES_256');
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<{ readonly input?: string; readonly proof?: string; readonly context?: string }>({});
  const [failed, setFailed] = useState<{ readonly error: CallError; readonly requestId: string }>();
  /** What failed for want of the token: connecting goes on with it, unless the module stopped in the middle of it. */
  const [gate, setConnectFor] = useState<{ readonly error: CallError; readonly requestId: string }>();
  const [reconnected, setReconnected] = useState(false);
  const storeId = value.Origin === 'AWS_CLOUDHSM' ? value.CustomKeyStoreId : undefined;
  const [outcome, setOutcome] = useState<Omit<Outcome, 'secret'> & { readonly hasSecret: boolean; readonly file?: string | undefined; readonly serial: number }>();
  const input = useRef<BytesHandle>(null);
  const proof = useRef<BytesHandle>(null);
  // The value itself is never part of a state: only that there is one.
  const secret = useRef<SecretBytes>(undefined);
  const serial = useRef(0);
  const alive = useRef(true);
  const wipe = useCallback(() => { secret.current?.[Symbol.dispose](); secret.current = undefined; }, []);
  const read = useCallback(() => secret.current, []);
  useEffect(() => {
    alive.current = true;
    return () => { alive.current = false; wipe(); };
  }, [wipe]);
  const { Copies, Picks } = useWindow();
  const copying = useCopyValue();
  const { input: inputLabel, proof: proofLabel, act, nothing } = WORDS[action];
  const symmetric = algorithm === 'SYMMETRIC_DEFAULT';
  const signs = action === 'sign' || action === 'verify';
  const digests = signs && algorithm !== undefined && takesDigest(algorithm);
  const limit = action === 'encrypt' && algorithm ? encryptLimit(value, algorithm) : (BASE64_LIMITS[action] ?? LIMIT);

  const forget = (): void => {
    wipe();
    setConnectFor(undefined);
    setReconnected(false);
    copying.forget();
    setOutcome(undefined);
    setFailed(undefined);
    setProblems({});
  };
  const isContext = (): boolean => {
    const context = symmetric ? contextProblem(rows) : undefined;
    if (context !== undefined) setProblems({ context });
    return context === undefined;
  };
  const over = digests ? 'Longer than fits whole: its digest is computed and signed.' : action === 'encrypt' && symmetric ? 'Too long to encrypt at once: encrypt it as a file, or under a data key.' : undefined;
  const refuseExcess = (): void => {
    setProblems({ input: over ?? `Too long: at most ${byteCount(limit)} go at once.` });
    input.current?.focus();
  };
  const submit = async (): Promise<void> => {
    forget();
    if (!isContext()) return;
    const picked = input.current?.picked();
    const given = picked ? undefined : await input.current?.read();
    const shown = await proof.current?.read();
    if (given && 'problem' in given) { setProblems({ input: given.problem }); return; }
    if (shown && 'problem' in shown) { setProblems({ proof: shown.problem }); return; }
    if (given && given.bytes.length > limit && !digests) { refuseExcess(); return; }
    setBusy(true);
    const answer = await run({ action, key: value, algorithm, context: contextOf(rows), dataKeySpec, input: given?.bytes, path: picked?.path, proof: shown?.bytes });
    void refreshUse(queries, value.KeyId);
    if (!alive.current) {
      if (answer.ok) answer.outcome.secret?.[Symbol.dispose]();
      return;
    }
    setBusy(false);
    if (!answer.ok) {
      setFailed(answer);
      if (storeId !== undefined && (isUndone(answer.error) || isCrash(answer.error))) setConnectFor(answer);
      return;
    }
    const { secret: came, ...rest } = answer.outcome;
    secret.current = came;
    serial.current += 1;
    setOutcome({ ...rest, hasSecret: came !== undefined, file: picked?.path ?? given?.file, serial: serial.current });
    if (action === 'encrypt') input.current?.clear();
  };
  /** Past this page: it is told of the value's length alone. */
  const decryptAndCopy = async (): Promise<void> => {
    forget();
    if (!isContext()) return;
    const given = await input.current?.read();
    if (given && 'problem' in given) { setProblems({ input: given.problem }); return; }
    if (!given) return;
    if (given.bytes.length > limit) { refuseExcess(); return; }
    const Input = { KeyId: value.KeyId, CiphertextBlob: toText(given.bytes, 'base64'), EncryptionAlgorithm: algorithm, ...(symmetric ? { EncryptionContext: contextOf(rows) } : {}) };
    await copying.run(() => client.window.copyOutput({ Operation: 'kms:Decrypt', Input, Field: 'Plaintext' }));
    void refreshUse(queries, value.KeyId);
  };
  const asked = useRef(false);
  useEffect(() => {
    if (action !== 'public-key' || asked.current) return;
    asked.current = true;
    void submit();
  });

  const command = commandFor({ action, key: reference, algorithm, context: contextOf(rows), dataKeySpec, input: outcome?.file, digest: outcome?.digest === true });
  const onConnected = (already: boolean): void => {
    setConnectFor(undefined);
    // What failed with the token there fails again; what the module stopped in is the person's to ask for anew.
    if (already || !gate) return;
    if (!isCrash(gate.error)) void submit();
    else {
      setFailed(undefined);
      setReconnected(true);
    }
  };
  return (
    <>
    {gate && storeId !== undefined && <section aria-label="Connect the token" className="px-5 pt-4 pb-1"><ConnectGate key={gate.requestId} storeId={storeId} onConnected={onConnected} /></section>}
    <form className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 pt-4 pb-5" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
      {inputLabel !== undefined && (
        <BytesInput
          ref={input}
          label={inputLabel}
          limit={limit}
          encoding={BASE64_LIMITS[action] === undefined ? 'text' : 'base64'}
          problem={problems.input}
          pem={PEMS[action]}
          over={over}
          pick={signs && Picks ? pickFile : undefined}
          onChange={() => { if (failed || outcome?.verdict || problems.input) forget(); }}
        />
      )}
      {action === 'encrypt' && symmetric && <p className="-mt-2 text-[12px] text-fg-3">For more than 4,096 bytes, <button type="button" className={LINK} onClick={() => { onOther('file'); }}>encrypt a file</button> or <button type="button" className={LINK} onClick={() => { onOther('data-key'); }}>make a data key</button>.</p>}
      {proofLabel !== undefined && <BytesInput ref={proof} label={proofLabel} limit={6144} encoding="base64" rows={3} problem={problems.proof} onChange={() => { if (failed || outcome || problems.proof) forget(); }} />}
      {algorithms.length > 1 && algorithm && action !== 'public-key' && <SelectField label="Algorithm" value={algorithm} options={algorithms.map((name) => [name, name] as const)} onPick={setAlgorithm} hint={action === 'verify' || action === 'decrypt' ? 'The one that it was made with' : undefined} />}
      {action === 'data-key' && <SelectField label="Length" value={dataKeySpec} options={[['AES_256', '32 bytes, for AES-256'], ['AES_128', '16 bytes, for AES-128']]} onPick={setDataKeySpec} />}
      {symmetric && action !== 'public-key' && <ContextRows rows={rows} problem={problems.context} onChange={(next) => { setRows(next); if (failed || problems.context !== undefined) forget(); }} />}
      {action !== 'public-key' && (
        <div className="flex flex-wrap items-center gap-2">
          <Button kind="primary" tall type="submit" busy={busy}>{busy ? `${act}…` : act}</Button>
          {action === 'decrypt' && Copies && <Button tall busy={busy || copying.busy} icon={<Copy size={14} strokeWidth={1.6} />} onClick={() => { void decryptAndCopy(); }}>Copy without showing</Button>}
          {copying.chip}
        </div>
      )}
      {copying.error && <InlineError error={copying.error} consequence="Nothing was copied." />}
      {failed && <InlineError error={failed.error} requestId={failed.requestId} consequence={storeId !== undefined && isCrash(failed.error) ? 'No result was given out, and the token was not asked again.' : nothing} />}
      {reconnected && <p role="status" className="tint-ok rounded-card px-3 py-2.5">Connected again. {act} when you want it done anew.</p>}
      {outcome && (
        <section key={outcome.serial} aria-label="Result" className="flex flex-col gap-4 pt-1">
          {outcome.verdict && <Verdict title={outcome.verdict[0]} about={outcome.verdict[1]} />}
          {outcome.hasSecret && (
            <div>
              <SecretField label={SECRETS[action] ?? 'Plaintext'} secret={read} />
              <p className="mt-1.5 text-[12px]/4 text-fg-3">{Copies ? '' : 'It cannot be copied from here: the vault reaches no clipboard on this desktop. '}To put it into a file, use the command line below.</p>
            </div>
          )}
          {outcome.public && <PublicResult {...outcome.public} />}
          {outcome.facts?.map(([name, fact]) => (
            <div key={name}><h3 className="mb-1 text-[12px]/4 font-medium text-fg-2">{name}</h3><p className="flex items-center gap-1"><code className="font-mono text-[12px] break-all">{fact}</code><CopyButton text={fact} what="the fingerprint" /></p></div>
          ))}
        </section>
      )}
      <div className="mt-auto pt-2"><CommandLine command={command} /></div>
    </form>
    </>
  );
}
