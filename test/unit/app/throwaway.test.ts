/** What a throwaway vault may take away when it starts: its own kind's remains, and nothing that somebody else laid there. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeThrowaway } from '../../../src/main/app/throwaway.ts';

const base = mkdtempSync(join(tmpdir(), 'keystead-throwaway-'));
afterEach(() => rmSync(base, { recursive: true, force: true }));

it('removes what a process that is gone has left, and no folder that others may enter, no link, no file', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  const named = (suffix: string): string => join(base, `keystead-demo-${String(pid)}-${suffix}`);
  mkdirSync(base, { recursive: true });
  mkdirSync(join(named('aaaaaa'), 'acme-dev'), { recursive: true });
  chmodSync(named('aaaaaa'), 0o700);
  mkdirSync(named('bbbbbb'));
  chmodSync(named('bbbbbb'), 0o777);
  mkdirSync(join(base, 'precious'), { mode: 0o700 });
  symlinkSync(join(base, 'precious'), named('cccccc'));
  writeFileSync(named('dddddd'), '', { mode: 0o600 });
  mkdirSync(join(base, `keystead-demo-${String(process.pid)}-eeeeee`), { mode: 0o700 });

  const { folder, remove } = makeThrowaway(base, 'keystead-demo-');
  expect(existsSync(named('aaaaaa'))).toBe(false);
  for (const kept of [named('bbbbbb'), named('cccccc'), named('dddddd'), join(base, 'precious'), join(base, `keystead-demo-${String(process.pid)}-eeeeee`)]) expect(lstatSync(kept, { throwIfNoEntry: false })).toBeDefined();
  expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  remove();
  expect(existsSync(folder)).toBe(false);
});
