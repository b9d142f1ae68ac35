/**
 * Makes a checkout ready to run with nothing but Node and npm: Debian packages, `npm ci`, the optional native modules.
 * Builtins only, since it runs before anything is installed. What it may not install it names in one line to type.
 *
 *   node scripts/ensure.mjs [start|test]       makes ready
 *   node scripts/ensure.mjs --packages         prints the Debian packages that the tests need
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Files that may be thrown away: install stamp, test results, bundled scripts. */
export const CACHE = join(ROOT, 'node_modules', '.cache', 'keystead');

const OLDEST_NODE = [20, 19];
/** Compiled here, never downloaded; the vault starts without them. */
const NATIVES = {
  keytar: 'node_modules/keytar/build/Release/keytar.node',
  pkcs11js: 'node_modules/pkcs11js/build/Release/pkcs11.node',
};

/**
 * What a Debian package is needed for, and how to see that it is there.
 * @typedef {{ package: string, command?: string, pkgConfig?: string, pythonModule?: string, file?: string }} Need
 */
/** @type {readonly Need[]} */
const TO_COMPILE = [
  { package: 'g++', command: 'g++' },
  { package: 'make', command: 'make' },
  { package: 'python3', command: 'python3' },
  { package: 'pkg-config', command: 'pkg-config' },
  { package: 'libsecret-1-dev', pkgConfig: 'libsecret-1' },
];
/** @type {readonly Need[]} */
const TO_TEST = [
  { package: 'openssl', command: 'openssl' },
  { package: 'softhsm2', command: 'softhsm2-util' },
  { package: 'opensc', command: 'pkcs11-tool' },
  { package: 'gnutls-bin', command: 'p11tool' },
  { package: 'libnss3-tools', command: 'certutil' },
  { package: 'libnss3', file: process.arch === 'arm64' ? '/usr/lib/aarch64-linux-gnu/libsoftokn3.so' : '/usr/lib/x86_64-linux-gnu/libsoftokn3.so' },
  { package: 'opencryptoki', command: 'pkcsslotd' },
  { package: 'dbus', command: 'dbus-daemon' },
  { package: 'gnome-keyring', command: 'gnome-keyring-daemon' },
  { package: 'systemd', command: 'busctl' },
  { package: 'util-linux', command: 'setpriv' },
  { package: 'chromium', command: 'chromium' },
  { package: 'awscli', command: 'aws' },
  { package: 'python3-boto3', pythonModule: 'boto3' },
  { package: 'xvfb', command: 'Xvfb' },
  { package: 'xclip', command: 'xclip' },
  { package: 'libglib2.0-bin', command: 'gdbus' },
  { package: 'python3-dbus', pythonModule: 'dbus' },
  { package: 'python3-gi', pythonModule: 'gi' },
  { package: 'postgresql', command: 'pg_ctlcluster' },
  { package: 'mariadb-server', command: 'mariadb-install-db' },
  { package: 'redis-server', command: 'redis-server' },
];

/** @param {string} command */
const onPath = (command) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
/** @param {Need} need */
const isThere = ({ command, pkgConfig, pythonModule, file }) =>
  file !== undefined ? existsSync(file) : pythonModule !== undefined ? spawnSync('/usr/bin/python3', ['-c', `import ${pythonModule}`], { stdio: 'ignore' }).status === 0 : pkgConfig === undefined ? onPath(command ?? '') : spawnSync('pkg-config', ['--exists', pkgConfig], { stdio: 'ignore' }).status === 0;
/** @param {readonly Need[]} needs */
const missing = (needs) => needs.filter((need) => !isThere(need)).map((need) => need.package);

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);
/** @param {string} text @returns {never} */
function stop(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** @param {readonly string[]} packages */
const lineToType = (packages) =>
  onPath('apt-get') ? `sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}` : `install: ${packages.join(' ')} (Debian's names) with your system's package manager`;

/**
 * Installs with apt-get when allowed to. Returns what is still missing.
 * @param {readonly Need[]} needs
 */
function debianPackages(needs) {
  const wanted = missing(needs);
  if (wanted.length === 0 || process.platform !== 'linux' || process.getuid?.() !== 0 || !onPath('apt-get')) return wanted;
  say(`installing Debian packages: ${wanted.join(' ')}`);
  /** @param {string[]} args */
  const apt = (args) => spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  apt(['update', '-q']);
  apt(['install', '-y', '-q', '--no-install-recommends', ...wanted]);
  return missing(needs);
}

/** @typedef {{ lock: string, node: string, compiler: boolean }} Stamp */

/** @returns {Stamp} */
function wantedStamp() {
  const lock = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json'))).digest('hex');
  return { lock, node: `${process.version} ${process.platform} ${process.arch}`, compiler: missing(TO_COMPILE).length === 0 };
}

const STAMP = join(CACHE, 'installed.json');
/** @returns {Stamp | undefined} */
function foundStamp() {
  if (existsSync(STAMP)) return /** @type {Stamp} */ (JSON.parse(readFileSync(STAMP, 'utf8')));
  // Installed by hand: npm's own record counts when it is not older than the lock file.
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record) || statSync(record).mtimeMs < statSync(join(ROOT, 'package-lock.json')).mtimeMs) return undefined;
  return { ...wantedStamp(), compiler: false };
}

const missingNatives = () => Object.entries(NATIVES).flatMap(([name, file]) => (existsSync(join(ROOT, file)) ? [] : [name]));

function nodeModules() {
  const wanted = wantedStamp();
  const found = foundStamp();
  const current = found?.lock === wanted.lock && found.node === wanted.node;
  // npm leaves an optional module out when it does not compile; once there is a compiler it is worth another try.
  const retry = current && wanted.compiler && !found.compiler && missingNatives().length > 0;
  if (!current || retry) {
    say('installing npm packages (npm ci)');
    // keytar's install script would otherwise try a download first.
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env, npm_config_build_from_source: 'true' };
    // Node's own headers where they came with it, so that node-gyp need not fetch them.
    const prefix = resolve(dirname(process.execPath), '..');
    if (existsSync(join(prefix, 'include', 'node', 'node_api.h'))) env.npm_config_nodedir = prefix;
    const npm = process.env.npm_execpath;
    const [command, args] = npm === undefined ? ['npm', ['ci']] : [process.execPath, [npm, 'ci']];
    const { status } = spawnSync(command, [...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env });
    if (status !== 0) stop('`npm ci` failed; its own words are above');
  }
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(STAMP, JSON.stringify(wanted));
}

/**
 * Returns when the checkout can run; ends the process with one line when it cannot.
 * @param {'start' | 'test'} purpose `start` does without what only the keychain, tokens and tests need, and says so.
 */
export function ensure(purpose) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) stop(`Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.version}`);

  const toCompile = missingNatives().length > 0 ? TO_COMPILE : [];
  const lacking = debianPackages(purpose === 'test' ? [...toCompile, ...TO_TEST] : toCompile);
  if (lacking.length > 0 && purpose === 'test') stop(`the tests need Debian packages; type:\n  ${lineToType(lacking)}`);
  nodeModules();
  const natives = missingNatives();
  if (natives.length === 0) return;
  const still = missing(TO_COMPILE);
  const line = still.length > 0 ? lineToType(still) : 'npm_config_build_from_source=true npm ci --foreground-scripts';
  const without = { keytar: 'no system keychain', pkcs11js: 'no PKCS#11 tokens' };
  const text = `without ${natives.map((name) => `${name} (${without[/** @type {keyof typeof without} */ (name)]})`).join(' and ')}; to have it, type:\n  ${line}`;
  if (purpose === 'test') stop(text);
  say(text);
}

/**
 * The newest change below these paths, in milliseconds; folders count, so that a removed file is seen.
 * @param {readonly string[]} paths relative to the root
 * @returns {number}
 */
export function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(ROOT, path);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    latest = Math.max(latest, stats.mtimeMs);
    if (stats.isDirectory()) latest = Math.max(latest, newest(readdirSync(full).map((name) => join(path, name))));
  }
  return latest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [argument = 'start'] = process.argv.slice(2);
  if (argument === '--packages') say([...TO_COMPILE, ...TO_TEST].map((need) => need.package).join(' '));
  else if (argument === 'start' || argument === 'test') ensure(argument);
  else stop('usage: node scripts/ensure.mjs [start|test|--packages]');
}
