/**
 * Notifications of the desktop by org.freedesktop.Notifications (Desktop Notifications Specification 1.3), through whatever tool there is for
 * the session bus. What is said stands in arguments, which other programs can read: it names nothing.
 */
import { spawn } from 'node:child_process';
import type { Notice, Notifications } from '../port.ts';
import { onPath } from './path.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Tool {
  readonly name: string;
  /** Answers with the name when it is there or can be started. */
  readonly find: readonly (readonly string[])[];
  show(notice: Notice): readonly string[];
}

const NAME = 'org.freedesktop.Notifications';
const PATH = '/org/freedesktop/Notifications';
const BUS = ['org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'] as const;
const APP = 'Keystead';
/** Bytes, in the specification's hint `urgency`. */
const urgencyOf = ({ isUrgent }: Notice): string => (isUrgent ? '2' : '1');
/** As gdbus reads text. */
const quoted = (text: string): string => JSON.stringify(text);
/** The server decides. */
const USUAL_TIME = '-1';

const TOOLS: readonly Tool[] = [
  {
    name: 'busctl',
    find: ['ListNames', 'ListActivatableNames'].map((method) => ['--user', '--json=short', 'call', ...BUS, method]),
    show: (notice) => ['--user', '--json=short', '--', 'call', NAME, PATH, NAME, 'Notify', 'susssasa{sv}i', APP, '0', '', notice.title, notice.body, '0', '1', 'urgency', 'y', urgencyOf(notice), USUAL_TIME],
  },
  {
    name: 'gdbus',
    find: ['ListNames', 'ListActivatableNames'].map((method) => ['call', '--session', '--dest', BUS[0], '--object-path', BUS[1], '--method', `${BUS[2]}.${method}`]),
    show: (notice) => ['call', '--session', '--dest', NAME, '--object-path', PATH, '--method', `${NAME}.Notify`, '--', quoted(APP), '0', quoted(''), quoted(notice.title), quoted(notice.body), '[]', `{'urgency': <byte ${urgencyOf(notice)}>}`, USUAL_TIME],
  },
];

const WITHIN = 2000;
const MOST_OUTPUT = 1024 * 1024;

/** Undefined where there is no session bus, or no tool for it on the PATH. */
export function busNotifications(env: Environment): Notifications | undefined {
  if (env['DBUS_SESSION_BUS_ADDRESS'] === undefined && env['XDG_RUNTIME_DIR'] === undefined) return undefined;
  const [tool] = TOOLS.flatMap((each) => {
    const path = onPath(each.name, env);
    return path === undefined ? [] : [{ ...each, path }];
  });
  if (!tool) return undefined;
  const run = (args: readonly string[]): Promise<string | undefined> => runTool(tool.path, args, env);
  return {
    async isThere() {
      for (const args of tool.find) if ((await run(args))?.includes(NAME) === true) return true;
      return false;
    },
    show: async (notice) => void (await run(tool.show(notice))),
  };
}

/** Its standard output; undefined when it fails. */
function runTool(program: string, args: readonly string[], env: Environment): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { PATH: path, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = env;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: WITHIN, env: { PATH: path, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, LC_ALL: 'C' } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length < MOST_OUTPUT) output += chunk.toString('utf8');
    });
    child.once('error', () => resolve(undefined));
    child.once('close', (code) => resolve(code === 0 ? output : undefined));
    child.unref();
  });
}
