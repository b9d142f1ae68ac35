/** A session bus with an unlocked keyring of its own (gnome-keyring-daemon), in a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);

export function hasKeyring(): boolean {
  const has = (program: string): boolean => spawnSync('which', [program]).status === 0;
  try {
    return has('dbus-daemon') && has('gnome-keyring-daemon') && existsSync(require.resolve('keytar'));
  } catch {
    return false;
  }
}

export interface SessionBus {
  readonly address: string;
  /** The bytes behind an entry, read by a process of its own. */
  read(name: string): Buffer;
  end(): void;
}

export async function startSessionBus(home: string, runtime: string): Promise<SessionBus> {
  const started: ChildProcess[] = [];
  const base = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: runtime };
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'], env: base });
  started.push(bus);
  const address = await new Promise<string>((resolve) => bus.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: address };
  const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--components=secrets', '--unlock'], { stdio: ['pipe', 'ignore', 'ignore'], env });
  started.push(daemon);
  daemon.stdin.end('throwaway');
  const names = (): string => spawnSync('dbus-send', [`--bus=${address}`, '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ListNames']).stdout.toString();
  for (let i = 0; i < 100 && !names().includes('org.freedesktop.secrets'); i++) await sleep(50);
  return {
    address,
    read(name) {
      const script = `require(${JSON.stringify(require.resolve('keytar'))}).getPassword('keystead', ${JSON.stringify(name)}).then((text) => process.stdout.write(text ?? ''))`;
      return Buffer.from(spawnSync(process.execPath, ['-e', script], { env }).stdout.toString(), 'base64');
    },
    end: () => started.reverse().forEach((child) => child.kill('SIGKILL')),
  };
}
