/**
 * The window in a real Electron. Playwright starts it and evaluates in its main process; pages are looked at over the browser's own port,
 * anew after each lock, since a page whose process was killed is lost to the connection that saw it die.
 */
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { _electron, chromium, type Browser } from 'playwright-core';
import { findElectron } from '../../../src/main/hosts/electron/find.ts';
import { until } from '../../system/support/processes.ts';
import type { Home } from './home.ts';
import { PATIENCE, type OpenedWindow } from './opened-window.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const WITHIN = 30_000;

/** The binary; throws, saying what to type, where it is not installed. */
export function electronOrThrow(): string {
  const binary = findElectron(resolve(ROOT, 'node_modules/electron'));
  if (binary === undefined) throw new Error('Electron’s binary is not installed; type: node node_modules/electron/install.js');
  return binary;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

export async function openElectronWindow(home: Home, args: readonly string[]): Promise<OpenedWindow> {
  const port = await freePort();
  const display = Object.fromEntries(['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'DBUS_SESSION_BUS_ADDRESS'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  const startedAt = Date.now();
  const app = await _electron.launch({
    executablePath: electronOrThrow(),
    args: [resolve(ROOT, 'dist/main/electron.mjs'), '--vault', home.vault, `--remote-debugging-port=${String(port)}`, `--user-data-dir=${home.folder}/electron`, ...args],
    // Playwright would switch it off.
    chromiumSandbox: true,
    env: { ...home.env, ...display },
  });
  /** Process of the window's page; undefined while it loads. */
  const renderer = (): Promise<number | undefined> =>
    app.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows();
      return window === undefined || window.webContents.isCrashed() || window.webContents.isLoading() ? undefined : window.webContents.getOSProcessId();
    });

  let browser: Browser | undefined;
  const page: OpenedWindow['page'] = async () => {
    await browser?.close().catch(() => undefined);
    browser = await chromium.connectOverCDP(`http://127.0.0.1:${String(port)}`);
    const found = browser.contexts()[0]?.pages().find((one) => one.url().startsWith('keystead://app'));
    if (!found) throw new Error('the window has no page');
    found.setDefaultTimeout(PATIENCE);
    return found;
  };
  await until(async () => (await renderer()) !== undefined, 'the window is there', WITHIN);
  return {
    host: 'electron',
    startedAt,
    page,
    async renewed(act) {
      const before = await renderer();
      await act().catch(() => undefined);
      await until(async () => ![before, undefined].includes(await renderer()), 'there is a fresh page', WITHIN);
      return page();
    },
    async close() {
      await browser?.close().catch(() => undefined);
      await app.close();
    },
  };
}
