/** Sets rotation up: what rotates, the strategy, when, with the next runs shown and the connection tried before anything is saved. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck } from 'lucide-react';
import { useState } from 'react';
import type { Input, Output } from '../../shared/api/index.ts';
import type { CallError } from '../../shared/api/client.ts';
import { client, outputOf } from '../client.ts';
import { sentence } from '../format.ts';
import { AuthorityField } from '../parts/authority-field.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog, DialogFoot } from '../parts/dialog.tsx';
import { errorOf, InlineError } from '../parts/feedback.tsx';
import { Check, Segmented, SelectField, TextField } from '../parts/field.tsx';
import { useCommands } from '../settings/commands-data.ts';
import { pathOf, refreshSecrets } from './data.ts';
import { ROTATOR_WORDS, useRotation, type RotatorKind, type Rotation, type Rules } from './rotation-data.ts';
import { NextRuns } from './rotation-tab.tsx';

const CHOICES: readonly RotatorKind[] = ['generic', 'postgres', 'mysql', 'mariadb', 'redis', 'lambda', 'command'];
const DATABASES: ReadonlySet<RotatorKind> = new Set(['postgres', 'mysql', 'mariadb', 'redis']);

const WHEN = [
  ['rate(7 days)', 'Every 7 days'],
  ['rate(30 days)', 'Every 30 days'],
  ['rate(90 days)', 'Every 90 days'],
  ['cron(0 3 * * ? *)', 'Every day at 03:00 UTC'],
  ['cron(0 3 ? * SUN *)', 'Every Sunday at 03:00 UTC'],
  ['', 'Only when I ask for it'],
  ['own', 'By an expression of mine'],
] as const;
type When = (typeof WHEN)[number][0];
const OVERLAPS = [['0', 'No'], ['24', 'Up to a day'], ['168', 'Up to a week'], ['720', 'Up to 30 days']] as const;
type Overlap = (typeof OVERLAPS)[number][0];

const isWhen = (text: string): text is Exclude<When, 'own' | ''> => text !== '' && text !== 'own' && WHEN.some(([value]) => value === text);

interface Draft {
  readonly kind: RotatorKind;
  readonly strategy: 'single' | 'alternating';
  readonly when: When;
  readonly expression: string;
  readonly duration: string;
  readonly length: string;
  readonly member: string;
  readonly url: string;
  readonly authority: string;
  readonly command: string;
  readonly hosts: string;
  readonly overlap: Overlap;
  readonly now: boolean;
}

function draftOf(rotation: Rotation): Draft {
  const { ScheduleExpression: expression, AutomaticallyAfterDays: days, Duration: duration = '' } = rotation.RotationRules ?? {};
  const text = expression ?? (days === undefined ? (rotation.Rotator === undefined ? 'rate(30 days)' : '') : `rate(${String(days)} days)`);
  return {
    kind: rotation.Rotator ?? rotation.Engine ?? 'generic',
    strategy: rotation.Strategy ?? 'single',
    when: text === '' ? '' : isWhen(text) ? text : 'own',
    expression: text,
    duration,
    length: String(rotation.PasswordLength ?? 32),
    member: rotation.Member ?? 'password',
    url: rotation.Url ?? '',
    authority: rotation.CertificateAuthority ?? '',
    command: rotation.Command ?? '',
    hosts: rotation.Hosts?.join(' ') ?? '',
    overlap: OVERLAPS.find(([hours]) => hours === String(rotation.OverlapHours))?.[0] ?? '0',
    now: false,
  };
}

function rulesOf({ when, expression, duration }: Draft): Rules {
  const text = when === 'own' ? expression.trim() : when;
  return text === '' ? {} : { ScheduleExpression: text, ...(duration.trim() === '' ? {} : { Duration: duration.trim() }) };
}

function rotatorOf(name: string, draft: Draft, before: Rotation): Input<'secretsmanager:SetRotator'> {
  const database = DATABASES.has(draft.kind);
  return {
    SecretId: name,
    Rotator: draft.kind,
    Strategy: database ? draft.strategy : 'single',
    PasswordLength: Number(draft.length),
    ExcludePunctuation: before.ExcludePunctuation ?? false,
    ...(before.Rotator === draft.kind && before.ExcludeCharacters !== undefined ? { ExcludeCharacters: before.ExcludeCharacters } : {}),
    Member: draft.member,
    OverlapHours: Number(draft.overlap),
    ...(draft.kind === 'lambda' ? { Url: draft.url.trim(), ...(draft.authority.trim() === '' ? {} : { CertificateAuthority: draft.authority.trim() }) } : {}),
    ...(draft.kind === 'command' ? { Command: draft.command } : {}),
    ...(database && draft.hosts.trim() !== '' ? { Hosts: draft.hosts.trim().split(/[\s,]+/) } : {}),
  };
}

export function SetUpRotation({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const { data, error } = useRotation(name);
  return (
    <Dialog title={`Rotate ${pathOf(name)[1]}`} onClose={onClose} className="w-[560px]">
      {data ? <Form name={name} before={data} onClose={onClose} /> : error ? <div className="p-5"><InlineError error={errorOf(error)} /></div> : <p role="status" className="late p-5 text-fg-2">Looking how it is rotated…</p>}
    </Dialog>
  );
}

function Form({ name, before, onClose }: { readonly name: string; readonly before: Rotation; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const engine = before.Engine;
  const [draft, setDraft] = useState(() => draftOf(before));
  const [tested, setTested] = useState<Output<'secretsmanager:TestRotator'>>();
  const [failed, setFailed] = useState<{ readonly error: CallError; readonly consequence: string }>();
  const [busy, setBusy] = useState<'testing' | 'saving'>();
  const change = (some: Partial<Draft>): void => {
    setTested(undefined);
    setDraft({ ...draft, ...some });
  };
  const database = DATABASES.has(draft.kind);
  // A program or function of the owner's makes the value itself.
  const makes = database || draft.kind === 'generic';
  const rules = rulesOf(draft);
  const length = Number(draft.length);
  const lengthOk = Number.isInteger(length) && length >= 8 && length <= 4096;
  const kinds = CHOICES.map((kind) => [kind, ROTATOR_WORDS[kind]] as const);
  const commands = useCommands(draft.kind === 'command');
  const names = commands.data?.map(({ Name }) => [Name, Name] as const) ?? [];
  // The first that there is, until another is picked.
  const command = names.some(([known]) => known === draft.command) ? draft.command : (names[0]?.[0] ?? '');
  const given = { ...draft, command };
  const isReady = lengthOk && (draft.kind !== 'command' || command !== '');

  const test = async (): Promise<void> => {
    setBusy('testing');
    setFailed(undefined);
    const answer = await client.secretsmanager.testRotator(rotatorOf(name, given, before));
    setBusy(undefined);
    if (answer.ok) setTested(answer.output);
    else setFailed({ error: answer.error, consequence: 'Nothing was changed.' });
  };
  const save = async (): Promise<void> => {
    setBusy('saving');
    setFailed(undefined);
    const set = await client.secretsmanager.setRotator(rotatorOf(name, given, before));
    const planned = set.ok ? await client.secretsmanager.rotateSecret({ SecretId: name, RotationRules: rules, RotateImmediately: draft.now }) : undefined;
    setBusy(undefined);
    await refreshSecrets(queries);
    if (!set.ok) setFailed({ error: set.error, consequence: 'Nothing was changed.' });
    else if (planned && !planned.ok) setFailed({ error: planned.error, consequence: 'What rotates it is saved, when is not.' });
    else onClose();
  };

  return (
    <form className="flex min-h-0 flex-col" onSubmit={(event) => { event.preventDefault(); if (busy === undefined && isReady) void save(); }}>
      <div className="flex flex-col gap-4 overflow-y-auto px-5 pt-2 pb-3">
        <SelectField label="What rotates it" value={draft.kind} options={kinds} onPick={(kind) => { change({ kind }); }} hint={database ? 'Its value must have the members that AWS has for a database: engine, host, username, password' : draft.kind === 'generic' ? `Nothing is told to any server: programs must read the new value themselves${engine === undefined ? '' : `. Its value names a database (${ROTATOR_WORDS[engine]}), which would refuse the new password`}` : undefined} />
        {draft.kind === 'command' && (commands.error ? <InlineError error={errorOf(commands.error)} />
        : commands.data?.length === 0 ? <p className="tint-warn rounded-card px-3 py-2.5">No program is allowed in this vault yet. Allow one in Settings, under Programs that rotate secrets; that asks for your password.</p>
        : <SelectField label="Program" value={command} options={names} onPick={(picked) => { change({ command: picked }); }} hint="It is told which secret and which step, never a value: it reads and puts values with an access key of its own" />)}
        {draft.kind === 'lambda' && <TextField label="Address of the function" value={draft.url} onChange={(event) => { change({ url: event.target.value }); }} placeholder="https://localhost:9001/rotate" hint="It is posted AWS’s rotation event for each step, never a value" />}
        {draft.kind === 'lambda' && <AuthorityField value={draft.authority} onChange={(event) => { change({ authority: event.target.value }); }} hint="PEM, where the function’s certificate is not from a public authority" />}
        {database && (
          <div>
            <p className="mb-1.5 text-[12px]/4 font-medium text-fg-2">Strategy</p>
            <Segmented label="Strategy" value={draft.strategy} options={[['single', 'One user'], ['alternating', 'Two users take turns']]} onPick={(strategy) => { change({ strategy }); }} />
            <p className="mt-1.5 text-[12px]/4 text-fg-3">{draft.strategy === 'single' ? 'The user’s own password is changed: programs with the old one cannot sign in from the second step on.' : 'The user before goes on working until the next rotation. The value must name a superuser’s secret in masterarn.'}</p>
          </div>
        )}
        {makes && <div className="flex flex-wrap gap-4">
          <TextField label="Password length" type="number" inputMode="numeric" min={8} max={4096} value={draft.length} onChange={(event) => { change({ length: event.target.value }); }} error={lengthOk ? undefined : 'From 8 to 4,096'} className="w-28!" />
          <div className="min-w-40 flex-1"><TextField label="Member that holds it" value={draft.member} onChange={(event) => { change({ member: event.target.value }); }} className="font-mono" /></div>
        </div>}
        {database && <TextField label="Other hosts it may connect to" value={draft.hosts} onChange={(event) => { change({ hosts: event.target.value }); }} placeholder="db-2.internal:5432" hint="The host that the value names is allowed already" className="font-mono" />}
        <div className="flex flex-wrap gap-4">
          <div className="min-w-52 flex-1"><SelectField label="When" value={draft.when} options={WHEN} onPick={(when) => { change({ when }); }} /></div>
          <div className="min-w-40"><SelectField label="Wait for programs on the old one" value={draft.overlap} options={OVERLAPS} onPick={(overlap) => { change({ overlap }); }} /></div>
        </div>
        {draft.when === 'own' && (
          <div className="flex flex-wrap gap-4">
            <div className="min-w-52 flex-1"><TextField label="Expression" value={draft.expression} onChange={(event) => { change({ expression: event.target.value }); }} hint="AWS’s: rate(10 days) or cron(0 16 1,15 * ? *), in UTC" className="font-mono" /></div>
            <TextField label="Window" value={draft.duration} onChange={(event) => { change({ duration: event.target.value }); }} placeholder="3h" className="w-24! font-mono" />
          </div>
        )}
        <Preview rules={rules} />
        <Check words="Rotate once now" checked={draft.now} onCheck={(now) => { change({ now }); }} />
      </div>
      {(tested ?? failed) && (
        <div className="max-h-40 shrink-0 overflow-y-auto px-5 pt-1 pb-2">
          {tested && (tested.Ok
            ? <p role="status" className="flex items-start gap-2 text-ok"><CircleCheck size={16} strokeWidth={1.6} aria-hidden="true" className="mt-0.5 shrink-0" /><span>It could be rotated. {tested.Connections.length > 0 ? `Tried: ${tested.Connections.join('; ')}.` : 'Nothing outside is needed for it.'}</span></p>
            : <InlineError error={{ code: 'InvalidRequestException', message: tested.Reason ?? '' }} code={tested.Code ?? ''} consequence={`Nothing was changed.${tested.Connections.length > 0 ? ` Tried: ${tested.Connections.join('; ')}.` : ''}`} />)}
          {failed && <InlineError {...failed} />}
        </div>
      )}
      <DialogFoot>
        {(database || draft.kind === 'generic') && <Button tall className="mr-auto" busy={busy !== undefined} disabled={!lengthOk} onClick={() => { void test(); }}>{busy === 'testing' ? 'Trying…' : database ? 'Test the connection' : 'Dry run'}</Button>}
        <Button tall onClick={onClose} disabled={busy !== undefined}>Cancel</Button>
        <Button tall kind="primary" type="submit" busy={busy !== undefined} disabled={!isReady}>{busy === 'saving' ? 'Saving…' : draft.now ? 'Save and rotate' : 'Save'}</Button>
      </DialogFoot>
    </form>
  );
}

/** The vault reckons: what is shown is what would be. */
function Preview({ rules }: { readonly rules: Rules }) {
  const asked = rules.ScheduleExpression !== undefined && rules.ScheduleExpression !== '';
  const { data, error } = useQuery({ queryKey: ['rotation-preview', rules], enabled: asked, retry: false, queryFn: async () => outputOf(await client.secretsmanager.previewRotation({ RotationRules: rules })) });
  if (!asked) return null;
  return (
    <div aria-live="polite">
      <p className="mb-1 text-[12px]/4 font-medium text-fg-2">The next five runs, in your time</p>
      {error ? <p className="text-[12px]/4 text-danger">{sentence(errorOf(error).message)}</p> : data ? <NextRuns windows={data.Windows} /> : <p className="late text-[12px] text-fg-3">Reckoning…</p>}
    </div>
  );
}
