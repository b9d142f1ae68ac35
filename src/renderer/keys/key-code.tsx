/** Code: the key used from elsewhere, in lines to copy, and what a shell has to know before. */
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { KeyMetadata } from '../../shared/api/kms-keys.ts';
import { exportLine, variablesOf } from '../../shared/model/aws-variables.ts';
import { useDoor } from '../access/data.ts';
import { Button } from '../parts/button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { errorOf, InlineError, SkeletonRows } from '../parts/feedback.tsx';
import { Segmented } from '../parts/field.tsx';
import { codeFor, CODE_WAYS, operationsFor, type CodeWay } from './code.ts';
import type { KeyRow } from './data.ts';

const WORDS: Readonly<Record<CodeWay, string>> = { cli: 'AWS CLI', sdk: 'JavaScript', curl: 'curl' };

function Lines({ title, what, lines }: { readonly title: string; readonly what: string; readonly lines: string }) {
  return (
    <div>
      <div className="mb-1.5 flex h-7 items-center gap-2"><h3 className="flex-1 text-[12px]/4 font-medium text-fg-2">{title}</h3><CopyButton wide text={lines} what={what} /></div>
      <pre tabIndex={0} aria-label={title} className="edge rounded-card bg-raised px-3 py-2 font-mono text-[12px]/[18px] break-words whitespace-pre-wrap">{lines}</pre>
    </div>
  );
}

export function KeyCode({ row, value }: { readonly row: KeyRow; readonly value: KeyMetadata }) {
  const navigate = useNavigate();
  const [way, setWay] = useState<CodeWay>('cli');
  const [asked, setAsked] = useState<string>();
  const { data: door, error } = useDoor();
  if (error) return <div className="pt-5"><InlineError error={errorOf(error)} /></div>;
  if (!door) return <SkeletonRows rows={3} height={36} />;
  const facts = { spec: value.KeySpec, usage: value.KeyUsage, key: row.aliases[0] ?? row.id, tls: door.Tls };
  const operations = operationsFor(facts);
  const operation = asked ?? operations[0] ?? '';
  return (
    <div className="flex flex-col gap-4 pt-5">
      {door.State === 'open'
        ? <Lines title="For a shell, beside the access key of a client" what="the environment" lines={variablesOf(door).map(([name, text]) => exportLine(name, text)).join('').trimEnd()} />
        : <div className="flex flex-wrap items-center gap-3"><p className="flex-1 text-fg-2">The door for AWS clients is closed. Open it, and make a client with an access key of its own.</p><Button onClick={() => { void navigate({ to: '/access' }); }}>Go to AWS access</Button></div>}
      <div className="flex flex-wrap gap-2">
        <Segmented label="Written for" value={way} options={CODE_WAYS.map((one) => [one, WORDS[one]] as const)} onPick={setWay} />
        {operations.length > 1 && <Segmented label="Operation" value={operation} options={operations.map((one) => [one, one] as const)} onPick={setAsked} />}
      </div>
      <Lines title={`${operation}, ${WORDS[way]}`} what="the lines" lines={codeFor(way, facts, operation)} />
    </div>
  );
}
