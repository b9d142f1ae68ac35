/** What is on a token: keys of this vault, keys that were there before and can be adopted, certificates. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ArrowRight, Import } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { KeyUsage } from '../../shared/model/algorithms.ts';
import { isAliasName } from '../../shared/model/ids.ts';
import { client } from '../client.ts';
import { plural, specName, tailOf, usageWords } from '../format.ts';
import { refreshKey, useKeys } from '../keys/data.ts';
import { Button } from '../parts/button.tsx';
import { errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import { KeyGlyph } from '../pictures/key-glyph.tsx';
import { certificateName } from './certificate-words.ts';
import { CertificateList } from './certificates.tsx';
import { refreshHardware, useTokenKeys, type KeyStore, type Token, type TokenCertificate, type TokenKey } from './data.ts';
import { UnrecordedKey } from './unrecorded-key.tsx';
import { statedWords } from './words.ts';

interface TokenKeysProps {
  readonly token: Token;
  readonly store: KeyStore | undefined;
  readonly changeable: boolean;
  readonly onLogIn: (() => void) | undefined;
}

export function TokenKeys(props: TokenKeysProps) {
  const { token, onLogIn } = props;
  if (!token.LoggedIn) return <div className="flex flex-wrap items-center gap-3"><p className="flex-1 text-fg-2">A token shows its keys to whoever gives its PIN.</p>{onLogIn && <Button onClick={onLogIn}>Give the PIN…</Button>}</div>;
  return <Inventory {...props} />;
}

function Inventory({ token, store, changeable }: TokenKeysProps) {
  const { data, error } = useTokenKeys(token);
  const from = useMemo(() => ({ Serial: token.Serial, Label: token.Label }), [token.Serial, token.Label]);
  const labels = useMemo(() => new Map(data?.Keys.map(({ Id, Label }) => [Id, Label === '' ? Id : Label])), [data]);
  if (error) return <InlineError error={errorOf(error)} />;
  if (!data) return <div className="late"><ProgressRow label="Reading what is on the token" /></div>;
  const keys = data.Keys.filter(({ State }) => State !== 'cluster');
  const theCluster = data.Keys.length - keys.length;
  const certificates = data.Certificates;
  const why = store === undefined ? 'Make a key store in this token to adopt keys that are on it.' : store.ConnectionState === 'CONNECTED' ? undefined : 'Connect the key store to adopt keys that are on the token.';
  const hasOthers = keys.some(({ KeyId }) => KeyId === undefined);
  return (
    <div className="flex flex-col gap-3">
      {keys.length === 0 && <p className="text-fg-2">No key is on it yet.</p>}
      {hasOthers && changeable && why !== undefined && <p className="text-fg-2">{why}</p>}
      {keys.length > 0 && <ul className="edge divide-y divide-line rounded-control">{keys.map((one) => <KeyRow key={`${one.Id} ${one.Label}`} of={one} isAlone={keys.every((other) => other === one || other.Label !== one.Label)} certificates={certificates.filter(({ Of }) => Of?.Id === one.Id && Of.Match !== 'otherKey')} storeId={changeable && why === undefined ? store?.CustomKeyStoreId : undefined} />)}</ul>}
      {theCluster > 0 && <p className="text-[12px]/4 text-fg-2">And {plural(theCluster, 'key')} of the cluster’s own, which its keys are copied under between its tokens.</p>}
      {certificates.length > 0 && (
        <div>
          <h4 className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Certificates</h4>
          <CertificateList certificates={certificates} from={from} labels={labels} />
        </div>
      )}
    </div>
  );
}

interface KeyRowProps {
  readonly of: TokenKey;
  /** Whether no other key on the token is called so there. */
  readonly isAlone: boolean;
  readonly certificates: readonly TokenCertificate[];
  readonly storeId: string | undefined;
}

function KeyRow({ of, isAlone, certificates, storeId }: KeyRowProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { rows } = useKeys();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<CallError>();
  const own = of.KeyId === undefined ? undefined : tailOf(of.KeyId);
  const name = own === undefined ? (of.Label === '' ? of.Id : `${of.Label}${isAlone ? '' : `, id ${of.Id}`}`) : (rows?.find(({ id }) => id === own)?.name ?? own.slice(0, 8));
  const there = own === undefined || of.Label === '' || of.Label === own || (isAlone && of.Label === name) ? '' : `${of.Label}${isAlone ? '' : `, id ${of.Id},`} on the token`;
  const open = useRef<HTMLButtonElement>(null);
  const before = useRef(own);
  useEffect(() => {
    // The button that adopted it is gone.
    if (before.current === undefined && own !== undefined && document.activeElement === document.body) open.current?.focus();
    before.current = own;
  }, [own]);
  const kind = of.KeySpec === undefined ? 'a kind that KMS does not know' : specName(of.KeySpec);
  const bad = statedWords(of.Stated).filter(({ good }) => good === false);
  const adopt = async (KeyUsage: KeyUsage): Promise<void> => {
    if (storeId === undefined || busy) return;
    setBusy(true);
    const answer = await client.hardware.adoptKey({ CustomKeyStoreId: storeId, Id: of.Id, KeyUsage });
    // It keeps the name that it is known by where that can be an alias and is nobody's; one that is refused leaves it without.
    const AliasName = `alias/${of.Label}`;
    if (answer.ok && isAliasName(AliasName) && !of.Label.startsWith('aws/') && !rows?.some(({ aliases }) => aliases.includes(AliasName))) await client.kms.createAlias({ AliasName, TargetKeyId: answer.output.KeyMetadata.KeyId });
    setBusy(false);
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok) await Promise.all([refreshHardware(queries), refreshKey(queries)]);
  };
  return (
    <li className="px-3 py-2">
      <div className="flex min-h-9 flex-wrap items-center gap-x-3 gap-y-2">
        <KeyGlyph publicId={own ?? of.Id} size="S" state={own === undefined ? 'PendingImport' : 'Enabled'} hardware />
        <div className="min-w-[160px] flex-1">
          <p className="truncate font-medium"><bdi>{name}</bdi> <span className={`font-normal ${of.State === 'notRecorded' ? 'text-warn' : 'text-fg-3'}`}>{of.State === 'notRecorded' ? 'not recorded' : own === undefined ? 'not adopted' : <bdi>{there}</bdi>}</span></p>
          <p className="text-[12px]/4 text-fg-2">{kind}{of.KeyUsages.length > 0 ? `, ${of.KeyUsages.map(usageWords).join('; ')}` : ''}{bad.length > 0 && <span className="text-warn">. {bad.map(({ words }) => words).join('. ')}</span>}</p>
          {certificates.length > 0 && <p className="text-[12px]/4 break-words text-fg-3">Certified as <bdi>{certificates.map(certificateName).join(', ')}</bdi></p>}
        </div>
        {own !== undefined && <Button ref={open} kind="ghost" aria-label={`Open ${name}`} icon={<ArrowRight size={14} strokeWidth={1.6} />} onClick={() => { void navigate({ to: '/keys', search: { key: own } }); }}>Open</Button>}
        {own === undefined && storeId !== undefined && of.KeySpec !== undefined && of.KeyUsages.map((usage) => (
          <Button key={usage} busy={busy} aria-label={of.KeyUsages.length > 1 ? `Adopt, to ${usageWords(usage)}: ${name}` : `Adopt ${name} to ${usageWords(usage)}`} icon={<Import size={14} strokeWidth={1.6} />} onClick={() => { void adopt(usage); }}>{of.KeyUsages.length > 1 ? `Adopt, to ${usageWords(usage)}` : 'Adopt'}</Button>
        ))}
      </div>
      {of.State === 'notRecorded' && <UnrecordedKey of={of} storeId={storeId} />}
      {error && <div className="pt-2"><InlineError error={error} consequence="The key was not adopted; on the token it is as it was." /></div>}
    </li>
  );
}
