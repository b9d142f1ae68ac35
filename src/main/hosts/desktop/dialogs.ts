/** The desktop's dialogs for files, by the programs that desktops have for scripts: zenity (GNOME and others) and kdialog (KDE). */
import { spawn } from 'node:child_process';
import { isAbsolute, join } from 'node:path';
import { VaultError } from '../../../shared/model/errors.ts';
import type { Dialogs } from '../port.ts';
import { onPath } from './path.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Tool {
  readonly name: string;
  readonly pick: (folder: string) => readonly string[];
  readonly save: (suggested: string) => readonly string[];
}

const PICK = 'Keystead: choose a file';
const SAVE = 'Keystead: save as';

const ZENITY: Tool = {
  name: 'zenity',
  pick: (folder) => ['--file-selection', `--title=${PICK}`, `--filename=${folder}/`],
  save: (suggested) => ['--file-selection', '--save', '--confirm-overwrite', `--title=${SAVE}`, `--filename=${suggested}`],
};
const KDIALOG: Tool = {
  name: 'kdialog',
  pick: (folder) => ['--title', PICK, '--getopenfilename', folder],
  save: (suggested) => ['--title', SAVE, '--getsavefilename', suggested],
};

/** Both say 1 for "cancelled". */
const CANCELLED = 1;
const MOST_OUTPUT = 16_384;
/** What such a program is given: the display, the session and the person's own settings. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'LANGUAGE', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR', 'XDG_SESSION_TYPE', 'XDG_CURRENT_DESKTOP', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_DATA_DIRS', 'DBUS_SESSION_BUS_ADDRESS'];

/** Undefined where there is no display, or neither program on the PATH. */
export function programDialogs(env: Environment): Dialogs | undefined {
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return undefined;
  const order = /kde/i.test(env['XDG_CURRENT_DESKTOP'] ?? '') ? [KDIALOG, ZENITY] : [ZENITY, KDIALOG];
  const [tool] = order.flatMap((each) => {
    const path = onPath(each.name, env);
    return path === undefined ? [] : [{ ...each, path }];
  });
  if (!tool) return undefined;
  const home = env['HOME'] ?? '/';
  return {
    pickFile: (signal) => choose(tool.path, tool.pick(home), env, signal),
    saveFile: (suggestedName, signal) => choose(tool.path, tool.save(join(home, suggestedName)), env, signal),
  };
}

/** The path on the first line; rejects with InternalException when the program shows nothing, or answers with no path. */
function choose(program: string, args: readonly string[], env: Environment, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const picked = Object.fromEntries(INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: picked });
    const close = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    let output = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      if (output.length <= MOST_OUTPUT) output += text;
    });
    const failed = (): void => reject(new VaultError('InternalException', `\`${program}\` shows no dialog; check that it runs on this display`));
    child.once('error', failed);
    child.once('close', (code) => {
      signal.removeEventListener('abort', close);
      const path = output.endsWith('\n') ? output.slice(0, -1) : output;
      if (signal.aborted || code === CANCELLED) resolve(undefined);
      else if (code !== 0 || !isAbsolute(path) || output.length > MOST_OUTPUT || path.includes('\0')) failed();
      else resolve(path);
    });
  });
}
