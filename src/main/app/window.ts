/**
 * The vault with its window: in Electron where its binary is there, else in an installed Chromium.
 *
 *   node dist/main/window.mjs --vault DIR [--headless]
 *
 * Without a display, or with `--headless`, the window is shown nowhere. On failure as `serve.ts`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { VaultError } from '../../shared/model/errors.ts';
import { VERSION } from '../../shared/version.ts';
import { xClipboard } from '../hosts/chromium/x11/clipboard.ts';
import { findBrowser } from '../hosts/chromium/find.ts';
import { createChromiumHost } from '../hosts/chromium/host.ts';
import { programDialogs } from '../hosts/desktop/dialogs.ts';
import { busNotifications } from '../hosts/desktop/notifications.ts';
import { findElectron } from '../hosts/electron/find.ts';
import type { WindowHost } from '../hosts/port.ts';
import { besideThis } from './entries.ts';
import { run, sayWhy } from './run.ts';
import { attachWindow } from './windowed.ts';

const hasDisplay = (): boolean => process.platform !== 'linux' || Boolean(process.env['DISPLAY']) || Boolean(process.env['WAYLAND_DISPLAY']);
const say = (line: string): boolean => process.stdout.write(`keystead ${VERSION}: ${line}\n`);

/** Its main process is another program: this one only waits for it. */
function startElectron(binary: string, args: readonly string[]): void {
  say(`window in Electron (${binary})`);
  const child = spawn(binary, [besideThis('./electron.mjs'), ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
  child.once('exit', (code) => process.exit(code ?? 1));
}

/** What the desktop has for the window; dialogs only where the window itself can be seen. */
function linuxDesktop(env: Readonly<Record<string, string | undefined>>, headless: boolean): Pick<WindowHost, 'clipboard' | 'dialogs' | 'notifications'> {
  const [clipboard, dialogs, notifications] = [xClipboard(env), headless ? undefined : programDialogs(env), busNotifications(env)];
  return { ...(clipboard ? { clipboard } : {}), ...(dialogs ? { dialogs } : {}), ...(notifications ? { notifications } : {}) };
}

async function main(args: readonly string[]): Promise<void> {
  const headless = args.includes('--headless') || !hasDisplay();
  const electron = findElectron(besideThis('../../node_modules/electron'));
  // Electron's sandbox does not run as root, and without a sandbox nothing is shown.
  if (electron !== undefined && existsSync(besideThis('./electron.mjs')) && !headless && process.geteuid?.() !== 0) return startElectron(electron, args);
  const program = findBrowser();
  if (program === undefined) throw new VaultError('InternalException', 'there is no Electron, Chromium, Chrome or Edge here to show the window in; install one, or use the command line');
  const host = createChromiumHost({ program, bundle: besideThis('../renderer'), firstScript: readFileSync(besideThis('./page.js'), 'utf8'), headless, ...(process.platform === 'linux' ? linuxDesktop(process.env, headless) : {}) });
  const vault = await run({ args });
  try {
    await attachWindow(vault, host);
  } catch (error) {
    await vault.program.close();
    throw error;
  }
  say(`window in Chromium (${program}${headless ? ', headless' : ''}), since ${electron === undefined ? 'Electron’s binary is not installed' : 'Electron does not run here'}`);
  for (const note of host.notes) say(note);
}

main(process.argv.slice(2)).catch((error: unknown) => process.exit(sayWhy(error)));
