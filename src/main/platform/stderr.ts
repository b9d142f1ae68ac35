import type { Readable } from 'node:stream';

import { frameOf } from './log-events.ts';
import type { Log } from './log.ts';
import type { ChildEntry } from './ports.ts';


/** What one line of a child's stderr may contribute to the log; undefined when the line is only counted. */
export function scrubLine(line: string): { readonly error?: string; readonly domain?: string; readonly where?: string } | undefined {
  const where = frameOf(line);
  if (where !== undefined) return { where };
  // The message behind the class may hold a value (`JSON.parse` quotes its input), so only the class is taken.
  const error = /^(?:Uncaught )?([A-Z][A-Za-z]{0,40}(?:Error|Exception))(?: \[[A-Z_0-9]+\])?(?::|$)/.exec(line)?.[1];
  if (error !== undefined) return { error };
  const domain = /^\([^()]{1,80}\): ([A-Za-z-]{1,40}-(?:CRITICAL|WARNING|ERROR)) \*\*/.exec(line)?.[1];
  return domain === undefined ? undefined : { domain };
}

/** Lines of one child that are logged; a child in a loop must not turn the log over. */
const MOST_LINES = 40;
const LONGEST_LINE = 4096;

/** Logs what `scrubLine` lets through, and at the end how much was withheld. Chunks are wiped. */
export function watchStderr(stderr: Readable | null, entry: ChildEntry, pid: number, log: Log): void {
  if (stderr === null) return;
  let rest = '';
  let logged = 0;
  let lines = 0;
  let bytes = 0;
  const take = (line: string): void => {
    const scrubbed = logged < MOST_LINES ? scrubLine(line) : undefined;
    if (scrubbed === undefined) {
      lines++;
      bytes += line.length;
    } else {
      logged++;
      log.event('child.stderr', { entry, pid, ...scrubbed });
    }
  };
  stderr.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('latin1')).split('\n');
    chunk.fill(0);
    rest = parts.pop() ?? '';
    for (const part of parts) take(part);
    if (rest.length > LONGEST_LINE) {
      take(rest);
      rest = '';
    }
  });
  stderr.once('close', () => {
    if (rest !== '') take(rest);
    if (lines > 0) log.event('child.stderr-withheld', { entry, pid, lines, bytes });
  });
  stderr.on('error', () => undefined);
}
