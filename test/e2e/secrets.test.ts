/** Secrets from the command line, with real processes: values come from files and pipes and go to files and pipes, and are in no argument. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/shared/model/errors.ts';

const CLI = resolve(import.meta.dirname, '../../dist/cli/keystead.mjs');
const home = mkdtempSync('/tmp/ks-');
const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: home, XDG_RUNTIME_DIR: join(home, 'run') };

const run = (args: readonly string[], input: string | Uint8Array = ''): SpawnSyncReturns<Buffer> => spawnSync(process.execPath, [CLI, ...args], { env, input, cwd: home });

/** Standard output of a command that must succeed. */
function ok(args: readonly string[], input: string | Uint8Array = ''): Buffer {
  const { status, stdout, stderr } = run(args, input);
  expect({ args, status, stderr: status === 0 ? '' : stderr.toString() }).toEqual({ args, status: EXIT.ok, stderr: '' });
  return stdout;
}
const json = (args: readonly string[], input = ''): Record<string, unknown> => JSON.parse(ok(args, input).toString()) as Record<string, unknown>;
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(home, name), content);
  return join(home, name);
};

beforeAll(() => {
  mkdirSync(join(home, 'run'), { mode: 0o700 });
  ok(['init', '--password-stdin', '--no-recovery-code'], 'correct horse battery');
});
afterAll(() => {
  run(['stop']);
  rmSync(home, { recursive: true, force: true });
});

describe('values', () => {
  const awkward = '{"user":"admin","password":"ä\\"\\\\ 🔑\\n\t"}\n';

  it('come from standard input and from files, as they are', () => {
    ok(['secret', 'create', '--name', 'app/db', '--secret-string', '-'], awkward);
    expect(json(['secret', 'get-value', '--secret-id', 'app/db'])).toMatchObject({ Name: 'app/db', SecretString: awkward, VersionStages: ['AWSCURRENT'] });
    ok(['secret', 'put-value', '--secret-id', 'app/db', '--secret-string', `file://${file('next.json', '{"user":"next"}')}`]);
    expect(json(['secret', 'get-value', '--secret-id', 'app/db'])['SecretString']).toBe('{"user":"next"}');
    expect(json(['secret', 'get-value', '--secret-id', 'app/db', '--version-stage', 'AWSPREVIOUS'])['SecretString']).toBe(awkward);
    const bytes = randomBytes(1000);
    ok(['secret', 'create', '--name', 'app/key', '--secret-binary', `fileb://${file('key.bin', bytes)}`]);
    expect(json(['secret', 'get-value', '--secret-id', 'app/key'])['SecretBinary']).toBe(bytes.toString('base64'));
  });

  it('go to standard output and to new private files, as they are', () => {
    expect(ok(['secret', 'get-value', '--secret-id', 'app/db', '--output-file', 'SecretString=-']).toString()).toBe('{"user":"next"}');
    ok(['secret', 'get-value', '--secret-id', 'app/key', '--output-file', 'SecretBinary=out.bin']);
    expect([readFileSync(join(home, 'out.bin')).equals(readFileSync(join(home, 'key.bin'))), statSync(join(home, 'out.bin')).mode & 0o777]).toEqual([true, 0o600]);
    expect(ok(['secret', 'get-value', '--secret-id', 'app/db', '--output', 'text']).toString()).toContain('\t{"user":"next"}\t');
  });

  it('are refused as arguments', () => {
    for (const args of [['secret', 'create', '--name', 'x', '--secret-string', 'needle'], ['secret', 'put-value', '--secret-id', 'app/db', '--secret-binary', 'bmVlZGxl'], ['secret', 'create', '--cli-input-json', '{"Name":"x","SecretString":"bmVlZGxl"}']]) {
      const { status, stderr } = run(args);
      expect([status, stderr.includes('needle'), stderr.includes('bmVlZGxl')]).toEqual([EXIT.usage, false, false]);
    }
  });

  it('are generated without being shown twice', () => {
    const password = String(json(['secret', 'random-password', '--password-length', '40'])['RandomPassword']);
    expect(password).toHaveLength(40);
    expect(ok(['secret', 'random-password', '--output-file', '-']).toString()).toMatch(/^[\x20-\x7e]{32}$/);
  });
});

it('lists every page as one, by AWS’s names too', () => {
  for (let at = 0; at < 5; at++) ok(['secret', 'create', '--name', `page/${String(at)}`]);
  const all = json(['secretsmanager', 'list-secrets', '--filters', '[{"Key":"name","Values":["page/"]}]', '--sort-by', 'name', '--sort-order', 'asc']);
  expect((all['SecretList'] as { Name: string }[]).map(({ Name }) => Name)).toEqual(['page/0', 'page/1', 'page/2', 'page/3', 'page/4']);
  expect(all).not.toHaveProperty('NextToken');
  expect(json(['secret', 'list-versions', '--secret-id', 'app/db'])).toMatchObject({ Name: 'app/db', Versions: [{ VersionStages: ['AWSCURRENT'] }, { VersionStages: ['AWSPREVIOUS'] }] });
});

it('deletes, restores and destroys', () => {
  ok(['secret', 'delete', '--secret-id', 'page/0']);
  expect(run(['secret', 'get-value', '--secret-id', 'page/0']).status).toBe(EXIT.conflict);
  ok(['secret', 'restore', '--secret-id', 'page/0']);
  ok(['secret', 'delete', '--secret-id', 'page/0', '--force-delete-without-recovery']);
  expect(run(['secret', 'describe', '--secret-id', 'page/0']).status).toBe(EXIT.notFound);
});
