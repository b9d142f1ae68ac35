/** A certificate request: who the key is to be certified as. The key signs it; an authority makes the certificate. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Input } from '../../shared/api/index.ts';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import type { Algorithm } from '../../shared/model/algorithms.ts';
import { client } from '../client.ts';
import { ConnectGate } from '../hardware/connect-gate.tsx';
import { isCrash, isUndone } from '../hardware/connect.ts';
import { refreshUse } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { FIELD, Labelled, SelectField, TextField } from '../parts/field.tsx';
import { namesIn, PARTS, requestAlgorithms, requestCommand, saying, type RequestInput, type SubjectPart } from './request-words.ts';
import { CommandLine, PublicResult } from './result.tsx';

interface RequestFormProps {
  readonly value: KeyMetadata;
  readonly reference: string;
  readonly name: string;
}

const HINTS: Partial<Record<SubjectPart, string>> = { CommonName: 'What the certificate is for, such as build.example.com', Country: 'Two letters, such as DE' };

export function RequestForm({ value, reference, name }: RequestFormProps) {
  const queries = useQueryClient();
  const algorithms = requestAlgorithms(value.KeySpec);
  const [subject, setSubject] = useState<Partial<Record<SubjectPart, string>>>({});
  const [names, setNames] = useState('');
  const [algorithm, setAlgorithm] = useState<Algorithm | undefined>(algorithms[0]);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<{ readonly error: CallError; readonly requestId: string }>();
  const [pem, setPem] = useState<string>();
  const [nothing, setNothing] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const given: RequestInput = { ...Object.fromEntries(PARTS.flatMap(([part]) => { const text = subject[part]?.trim() ?? ''; return text === '' ? [] : [[part, text]]; })), ...namesIn(names) };
  const says = saying(given);
  const storeId = value.Origin === 'AWS_CLOUDHSM' ? value.CustomKeyStoreId : undefined;
  const forget = (): void => { setPem(undefined); setFailed(undefined); setNothing(false); };
  const submit = async (): Promise<void> => {
    forget();
    if (says.length === 0) {
      setNothing(true);
      first.current?.focus();
      return;
    }
    setBusy(true);
    const answer = await client.file.generateCertificateRequest({ KeyId: value.KeyId, ...given, SigningAlgorithm: algorithm as NonNullable<Input<'file:GenerateCertificateRequest'>['SigningAlgorithm']> });
    void refreshUse(queries, value.KeyId);
    setBusy(false);
    if (answer.ok) setPem(answer.output.CertificateRequest);
    else setFailed(answer);
  };
  const gate = failed && storeId !== undefined && isUndone(failed.error) ? failed : undefined;
  return (
    <>
      {gate && storeId !== undefined && <section aria-label="Connect the token" className="px-5 pt-4 pb-1"><ConnectGate key={gate.requestId} storeId={storeId} onConnected={(already) => { if (!already) void submit(); }} /></section>}
      <form className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 pt-4 pb-5" onSubmit={(event) => { event.preventDefault(); if (!busy) void submit(); }}>
        <p className="text-fg-2">An authority makes a certificate out of it. The request holds the public key and these names, and is signed by the key; it is no secret.</p>
        {/* What is shown beside the request is what it says: nothing changes while it is signed. */}
        <fieldset disabled={busy} className="contents">
          <div className="grid grid-cols-2 gap-x-3 gap-y-3.5 max-[560px]:grid-cols-1">
            {PARTS.map(([part, label, , most], i) => (
              <div key={part} className={i === 0 ? 'col-span-full' : ''}>
                <TextField
                  ref={i === 0 ? first : undefined}
                  label={label}
                  value={subject[part] ?? ''}
                  maxLength={most}
                  {...(HINTS[part] === undefined ? {} : { hint: HINTS[part] })}
                  error={nothing && i === 0 ? 'A request needs a part of the subject, or another name.' : undefined}
                  onChange={(event) => { forget(); setSubject({ ...subject, [part]: part === 'Country' ? event.target.value.toUpperCase() : event.target.value }); }}
                />
              </div>
            ))}
          </div>
          <Labelled label="Other names" hint="Host names, IP addresses, e-mail addresses; one a line. Browsers look at these alone.">
            {(ids) => <textarea {...ids} rows={3} value={names} spellCheck={false} autoComplete="off" autoCapitalize="off" className={`${FIELD} block h-auto resize-y py-2 font-mono text-[12.5px]/[18px]`} onChange={(event) => { forget(); setNames(event.target.value); }} />}
          </Labelled>
          {algorithms.length > 1 && algorithm && <SelectField label="Signed with" value={algorithm} options={algorithms.map((one) => [one, one] as const)} onPick={(one) => { forget(); setAlgorithm(one); }} />}
        </fieldset>
        {says.length > 0 && (
          <section aria-label="What it says">
            <h3 className="mb-1.5 text-[12px]/4 font-medium text-fg-2">It will say</h3>
            <dl className="edge grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-card bg-raised px-3 py-2 text-[12px]/[18px] [[data-theme=light]_&]:bg-panel">
              {says.map(([what, text]) => <div key={what} className="contents"><dt className="text-fg-3">{what}</dt><dd className="min-w-0 font-mono break-words"><bdi>{text}</bdi></dd></div>)}
            </dl>
          </section>
        )}
        <Button kind="primary" tall type="submit" className="self-start" busy={busy}>{busy ? 'Signing the request…' : 'Make the request'}</Button>
        {failed && !gate && <InlineError error={failed.error} requestId={failed.requestId} consequence={storeId !== undefined && isCrash(failed.error) ? 'No request was given out, and the token was not asked again.' : 'No request was made.'} />}
        {pem !== undefined && <section aria-label="Result"><PublicResult label="Certificate request" bytes={new TextEncoder().encode(pem)} text={pem} file={`${name.replace(/[^A-Za-z0-9._-]+/g, '-')}.csr`} /></section>}
        <div className="mt-auto pt-2"><CommandLine command={requestCommand(reference, given, algorithm === algorithms[0] ? undefined : algorithm)} /></div>
      </form>
    </>
  );
}
