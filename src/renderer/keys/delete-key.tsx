/** Scheduling a key's deletion: names the key, says the consequence, the last use and how to take it back. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import { client } from '../client.ts';
import { useNow } from '../clock.ts';
import { day, lossWords } from '../format.ts';
import { HardwareBadge } from '../hardware/parts.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { TextField } from '../parts/field.tsx';
import { refreshKey, useKey, useKeys, useLastUsage } from './data.ts';
import { LastUse } from './last-use.tsx';

const DAY = 86_400_000;

export function DeleteKey({ keyId, onClose }: { readonly keyId: string; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const { data } = useKey(keyId);
  const row = useKeys().rows?.find((one) => one.id === keyId);
  const usage = useLastUsage(keyId, 0);
  const time = useNow(60_000);
  const [days, setDays] = useState('30');
  const [error, setError] = useState<CallError>();
  const [busy, setBusy] = useState(false);
  if (!row || !data) return null;
  const count = Number(days);
  const valid = Number.isInteger(count) && count >= 7 && count <= 30;
  const schedule = async (): Promise<void> => {
    setBusy(true);
    const answer = await client.kms.scheduleKeyDeletion({ KeyId: keyId, PendingWindowInDays: count });
    setBusy(false);
    if (!answer.ok) {
      setError(answer.error);
      return;
    }
    await refreshKey(queries, keyId);
    onClose();
  };
  return (
    <Dialog title={`Schedule deletion of ${row.name}`} onClose={onClose} held={busy}>
      <form onSubmit={(event) => { event.preventDefault(); if (valid && !busy) void schedule(); }}>
        <div className="flex flex-col gap-4 px-5 pt-2 pb-3">
          <p className="text-fg-2">
            It cannot be used from now on, and is destroyed after the waiting time.{' '}
            {lossWords(data.KeyUsage)} Until then you can cancel.
          </p>
          {data.Origin === 'AWS_CLOUDHSM' && <p className="text-fg-2"><HardwareBadge words="In a token" />: it is deleted there, too, if its key store is connected when its time is up. One that was on the token before and was adopted stays there.</p>}
          {!usage.isError && <p><span className="text-fg-2">Last use: </span>{usage.data && !usage.isFetching ? <LastUse value={data} usage={usage.data} at={time} /> : <span className="text-fg-2">Reading…</span>}</p>}
          <div className="w-44"><TextField label="Days to wait" type="number" min={7} max={30} value={days} onChange={(event) => { setDays(event.target.value); }} error={valid ? undefined : 'From 7 to 30 days.'} hint={valid ? `It is destroyed on ${day(time + count * DAY)}` : undefined} /></div>
          {error && <InlineError error={error} consequence="The key is as it was." />}
        </div>
        <DialogFoot><Button tall onClick={onClose} disabled={busy}>Keep the key</Button><Button tall kind="danger" type="submit" disabled={!valid} busy={busy}>Schedule deletion</Button></DialogFoot>
      </form>
    </Dialog>
  );
}
