/** Signals on D-Bus that mean "the person is leaving", as two programs print them. Pure; every line is hostile. */
import { isObject } from '../../shared/wire/json.ts';

export interface BusSignal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** The first argument where it is a boolean. */
  readonly flag: boolean | undefined;
}

/** Why the vault should lock itself. */
export type LeaveReason = 'suspend' | 'screen-lock';

/** org.freedesktop.login1(5), and the screen savers that tell the session bus. */
const MANAGER = 'org.freedesktop.login1.Manager';
const SESSION = 'org.freedesktop.login1.Session';
const SCREEN_SAVERS = ['org.freedesktop.ScreenSaver', 'org.gnome.ScreenSaver', 'org.cinnamon.ScreenSaver', 'org.mate.ScreenSaver', 'org.xfce.ScreenSaver'] as const;

/**
 * Match rules for logind on the system bus. The sender is part of them: any local user may broadcast a signal of this
 * name, but only logind owns the name.
 */
export const LOGIND_MATCHES: readonly string[] = [
  `type='signal',sender='org.freedesktop.login1',interface='${MANAGER}',member='PrepareForSleep'`,
  `type='signal',sender='org.freedesktop.login1',interface='${SESSION}',member='Lock'`,
];
export const SESSION_MATCHES: readonly string[] = SCREEN_SAVERS.map((name) => `type='signal',interface='${name}',member='ActiveChanged'`);

/**
 * What a signal means; undefined for nothing. `session` is the object path of the own session: where it is known, the
 * lock of another one on the same machine is none of ours.
 */
export function reasonOf(signal: BusSignal, session: string | undefined): LeaveReason | undefined {
  if (signal.interface === MANAGER && signal.member === 'PrepareForSleep') return signal.flag === false ? undefined : 'suspend';
  if (signal.interface === SESSION && signal.member === 'Lock') return session === undefined || signal.path === session ? 'screen-lock' : undefined;
  const saver = SCREEN_SAVERS.some((name) => name === signal.interface);
  return saver && signal.member === 'ActiveChanged' && signal.flag === true ? 'screen-lock' : undefined;
}

/** Object path of a session by its id (`XDG_SESSION_ID`), escaped as sd_bus_path_encode(3) does. */
export function sessionPath(id: string | undefined): string | undefined {
  if (id === undefined || !/^[A-Za-z0-9]{1,32}$/.test(id)) return undefined;
  const [first = ''] = id;
  const escaped = /[0-9]/.test(first) ? `_${first.charCodeAt(0).toString(16)}${id.slice(1)}` : id;
  return `/org/freedesktop/login1/session/${escaped}`;
}

/** Takes the lines of one program; hands out a signal with the line that completes it. */
export type SignalParser = (line: string) => BusSignal | undefined;

/** `busctl --json=short monitor` (systemd 252): one JSON object for each message. */
export const parseBusctlLine: SignalParser = (line) => {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(message) || message['type'] !== 'signal') return undefined;
  const { path, interface: name, member, payload } = message;
  if (typeof path !== 'string' || typeof name !== 'string' || typeof member !== 'string') return undefined;
  const data: unknown = isObject(payload) ? payload['data'] : undefined;
  const first: unknown = Array.isArray(data) ? data[0] : undefined;
  return { path, interface: name, member, flag: typeof first === 'boolean' ? first : undefined };
};

const HEADER = /^signal time=\S+ sender=\S+ -> destination=.{0,300} serial=\d+ path=(\S+); interface=(\S+); member=(\S+)$/;

/** `dbus-monitor` (1.14): a line for the message and an indented one for each argument. */
export function createDbusMonitorParser(): SignalParser {
  let pending: Omit<BusSignal, 'flag'> | undefined;
  return (line) => {
    const header = HEADER.exec(line);
    if (header) {
      const [, path = '', name = '', member = ''] = header;
      const signal = { path, interface: name, member };
      // It has no argument, and so no second line to wait for.
      pending = member === 'Lock' ? undefined : signal;
      return member === 'Lock' ? { ...signal, flag: undefined } : undefined;
    }
    const complete = pending;
    pending = undefined;
    const flag = /^ {3}boolean (true|false)$/.exec(line)?.[1];
    return complete && flag !== undefined ? { ...complete, flag: flag === 'true' } : undefined;
  };
}
