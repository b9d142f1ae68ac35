/** Certificates on a token: what each says of itself, which key it goes with, and its PEM to take along. */
import { FileBadge, FileQuestion, FileWarning } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Input } from '../../shared/api/index.ts';
import { client } from '../client.ts';
import { useNow } from '../clock.ts';
import { tailOf } from '../format.ts';
import { useKeys } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError, ProgressRow } from '../parts/feedback.tsx';
import { useRequest } from '../parts/request.ts';
import { PublicResult } from '../use/result.tsx';
import { certificateName, fileName, goesWith, spanOf, UNREADABLE } from './certificate-words.ts';
import type { TokenCertificate } from './data.ts';

/** Where it is asked for: a key of this vault, or a token. */
export type CertificatePlace = Pick<Input<'hardware:ExportCertificate'>, 'KeyId' | 'Serial' | 'Label'>;

interface CertificateListProps {
  readonly certificates: readonly TokenCertificate[];
  readonly from: CertificatePlace;
  /** Labels of keys on the token, by CKA_ID; absent on the page of a key, which need not be named. */
  readonly labels?: ReadonlyMap<string, string>;
}

export function CertificateList({ certificates, from, labels }: CertificateListProps) {
  const [shown, setShown] = useState<TokenCertificate>();
  return (
    <>
      <ul className="edge divide-y divide-line rounded-control">{certificates.map((one, i) => <Row key={`${one.Sha256 ?? ''} ${String(i)}`} of={one} labels={labels} onShow={() => { setShown(one); }} />)}</ul>
      {shown && <Export of={shown} from={from} onClose={() => { setShown(undefined); }} />}
    </>
  );
}

function Row({ of, labels, onShow }: { readonly of: TokenCertificate; readonly labels: ReadonlyMap<string, string> | undefined; readonly onShow: () => void }) {
  const at = useNow(60_000);
  const { rows } = useKeys();
  const name = certificateName(of);
  const readable = of.State === 'readable';
  const own = of.Of?.KeyId === undefined ? undefined : tailOf(of.Of.KeyId);
  const ofKey = own === undefined ? labels?.get(of.Of?.Id ?? '') : rows?.find(({ id }) => id === own)?.name;
  const [words, isGood] = goesWith(of, labels ? (ofKey ?? of.Of?.Id) : undefined);
  const span = readable ? spanOf(of, at) : undefined;
  const Icon = !readable ? FileQuestion : isGood ? FileBadge : FileWarning;
  return (
    <li className="flex flex-wrap items-start gap-x-2.5 gap-y-1 px-3 py-2">
      <Icon size={16} strokeWidth={1.6} className={`mt-0.5 shrink-0 ${readable && isGood ? 'text-fg-2' : 'text-warn'}`} aria-hidden="true" />
      <div className="min-w-[180px] flex-1">
        <p className="font-medium break-words"><bdi>{name}</bdi></p>
        {of.State === 'readable' ? (
          <>
            <p className="text-[12px]/[18px] text-fg-2"><span className={isGood ? '' : 'text-warn'}>{words}</span>{span && <span className={{ plain: '', warn: 'text-warn', danger: 'text-danger', ok: '' }[span[1]]}>. {span[0]}</span>}</p>
            <p className="text-[12px]/[18px] break-words text-fg-3">Issued by <bdi>{of.Issuer === '' ? 'nobody that it names' : of.Issuer}</bdi>, serial <code className="font-mono break-all">{of.SerialNumber}</code></p>
          </>
        ) : <p className="text-[12px]/[18px] text-warn">{UNREADABLE[of.State]}</p>}
      </div>
      {readable && <Button kind="ghost" aria-label={`Show ${name} as PEM`} onClick={onShow}>PEM…</Button>}
    </li>
  );
}

function Export({ of, from, onClose }: { readonly of: TokenCertificate; readonly from: CertificatePlace; readonly onClose: () => void }) {
  const { error, send } = useRequest();
  const [pem, setPem] = useState<string>();
  useEffect(() => { void send(() => client.hardware.exportCertificate({ ...from, Sha256: of.Sha256 }), ({ Certificate }) => { setPem(Certificate); return Promise.resolve(); }); }, [send, from, of.Sha256]);
  return (
    <Dialog title={`Certificate of ${certificateName(of)}`} onClose={onClose} className="w-[560px]">
      <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        <p className="text-fg-2">A certificate is public. It says whose the key is, to whoever trusts its issuer; Keystead has not checked who that is.</p>
        {pem === undefined ? error ? <InlineError error={error} consequence="Nothing was given out." /> : <ProgressRow label="Asking the token for it" /> : <PublicResult label="Certificate" bytes={new TextEncoder().encode(pem)} text={pem} file={fileName(of)} />}
        <div><p className="mb-1 text-[12px]/4 font-medium text-fg-2">SHA-256</p><code className="block font-mono text-[12px]/[18px] break-words">{((of.Sha256 ?? '').match(/.{1,8}/g) ?? []).join(' ')}</code></div>
      </div>
      <DialogFoot><Button tall kind="primary" onClick={onClose}>Close</Button></DialogFoot>
    </Dialog>
  );
}
