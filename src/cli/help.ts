/** Help on every level, from the same table that runs the commands. */
import { EXIT } from '../shared/model/errors.ts';
import { GLOBAL_FLAGS, type Flag } from './arguments.ts';
import type { Command } from './command.ts';

const WIDTH = 100;

const EXITS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  usage: 'the command line or the input is wrong',
  locked: 'the vault is locked',
  denied: 'not allowed',
  notFound: 'there is no such vault, key, alias, slot or file',
  wrongPassword: 'wrong password or recovery code, or too early after one',
  notRunning: 'the vault is not running',
  conflict: 'the state does not allow it: exists already, disabled, pending deletion, in use',
  tampered: 'something was changed: vault, trail, ciphertext or signature',
  cancelled: 'cancelled',
  internal: 'a fault of the vault or of the machine',
};

const GROUPS: Readonly<Record<string, string>> = {
  kms: 'Keys: make, use, name and delete them (the words of AWS KMS)',
  secret: 'Secrets: values in versions (the words of AWS Secrets Manager)',
  aws: 'Let AWS’s tools and SDKs use this vault: clients, their door, what they are told',
  file: 'Sign and verify files of any size',
  hardware: 'Keys in hardware tokens: PKCS#11 modules, tokens, their PINs and what is on them; key stores are under `kms`',
  certificate: 'Certificate requests',
  trail: 'The record of what happened',
  slot: 'The ways into the vault',
  password: 'The password of the vault',
  settings: 'The settings of the vault',
};

/** The first name of a command is the one that help shows. */
export const nameOf = (command: Command): string => command.names[0] ?? '';
const groupOf = (command: Command): string | undefined => (nameOf(command).includes(' ') ? nameOf(command).split(' ')[0] : undefined);

function table(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(34, Math.max(...rows.map(([name]) => name.length)));
  return rows
    .map(([name, about]) => {
      const lines = wrap(about, WIDTH - left - 4);
      const head = name.length > left ? `  ${name}\n  ${' '.repeat(left)}  ${lines[0] ?? ''}` : `  ${name.padEnd(left)}  ${lines[0] ?? ''}`;
      return [head.trimEnd(), ...lines.slice(1).map((line) => `  ${' '.repeat(left)}  ${line}`)].join('\n');
    })
    .join('\n');
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function mainHelp(commands: readonly Command[], version: string): string {
  const single = commands.filter((command) => groupOf(command) === undefined);
  const groups = [...new Set(commands.flatMap((command) => groupOf(command) ?? []))].filter((group) => group in GROUPS);
  return [
    `keystead ${version}: a vault for keys on your own machine`,
    '',
    'keystead [--vault DIR] COMMAND [FLAGS]',
    '',
    'Commands',
    table(single.map((command) => [nameOf(command), command.summary])),
    '',
    'Groups: `keystead GROUP --help` lists their commands',
    table(groups.map((group) => [group, GROUPS[group] ?? ''])),
    '',
    'Flags of every command',
    table([...GLOBAL_FLAGS.map(flagRow), ['--version', 'Show the version']]),
    '',
    'Binary values are base64, `fileb://PATH` (raw bytes) or `file://PATH` (base64 text). Secrets are never arguments: they come from a',
    'file, from standard input (`-`, --password-stdin) or from the terminal without echo.',
    '',
    'Exit codes',
    table(Object.entries(EXIT).map(([name, code]) => [String(code), EXITS[name as keyof typeof EXIT]])),
    '',
  ].join('\n');
}

export function groupHelp(group: string, commands: readonly Command[]): string {
  const inside = commands.flatMap((command) => {
    const name = command.names.find((one) => one.startsWith(`${group} `));
    return name === undefined ? [] : [[name, command.summary] as const];
  });
  return [`keystead ${group}: ${GROUPS[group] ?? 'operations by their full names'}`, '', table(inside), '', '`keystead COMMAND --help` shows the flags of one.', ''].join('\n');
}

function flagRow(flag: Flag): readonly [string, string] {
  const value = flag.takes === 'value' ? ` ${flag.placeholder ?? (flag.choices && flag.choices.length <= 3 ? flag.choices.join('|') : flag.choices ? 'NAME' : 'TEXT')}` : '';
  const name = flag.takes === 'negatable' ? `--[no-]${flag.name}` : `--${flag.name}${value}`;
  const listed = flag.choices && (flag.choices.length > 3 || flag.placeholder !== undefined) ? `One of ${flag.choices.join(', ')}` : '';
  const facts = [flag.about, listed, flag.fallback === undefined ? '' : `Default: ${flag.fallback}`, flag.repeat ? 'May be given more than once' : ''];
  return [name, facts.filter((fact) => fact !== '').join('. ')];
}

export function commandHelp(command: Command): string {
  const flags = command.flags.filter(({ takes }) => takes !== 'secret' && takes !== 'refused');
  const positionals = command.positionals ?? [];
  const required = flags.filter((flag) => flag.required && !positionals.includes(flag.name));
  const optional = flags.filter((flag) => !flag.required);
  const words = positionals.map((name) => name.toUpperCase());
  const line = [`keystead ${nameOf(command)}`, ...words, ...required.map((flag) => flagRow(flag)[0]), ...(optional.length > 0 ? ['[FLAGS]'] : [])].join(' ');
  const shown = [...flags.filter(({ required: needed }) => needed), ...optional];
  return [
    line,
    '',
    `${command.summary}.`,
    ...(command.details ? ['', ...command.details] : []),
    ...(shown.length > 0 ? ['', 'Flags', table(shown.map((flag) => [flagRow(flag)[0], `${flag.required ? 'Required. ' : ''}${flagRow(flag)[1]}`.trim()]))] : []),
    ...(command.names.length > 1 ? ['', `Also: keystead ${command.names.slice(1).join(', keystead ')}`] : []),
    ...(command.examples ? ['', 'Examples', ...command.examples.map((example) => `  ${example}`)] : []),
    '',
    'Flags of every command: see `keystead --help`.',
    '',
  ].join('\n');
}
