/** What a desktop adds to the window: its menu, the tray, one instance, and the machine's own signs that the person has left. */
import type { MenuItemConstructorOptions, Tray } from 'electron';
import type { ElectronApi } from './api.ts';
import type { ElectronHost } from './host.ts';
import { ICON } from './icon.ts';

export type Leaving = 'suspend' | 'screen-lock';

export interface DesktopOptions {
  readonly electron: Pick<ElectronApi, 'app' | 'Menu' | 'Tray' | 'nativeImage' | 'powerMonitor'>;
  readonly host: Pick<ElectronHost, 'show'>;
  /** By the person's own wish. */
  readonly lock: () => void;
  /** The machine sleeps, or its screen is locked: whether the vault locks then is a setting. */
  readonly left: (how: Leaving) => void;
  readonly quit: () => void;
}

/** The tray goes when nothing holds it any more: keep the result. */
export function startDesktop({ electron, host, lock, left, quit }: DesktopOptions): Tray {
  const { app, Menu, Tray: TrayIcon, nativeImage, powerMonitor } = electron;
  const own: MenuItemConstructorOptions[] = [
    { label: 'Show Keystead', click: () => host.show() },
    { label: 'Lock', accelerator: 'CommandOrControl+Shift+L', click: lock },
    { type: 'separator' },
    { label: 'Quit', accelerator: 'CommandOrControl+Q', click: quit },
  ];
  // Without the roles, copy, paste and the like have no keys on macOS. There is no reload and there are no developer tools.
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      { label: 'Keystead', submenu: own },
      { label: 'Edit', submenu: [{ role: 'undo' }, { role: 'redo' }, { type: 'separator' }, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }] },
      { label: 'View', submenu: [{ role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }, { role: 'togglefullscreen' }] },
      { label: 'Window', submenu: [{ role: 'minimize' }, { role: 'close' }] },
    ]),
  );
  const tray = new TrayIcon(nativeImage.createFromDataURL(ICON));
  tray.setToolTip('Keystead');
  tray.setContextMenu(Menu.buildFromTemplate(own));
  tray.on('click', () => host.show());

  powerMonitor.on('suspend', () => left('suspend'));
  powerMonitor.on('lock-screen', () => left('screen-lock'));

  app.on('second-instance', () => host.show());
  app.on('activate', () => host.show());
  // Without a listener Electron quits by itself, before the vault is closed.
  app.on('window-all-closed', () => undefined);
  app.on('before-quit', (event) => {
    event.preventDefault();
    quit();
  });
  return tray;
}
