/** Token: where a key is, what its token says of it, and what the token did when it was put to the test. */
import { CircleAlert, CircleCheck, CircleHelp } from 'lucide-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { sentence } from '../format.ts';
import { CertificateList } from '../hardware/certificates.tsx';
import { useKeyStores, useTokenKey, refreshTokens, type Stated } from '../hardware/data.ts';
import { StateSaid } from '../hardware/parts.tsx';
import { statedWords, storeState, wrapVerdicts } from '../hardware/words.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { errorOf, InlineError, ProgressRow } from '../parts/feedback.tsx';
import type { KeyRow } from './data.ts';

const ICON = { size: 15, strokeWidth: 1.6, 'aria-hidden': true } as const;
const H3 = 'mb-2 text-[12.5px]/[18px] font-semibold';

export function KeyToken({ row, value }: { readonly row: KeyRow; readonly value: KeyMetadata }) {
  const navigate = useNavigate();
  const store = useKeyStores().data?.find(({ CustomKeyStoreId }) => CustomKeyStoreId === value.CustomKeyStoreId);
  return (
    <div className="flex flex-col gap-6 pt-5">
      <section>
        <h3 className={H3}>Key store</h3>
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">{store ? <><bdi className="font-medium">{store.CustomKeyStoreName}</bdi><StateSaid said={storeState(store)} /></> : <code className="font-mono text-[12px]">{value.CustomKeyStoreId}</code>}<Button kind="ghost" onClick={() => { void navigate({ to: '/hardware' }); }}>Show in Hardware</Button></p>
      </section>
      {value.KeyState === 'Unavailable' ? <p className="text-fg-2">The token is asked for the rest once its key store is connected.</p> : <Told row={row} />}
    </div>
  );
}

function Told({ row }: { readonly row: KeyRow }) {
  const queries = useQueryClient();
  const { data, error, isFetching } = useTokenKey(row.id);
  const from = useMemo(() => ({ KeyId: row.id }), [row.id]);
  if (error) return <InlineError error={errorOf(error)}><Button kind="ghost" onClick={() => { void refreshTokens(queries); }}>Ask again</Button></InlineError>;
  if (!data) return <ProgressRow label="Asking the token, and putting it to the test" />;
  return (
    <>
      <section>
        <h3 className={H3}>{data.Copies ? 'What each token says of it' : 'What the token says of it'} <span className="font-normal text-fg-3">its word, and no proof</span></h3>
        {data.Copies ? (
          <div className="flex flex-col gap-4">
            {data.Copies.map(({ CloudHsmClusterId, Label, Origin, Stated: stated }) => (
              <section key={CloudHsmClusterId} aria-label={`On ${Label}`}>
                <h4 className="mb-1.5 font-medium"><bdi>{Label}</bdi> <span className="font-normal text-fg-2">{Origin === 'cloned' ? 'cloned, not local' : 'made in this token'}</span></h4>
                <StatedList stated={stated} />
              </section>
            ))}
          </div>
        ) : <StatedList stated={data.Stated} />}
      </section>
      <section>
        <h3 className={H3}>What Keystead tested <span className="font-normal text-fg-3">just now</span></h3>
        <ul className="flex flex-col gap-2">
          {wrapVerdicts(data.Tested).map(({ good, words, mechanisms }) => (
            <li key={words} className={`flex gap-2.5 ${good === false ? 'tint-danger rounded-card px-3 py-2.5' : ''}`}>
              <Mark good={good} bad="text-danger" />
              <span>{words}{mechanisms.length > 0 && <> <code className="font-mono text-[12px]">{mechanisms.join(', ')}</code></>}</span>
            </li>
          ))}
        </ul>
        <Button className="mt-3" busy={isFetching} onClick={() => { if (!isFetching) void refreshTokens(queries); }}>Test again</Button>
      </section>
      {data.Certificates.length > 0 && (
        <section>
          <h3 className={H3}>Certificates <span className="font-normal text-fg-3">on the token, as they say themselves</span></h3>
          <CertificateList certificates={data.Certificates} from={from} />
        </section>
      )}
      {(data.Adopted || data.Notes.length > 0) && (
        <section>
          <h3 className={H3}>What Keystead does itself</h3>
          <ul className="flex list-disc flex-col gap-1 pl-4 text-fg-2">
            {data.Adopted && <li>It was on the token before and was adopted: deleting it here leaves it there.</li>}
            {data.Notes.map((note) => <li key={note}>{sentence(note.replaceAll('`', ''))}</li>)}
          </ul>
        </section>
      )}
      <section>
        <h3 className={H3}>URI <span className="font-normal text-fg-3">RFC 7512, without the PIN</span></h3>
        <p className="flex items-start gap-1.5"><code className="min-w-0 font-mono text-[12px] break-all">{data.Uri}</code><CopyButton text={data.Uri} what="the URI" /></p>
      </section>
    </>
  );
}

/** `good` undefined: not known. */
const Mark = ({ good, bad }: { readonly good: boolean | undefined; readonly bad: string }) =>
  good === undefined ? <CircleHelp {...ICON} className="mt-0.5 shrink-0 text-fg-3" /> : good ? <CircleCheck {...ICON} className="mt-0.5 shrink-0 text-ok" /> : <CircleAlert {...ICON} className={`mt-0.5 shrink-0 ${bad}`} />;

const StatedList = ({ stated }: { readonly stated: Stated }) => (
  <ul className="grid grid-cols-[repeat(auto-fill,minmax(230px,1fr))] gap-x-6 gap-y-1.5">
    {statedWords(stated).map(({ name, words, good }) => (
      <li key={name} className="flex items-start gap-2">
        <Mark good={good} bad="text-warn" />
        <span>{words}</span>
      </li>
    ))}
  </ul>
);
