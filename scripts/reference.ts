/**
 * docs/reference.md from the declarations: `npm run reference` writes it, `npm run reference -- --check` fails when it is behind.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsOf, fieldsOf, refusedOf, type Field } from '../src/shared/api/describe.ts';
import { ACTIONS, declarationOf, NAMES, type Name } from '../src/shared/api/index.ts';
import { COMMON_ERRORS, SERVICES } from '../src/shared/api/operation.ts';
import { ERRORS, EXIT } from '../src/shared/model/errors.ts';
import { nameOf } from '../src/cli/help.ts';
import { WRAPPED } from '../src/cli/run.ts';

const FILE = join(process.cwd(), 'docs', 'reference.md');

const escape = (text: string): string => text.replaceAll('|', '\\|');
const code = (text: string): string => `\`${text}\``;

function row(field: Field, audited: ReadonlySet<string>): string {
  const kind = field.choices && field.choices.length > 0 ? field.choices.map(code).join(' ') : field.kind;
  const needed = field.required ? 'required' : field.fallback === undefined || field.fallback === '' ? '' : code(String(field.fallback));
  return `| ${code(field.name)} | ${kind} | ${needed} | ${audited.has(field.name) ? 'yes' : ''} | ${escape(field.about)} |`;
}

function section(name: Name): string {
  const operation = declarationOf(name);
  const { input, output, errors, effect, needs, doors, audited, resource, recorded } = operation;
  const wrapped = WRAPPED[name];
  const commands = wrapped ? wrapped.names : operation.doors.includes('cli') ? commandsOf(operation) : [];
  const fields = fieldsOf(input);
  const outputs = fieldsOf(output);
  const facts = [
    `Effect ${code(effect)}`,
    `vault ${code(needs)}`,
    `doors ${doors.map(code).join(' ')}`,
    ...(resource ? [`resource: the ${resource.kind} in ${code(resource.field)}`] : []),
    ...(recorded === false ? ['not recorded in the trail'] : []),
  ];
  const refused = refusedOf(input);
  return [
    `### ${name}`,
    '',
    `${operation.summary}.`,
    '',
    facts.join(' · '),
    '',
    commands.length > 0 ? `Command: ${(wrapped ? [nameOf(wrapped), ...commands.slice(1)] : commands).map((command) => code(`keystead ${command}`)).join(', ')}` : 'Command: none',
    ...(fields.length > 0 ? ['', '| input | type | default | recorded | |', '|---|---|---|---|---|', ...fields.map((field) => row(field, new Set(audited)))] : []),
    ...(refused.length > 0 ? ['', `Refused with what to do instead: ${refused.map(({ name: field }) => code(field)).join(' ')}`] : []),
    ...(outputs.length > 0 ? ['', '| output | type | |', '|---|---|---|', ...outputs.map((field) => `| ${code(field.name)} | ${field.kind}${field.required ? '' : ', optional'} | ${escape(field.about)} |`)] : []),
    '',
    errors.length > 0 ? `Errors: ${errors.map(code).join(' ')}` : 'Errors: the common ones only',
    '',
  ].join('\n');
}

export function reference(): string {
  const errorRows = Object.entries(ERRORS).map(([name, [fault, http, retryable, exit]]) => `| ${code(name)} | ${fault} | ${String(http)} | ${retryable ? 'yes' : ''} | ${String(exit)} |`);
  return [
    '# Reference',
    '',
    'Made from the declarations in `src/shared/api` by `npm run reference`; not edited by hand.',
    '',
    `Every operation's name is also the policy action, the name of its event in the trail and the method on the wire. There are ${String(ACTIONS.length)}.`,
    'Types: `blob` and `secret` are base64 on the wire (RFC 4648, padded); a secret is never recorded and never an argument of a command.',
    'A timestamp is in seconds since 1970, with up to three decimals. An unknown field is an error. "recorded": the field stands in the trail.',
    '',
    `Common errors, which every operation may answer with: ${COMMON_ERRORS.map(code).join(' ')}`,
    '',
    ...SERVICES.flatMap((service) => [`## ${service}`, '', ...NAMES.filter((name) => name.startsWith(`${service}:`)).map(section)]),
    '## Errors',
    '',
    '| code | fault | HTTP status | retry | exit code |',
    '|---|---|---|---|---|',
    ...errorRows,
    '',
    '## Exit codes of the command line',
    '',
    Object.entries(EXIT)
      .map(([name, exit]) => `${String(exit)} ${name}`)
      .join(' · '),
    '',
  ].join('\n');
}

const made = reference();
if (process.argv.includes('--check')) {
  const there = (() => {
    try {
      return readFileSync(FILE, 'utf8');
    } catch {
      return '';
    }
  })();
  if (there !== made) {
    process.stderr.write('docs/reference.md is behind the declarations\n  type: npm run reference\n');
    process.exitCode = 1;
  }
} else writeFileSync(FILE, made);
