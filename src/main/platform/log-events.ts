import { isErrorCode, type ErrorCode } from '../../shared/model/errors.ts';

const CHILDREN = ['sealer', 'keychain', 'cipher', 'pkcs11', 'egress', 'importer'] as const;

/**
 * Everything that the diagnostic log can say: event → its fields → what each may hold. There is no field for free text,
 * a path, a name or a message, so there is none that a value could slip into.
 */
export const LOG_EVENTS = {
  'vault.starting': { pid: 'count', version: 'version', node: 'version' },
  'vault.stopping': { reason: ['asked', 'signal', 'failure'] },
  'vault.unlocked': {},
  'vault.locked': {},
  'vault.readonly': {},
  'process.hardening': { undumpable: 'flag', noCore: 'flag', noDebugger: 'flag', problems: 'count' },
  'child.started': { entry: CHILDREN, pid: 'count' },
  'child.exited': { entry: CHILDREN, pid: 'count', code: 'count', signal: 'signal', ms: 'count', asked: 'flag' },
  'child.broken': { entry: CHILDREN, pid: 'count' },
  'child.stderr': { entry: CHILDREN, pid: 'count', error: 'class', domain: 'domain', where: 'where' },
  'child.stderr-withheld': { entry: CHILDREN, pid: 'count', lines: 'count', bytes: 'count' },
  'keychain.failed': { operation: ['probe', 'get', 'set', 'remove'], reason: ['no-module', 'no-library', 'no-bus', 'locked', 'failed', 'crashed', 'timeout'] },
  'presence.source': { source: ['logind', 'session', 'gap'], state: ['watching', 'missing', 'ended'], tool: ['busctl', 'dbus-monitor', 'none'] },
  'presence.lock': { reason: ['idle', 'suspend', 'screen-lock'] },
  'attempts.not-persisted': { errno: 'errno' },
  'attempts.damaged': {},
  'door.opened': { door: ['cli', 'ipc', 'aws', 'schedule'] },
  'door.closed': { door: ['cli', 'ipc', 'aws', 'schedule'] },
  'request.failed': { requestId: 'uuid', code: 'code', where: 'where', error: 'class' },
  'trail.broken': {},
  'trail.recovered': { records: 'count', cut: 'count' },
  'program.failed': { error: 'class', where: 'where', code: 'code' },
} as const satisfies Record<string, Record<string, FieldKind>>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** `count` is any finite number; a list is a closed set of words. */
export type FieldKind = 'count' | 'flag' | keyof typeof SHAPES | readonly string[];
type FieldOf<K> = K extends readonly string[] ? K[number] : K extends 'count' ? number : K extends 'flag' ? boolean : K extends 'code' ? ErrorCode : string;
export type LogFields<E extends LogEvent> = { readonly [F in keyof (typeof LOG_EVENTS)[E]]?: FieldOf<(typeof LOG_EVENTS)[E][F]> | undefined };

/** Strings have the shape of something that this program or the system made up, or they are refused. */
const SHAPES = {
  code: isErrorCode,
  version: (text: string) => /^v?\d{1,4}\.\d{1,4}\.\d{1,6}(?:-[a-z]{1,8}\.?\d{0,4})?$/.test(text),
  errno: (text: string) => /^E[A-Z0-9]{1,15}$/.test(text),
  signal: (text: string) => /^SIG[A-Z0-9]{2,8}$/.test(text),
  uuid: (text: string) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text),
  /** Name of an error class. */
  class: (text: string) => /^[A-Z][A-Za-z]{0,40}(?:Error|Exception)$/.test(text),
  /** GLib's log domain and level. */
  domain: (text: string) => /^[A-Za-z][A-Za-z-]{0,30}-(?:CRITICAL|WARNING|ERROR)$/.test(text),
  /** `function file.ts:line:column`, from a stack frame. */
  where: (text: string) => /^(?:[\w$.<>]{1,60} )?[\w.-]{1,60}:\d{1,7}:\d{1,7}$/.test(text),
} as const;

/** Whether `value` may stand in a field of this kind. */
export function admits(kind: FieldKind, value: unknown): value is string | number | boolean {
  if (kind === 'count') return typeof value === 'number' && Number.isFinite(value);
  if (kind === 'flag') return typeof value === 'boolean';
  if (typeof value !== 'string') return false;
  return typeof kind === 'string' ? SHAPES[kind](value) : kind.includes(value);
}

/** Where an error was made: `function file.ts:line:column` of its first stack frame; undefined when it has none. */
export function whereOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split('\n')) {
    const where = frameOf(line);
    if (where !== undefined) return where;
  }
  return undefined;
}

/** The location in one line `    at fn (folder/file.ts:1:2)` of a stack; undefined for any other line. */
export function frameOf(line: string): string | undefined {
  const match = /^\s+at (?:async )?(?:(?:new )?([\w$.<>]{1,60}) (?:\[as [\w$]+\] )?\()?(?:[^()]*[/\\])?([\w.-]{1,60}:\d{1,7}:\d{1,7})\)?$/.exec(line);
  if (!match) return undefined;
  const [, name, place] = match;
  return name === undefined ? place : `${name} ${place ?? ''}`;
}
