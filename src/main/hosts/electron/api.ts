/**
 * What this program uses of Electron, as Electron's own types have it. Everything but `main.ts` and `preload.ts` takes it as an argument, so
 * that it runs under plain Node against a fake; nothing here may import Electron but for its types.
 */
import type * as electron from 'electron';

export type ElectronApi = Pick<
  typeof electron,
  'app' | 'BrowserWindow' | 'clipboard' | 'ClipboardItem' | 'dialog' | 'ipcMain' | 'Menu' | 'nativeImage' | 'Notification' | 'powerMonitor' | 'session' | 'Tray' | 'utilityProcess'
>;

/** The one channel between the preload and main, both ways. */
export const CHANNEL = 'keystead';
export const SCHEME = 'keystead';
export const ORIGIN = 'keystead://app';
export const START = `${ORIGIN}/`;

/** Before `app` is ready. Standard: it has an origin. Secure: so has everything that wants a secure context. */
export const SCHEMES = [{ scheme: SCHEME, privileges: { standard: true, secure: true } }] as const;
