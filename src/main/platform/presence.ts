import { LOGIND_MATCHES, reasonOf, SESSION_MATCHES, sessionPath, type BusSignal } from './bus-signal.ts';
import { watchBus, type Watch } from './bus-watch.ts';
import { noLog, type Log } from './log.ts';
import type { Clock } from './ports.ts';

/** Why the vault should lock itself. */
export type AutoLockReason = 'idle' | 'suspend' | 'screen-lock';

/**
 * Whether an idle vault is due. Times are milliseconds of one clock that counts sleep. `minutes` 0 (or less) means
 * never. `next` is when to ask again, at most; undefined for never.
 */
export function idleDecision({ lastActivity, minutes, now }: { readonly lastActivity: number; readonly minutes: number; readonly now: number }): { readonly lock: boolean; readonly next: number | undefined } {
  if (!(minutes > 0)) return { lock: false, next: undefined };
  const left = lastActivity + minutes * 60_000 - now;
  return left <= 0 ? { lock: true, next: undefined } : { lock: false, next: left };
}

/** How long the machine slept between two readings, in milliseconds: what one clock counted and the other did not. */
export function sleptBetween(before: Reading, after: Reading): number {
  return Math.max(0, after.boottime - before.boottime - (after.monotonic - before.monotonic));
}

export interface Reading {
  readonly monotonic: number;
  readonly boottime: number;
}

/** A gap longer than this is a suspend that nobody announced, in milliseconds. */
export const SLEEP_GAP = 30_000;
/** How often the clocks are compared, in milliseconds. */
const TICK = 5_000;

export interface PresenceOptions {
  readonly clock: Clock;
  /** Minutes of idleness after which to lock, asked for at each check; 0 for never. */
  readonly idleMinutes: () => number;
  /** May be called again while the vault is locked already. */
  readonly onLeave: (reason: AutoLockReason) => void;
  readonly log?: Log;
  /** False for a window host that has sources of its own; then only idleness and the clocks' gap are watched. */
  readonly buses?: boolean;
  /** Other buses and rules, for tests. */
  readonly session?: { readonly address: string; readonly matches?: readonly string[] };
  readonly system?: { readonly address: string; readonly matches?: readonly string[] };
}

export interface Presence {
  /** The person did something: the idle time starts again. */
  activity(): void;
  stop(): void;
}

/** Watches for the person's leaving: idleness, suspend, the screen's lock. Keeps no process alive. */
export function watchPresence(options: PresenceOptions): Presence {
  const { clock, log = noLog } = options;
  const leave = (reason: AutoLockReason): void => {
    log.event('presence.lock', { reason });
    options.onLeave(reason);
  };
  const read = (): Reading => ({ monotonic: clock.monotonic(), boottime: clock.boottime() });
  let last = read();
  let lastActivity = last.boottime;

  const tick = setInterval(() => {
    const now = read();
    const slept = sleptBetween(last, now);
    last = now;
    if (slept > SLEEP_GAP) leave('suspend');
    if (!idleDecision({ lastActivity, minutes: options.idleMinutes(), now: now.boottime }).lock) return;
    // Said once; the next activity starts a new term.
    lastActivity = now.boottime;
    leave('idle');
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
    activity() {
      lastActivity = clock.boottime();
    },
    stop() {
      clearInterval(tick);
      for (const watch of watches) watch.stop();
    },
  };
}

const hasSessionBus = (): boolean => (process.env['DBUS_SESSION_BUS_ADDRESS'] ?? process.env['XDG_RUNTIME_DIR']) !== undefined;
