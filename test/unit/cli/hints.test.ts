/** What this program tells a person to type: every command that a text names is there, by its preferred name, with the flags that it is named with. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GLOBAL_FLAGS } from '../../../src/cli/arguments.ts';
import { COMMANDS } from '../../../src/cli/run.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** A command that is named in a text: after a quote, a bracket, a tag, or words that lead to one; up to the next of these. */
const NAMED = /(?<=[`"(>]|: '|: |use |type |\| )(?<!label: ')keystead ([a-z][a-z0-9-]*)((?: [^`'"()<>|\\]*)?)/g;
const commands = new Map(COMMANDS.flatMap((command) => command.names.map((name, at) => [name, { command, preferred: at === 0 }] as const)));
const isGroup = (word: string): boolean => [...commands.keys()].some((name) => name.startsWith(`${word} `));

/** What is wrong with one; undefined: nothing. */
function fault(first: string, rest: string): string | undefined {
  // A sentence may end behind it.
  const words = rest.trim().replace(/[.;,]$/, '').split(/\s+/).filter((word) => word !== '');
  const [second = ''] = words;
  const found = commands.get(`${first} ${second}`) ?? commands.get(first);
  // What is put in at run time is not read here.
  if (!found) return isGroup(first) && (second === '' || second === '…' || second.startsWith('${')) ? undefined : 'there is no such command';
  if (!found.preferred) return `it is called ${found.command.names[0] ?? ''}`;
  const flags = new Set([...found.command.flags, ...GLOBAL_FLAGS].flatMap(({ name, takes }) => (takes === 'negatable' ? [`--${name}`, `--no-${name}`] : [`--${name}`])));
  const unknown = words.map((word) => word.replace(/[=,.;:].*$/, '')).find((word) => /^--[a-z]/.test(word) && !flags.has(word));
  return unknown === undefined ? undefined : `it has no ${unknown}`;
}

const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name)).map((name) => join('src', name));
const named = files.flatMap((file) =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(NAMED)].map(([text, first = '', rest = '']) => ({ file, text, fault: fault(first, rest) })),
);

it('names commands that exist, each by its one name', () => {
  expect(named.filter((one) => one.fault !== undefined)).toEqual([]);
  expect(named.length).toBeGreaterThan(150);
});

it.each([
  ['secretsmanager', ' list-secret-version-ids', 'it is called secret list-versions'],
  ['secret', ' list-secret-version-ids', 'there is no such command'],
  ['kms', ' create-keys', 'there is no such command'],
  ['kms', ' create-key --key-speck X', 'it has no --key-speck'],
  ['kms', ' …', undefined],
])('finds what is wrong with keystead %s%s', (first, rest, expected) => {
  expect(fault(first, rest)).toBe(expected);
});
