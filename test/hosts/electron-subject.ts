/** The Electron host over the fake, for the conformance suite: the host's own code and the built preload are real. */
import { resolve } from 'node:path';
import { createElectronHost, type ElectronHost } from '../../src/main/hosts/electron/host.ts';
import { bundleOf } from './chromium-subject.ts';
import { FakeElectron, preventable } from './fake-electron.ts';
import { watch, type Subject } from './subject.ts';

export interface ElectronSubject extends Subject {
  readonly electron: FakeElectron;
  readonly host: ElectronHost;
}

/** As Electron names them. */
const PERMISSIONS: Readonly<Record<string, string>> = { camera: 'media', microphone: 'media' };
/** Pages that are there without a request, of which nobody is asked beforehand. */
const UNASKED = ['about:blank', 'blob'];

export async function openElectron(): Promise<ElectronSubject> {
  const electron = new FakeElectron();
  const kill = (pid: number): void => {
    electron.running.delete(pid);
    setImmediate(() => electron.contents.emit('render-process-gone', {}, { reason: 'killed' }));
  };
  const host = createElectronHost({
    electron: electron.api,
    bundle: bundleOf('page'),
    preload: resolve(import.meta.dirname, '../../dist/main/preload.cjs'),
    processes: { kill, isRunning: (pid) => electron.running.has(pid) },
  });
  const watched = watch(host);
  await host.open();
  const page = () => {
    if (!electron.page) throw new Error('no bridge');
    return electron.page;
  };
  const strangers = {
    'child frame': () => ({ origin: host.origin, parent: electron.mainFrame }),
    'other origin': () => ({ origin: 'https://example.com', parent: null }),
    'frame without url': () => null,
  };
  return {
    ...watched,
    host,
    electron,
    desktop: true,
    invoke: (operation, input, region) => page().invoke(operation, input, region),
    bridgeNames: () => Promise.resolve(Object.getOwnPropertyNames(page())),
    listen() {
      const heard: unknown[] = [];
      page().on((event) => heard.push(event));
      return Promise.resolve(() => Promise.resolve(heard));
    },
    speakAs(stranger, text) {
      electron.ipcMain.emit('keystead', { sender: electron.webContents, senderFrame: strangers[stranger]() }, new TextEncoder().encode(text));
      return Promise.resolve(true);
    },
    navigate(url) {
      if (url.startsWith('#')) electron.location = `${host.origin}/${url}`;
      else {
        const event = preventable();
        if (!UNASKED.includes(url)) electron.contents.emit('will-navigate', event, url);
        if (!event.defaultPrevented) {
          electron.location = url;
          electron.contents.emit('did-navigate', preventable(), url);
        }
      }
      return Promise.resolve(electron.location);
    },
    popup: (url) => Promise.resolve((electron.handlers.get('setWindowOpenHandler') as unknown as (details: object) => { action: string })({ url }).action !== 'deny'),
    permission: (name) => Promise.resolve(electron.permission(PERMISSIONS[name] ?? name)),
    header: async (name) => (await electron.fetch('keystead://app/')).headers.get(name) ?? undefined,
    rendererId: () => Promise.resolve(electron.pid),
    isRunning: (pid) => electron.running.has(pid),
    crash: () => Promise.resolve(void electron.contents.emit('render-process-gone', {}, { reason: 'crashed' })),
    closeByPerson: () => Promise.resolve(void electron.windowEvents.emit('closed')),
    async end() {
      await watched.door.close(0);
      await host.close();
    },
  };
}
