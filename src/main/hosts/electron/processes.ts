/**
 * Children as Electron's utility processes: the same frames, over a message port. `child_process.fork` does not work in the packaged
 * program, where Electron cannot be run as plain Node.
 */
import { VaultError, type ErrorCode } from '../../../shared/model/errors.ts';
import type { Child, Exit, ProcessHost } from '../../platform/ports.ts';
import type { ElectronApi } from './api.ts';

type Entry = Parameters<ProcessHost['spawn']>[0];

export interface UtilityOptions {
  readonly electron: Pick<ElectronApi, 'utilityProcess'>;
  /** Absolute path of the built module of each entry. */
  readonly entries: Readonly<Record<Entry, string>>;
  readonly kill?: (pid: number) => void;
}

/** What a child inherits. One that holds keys has no business on the session bus. */
const EVERYWHERE = ['PATH', 'HOME', 'LANG', 'SystemRoot', 'windir', 'TEMP', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'];
/** Where vendors' modules look for their own settings. */
const MODULES = ['XDG_RUNTIME_DIR', 'SOFTHSM2_CONF', 'YUBIHSM_PKCS11_CONF', 'PKCS11_PROXY_SOCKET', 'OPENSC_CONF', 'CLOUDHSM_PKCS11_CONFIG'];
const ENVIRONMENT: Readonly<Record<Entry, readonly string[]>> = { sealer: EVERYWHERE, keychain: [...EVERYWHERE, 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'], cipher: EVERYWHERE, pkcs11: [...EVERYWHERE, ...MODULES], egress: EVERYWHERE, importer: EVERYWHERE };
const GONE: Readonly<Record<Entry, ErrorCode>> = { sealer: 'SealerStoppedException', keychain: 'KeychainUnavailableException', cipher: 'InternalException', pkcs11: 'KMSInternalException', egress: 'InternalException', importer: 'InternalException' };

export function createUtilityHost({ electron, entries, kill = (pid) => void process.kill(pid, 'SIGKILL') }: UtilityOptions): ProcessHost {
  return {
    spawn(entry, { args = [] } = {}): Child {
      const env = Object.fromEntries(ENVIRONMENT[entry].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
      const child = electron.utilityProcess.fork(entries[entry], [...args], { stdio: 'ignore', env, serviceName: `keystead-${entry}` });
      let gone = false;
      let asked = false;
      let receiver: ((frame: Uint8Array) => void) | undefined;
      let early: Uint8Array[] = [];
      child.on('message', (message: unknown) => {
        if (!(message instanceof Uint8Array)) return;
        if (receiver) receiver(message);
        else early.push(message);
      });
      const end = (): void => {
        // SIGTERM first is how Electron ends one; a sealer must not get to think about it.
        if (child.pid === undefined) child.kill();
        else kill(child.pid);
      };
      // Killed before it was there.
      child.once('spawn', () => void (asked && end()));
      const exited = new Promise<Exit>((resolve) => {
        child.once('exit', (code) => {
          gone = true;
          resolve({ code, signal: null });
        });
      });
      return {
        get pid() {
          return child.pid ?? 0;
        },
        send(frame) {
          try {
            if (gone || asked) throw new VaultError(GONE[entry], `the ${entry} process has stopped: try again`);
            child.postMessage(frame);
          } finally {
            // Cloned by `postMessage` before it returned.
            frame.fill(0);
          }
        },
        onFrame(receive) {
          receiver = receive;
          for (const frame of early) receive(frame);
          early = [];
        },
        exited,
        kill() {
          asked = true;
          if (!gone) end();
        },
      };
    },
  };
}
