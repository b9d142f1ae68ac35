import { appendFileSync, constants, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { admits, LOG_EVENTS, type FieldKind, type LogEvent, type LogFields } from './log-events.ts';
import type { Clock } from './ports.ts';

/** The one place that writes diagnostics. What it can say is the closed table `LOG_EVENTS`. */
export interface Log {
  /**
   * Appends one line. Never throws: a full disk must not stop what is being logged. A field that the table does not
   * have is dropped; one whose value it does not admit is written as `[refused]`.
   */
  event<E extends LogEvent>(event: E, fields?: LogFields<E>): void;
}

export interface FileLog extends Log {
  readonly path: string;
  /** Lines that could not be written. */
  readonly lost: number;
}

/** Bytes after which the file is moved to `diagnostic.log.1`; so the log takes at most twice this. */
const ROTATE_AT = 1024 * 1024;

/** One JSON object: `time` (ISO 8601, UTC), `event`, then the admitted fields. Without a line end. */
export function formatLine<E extends LogEvent>(now: number, event: E, fields: LogFields<E> = {}): string {
  const line: Record<string, string | number | boolean> = { time: new Date(now).toISOString(), event };
  const given: Readonly<Record<string, unknown>> = fields;
  const kinds: Readonly<Record<string, FieldKind>> = LOG_EVENTS[event];
  for (const [field, kind] of Object.entries(kinds)) {
    const value = given[field];
    if (value === undefined) continue;
    line[field] = admits(kind, value) ? value : '[refused]';
  }
  return JSON.stringify(line);
}

/**
 * The log `diagnostic.log` in `folder`, which must exist and be private (`ensurePrivateFolder`). The file is 0600 and
 * opened for each line: after a rotation by another process of this program the next line goes to the new file.
 */
export function openLog(folder: string, clock: Pick<Clock, 'now'>): FileLog {
  const path = join(folder, 'diagnostic.log');
  let lost = 0;
  return {
    path,
    get lost() {
      return lost;
    },
    event(event, fields) {
      try {
        const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
        if (size >= ROTATE_AT) renameSync(path, `${path}.1`);
        // Windows has no O_NOFOLLOW: undefined counts as 0 here.
        const flag = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
        appendFileSync(path, `${formatLine(clock.now(), event, fields)}\n`, { mode: 0o600, flag: flag as unknown as string });
      } catch {
        lost++;
      }
    },
  };
}

/** For a program that has no folder to log to. */
export const noLog: Log = { event: () => undefined };
