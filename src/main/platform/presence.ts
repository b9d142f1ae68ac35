import { LOGIND_MATCHES, reasonOf, SESSION_MATCHES, sessionPath, type BusSignal, type LeaveReason } from './bus-signal.ts';
import { watchBus, type Watch } from './bus-watch.ts';
import { noLog, type Log } from './log.ts';
import type { Clock } from './ports.ts';

/** How long the machine slept between two readings, in milliseconds: what one clock counted and the other did not. */
export function sleptBetween(before: Reading, after: Reading): number {
  return Math.max(0, after.boottime - before.boottime - (after.monotonic - before.monotonic));
}

export interface Reading {
  readonly monotonic: number;
  readonly boottime: number;
}

/** A gap longer than this is a suspend that nobody announced, in milliseconds. */
const SLEEP_GAP = 30_000;
/** How often the clocks are compared, in milliseconds. */
const TICK = 5_000;

export interface PresenceOptions {
  readonly clock: Clock;
  /** May be called again while the vault is locked already. */
  readonly onLeave: (reason: LeaveReason) => void;
  readonly log?: Log;
  /** False for a window host that has sources of its own; then only the clocks' gap is watched. */
  readonly buses?: boolean;
  /** Other buses and rules, for tests. */
  readonly session?: { readonly address: string; readonly matches?: readonly string[] };
  readonly system?: { readonly address: string; readonly matches?: readonly string[] };
}

export interface Presence {
  stop(): void;
}

/** Watches for the person's leaving: suspend and the screen's lock. (Idleness is a job of the schedule.) Keeps no process alive. */
export function watchPresence(options: PresenceOptions): Presence {
  const { clock, log = noLog } = options;
  const leave = (reason: LeaveReason): void => {
    log.event('presence.lock', { reason });
    options.onLeave(reason);
  };
  const read = (): Reading => ({ monotonic: clock.monotonic(), boottime: clock.boottime() });
  let last = read();

  const tick = setInterval(() => {
    const now = read();
    const slept = sleptBetween(last, now);
    last = now;
    if (slept > SLEEP_GAP) leave('suspend');
  }, TICK);
  tick.unref();

  const own = sessionPath(process.env['XDG_SESSION_ID']);
  const onSignal = (signal: BusSignal): void => {
    const reason = reasonOf(signal, own);
    if (reason !== undefined) leave(reason);
  };
  const watches: Watch[] = [];
  if (options.buses !== false && process.platform === 'linux') {
    watches.push(watchBus({ bus: 'system', matches: LOGIND_MATCHES, onSignal, log, ...options.system }));
    if (options.session !== undefined || hasSessionBus()) watches.push(watchBus({ bus: 'session', matches: SESSION_MATCHES, onSignal, log, ...options.session }));
  }
  return {
    stop() {
      clearInterval(tick);
      for (const watch of watches) watch.stop();
    },
  };
}

const hasSessionBus = (): boolean => (process.env['DBUS_SESSION_BUS_ADDRESS'] ?? process.env['XDG_RUNTIME_DIR']) !== undefined;
