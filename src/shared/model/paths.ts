/**
 * Where things are, as pure rules: main and the command line must agree without importing each other. Nothing here touches a
 * disk. POSIX paths follow the XDG Base Directory Specification 0.8: a relative value in a variable is ignored.
 */
import type { Config } from './config.ts';
import { VaultError } from './errors.ts';

/** What the rules look at. `env` as the process has it; `home` and `tmp` from `node:os`; `uid` 0 where there is none. */
export interface Surroundings {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly tmp: string;
  readonly uid: number;
}

/** Longest path of a socket, in bytes: sockaddr_un has 104 on macOS and 108 on Linux, with the final zero; some callers cut a longer one without a word. */
export const MAX_SOCKET_PATH = 100;
export const DEFAULT_VAULT_NAME = 'default';
/** Names in a vault's folder that the command line looks for, too. */
export const VAULT_FILES = { header: 'header', database: 'vault.db', trail: 'trail' } as const;
/** Hexadecimal digits of a socket's name. */
const KEY_LENGTH = 16;

const isAbsolute = (path: string, platform: string): boolean => (platform === 'win32' ? /^(?:[A-Za-z]:[\\/]|\\\\)/.test(path) : path.startsWith('/'));
const join = (platform: string, ...parts: readonly string[]): string => parts.join(platform === 'win32' ? '\\' : '/');

function folder({ platform, env, home }: Surroundings, variable: string, fallback: readonly string[]): string {
  const given = env[variable];
  return given !== undefined && isAbsolute(given, platform) ? given : join(platform, home, ...fallback);
}

/** The folder that holds one folder per vault. */
export function vaultsFolder(s: Surroundings): string {
  if (s.platform === 'win32') return join(s.platform, folder(s, 'LOCALAPPDATA', ['AppData', 'Local']), 'Keystead', 'vaults');
  if (s.platform === 'darwin') return join(s.platform, s.home, 'Library', 'Application Support', 'Keystead', 'vaults');
  return join(s.platform, folder(s, 'XDG_DATA_HOME', ['.local', 'share']), 'keystead', 'vaults');
}

/** What is kept outside of every vault (`config.ts`); nothing secret. */
export function configFile(s: Surroundings): string {
  if (s.platform === 'win32') return join(s.platform, folder(s, 'APPDATA', ['AppData', 'Roaming']), 'Keystead', 'config.json');
  if (s.platform === 'darwin') return join(s.platform, s.home, 'Library', 'Application Support', 'Keystead', 'config.json');
  return join(s.platform, folder(s, 'XDG_CONFIG_HOME', ['.config']), 'keystead', 'config.json');
}

/** Log files; they hold no values. */
export function logFolder(s: Surroundings): string {
  if (s.platform === 'win32') return join(s.platform, folder(s, 'LOCALAPPDATA', ['AppData', 'Local']), 'Keystead', 'logs');
  if (s.platform === 'darwin') return join(s.platform, s.home, 'Library', 'Logs', 'Keystead');
  return join(s.platform, folder(s, 'XDG_STATE_HOME', ['.local', 'state']), 'keystead');
}

/** The folder of the sockets: this user's own, 0700. Whoever uses it checks owner and mode first, and that it is no link. */
export function runtimeFolder(s: Surroundings): string {
  const given = s.env['XDG_RUNTIME_DIR'];
  if (s.platform !== 'win32' && given !== undefined && isAbsolute(given, s.platform)) return join(s.platform, given, 'keystead');
  return join(s.platform, s.tmp, `keystead-${String(s.uid)}`);
}

/**
 * The socket of the vault in a folder. `folderHash`: SHA-256 of the UTF-8 bytes of the folder's real path, in hexadecimal.
 * By folder and not by vault id: it exists before the vault does, and two copies of one vault are two places.
 * Throws ValidationException for a path that a socket cannot have.
 */
export function socketPath(s: Surroundings, folderHash: string): string {
  const key = folderHash.slice(0, KEY_LENGTH);
  if (s.platform === 'win32') return `\\\\.\\pipe\\keystead-${key}`;
  const path = join(s.platform, runtimeFolder(s), `${key}.sock`);
  if (new TextEncoder().encode(path).length > MAX_SOCKET_PATH) {
    throw new VaultError('ValidationException', `the socket's path \`${path}\` is longer than ${String(MAX_SOCKET_PATH)} bytes; set XDG_RUNTIME_DIR to a shorter folder`);
  }
  return path;
}

/**
 * The real path of a folder that may not exist yet: that of its nearest existing ancestor, and the rest as written.
 * `realpath` returns undefined for what does not exist. `absolute` must be normalised.
 */
export function realFolder(absolute: string, realpath: (path: string) => string | undefined): string {
  const separator = absolute.includes('/') ? '/' : '\\';
  const rest: string[] = [];
  let at = absolute;
  for (;;) {
    const real = realpath(at);
    if (real !== undefined) return rest.length === 0 ? real : `${real.endsWith(separator) ? real.slice(0, -1) : real}${separator}${rest.join(separator)}`;
    const cut = at.lastIndexOf(separator);
    if (cut < 0 || at === separator) return absolute;
    rest.unshift(at.slice(cut + 1));
    at = cut === 0 ? separator : at.slice(0, cut);
  }
}

/** `--vault`, then KEYSTEAD_VAULT, then the last one, then the default one. The first two may be relative. */
export function chooseVault(s: Surroundings, given: string | undefined, config: Pick<Config, 'last'>): string {
  const named = given ?? s.env['KEYSTEAD_VAULT'];
  if (named !== undefined && named !== '') return named;
  return config.last ?? join(s.platform, vaultsFolder(s), DEFAULT_VAULT_NAME);
}
