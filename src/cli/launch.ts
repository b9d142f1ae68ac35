/** Starts the vault's own process, detached from this terminal, and waits until it answers. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, exitCodeOf, isErrorCode } from '../shared/model/errors.ts';
import { connectTo, socketIsOurs, type Connection } from './connection.ts';
import { ensureRuntimeFolder, type Place } from './place.ts';
import { CliError, notBuilt, type World } from './world.ts';

const WITHIN = 5000;
const EVERY = 25;

export interface Reached {
  readonly connection: Connection;
  /** This command line started the process, and so ends it again when its own command comes to nothing. */
  readonly launched: boolean;
}

/**
 * What the vault's process has of this environment. `NODE_OPTIONS` would open a debugger's port in it or load another's code into it
 * (a debug terminal sets that for everything started there), and it outlives the shell whose tokens would stay in it.
 */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot', 'windir', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'];
const DESKTOP = ['XDG_RUNTIME_DIR', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_SESSION_ID', 'DBUS_SESSION_BUS_ADDRESS', 'DBUS_SYSTEM_BUS_ADDRESS'];

export function serverEnvironment(env: World['surroundings']['env']): Record<string, string> {
  return Object.fromEntries([...PASSED_ON, ...DESKTOP].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Connects, starting the vault's process first when nobody answers. */
export async function reachOrLaunch(world: World, place: Place): Promise<Reached> {
  const { uid, env } = world.surroundings;
  const running = await connectTo(place.socket, uid);
  if (running) return { connection: running, launched: false };
  if (!world.server) throw notBuilt();
  const folder = await ensureRuntimeFolder(world);
  // It may have come into being since `connectTo` looked.
  await socketIsOurs(place.socket, uid);
  // Its complaints while starting go to a file and not to a pipe: it outlives this process, and a broken pipe would end it.
  const complaints = join(folder, `${basename(place.socket)}.${String(process.pid)}.start`);
  const stderr = openSync(complaints, 'wx', 0o600);
  try {
    const child = spawn(world.server.program, [...world.server.args, '--vault', place.folder], { detached: true, stdio: ['ignore', 'ignore', stderr], cwd: '/', env: serverEnvironment(env) });
    const ended = new Promise<number>((resolve) => {
      child.once('exit', (code) => { resolve(code ?? EXIT.internal); });
      child.once('error', () => { resolve(EXIT.internal); });
    });
    let exit: number | undefined;
    void ended.then((code) => { exit = code; });
    const until = world.monotonic() + WITHIN;
    while (world.monotonic() < until && exit === undefined) {
      const connection = await connectTo(place.socket, uid);
      if (connection) {
        child.unref();
        return { connection, launched: true };
      }
      await Promise.race([sleep(EVERY), ended]);
    }
    child.unref();
    if (exit === undefined) child.kill();
    throw await failure(complaints, exit);
  } finally {
    closeSync(stderr);
    await rm(complaints, { force: true });
  }
}

/** The vault's process says why on its last line: `keystead: message (Code)`. */
async function failure(complaints: string, exit: number | undefined): Promise<CliError> {
  const lines = (await readFile(complaints, 'utf8').catch(() => '')).split('\n').filter((line) => line.trim() !== '');
  const said = /^keystead: (.*) \((\w+)\)$/.exec(lines.findLast((line) => line.startsWith('keystead: ')) ?? '');
  if (said?.[2] !== undefined && isErrorCode(said[2])) return new CliError(said[2], exitCodeOf(said[2]), said[1] ?? '');
  if (exit === undefined) return new CliError('NotRunning', EXIT.notRunning, `the vault was started and did not answer within ${String(WITHIN / 1000)} s`, { next: 'keystead doctor' });
  const last = lines.at(-1);
  return new CliError('NotRunning', EXIT.notRunning, `the vault ended while starting (code ${String(exit)})${last === undefined ? '' : `: ${last.slice(0, 200)}`}`, { next: 'keystead doctor' });
}
