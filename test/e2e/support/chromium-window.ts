/**
 * The window in the Chromium host, in a process of its own: the built program but for its entry, which is bundled anew with the tap in the
 * host's place.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { rolldown } from 'rolldown';
import { until } from '../../system/support/processes.ts';
import type { Home } from './home.ts';
import { PATIENCE, type OpenedWindow } from './opened-window.ts';

/** The checkout: tests and `npm run bench` run there. */
const ROOT = process.cwd();
/** Milliseconds in which a window is there, or has a fresh page. */
const WITHIN = 30_000;

/** Native modules, and the tap's own server. */
const EXTERNAL = /^(?:node:|koffi|@photostructure\/sqlite|@node-rs\/argon2|keytar|pkcs11js|electron|ws$)/;

async function tappedEntry(): Promise<string> {
  const build = await rolldown({
    input: join(ROOT, 'src/main/app/window.ts'),
    platform: 'node',
    transform: { target: 'node20' },
    external: EXTERNAL,
    plugins: [
      {
        name: 'tap',
        resolveId: (source, importer) => (source.endsWith('/chromium/host.ts') && importer?.endsWith('/app/window.ts') === true ? join(ROOT, 'test/e2e/support/tapped-host.ts') : null),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return output[0].code;
}

export async function openChromiumWindow(home: Home, args: readonly string[]): Promise<OpenedWindow> {
  // Below the checkout, for the native modules.
  mkdirSync(join(ROOT, 'node_modules/.cache'), { recursive: true });
  const place = mkdtempSync(join(ROOT, 'node_modules/.cache/e2e-'));
  cpSync(join(ROOT, 'dist/main'), join(place, 'main'), { recursive: true });
  cpSync(join(ROOT, 'dist/renderer'), join(place, 'renderer'), { recursive: true });
  writeFileSync(join(place, 'main/window.mjs'), await tappedEntry());

  const startedAt = Date.now();
  const child = spawn(process.execPath, [join(place, 'main/window.mjs'), '--vault', home.vault, '--headless', ...args], { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const renewals = (): number => output.split('\n').filter((line) => line === 'renewed').length;
  const tap = (): string | undefined => /^tap (\S+)$/m.exec(output)?.[1];

  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close().catch(() => undefined);
    child.kill('SIGTERM');
    await until(isOver, 'the window ends', WITHIN).catch(() => child.kill('SIGKILL'));
    rmSync(place, { recursive: true, force: true });
  };
  try {
    await until(() => tap() !== undefined || isOver(), 'the window is there', WITHIN);
    if (tap() === undefined) throw new Error('it ended');
  } catch (error) {
    await close();
    throw new Error(`the window did not open: ${output}`, { cause: error });
  }

  const page: OpenedWindow['page'] = async () => {
    await browser?.close().catch(() => undefined);
    browser = await chromium.connectOverCDP(tap()!);
    const found = browser.contexts()[0]?.pages()[0];
    if (!found) throw new Error('the window has no page');
    found.setDefaultTimeout(PATIENCE);
    return found;
  };
  return {
    host: 'chromium',
    startedAt,
    page,
    async renewed(act) {
      const before = renewals();
      // The page that is asked is gone before it could answer.
      await act().catch(() => undefined);
      await until(() => renewals() > before, 'there is a fresh page', WITHIN);
      return page();
    },
    close,
  };
}
