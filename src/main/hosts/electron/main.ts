/** Electron's main process: the vault with its window. The only place, with the preload, that Electron is there at run time. */
import { app, BrowserWindow, clipboard, ClipboardItem, dialog, ipcMain, Menu, nativeImage, Notification, powerMonitor, protocol, session, Tray, utilityProcess } from 'electron';
import { besideThis, ENTRIES } from '../../app/entries.ts';
import { run, sayWhy } from '../../app/run.ts';
import { attachWindow } from '../../app/windowed.ts';
import { unrefTimer } from '../../doors/schedule.ts';
import { createEgress } from '../../egress/client.ts';
import { createCipherFiles } from '../../cipher/client.ts';
import { asSchedule } from '../../doors/as-schedule.ts';
import { createKeychain } from '../../platform/keychain.ts';
import { systemRandom } from '../../platform/random.ts';
import { createSealerClient } from '../../seal/client.ts';
import { SCHEMES, type ElectronApi } from './api.ts';
import { startDesktop, type Leaving } from './desktop.ts';
import { createElectronHost } from './host.ts';
import { createUtilityHost } from './processes.ts';

const electron: ElectronApi = { app, BrowserWindow, clipboard, ClipboardItem, dialog, ipcMain, Menu, nativeImage, Notification, powerMonitor, session, Tray, utilityProcess };

const SWITCHES: readonly (readonly [name: string, value?: string])[] = [
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  ['force-webrtc-ip-handling-policy', 'disable_non_proxied_udp'],
  ['disable-background-networking'],
  ['disable-domain-reliability'],
  ['disable-breakpad'],
  ['no-pings'],
];

/** Nothing that the tray holds may be collected. */
const kept: unknown[] = [];

async function main(args: readonly string[]): Promise<void> {
  await app.whenReady();
  const host = createElectronHost({ electron, bundle: besideThis('../renderer'), preload: besideThis('./preload.cjs') });
  const vault = await run({
    args,
    exit: (code) => app.exit(code),
    machine(log) {
      const children = createUtilityHost({ electron, entries: ENTRIES });
      return { keychain: createKeychain({ host: children, log }), startSealer: () => createSealerClient(children.spawn('sealer')), cipherFiles: createCipherFiles({ host: children, random: systemRandom }), egress: createEgress({ host: children, after: unrefTimer }) };
    },
  });
  const lock = (job: string): void => {
    void asSchedule(vault.program.door, job, 'vault:Lock');
  };
  const wanted = (how: Leaving): boolean => {
    const settings = vault.program.vault.open?.settings;
    return (how === 'suspend' ? settings?.lockOnSuspend : settings?.lockOnScreenLock) ?? false;
  };
  const tray = startDesktop({
    electron,
    host,
    lock: () => lock('menu'),
    left: (how) => void (wanted(how) && lock(how)),
    quit: () => void vault.stop('asked'),
  });
  kept.push(tray);
  await attachWindow(vault, host);
}

app.enableSandbox();
for (const [name, value] of SWITCHES) app.commandLine.appendSwitch(name, value);
protocol.registerSchemesAsPrivileged(SCHEMES.map((scheme) => ({ ...scheme })));
// The first instance shows its window; two processes on one vault would be refused by its lock anyway.
if (app.requestSingleInstanceLock()) main(process.argv.slice(app.isPackaged ? 1 : 2)).catch((error: unknown) => app.exit(sayWhy(error)));
else app.quit();
