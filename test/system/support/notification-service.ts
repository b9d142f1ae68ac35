/** A session bus of the test's own, and on it a service that notes what it is asked to show (python3-dbus, python3-gi). */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const SERVICE = `
import json, sys, dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
NAME = 'org.freedesktop.Notifications'
class Service(dbus.service.Object):
    @dbus.service.method(NAME, in_signature='susssasa{sv}i', out_signature='u')
    def Notify(self, app, replaces, icon, title, body, actions, hints, timeout):
        print(json.dumps({'app': app, 'title': title, 'body': body, 'actions': list(actions), 'urgency': int(hints.get('urgency', -1)), 'timeout': int(timeout)}), flush=True)
        return 7
bus = dbus.SessionBus()
name = dbus.service.BusName(NAME, bus)
service = Service(bus, '/org/freedesktop/Notifications')
print('"ready"', flush=True)
GLib.MainLoop().run()
`;

export interface Shown {
  readonly app: string;
  readonly title: string;
  readonly body: string;
  readonly actions: readonly string[];
  readonly urgency: number;
  readonly timeout: number;
}

export interface NotificationBus {
  /** PATH and DBUS_SESSION_BUS_ADDRESS. */
  readonly env: Readonly<Record<string, string>>;
  readonly shown: readonly Shown[];
  /** The service is there when this resolves. */
  startService(): Promise<void>;
  end(): void;
}

export async function startNotificationBus(): Promise<NotificationBus> {
  const started: ChildProcess[] = [];
  const PATH = process.env['PATH'] ?? '';
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH } });
  started.push(bus);
  const address = await new Promise<string>((resolve) => bus.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
  const env = { PATH, DBUS_SESSION_BUS_ADDRESS: address };
  const shown: Shown[] = [];
  return {
    env,
    shown,
    async startService() {
      // The system's own: the modules are the distribution's.
      const service = spawn('/usr/bin/python3', ['-c', SERVICE], { stdio: ['ignore', 'pipe', 'inherit'], env });
      started.push(service);
      await new Promise<void>((ready, failed) => {
        service.once('exit', () => failed(new Error('the service of notifications does not start; it needs python3-dbus and python3-gi')));
        createInterface({ input: service.stdout }).on('line', (line) => {
          const said = JSON.parse(line) as 'ready' | Shown;
          if (said === 'ready') ready();
          else shown.push(said);
        });
      });
    },
    end: () => started.reverse().forEach((child) => child.kill('SIGKILL')),
  };
}
