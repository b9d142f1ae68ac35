/** The door for AWS clients: open or closed, where, and what a shell is told. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { CallError } from '../../shared/api/client.ts';
import type { Input } from '../../shared/api/index.ts';
import { exportLine, profileOf, variablesOf } from '../../shared/model/aws-variables.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { InlineError } from '../parts/feedback.tsx';
import { FIELD } from '../parts/field.tsx';
import { Setting, SettingsCard, Toggle } from '../settings/parts.tsx';
import { useVault } from '../vault/context.ts';
import { refreshAccess, type Door } from './data.ts';

const STATE_WORDS: Readonly<Record<Door['State'], string>> = { open: 'Open on this machine', closed: 'Closed', failed: 'Closed, though it is to be open' };

export function DoorCard({ door }: { readonly door: Door }) {
  const { readOnly } = useVault();
  const queries = useQueryClient();
  const [failed, setFailed] = useState<CallError>();
  const change = async (input: Input<'access:UpdateAwsDoor'>): Promise<void> => {
    const answer = await client.access.updateAwsDoor(input);
    setFailed(answer.ok ? undefined : answer.error);
    await refreshAccess(queries);
  };
  return (
    <SettingsCard title="Door">
      <Setting name={STATE_WORDS[door.State]} about={door.State === 'failed' && door.Problem !== undefined ? sentence(door.Problem) : 'AWS SDKs, the AWS CLI and their kin come in here, each with an access key of its own'}>
        {!readOnly && <Toggle label="Door for AWS clients" on={door.Open} onChange={(on) => { void change({ Open: on }); }} />}
      </Setting>
      <Setting name="Endpoint" about={`Region ${door.Region} unless a client says another, account ${door.Account}`}>
        <span className="flex items-center gap-1"><code className="font-mono text-[12px]">{door.Endpoint}</code><CopyButton text={door.Endpoint} what="the endpoint" /></span>
      </Setting>
      {!readOnly && (
        <>
          <Setting name="Port" about="On 127.0.0.1; Enter saves">
            <form className="w-28" onSubmit={(event) => { event.preventDefault(); void change({ Port: Number(new FormData(event.currentTarget).get('port')) }); }}>
              <input name="port" type="number" min={1024} max={65_535} aria-label="Port" key={door.Port} defaultValue={door.Port} className={FIELD} />
            </form>
          </Setting>
          <Setting name="TLS" about={door.Tls ? 'With a certificate of this vault’s own authority, good for this machine only' : 'Plain HTTP: whoever can watch this machine’s loopback reads what is asked and answered'}>
            <Toggle label="TLS" on={door.Tls} onChange={(on) => { void change({ Tls: on }); }} />
          </Setting>
        </>
      )}
      {door.State === 'open' && (
        <Setting name="For AWS’s tools" about="Endpoint, region and authority, for a shell or ~/.aws/config; the access key was shown when its client was made">
          <span className="flex flex-wrap justify-end gap-2">
            <CopyButton wide text={variablesOf(door).map(([name, value]) => exportLine(name, value)).join('')} what="the environment" />
            <CopyButton wide text={profileOf(door, 'keystead')} what="a profile" />
          </span>
        </Setting>
      )}
      {failed && <div className="p-3"><InlineError error={failed} consequence="The door is as it was." /></div>}
    </SettingsCard>
  );
}
