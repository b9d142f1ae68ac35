/** The demo vault of the built program: filled like any other, told apart, and gone afterwards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { DEMO_PASSWORD } from '../../src/shared/model/demo.ts';
import { remove, temporaryFolder } from './support/served-vault.ts';

const home = temporaryFolder();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) await ended(child, 'SIGTERM');
});
afterAll(() => remove(home));
const runtime = join(home, 'run');
mkdirSync(runtime, { mode: 0o700 });
const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: join(home, 'state'), XDG_CONFIG_HOME: join(home, 'config'), XDG_DATA_HOME: join(home, 'data') };

const program = (name: string): string => resolve(import.meta.dirname, '../../dist', name);
const demos = (): string[] => readdirSync(runtime).filter((name) => name.startsWith('keystead-demo-'));

async function startDemo(): Promise<{ child: ChildProcess; folder: string }> {
  const child = spawn(process.execPath, [program('main/serve.mjs'), '--demo'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    const folder = /serving `([^`]+)`/.exec(said)?.[1];
    if (folder !== undefined) return { child, folder };
  }
  throw new Error(`the demo ended: ${said}`);
}

async function cli(folder: string, ...args: string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [program('cli/keystead.mjs'), ...args, '--vault', folder, '--output', 'json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(0);
  return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

describe('the demo', () => {
  it('has keys in every state, a day of requests with refusals among them, and a trail that verifies', async () => {
    const { child, folder } = await startDemo();
    expect(await cli(folder, 'status')).toMatchObject({ State: 'unlocked', Name: 'acme-dev', Throwaway: true });
    const { Keys } = await cli(folder, 'kms', 'list-keys');
    const states = new Set<unknown>();
    for (const { KeyId } of Keys as { KeyId: string }[]) states.add(((await cli(folder, 'kms', 'describe-key', '--key-id', KeyId))['KeyMetadata'] as Record<string, unknown>)['KeyState']);
    expect([...states].sort()).toEqual(['Disabled', 'Enabled', 'PendingDeletion']);
    const { SecretList } = await cli(folder, 'secret', 'list');
    expect((SecretList as { Name: string; RotationEnabled?: boolean }[]).filter(({ RotationEnabled }) => RotationEnabled === true)).toMatchObject([{ Name: 'prod/web/session' }]);
    expect(SecretList).toHaveLength(6);
    expect(((await cli(folder, 'access', 'list-clients'))['Clients'] as unknown[]).length).toBe(2);
    expect(await cli(folder, 'trail', 'verify')).toMatchObject({ Intact: true, Unfinished: [] });
    const { Events } = await cli(folder, 'trail', 'events', '--limit', '500');
    const events = Events as { Time: string; Result?: string }[];
    expect(events.filter(({ Result }) => Result === 'denied').length).toBeGreaterThan(1);
    const times = events.map(({ Time }) => Date.parse(Time) / 1000);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(22 * 3600);
    expect(Math.abs(Math.max(...times) - Date.now() / 1000)).toBeLessThan(60);
    await ended(child, 'SIGTERM');
    expect(demos()).toEqual([]);
  });

  it('that was killed is removed by the next one, and its password opens it', async () => {
    const killed = await startDemo();
    await ended(killed.child, 'SIGKILL');
    expect(existsSync(killed.folder)).toBe(true);
    const { child, folder } = await startDemo();
    expect(existsSync(killed.folder)).toBe(false);
    expect(demos()).toHaveLength(1);
    await cli(folder, 'lock');
    const unlock = spawn(process.execPath, [program('cli/keystead.mjs'), 'unlock', '--password-stdin', '--vault', folder], { env, stdio: ['pipe', 'ignore', 'inherit'] });
    unlock.stdin.end(`${DEMO_PASSWORD}\n`);
    expect(await once(unlock, 'close')).toEqual([0, null]);
    await ended(child, 'SIGTERM');
    expect(demos()).toEqual([]);
  });
});
