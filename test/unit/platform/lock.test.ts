import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { acquireVaultLock, readHolder } from '../../../src/main/platform/lock.ts';
import { VaultError } from '../../../src/shared/model/errors.ts';
import { bundle } from './bundle.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';

const SCRIPT = `
  import { acquireVaultLock } from './src/main/platform/lock.ts';
  import { systemClock } from './src/main/platform/clock.ts';
  try {
    globalThis.lock = acquireVaultLock(process.argv[2], systemClock);
    process.send({ ok: true });
  } catch (error) {
    process.send({ ok: false, error: error.toBody?.() ?? String(error) });
  }
  process.on('message', () => {});
`;

let folder = '';
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keystead-lock-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function contender(): Promise<{ child: ChildProcess; answer: unknown }> {
  const child = fork(await bundle('lock-contender', SCRIPT), [folder]);
  children.push(child);
  const answer: unknown = await new Promise((resolve) => child.once('message', resolve));
  return { child, answer };
}

describe('the vault lock', () => {
  it('refuses a second process and names the first; its death opens it at once', async () => {
    const first = await contender();
    expect(first.answer).toEqual({ ok: true });
    const second = await contender();
    expect(second.answer).toMatchObject({ ok: false, error: { code: 'VaultInUseException', details: { pid: String(first.child.pid) } } });
    expect(JSON.stringify(second.answer)).toContain(`in use by process ${String(first.child.pid)}, since 20`);
    const gone = new Promise((resolve) => first.child.once('exit', resolve));
    first.child.kill('SIGKILL');
    await gone;
    // The stale file still names the dead one, and locks nothing.
    expect(readHolder(folder)?.pid).toBe(first.child.pid);
    const third = await contender();
    expect(third.answer).toEqual({ ok: true });
    expect(readHolder(folder)?.pid).toBe(third.child.pid);
  });

  it('holds within one process too, and asking does not loosen it', async () => {
    const lock = acquireVaultLock(folder, fakeClock());
    expect(() => acquireVaultLock(folder, fakeClock())).toThrow(VaultError);
    expect(readHolder(folder)?.pid).toBe(process.pid);
    expect((await contender()).answer).toMatchObject({ ok: false, error: { code: 'VaultInUseException' } });
    lock.release();
    lock.release();
    expect((await contender()).answer).toEqual({ ok: true });
  });

  it('lets exactly one of many through', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => contender()));
    expect(answers.filter(({ answer }) => (answer as { ok: boolean }).ok)).toHaveLength(1);
  });

  it('is private', async () => {
    using _lock = acquireVaultLock(folder, fakeClock());
    expect((await stat(join(folder, 'lock.db'))).mode & 0o777).toBe(0o600);
  });

  it('says what to do with a damaged file and a missing folder', async () => {
    await writeFile(join(folder, 'lock.db'), 'not a database '.repeat(400));
    expect(() => acquireVaultLock(folder, fakeClock())).toThrow(/is damaged: remove it/);
    expect(() => acquireVaultLock(join(folder, 'none'), fakeClock())).toThrow(/the folder does not exist/);
    expect(readHolder(folder)).toBeUndefined();
  });
});
