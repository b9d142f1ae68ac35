import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createDbusMonitorParser, parseBusctlLine, reasonOf, sessionPath, type BusSignal } from '../../../src/main/platform/bus-signal.ts';

/** Recorded: `busctl --json=short monitor` of systemd 252 (Debian 12). */
const BUSCTL = {
  screenOn: '{"type":"signal","endian":"l","flags":1,"version":1,"cookie":2,"timestamp-realtime":1795315570065130,"sender":":1.2","path":"/org/gnome/ScreenSaver","interface":"org.gnome.ScreenSaver","member":"ActiveChanged","payload":{"type":"b","data":[true]}}',
  screenOff: '{"type":"signal","endian":"l","flags":1,"version":1,"cookie":2,"timestamp-realtime":1795315570075069,"sender":":1.3","path":"/org/gnome/ScreenSaver","interface":"org.gnome.ScreenSaver","member":"ActiveChanged","payload":{"type":"b","data":[false]}}',
  sleep: '{"type":"signal","endian":"l","flags":1,"version":1,"cookie":40,"timestamp-realtime":1795315596983229,"sender":":1.2","path":"/org/freedesktop/login1","interface":"org.freedesktop.login1.Manager","member":"PrepareForSleep","payload":{"type":"b","data":[true]}}',
  lock: '{"type":"signal","endian":"l","flags":1,"version":1,"cookie":41,"timestamp-realtime":1795315596983229,"sender":":1.2","path":"/org/freedesktop/login1/session/_32","interface":"org.freedesktop.login1.Session","member":"Lock","payload":{"type":"","data":[]}}',
  call: '{"type":"method_call","endian":"l","flags":0,"version":1,"cookie":1,"sender":":1.4","destination":"org.freedesktop.DBus","path":"/org/freedesktop/DBus","interface":"org.freedesktop.login1.Session","member":"Lock","payload":{"type":"","data":[]}}',
};

/** Recorded: `dbus-monitor` 1.14.10 (Debian 12), as an ordinary user on a bus with the system bus's policy. */
const DBUS_MONITOR = `signal time=1795315596.284173 sender=org.freedesktop.DBus -> destination=:1.0 serial=2 path=/org/freedesktop/DBus; interface=org.freedesktop.DBus; member=NameAcquired
   string ":1.0"
signal time=1795315596.983229 sender=:1.2 -> destination=(null destination) serial=2 path=/org/freedesktop/login1; interface=org.freedesktop.login1.Manager; member=PrepareForSleep
   boolean true
signal time=1795315597.083229 sender=:1.2 -> destination=(null destination) serial=3 path=/org/freedesktop/login1; interface=org.freedesktop.login1.Manager; member=PrepareForSleep
   boolean false
signal time=1795315598.083229 sender=:1.2 -> destination=(null destination) serial=4 path=/org/freedesktop/login1/session/_32; interface=org.freedesktop.login1.Session; member=Lock
signal time=1795315598.183229 sender=:1.9 -> destination=(null destination) serial=5 path=/org/freedesktop/ScreenSaver; interface=org.freedesktop.ScreenSaver; member=ActiveChanged
   boolean true`.split('\n');

describe('busctl', () => {
  it.each([
    ['screenOn', 'screen-lock'],
    ['screenOff', undefined],
    ['sleep', 'suspend'],
    ['lock', 'screen-lock'],
  ] as const)('%s means %s', (line, reason) => {
    const signal = parseBusctlLine(BUSCTL[line]);
    expect(signal && reasonOf(signal, undefined)).toBe(reason);
  });
  it('a call is not a signal', () => {
    expect(parseBusctlLine(BUSCTL.call)).toBeUndefined();
  });
  it.each(['', 'null', '[]', '3', '{}', '{"type":"signal"}', '{"type":"signal","path":1,"interface":"a","member":"b"}', 'Monitoring bus message stream.', BUSCTL.sleep.slice(0, 90)])('%s is nothing', (line) => {
    expect(parseBusctlLine(line)).toBeUndefined();
  });
  it.each(['{"type":"signal","path":"/","interface":"org.gnome.ScreenSaver","member":"ActiveChanged","payload":{"data":["true"]}}', '{"type":"signal","path":"/","interface":"org.gnome.ScreenSaver","member":"ActiveChanged","payload":{"data":{"0":true}}}'])('a flag that is none locks nothing: %#', (line) => {
    const signal = parseBusctlLine(line);
    expect(signal && reasonOf(signal, undefined)).toBeUndefined();
  });
});

describe('dbus-monitor', () => {
  it('reads recorded lines', () => {
    const parse = createDbusMonitorParser();
    const signals = DBUS_MONITOR.map(parse).filter((signal): signal is BusSignal => signal !== undefined);
    expect(signals.map((signal) => [signal.member, reasonOf(signal, undefined)])).toEqual([
      ['PrepareForSleep', 'suspend'],
      ['PrepareForSleep', undefined],
      ['Lock', 'screen-lock'],
      ['ActiveChanged', 'screen-lock'],
    ]);
  });
  it('does not take an argument of one message for that of another', () => {
    const parse = createDbusMonitorParser();
    const header = DBUS_MONITOR[8] ?? '';
    expect([header, '   string "x"', '   boolean true'].map(parse)).toEqual([undefined, undefined, undefined]);
  });
});

describe('whose session', () => {
  it.each([
    ['2', '/org/freedesktop/login1/session/_32'],
    ['12', '/org/freedesktop/login1/session/_312'],
    ['c1', '/org/freedesktop/login1/session/c1'],
    ['../x', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('id %s has the path %s', (id, path) => {
    expect(sessionPath(id)).toBe(path);
  });
  it('the lock of another session is none of ours', () => {
    const signal = parseBusctlLine(BUSCTL.lock);
    expect(signal && reasonOf(signal, sessionPath('2'))).toBe('screen-lock');
    expect(signal && reasonOf(signal, sessionPath('3'))).toBeUndefined();
  });
});

it('20,000 hostile lines: no throw, no lock', () => {
  const parse = createDbusMonitorParser();
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...DBUS_MONITOR, ...Object.values(BUSCTL)).chain((line) => fc.nat(line.length - 1).map((at) => line.slice(0, at)))), (line) => {
      const signal = parseBusctlLine(line);
      expect(signal && reasonOf(signal, undefined)).toBeUndefined();
      parse(line);
    }),
    { numRuns: 20_000 },
  );
});
