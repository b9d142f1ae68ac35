/** Starts the vault's own process, detached from this terminal, and waits until it answers. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, exitCodeOf, isErrorCode } from '../shared/model/errors.ts';
import { connectTo, type Connection } from './connection.ts';
import { ensureRuntimeFolder, type Place } from './place.ts';
import { CliError, type World } from './world.ts';

const WITHIN = 5000;
const EVERY = 25;

export interface Reached {
  readonly connection: Connection;
  /** This command line started the process, and so ends it again when its own command comes to nothing. */
  readonly launched: boolean;
}

/** Connects, starting the vault's process first when nobody answers. */
export async function reachOrLaunch(world: World, place: Place): Promise<Reached> {
  const { uid } = world.surroundings;
  const running = await connectTo(place.socket, uid);
  if (running) return { connection: running, launched: false };
  if (!world.server) {
    throw new CliError('NotBuilt', EXIT.notRunning, 'the program of the vault itself is not beside this command line', { next: 'npm run build' });
  }
  const folder = await ensureRuntimeFolder(world);
  // Its complaints while starting go to a file and not to a pipe: it outlives this process, and a broken pipe would end it.
  const complaints = join(folder, `${basename(place.socket)}.${String(process.pid)}.start`);
  const stderr = openSync(complaints, 'wx', 0o600);
  try {
    const child = spawn(world.server.program, [...world.server.args, '--vault', place.folder], { detached: true, stdio: ['ignore', 'ignore', stderr], cwd: '/', env: process.env });
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
