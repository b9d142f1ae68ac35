/** `keystead trail …`: prove, anchor and read the record of what happened. */
import { OPERATIONS, type Output } from '../shared/api/index.ts';
import { counted } from '../shared/model/counted.ts';
import { EXIT } from '../shared/model/errors.ts';
import { callFor, flagSwitch, flagText, withVault, type Command, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { absolute, createNew } from './files.ts';
import { flagsOf, inputOf } from './inputs.ts';
import { isoTime, printAnswer } from './output.ts';
import { withProgress } from './progress.ts';
import { CliError, usage } from './world.ts';

export const trailVerifyCommand: Command = {
  names: ['trail verify', 'trail verify-trail'],
  summary: OPERATIONS['trail:VerifyTrail'].summary,
  details: ['Ends with 9 when the trail is not intact.'],
  flags: [],
  async run(run) {
    const answer = await withVault(run, (connection) => withProgress(run, 'Checking', (progress) => callFor(run, connection, 'trail:VerifyTrail', {}, { progress })));
    if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['trail:VerifyTrail'].output, answer);
    else await run.world.stdout.write(verdict(answer));
    return answer.Intact ? EXIT.ok : EXIT.tampered;
  },
};

export function verdict(answer: Output<'trail:VerifyTrail'>): string {
  const { Broken: broken, Unfinished: unfinished } = answer;
  const lines = [
    broken
      ? `Broken: record ${String(broken.Index)} in segment ${String(broken.Segment)} at byte ${String(broken.Offset)} (${broken.What}); ${counted(answer.Records, 'record')} before it ${answer.Records === 1 ? 'fits' : 'fit'}.`
      : answer.Intact
        ? `Intact: ${counted(answer.Records, 'record')} in ${counted(answer.Segments, 'segment')}, the last is ${String(answer.LastIndex)} (${answer.LastHash}).`
        : 'Not intact.',
    ...unfinished.map((intent) => `Begun and never known to have ended: ${String(intent.Index)}  ${isoTime(intent.Time)}  ${intent.Operation}  ${intent.RequestId}`),
  ];
  return `${lines.join('\n')}\n`;
}

export const trailCheckpointCommand: Command = {
  names: ['trail checkpoint', 'trail export-checkpoint'],
  summary: OPERATIONS['trail:ExportCheckpoint'].summary,
  details: ['Prints the DSSE envelope, or writes it to a new file. With it, nobody can rewrite what came before unnoticed.'],
  flags: [{ name: 'key-id', takes: 'value', placeholder: 'TEXT', about: 'A key that signs it besides the vault, such as one in a token; the one of `keystead trail set-checkpoint-key` if left out' }, { name: 'vault-only', takes: 'switch', about: 'No key signs it besides the vault' }, { name: 'out', takes: 'value', placeholder: 'PATH', about: 'Write the envelope to this new file' }],
  examples: ['keystead trail checkpoint --out checkpoint.json', 'keystead trail verify-checkpoint --checkpoint fileb://checkpoint.json'],
  async run(run) {
    const path = flagText(run, 'out');
    const out = path === undefined ? undefined : await createNew(run.world, path, false);
    try {
      const given = flagText(run, 'key-id');
      if (given !== undefined && flagSwitch(run, 'vault-only') === true) throw usage('--key-id and --vault-only exclude each other');
      const { answer, missing, key } = await withVault(run, async (connection) => {
        const key = flagSwitch(run, 'vault-only') === true ? undefined : (given ?? (await callFor(run, connection, 'trail:DescribeCheckpointKey', {})).KeyId);
        return { key, ...(await signedToo(run, connection, key, await callFor(run, connection, 'trail:ExportCheckpoint', {}))) };
      });
      if (out) await out.write(answer.Checkpoint);
      if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['trail:ExportCheckpoint'].output, answer);
      else if (out) await run.world.stderr.write(`Signed up to record ${String(answer.Index)}${key === undefined || missing ? '' : `, by key \`${key}\` too`}: \`${out.path}\`. Keep it outside of this machine.\n`);
      else {
        await run.world.stdout.write(answer.Checkpoint);
        await run.world.stdout.write('\n');
      }
      if (missing) await run.world.stderr.write(`The vault has signed it, key \`${key ?? ''}\` has not: ${missing.message}.\n  then type: keystead trail sign-checkpoint --checkpoint fileb://${out?.path ?? 'FILE'} --key-id ${key ?? ''} --output-file Checkpoint=NEW\n`);
      return missing?.exit ?? EXIT.ok;
    } catch (error) {
      await out?.abandon();
      throw error;
    }
  },
};

/** With the key's signature where one is asked for; a key that is away costs that signature and not the checkpoint. */
async function signedToo(run: Run, connection: Connection, key: string | undefined, answer: Output<'trail:ExportCheckpoint'>): Promise<{ readonly answer: Output<'trail:ExportCheckpoint'>; readonly missing?: CliError }> {
  if (key === undefined) return { answer };
  try {
    const { Checkpoint } = await callFor(run, connection, 'trail:SignCheckpoint', { Checkpoint: answer.Checkpoint, KeyId: key });
    return { answer: { ...answer, Checkpoint } };
  } catch (error) {
    if (error instanceof CliError) return { answer, missing: error };
    throw error;
  }
}

export const trailVerifyCheckpointCommand: Command = {
  names: ['trail verify-checkpoint'],
  summary: OPERATIONS['trail:VerifyCheckpoint'].summary,
  details: ['Ends with 9 when the trail does not contain what was signed.'],
  get flags() { return flagsOf(OPERATIONS['trail:VerifyCheckpoint']); },
  async run(run) {
    const input = await inputOf(run.world, OPERATIONS['trail:VerifyCheckpoint'], run.values);
    const answer = await withVault(run, (connection) => withProgress(run, 'Checking', (progress) => callFor(run, connection, 'trail:VerifyCheckpoint', input, { progress })));
    await printAnswer(run.world, run.output ?? 'json', OPERATIONS['trail:VerifyCheckpoint'].output, answer);
    return answer.SignatureValid && answer.SecondSignatureValid !== false && answer.Relation === 'contained' ? EXIT.ok : EXIT.tampered;
  },
};

type Event = Output<'trail:LookupEvents'>['Events'][number];

/** Control characters and their like would let a recorded name rewrite the screen. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�');

export function eventLine(event: Event): string {
  const result = event.Error ?? event.Result ?? event.Kind;
  const facts = [String(event.Index).padStart(8), isoTime(event.Time).slice(0, 23), result.padEnd(8), event.Operation ?? event.Kind, event.Principal, event.Resource, event.Note];
  return `${plain(facts.filter((fact) => fact !== undefined && fact !== '').join('  '))}\n`;
}

export const trailEventsCommand: Command = {
  names: ['trail events', 'trail lookup-events'],
  summary: OPERATIONS['trail:LookupEvents'].summary,
  get flags() { return flagsOf(OPERATIONS['trail:LookupEvents']); },
  examples: ['keystead trail events --operation kms:Sign --result denied'],
  async run(run) {
    const input = await inputOf(run.world, OPERATIONS['trail:LookupEvents'], run.values);
    const answer = await withVault(run, (connection) => callFor(run, connection, 'trail:LookupEvents', input));
    if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['trail:LookupEvents'].output, answer);
    else {
      await run.world.stdout.write(answer.Events.map(eventLine).join(''));
      if (answer.NextBefore !== undefined) await run.world.stderr.write(`More: --before ${String(answer.NextBefore)}\n`);
    }
    return EXIT.ok;
  },
};

export const trailExportEvidenceCommand: Command = {
  names: ['trail export-evidence'],
  summary: OPERATIONS['trail:ExportEvidence'].summary,
  details: ['Holds the sealed records and, while the vault is unlocked, the readable ones; never a key. `sha256sum -c SHA256SUMS` in it checks the copy.'],
  flags: [{ name: 'out', takes: 'value', placeholder: 'FOLDER', required: true, about: 'A new folder' }],
  positionals: ['out'],
  examples: ['keystead trail export-evidence evidence-2026-11'],
  async run(run) {
    const out = flagText(run, 'out');
    if (out === undefined) throw usage('these must be given: --out');
    const answer = await withVault(run, (connection) => callFor(run, connection, 'trail:ExportEvidence', { Folder: absolute(run.world, out) }));
    if (run.output === 'json') await printAnswer(run.world, 'json', OPERATIONS['trail:ExportEvidence'].output, answer);
    else {
      const readable = answer.Records === undefined ? 'none of it readable, since the vault is locked' : `${counted(answer.Records, 'record')} readable`;
      await run.world.stdout.write(`${counted(answer.Files, 'segment')} in \`${answer.Folder}\`, ${readable}.\n`);
    }
    return EXIT.ok;
  },
};
