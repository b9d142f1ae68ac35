import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { createDbusMonitorParser, parseBusctlLine, type BusSignal, type SignalParser } from './bus-signal.ts';
import type { Log } from './log.ts';

export interface BusWatchOptions {
  readonly bus: 'system' | 'session';
  readonly matches: readonly string[];
  readonly onSignal: (signal: BusSignal) => void;
  readonly log: Log;
  /** Instead of the bus that `bus` names; for tests. */
  readonly address?: string;
}

export interface Watch {
  stop(): void;
}

interface Tool {
  readonly name: 'busctl' | 'dbus-monitor';
  readonly args: (options: BusWatchOptions) => readonly string[];
  readonly parser: () => SignalParser;
}

/**
 * In order of preference. A distribution's system bus lets only root monitor it, so busctl ends at once there for
 * everybody else; dbus-monitor then falls back to ordinary match rules, which everybody may have (measured with
 * Debian 12's own policy).
 */
const TOOLS: readonly Tool[] = [
  {
    name: 'busctl',
    args: ({ bus, address, matches }) => [address === undefined ? (bus === 'system' ? '--system' : '--user') : `--address=${address}`, '--json=short', ...matches.map((match) => `--match=${match}`), 'monitor'],
    parser: () => parseBusctlLine,
  },
  {
    name: 'dbus-monitor',
    args: ({ bus, address, matches }) => [...(address === undefined ? [`--${bus}`] : ['--address', address]), ...matches],
    parser: createDbusMonitorParser,
  },
];

/** A tool that ends sooner than this, in milliseconds, could not do it; the next one is tried. */
const EARLY = 3_000;
const FIRST_RETRY = 5_000;
const LAST_RETRY = 300_000;
const LONGEST_LINE = 65_536;

/** Watches a bus through whatever tool there is, and comes back when the bus was restarted. */
export function watchBus(options: BusWatchOptions): Watch {
  const { bus, log } = options;
  const source = bus === 'system' ? 'logind' : 'session';
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let retry = FIRST_RETRY;
  let stopped = false;
  let missing = false;

  const later = (): void => {
    if (stopped) return;
    timer = setTimeout(() => start(0), retry);
    timer.unref();
    retry = Math.min(retry * 2, LAST_RETRY);
  };
  const start = (index: number): void => {
    const tool = TOOLS[index];
    if (stopped) return;
    if (tool === undefined) {
      if (!missing) log.event('presence.source', { source, state: 'missing', tool: 'none' });
      missing = true;
      later();
      return;
    }
    const started = performance.now();
    child = run(tool, options, () => {
      const long = performance.now() - started > EARLY;
      if (stopped) return;
      if (!long) return start(index + 1);
      log.event('presence.source', { source, state: 'ended', tool: tool.name });
      retry = FIRST_RETRY;
      later();
    });
    const watching = setTimeout(() => {
      if (stopped || child?.exitCode !== null) return;
      missing = false;
      log.event('presence.source', { source, state: 'watching', tool: tool.name });
    }, EARLY);
    watching.unref();
  };
  start(0);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      child?.kill('SIGKILL');
    },
  };
}

function run(tool: Tool, options: BusWatchOptions, ended: () => void): ChildProcess {
  const { PATH, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, DBUS_SYSTEM_BUS_ADDRESS } = process.env;
  // A tool on a quiet bus would outlive a killed vault for ever: the kernel is told to end it with us.
  const guard = findProgram('setpriv', PATH) ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  const [program = tool.name, ...args] = [...guard, tool.name, ...tool.args(options)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, DBUS_SYSTEM_BUS_ADDRESS, LC_ALL: 'C' } });
  const parse = tool.parser();
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) rest = '';
    for (const line of lines) {
      const signal = parse(line);
      if (signal) options.onSignal(signal);
    }
  });
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    ended();
  };
  child.once('error', end);
  child.once('exit', end);
  // Nothing here keeps the program alive.
  child.unref();
  return child;
}

function findProgram(name: string, path = ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
