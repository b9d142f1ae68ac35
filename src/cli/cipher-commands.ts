/** `keystead file encrypt|decrypt`: the vault reads and writes the files; this shows how far it is. Ctrl+C ends it, and no file is left. */
import { OPERATIONS } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import type { Flag } from './arguments.ts';
import { callFor, flagText, withVault, type Command, type Run } from './command.ts';
import { absolute } from './files.ts';
import { flagsOf, inputOf } from './inputs.ts';
import { printAnswer } from './output.ts';
import { withProgress } from './progress.ts';
import { usage } from './world.ts';

type Name = 'file:Encrypt' | 'file:Decrypt';

/** The ending that AWS's own encryption command line gives its files. */
const SUFFIX = '.encrypted';

const OUT: Record<Name, Flag> = {
  'file:Encrypt': { name: 'out', takes: 'value', placeholder: 'PATH', about: `The new file; FILE${SUFFIX} if left out` },
  'file:Decrypt': { name: 'out', takes: 'value', placeholder: 'PATH', about: `The new file; FILE without ${SUFFIX} if left out` },
};

const flags = (name: Name): readonly Flag[] => [
  ...flagsOf(OPERATIONS[name]).flatMap((flag) => {
    if (flag.name === 'cli-input-json' || flag.name === 'output-path') return [];
    return flag.name === 'path' ? [{ ...flag, placeholder: 'FILE', about: 'The file' }] : [flag];
  }),
  OUT[name],
];

function outputFor(name: Name, path: string): string {
  if (name === 'file:Encrypt') return path + SUFFIX;
  if (!path.endsWith(SUFFIX) || path.length === SUFFIX.length) throw usage(`the file does not end in \`${SUFFIX}\`: say where to write with --out PATH`);
  return path.slice(0, -SUFFIX.length);
}

async function runCipher(run: Run, name: Name, label: string): Promise<number> {
  const { world, values } = run;
  const given = flagText(run, 'path');
  if (given === undefined) throw usage('these must be given: --path');
  const Path = absolute(world, given);
  const OutputPath = absolute(world, flagText(run, 'out') ?? outputFor(name, Path));
  const input = await inputOf(world, OPERATIONS[name], values, { OutputPath });
  const answer = await withVault(run, (connection) => withProgress(run, label, (progress) => callFor(run, connection, name, { ...input, Path }, { progress })));
  await printAnswer(world, run.output ?? 'json', OPERATIONS[name].output, answer);
  return EXIT.ok;
}

export const fileEncryptCommand: Command = {
  names: ['file encrypt'],
  summary: OPERATIONS['file:Encrypt'].summary,
  details: ['Each file has a data key of its own, which the given key wraps. The format is that of the AWS Encryption SDK.'],
  get flags() { return flags('file:Encrypt'); },
  positionals: ['path'],
  examples: ['keystead file encrypt backup.tar --key-id alias/backups --encryption-context host=nas'],
  run: (run) => runCipher(run, 'file:Encrypt', 'Encrypting'),
};

export const fileDecryptCommand: Command = {
  names: ['file decrypt'],
  summary: OPERATIONS['file:Decrypt'].summary,
  details: ['The new file has its name only once all of it was checked: nothing of a damaged file is left.', 'The key must be named: a file says under which it was encrypted, but whoever gave you the file may have written that.'],
  get flags() { return flags('file:Decrypt'); },
  positionals: ['path'],
  examples: [`keystead file decrypt backup.tar${SUFFIX} --key-id alias/backups`],
  run: (run) => runCipher(run, 'file:Decrypt', 'Decrypting'),
};
