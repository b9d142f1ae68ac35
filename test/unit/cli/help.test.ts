import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bashCompletion } from '../../../src/cli/completion.ts';
import { commandHelp, groupHelp, mainHelp, nameOf } from '../../../src/cli/help.ts';
import { COMMANDS } from '../../../src/cli/run.ts';
import { EXIT } from '../../../src/shared/model/errors.ts';
import { runIn } from './fake-vault.ts';

const SURROUNDINGS = { platform: 'linux', env: {}, home: '/nowhere', tmp: '/nowhere', uid: 0 };

describe('help', () => {
  it('of the program', async () => {
    await expect(mainHelp(COMMANDS, '0.0.0')).toMatchFileSnapshot('./snapshots/keystead.txt');
  });

  it.each(['kms', 'secret', 'vault', 'slot', 'hardware'])('of the group %s', async (group) => {
    await expect(groupHelp(group, COMMANDS)).toMatchFileSnapshot(`./snapshots/group-${group}.txt`);
  });

  it.each(COMMANDS.map((command) => [nameOf(command), command] as const))('of %s', async (name, command) => {
    await expect(commandHelp(command)).toMatchFileSnapshot(`./snapshots/${name.replace(' ', '-')}.txt`);
    for (const flag of command.flags) if (flag.takes === 'secret') expect(commandHelp(command)).not.toMatch(new RegExp(`--${flag.name}(?![-\\w])`));
  });

  it('names every group that the README uses', () => {
    const used = new Set(Array.from(readFileSync('README.md', 'utf8').matchAll(/npx keystead ([a-z]+) [a-z]+-?[a-z]* /g), ([, group = '']) => group));
    const groups = [...used].filter((group) => COMMANDS.some((command) => nameOf(command).startsWith(`${group} `)));
    expect(groups).toEqual(expect.arrayContaining(['kms', 'file', 'hardware', 'certificate']));
    for (const group of groups) expect(mainHelp(COMMANDS, '0.0.0')).toMatch(new RegExp(`^  ${group} `, 'm'));
  });

  it('names every exit code', () => {
    for (const code of Object.values(EXIT)) expect(mainHelp(COMMANDS, '0.0.0')).toMatch(new RegExp(`^  ${String(code)} `, 'm'));
  });

  it.each([[['--help']], [['-h']], [['kms', '--help']], [['kms', 'sign', '--help']], [['init', '-h']], [['--version']], [['completion', 'bash']]])('%j needs no vault and ends with 0', async (argv) => {
    expect(await runIn(SURROUNDINGS, '/', argv)).toMatchObject({ code: 0, err: '' });
  });
});

describe('completion', () => {
  const complete = (...words: readonly string[]): readonly string[] => {
    const script = `${bashCompletion(COMMANDS)}\nCOMP_WORDS=(keystead ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${String(words.length)}; _keystead; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n');
  };
  it('offers commands, groups’ commands, flags and choices', () => {
    expect(complete('un')).toEqual(['unlock']);
    expect(complete('slot', '')).toEqual(['list', 'add', 'remove']);
    expect(complete('kms', 'encrypt', '--enc')).toEqual(['--encryption-context', '--encryption-algorithm']);
    expect(complete('kms', 'sign', '--message-type', 'D')).toEqual(['DIGEST']);
    expect(complete('init', '--no-')).toEqual(['--no-recovery-code']);
    expect(complete('kms', 'encrypt', '--password')).toEqual(['']);
  });
});
