import { formatLine } from '../../src/main/platform/log.ts';
import type { LogEvent } from '../../src/main/platform/log-events.ts';
import type { Log } from '../../src/main/platform/log.ts';

/** A log that remembers what it would have written. */
export function recordingLog(): Log & { readonly events: { event: LogEvent; fields: Record<string, unknown> }[]; names(): string[] } {
  const events: { event: LogEvent; fields: Record<string, unknown> }[] = [];
  return {
    events,
    names: () => events.map(({ event }) => event),
    event(event, fields) {
      const { time: _time, event: _event, ...written } = JSON.parse(formatLine(0, event, fields)) as Record<string, unknown>;
      events.push({ event, fields: written });
    },
  };
}
