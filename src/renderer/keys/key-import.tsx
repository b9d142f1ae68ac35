/** Bringing key material: a wrapping key to take away, and what was wrapped with it to bring back. */
import { useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Output } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { fitsWrapping, WRAPPING_ALGORITHM_NAMES, wrappingOf, type WrappingAlgorithm, type WrappingKeySpec } from '../../shared/model/wrapping.ts';
import { client } from '../client.ts';
import { canSave, saveFile } from '../clipboard.ts';
import { useNow } from '../clock.ts';
import { left } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { SelectField } from '../parts/field.tsx';
import { BytesInput, type BytesHandle } from '../use/bytes-input.tsx';
import { refreshKey, useKey, useKeys } from './data.ts';
import { wrappingLines } from './wrapping-lines.ts';

type Parameters = Output<'kms:GetParametersForImport'> & { readonly algorithm: WrappingAlgorithm };
const DAY = 86_400;
const SIZES: readonly (readonly [WrappingKeySpec, string])[] = [['RSA_4096', 'RSA 4096, the best'], ['RSA_3072', 'RSA 3072'], ['RSA_2048', 'RSA 2048, for old devices']];
const LIVES = [['0', 'Stays until it is deleted'], ['30', 'Goes after 30 days'], ['90', 'Goes after 90 days'], ['365', 'Goes after a year']] as const;

export function ImportMaterial({ keyId, onClose }: { readonly keyId: string; readonly onClose: () => void }) {
  const { data } = useKey(keyId);
  const name = useKeys().rows?.find((one) => one.id === keyId)?.name ?? keyId.slice(0, 8);
  /** `brought`: from an earlier visit, with its token in a file. */
  const [taken, setTaken] = useState<Parameters | 'brought'>();
  if (!data) return null;
  return (
    <Dialog title={`Import key material into ${name}`} onClose={onClose} className="w-[540px]">
      {taken === undefined ? <Take value={data} onTaken={setTaken} onClose={onClose} /> : <Bring value={data} taken={taken} onClose={onClose} />}
    </Dialog>
  );
}

const formOf = ({ KeySpec }: KeyMetadata): string => (KeySpec === 'SYMMETRIC_DEFAULT' ? '32 random bytes' : KeySpec.startsWith('HMAC') ? `${String(Number(KeySpec.slice(5)) / 8)} random bytes` : 'the private key as PKCS #8 in DER');

function Take({ value, onTaken, onClose }: { readonly value: KeyMetadata; readonly onTaken: (taken: Parameters | 'brought') => void; readonly onClose: () => void }) {
  const [size, setSize] = useState<WrappingKeySpec>('RSA_4096');
  const fitting = WRAPPING_ALGORITHM_NAMES.filter((one) => fitsWrapping(value.KeySpec, one, size));
  const [picked, setPicked] = useState<WrappingAlgorithm>();
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const algorithm = picked !== undefined && fitting.includes(picked) ? picked : fitting[0];
  if (algorithm === undefined) return null;
  const get = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.kms.getParametersForImport({ KeyId: value.KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: size });
    setBusy(false);
    if (answer.ok) onTaken({ ...answer.output, algorithm });
    else setError(answer.error);
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (!busy) void get(); }}>
      <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
        <p className="text-fg-2">You take a wrapping key with you, encrypt {formOf(value)} to it where the material is, and bring the result back within 24 hours. The other half of the wrapping key never leaves this vault.</p>
        <SelectField label="Wrapping key" value={size} options={SIZES} onPick={setSize} />
        <SelectField label="Algorithm" value={algorithm} options={fitting.map((one) => [one, one] as const)} onPick={setPicked} hint={wrappingOf(algorithm).aes ? 'An AES key is wrapped by RSA, and your material by that AES key' : 'RSA wraps your material itself'} />
        {error && <InlineError error={error} consequence="No wrapping key was made." />}
      </div>
      <DialogFoot>
        <Button tall onClick={onClose}>Cancel</Button>
        <Button tall onClick={() => { onTaken('brought'); }}>I have wrapped it already</Button>
        <Button tall kind="primary" type="submit" busy={busy}>{busy ? 'Making a wrapping key…' : 'Get a wrapping key'}</Button>
      </DialogFoot>
    </form>
  );
}

function Taken({ taken }: { readonly taken: Parameters }) {
  const time = useNow(60_000);
  const [said, setSaid] = useState<string>();
  const save = async (file: string, bytes: Uint8Array): Promise<void> => {
    const how = await saveFile(file, Uint8Array.from(bytes));
    setSaid(how === 'saved' ? `${file} is saved` : how === 'refused' ? `${file} could not be saved` : undefined);
  };
  return (
    <div className="edge rounded-card bg-raised px-3 py-2.5">
      <p>A wrapping key and its token, good for {left(taken.ParametersValidTo * 1000, time)}.</p>
      <div className="mt-2 flex flex-wrap gap-2">
        {canSave() && <Button icon={<Download size={14} strokeWidth={1.6} />} onClick={() => { void save('wrapping-key.der', taken.PublicKey); }}>Save wrapping-key.der</Button>}
        {canSave() && <Button icon={<Download size={14} strokeWidth={1.6} />} onClick={() => { void save('import-token.bin', taken.ImportToken); }}>Save import-token.bin</Button>}
        <CopyButton wide text={wrappingLines(taken.algorithm)} what="what openssl needs" />
      </div>
      <p role="status" className="mt-1.5 text-[12px]/4 text-fg-2">{said ?? 'openssl reads material.bin and writes wrapped.bin. The token is needed only if you close this window before you are back.'}</p>
    </div>
  );
}

function Bring({ value, taken, onClose }: { readonly value: KeyMetadata; readonly taken: Parameters | 'brought'; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const wrapped = useRef<BytesHandle>(null);
  const token = useRef<BytesHandle>(null);
  const [life, setLife] = useState<(typeof LIVES)[number][0]>('0');
  const [fresh, setFresh] = useState<'EXISTING_KEY_MATERIAL' | 'NEW_KEY_MATERIAL'>('EXISTING_KEY_MATERIAL');
  const [problem, setProblem] = useState<string>();
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  const time = useNow(60_000);
  const again = value.KeySpec === 'SYMMETRIC_DEFAULT' && value.CurrentKeyMaterialId !== undefined;

  const bring = async (): Promise<void> => {
    const [material, carried] = [await wrapped.current?.read(), taken === 'brought' ? await token.current?.read() : { bytes: taken.ImportToken }];
    if (!material || 'problem' in material || material.bytes.byteLength === 0 || !carried || 'problem' in carried || carried.bytes.byteLength === 0) {
      setProblem('Both the wrapped material and its token are needed, as files or in base64.');
      return;
    }
    setProblem(undefined);
    setBusy(true);
    const days = Number(life);
    const answer = await client.kms.importKeyMaterial({
      KeyId: value.KeyId,
      ImportToken: carried.bytes,
      EncryptedKeyMaterial: material.bytes,
      ...(days === 0 ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' } : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: Math.floor(time / 1000) + days * DAY }),
      ...(again ? { ImportType: fresh } : {}),
    });
    setBusy(false);
    if (!answer.ok) {
      setError(answer.error);
      return;
    }
    await refreshKey(queries, value.KeyId);
    onClose();
  };

  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (!busy) void bring(); }}>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        {taken !== 'brought' && <Taken taken={taken} />}
        <BytesInput ref={wrapped} label="Wrapped material" limit={6144} encoding="base64" rows={3} />
        {taken === 'brought' && <BytesInput ref={token} label="Import token" limit={6144} encoding="base64" rows={3} />}
        {again && <SelectField label="Which material is it?" value={fresh} options={[['EXISTING_KEY_MATERIAL', 'One that the key has had'], ['NEW_KEY_MATERIAL', 'A new one, for the next rotation']]} onPick={setFresh} />}
        <SelectField label="How long" value={life} options={LIVES} onPick={setLife} hint="Without its material the key cannot be used; only the same material brings it back" />
        {problem !== undefined && <p role="alert" className="text-[12px]/4 text-danger">{problem}</p>}
        {error && <InlineError error={error} consequence="Nothing was imported." />}
      </div>
      <DialogFoot><Button tall onClick={onClose} disabled={busy}>Cancel</Button><Button tall kind="primary" type="submit" busy={busy}>{busy ? 'Importing…' : 'Import key material'}</Button></DialogFoot>
    </form>
  );
}
