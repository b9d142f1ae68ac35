/** `keystead doctor`: what the vault needs of this machine, each with the one line to type. Works while nothing runs. */
import { execFile } from 'node:child_process';
import { lstat, readdir, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OPERATIONS } from '../shared/api/index.ts';
import { EXIT } from '../shared/model/errors.ts';
import { runtimeFolder, VAULT_FILES } from '../shared/model/paths.ts';
import { callFor, type Command, type Run } from './command.ts';
import { connectTo } from './connection.ts';
import { hasVault, type Place } from './place.ts';
import { CliError, NOT_BUILT, type World } from './world.ts';

/** note: worth knowing, and the vault works without. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly message: string;
  readonly fix?: string;
}

const ok = (name: string, message: string): Check => ({ name, state: 'ok', message });
const problem = (name: string, message: string, fix: string): Check => ({ name, state: 'problem', message, fix });
const note = (name: string, message: string, fix?: string): Check => ({ name, state: 'note', message, ...(fix === undefined ? {} : { fix }) });

const LOAD_WITHIN = 15_000;
const LEAST_SPACE = 64 * 1024 * 1024;
const LEAST_NODE = [20, 19] as const;

/** Native code of others: `probe` does the least that proves that it works in this Node. */
const NATIVES: readonly { readonly name: string; readonly probe: string; readonly missing?: string; readonly fix: string }[] = [
  { name: '@photostructure/sqlite', probe: "new m.DatabaseSync(':memory:').exec('select 1')", fix: 'npm rebuild @photostructure/sqlite' },
  { name: '@node-rs/argon2', probe: "m.hashRawSync('doctor', { memoryCost: 64, timeCost: 1, parallelism: 1, salt: Buffer.alloc(16) })", fix: 'npm ci' },
  { name: 'koffi', probe: 'm.load(null)', fix: 'npm rebuild koffi' },
  { name: 'keytar', probe: 'm.findCredentials.name', missing: 'vaults open by password only', fix: 'sudo apt-get install libsecret-1-dev && npm rebuild keytar' },
  { name: 'pkcs11js', probe: 'new m.PKCS11()', missing: 'no hardware tokens', fix: 'npm rebuild pkcs11js' },
];

export const doctorCommand: Command = {
  names: ['doctor'],
  summary: 'Check what the vault needs of this machine, and what to type where something is missing',
  details: ['Works without a running vault; asks a running one too. Ends with 8 when there is a problem.'],
  flags: [],
  async run(run) {
    const checks = await examine(run);
    if (run.output === 'json') await run.world.stdout.write(`${JSON.stringify(checks, null, 4)}\n`);
    else for (const check of checks) await run.world.stdout.write(checkLine(check));
    return checks.some(({ state }) => state === 'problem') ? EXIT.conflict : EXIT.ok;
  },
};

const checkLine = ({ name, state, message, fix }: Check): string => `${state.padEnd(7)}  ${name}: ${message}${fix === undefined ? '' : `\n         type: ${fix}`}\n`;

async function examine(run: Run): Promise<readonly Check[]> {
  const { world } = run;
  const place = await run.place();
  const [natives, keychain, folder, runtime, disk, running] = await Promise.all([
    Promise.all(NATIVES.map(nativeCheck)),
    keychainCheck(),
    vaultFolderCheck(world, place),
    runtimeCheck(world),
    diskCheck(place),
    runningChecks(run, place),
  ]);
  return oneList([nodeCheck(process.versions.node), programCheck(world), ...natives, keychain, folder, runtime, disk, ...running]);
}

const GRAVITY = { ok: 0, note: 1, problem: 2 } as const satisfies Record<Check['state'], number>;

/** Each name once, where it first stands: what is looked at here and by the running vault too is said by the graver of the two, else by the vault. */
export function oneList(checks: readonly Check[]): readonly Check[] {
  const byName = new Map<string, Check>();
  for (const check of checks) {
    const before = byName.get(check.name);
    if (!before || GRAVITY[check.state] >= GRAVITY[before.state]) byName.set(check.name, check);
  }
  return [...byName.values()];
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return enough ? ok('Node', version) : problem('Node', `${version} is older than ${LEAST_NODE.join('.')}`, 'install Node 20.19 or newer: https://nodejs.org');
}

function programCheck(world: World): Check {
  return world.server ? ok('program', `keystead ${world.version}`) : problem('program', NOT_BUILT, 'npm run build');
}

/** Runs a program of one line in a Node of its own: a native that crashes takes only that one along. */
function throwaway(code: string): Promise<{ readonly ended: 'ok' | 'late' | 'failed'; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', code], { timeout: LOAD_WITHIN, killSignal: 'SIGKILL', cwd: '/' }, (error, stdout, stderr) => {
      const late = error?.killed === true;
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /\S/.test(line));
      const why = lines.find((line) => line.includes('Error')) ?? lines.at(-1) ?? (error?.signal ? `it died by ${error.signal}` : '');
      resolve({ ended: late ? 'late' : error ? 'failed' : 'ok', said: why.trim().slice(0, 160) });
    });
  });
}

async function nativeCheck({ name, probe, missing, fix }: (typeof NATIVES)[number]): Promise<Check> {
  const label = `native ${name}`;
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve(name);
  } catch {
    return missing === undefined ? problem(label, 'is not installed', 'npm ci') : note(label, `is not installed: ${missing}`, fix);
  }
  const { ended, said } = await throwaway(`const module = await import(${JSON.stringify(pathToFileURL(path).href)}); const m = module.default ?? module; ${probe};`);
  if (ended === 'ok') return ok(label, 'loads and works');
  const why = ended === 'late' ? `does not come back within ${String(LOAD_WITHIN / 1000)} s` : `does not work: ${said}`;
  return missing === undefined ? problem(label, why, fix) : note(label, `${why}; ${missing}`, fix);
}

/** Asks for an entry that is not there. A keychain that is locked, or not there, is no problem: passwords work without. */
async function keychainCheck(): Promise<Check> {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve('keytar');
  } catch {
    return note('keychain', 'cannot be asked without keytar; vaults open by password only');
  }
  const asked = `const { default: m } = await import(${JSON.stringify(pathToFileURL(path).href)}); await m.getPassword('keystead-doctor', 'nothing'); process.exit(0);`;
  const { ended, said } = await throwaway(asked);
  if (ended === 'ok') return ok('keychain', 'answers');
  return note('keychain', ended === 'late' ? 'does not answer; it may be locked and waiting for you' : `does not answer (${said}); vaults open by password only`);
}

async function vaultFolderCheck(world: World, place: Place): Promise<Check> {
  const { folder } = place;
  const stat = await lstat(folder).catch(() => undefined);
  if (!stat || !hasVault(place)) return note('folder', `there is none in \`${folder}\``, 'keystead init');
  if (stat.uid !== world.surroundings.uid) return problem('folder', `\`${folder}\` belongs to another user`, `sudo chown -R "$USER" '${folder}'`);
  if ((stat.mode & 0o077) !== 0) return problem('folder', `\`${folder}\` is open to others`, `chmod 700 '${folder}'`);
  const names = await readdir(folder).catch(() => undefined);
  if (!names) return problem('folder', `\`${folder}\` cannot be read`, `ls -ld '${folder}'`);
  const missing = [VAULT_FILES.database, VAULT_FILES.trail].filter((name) => !names.includes(name));
  return missing.length === 0 ? ok('folder', folder) : problem('folder', `\`${folder}\` has no ${missing.join(' and no ')}`, 'put the vault back from a copy');
}

async function runtimeCheck(world: World): Promise<Check> {
  const folder = runtimeFolder(world.surroundings);
  const stat = await lstat(folder).catch(() => undefined);
  if (!stat) return ok('socket folder', `\`${folder}\` is made when it is needed`);
  if (!stat.isDirectory() || stat.uid !== world.surroundings.uid) return problem('socket folder', `\`${folder}\` is not a folder of yours`, `ls -ld '${folder}'`);
  return (stat.mode & 0o077) === 0 ? ok('socket folder', folder) : problem('socket folder', `\`${folder}\` is open to others`, `chmod 700 '${folder}'`);
}

async function diskCheck(place: Place): Promise<Check> {
  for (let at = place.folder; ; at = dirname(at)) {
    const disk = await statfs(at).catch(() => undefined);
    if (disk) {
      const free = disk.bavail * disk.bsize;
      const text = `${(free / 1e9).toFixed(1)} GB free`;
      return free >= LEAST_SPACE ? ok('disk', text) : problem('disk', `${text} is little: records of the trail must have a place`, `df -h '${at}'`);
    }
    if (dirname(at) === at) return note('disk', 'its free space cannot be asked');
  }
}

async function runningChecks(run: Run, place: Place): Promise<readonly Check[]> {
  try {
    const connection = await connectTo(place.socket, run.world.surroundings.uid);
    if (!connection) return [note('process', 'the vault is not running', hasVault(place) ? 'keystead unlock' : undefined)];
    try {
      const answer = await callFor(run, connection, OPERATIONS['vault:Diagnose'].name, {});
      return [
        ok('process', `${String(answer.ProcessId)} runs version ${answer.Version} on Node ${answer.NodeVersion}`),
        // A vault opens by password where there is no keychain; one that needs it says so when it is unlocked.
        ...answer.Checks.map((check): Check => ({
          name: check.Name,
          state: check.Ok ? 'ok' : check.Name === 'keychain' ? 'note' : 'problem',
          message: check.Message,
          ...(check.Fix === undefined ? {} : { fix: check.Fix }),
        })),
      ];
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [problem('process', error.message, error.next ?? 'keystead stop')];
  }
}
