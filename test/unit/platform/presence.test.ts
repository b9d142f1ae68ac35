import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { watchBus } from '../../../src/main/platform/bus-watch.ts';
import type { LeaveReason } from '../../../src/main/platform/bus-signal.ts';
import { sleptBetween, watchPresence } from '../../../src/main/platform/presence.ts';
import { fakeClock } from '../../fakes/fake-clock.ts';
import { recordingLog } from '../../fakes/recording-log.ts';

it('sleep is what one clock counted and the other did not', () => {
  expect(sleptBetween({ monotonic: 0, boottime: 100 }, { monotonic: 5000, boottime: 65_100 })).toBe(60_000);
  expect(sleptBetween({ monotonic: 0, boottime: 100 }, { monotonic: 5001, boottime: 5100 })).toBe(0);
});

describe('the watch', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says suspend for a gap over 30 s, and nothing after stop', () => {
    const clock = fakeClock();
    const reasons: LeaveReason[] = [];
    const presence = watchPresence({ clock, onLeave: (reason) => reasons.push(reason), buses: false });
    const pass = (ms: number): void => {
      for (let at = 0; at < ms; at += 5000) {
        clock.advance(5000);
        vi.advanceTimersByTime(5000);
      }
    };
    clock.sleep(29_000);
    pass(5_000);
    expect(reasons).toEqual([]);
    clock.sleep(31_000);
    pass(5_000);
    expect(reasons).toEqual(['suspend']);
    presence.stop();
    clock.sleep(31_000);
    pass(600_000);
    expect(reasons).toEqual(['suspend']);
  });
});


describe('a real bus', () => {
  let folder = '';
  let address = '';
  const started: ChildProcess[] = [];
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
    expect(condition()).toBe(true);
  };
  const startBus = async (args: readonly string[]): Promise<string> => {
    const bus = spawn('dbus-daemon', [...args, '--nofork', '--print-address=1'], { stdio: ['ignore', 'pipe', 'ignore'] });
    started.push(bus);
    return new Promise((resolve) => bus.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())));
  };
  const send = (path: string, member: string, ...args: string[]): void => {
    expect(spawnSync('dbus-send', [`--bus=${address}`, '--type=signal', path, member, ...args]).status).toBe(0);
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keystead-bus-'));
    address = await startBus(['--session']);
  });
  afterEach(async () => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('the screen lock arrives, its end does not, and another name does not', async () => {
    const reasons: LeaveReason[] = [];
    const presence = watchPresence({
      clock: fakeClock(),
      onLeave: (reason) => reasons.push(reason),
      session: { address },
      // No logind on a private bus: the rules without its name.
      system: { address, matches: ["type='signal',interface='org.freedesktop.login1.Manager'", "type='signal',interface='org.freedesktop.login1.Session'"] },
    });
    const sendAll = async (path: string, member: string, expected: LeaveReason, ...args: string[]): Promise<void> => {
      const before = reasons.length;
      // The watcher needs a moment to be on the bus; until then the signal is sent again.
      for (let i = 0; i < 100 && reasons.length === before; i++) {
        send(path, member, ...args);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(reasons.at(-1)).toBe(expected);
    };
    await sendAll('/org/gnome/ScreenSaver', 'org.gnome.ScreenSaver.ActiveChanged', 'screen-lock', 'boolean:true');
    await sendAll('/org/freedesktop/login1', 'org.freedesktop.login1.Manager.PrepareForSleep', 'suspend', 'boolean:true');
    await sendAll('/org/freedesktop/ScreenSaver', 'org.freedesktop.ScreenSaver.ActiveChanged', 'screen-lock', 'boolean:true');
    await sendAll('/org/freedesktop/login1/session/_31', 'org.freedesktop.login1.Session.Lock', 'screen-lock');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = reasons.length;
    send('/org/gnome/ScreenSaver', 'org.gnome.ScreenSaver.ActiveChanged', 'boolean:false');
    send('/org/freedesktop/login1', 'org.freedesktop.login1.Manager.PrepareForSleep', 'boolean:false');
    send('/org/example', 'org.example.ScreenSaver.ActiveChanged', 'boolean:true');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(reasons).toHaveLength(before);
    presence.stop();
  }, 30_000);

  it('logind is believed by its name on the bus, not by the name of the signal', async () => {
    const { LOGIND_MATCHES } = await import('../../../src/main/platform/bus-signal.ts');
    const seen: string[] = [];
    const watch = watchBus({ bus: 'system', address, matches: [...LOGIND_MATCHES, "type='signal',interface='org.example.Control'"], onSignal: ({ member }) => seen.push(member), log: recordingLog() });
    await until(() => {
      send('/org/freedesktop/login1', 'org.freedesktop.login1.Manager.PrepareForSleep', 'boolean:true');
      send('/org/example', 'org.example.Control.Ping', 'boolean:true');
      return seen.length > 0;
    });
    expect(new Set(seen)).toEqual(new Set(['Ping']));
    watch.stop();
  }, 30_000);

  it("an ordinary user under the system bus's own policy: busctl is refused, dbus-monitor takes over", async () => {
    const policy = await readFile('/usr/share/dbus-1/system.conf', 'utf8');
    const config = policy.replace(/<listen>.*?<\/listen>/, `<listen>unix:path=${folder}/bus</listen>`).replace(/<(fork)\/>|<user>.*?<\/user>|<pidfile>.*?<\/pidfile>|<servicehelper>.*?<\/servicehelper>/g, '');
    await writeFile(join(folder, 'system.conf'), config);
    address = await startBus([`--config-file=${join(folder, 'system.conf')}`]);
    await chmod(folder, 0o755);
    const { bundle } = await import('./bundle.ts');
    const script = await bundle(
      'bus-watcher',
      `import { watchBus } from './src/main/platform/bus-watch.ts';
       watchBus({ bus: 'system', address: process.argv[2] ?? '', matches: ["type='signal',interface='org.freedesktop.login1.Manager'"],
         onSignal: ({ member, flag }) => { console.log(member, flag); process.exit(0); }, log: { event: () => undefined } });
       setInterval(() => undefined, 1000);`,
    );
    const child = spawn(process.execPath, [script, address], { uid: 65534, gid: 65534, stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(() => {
      send('/org/freedesktop/login1', 'org.freedesktop.login1.Manager.PrepareForSleep', 'boolean:true');
      return output !== '';
    });
    expect(output).toBe('PrepareForSleep true\n');
  }, 30_000);

  it('the tool ends with the program, even when that is killed', async () => {
    const { bundle } = await import('./bundle.ts');
    const script = await bundle(
      'bus-orphan',
      `import { watchBus } from './src/main/platform/bus-watch.ts';
       watchBus({ bus: 'session', address: process.argv[2] ?? '', matches: ["type='signal',interface='org.example.Quiet'"], onSignal: () => undefined, log: { event: () => undefined } });
       setInterval(() => undefined, 1000);`,
    );
    const child = spawn(process.execPath, [script, address], { stdio: 'ignore' });
    started.push(child);
    const tools = (): string => spawnSync('pgrep', ['-f', `busctl --address=${address}`]).stdout.toString().trim();
    await until(() => tools() !== '');
    child.kill('SIGKILL');
    await until(() => tools() === '');
  }, 30_000);
});
