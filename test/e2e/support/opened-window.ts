/**
 * The window as the specs see it, whichever host shows it: the Chromium host, or a real Electron where `KEYSTEAD_E2E_HOST=electron` says so
 * (`npm run e2e:electron`). A spec that needs to know which has no place beside the others.
 */
import type { Page } from 'playwright-core';
import { startXServer, type XServer } from '../../system/support/x-server.ts';
import { openChromiumWindow } from './chromium-window.ts';
import { openElectronWindow } from './electron-window.ts';
import type { Home } from './home.ts';

/** Milliseconds that a page has for one step, unless a spec gives it more. */
export const PATIENCE = 10_000;

export interface OpenedWindow {
  readonly host: 'chromium' | 'electron';
  /** Milliseconds since the epoch at which its process was started. */
  readonly startedAt: number;
  /** The page as it is now; an earlier one is not to be used any more. */
  page(): Promise<Page>;
  /** Does what locks the vault, waits until the page's process has gone and a fresh page is there, and gives that. */
  renewed(act: () => Promise<unknown>): Promise<Page>;
  close(): Promise<void>;
}

/** Where a copied value goes: an X server of the test's own for the Chromium host, which is shown nowhere; the display that a real Electron is shown on. */
export async function openDesktop(): Promise<XServer> {
  if (process.env['KEYSTEAD_E2E_HOST'] !== 'electron') return startXServer();
  const env = Object.fromEntries(['PATH', 'DISPLAY', 'XAUTHORITY'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  return { env, end: () => Promise.resolve() };
}

const HOSTS = { chromium: openChromiumWindow, electron: openElectronWindow };

/** Over the vault of `home`, which need not exist yet. Needs the build. */
export function openWindow(home: Home, args: readonly string[] = []): Promise<OpenedWindow> {
  const name = process.env['KEYSTEAD_E2E_HOST'] ?? 'chromium';
  if (name !== 'chromium' && name !== 'electron') throw new Error(`there is no host \`${name}\`: chromium or electron`);
  return HOSTS[name](home, args);
}
