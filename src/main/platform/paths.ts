import { posix, win32 } from 'node:path';

import { VaultError } from '../../shared/model/errors.ts';

/** What the folders are computed from; `process` and `os` in the product. */
export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly home: string;
  /** Absolute; for example `/tmp`. */
  readonly temporary: string;
  /** -1 on Windows. */
  readonly uid: number;
}

/** Absolute paths; none of them is created here. */
export interface Folders {
  /** Holds one folder for each vault. */
  readonly vaults: string;
  /** Holds `config.json`. */
  readonly config: string;
  /** Holds `diagnostic.log`. */
  readonly state: string;
  /** Holds the sockets; to be created by `ensurePrivateFolder`. Empty on Windows, where pipes have names instead. */
  readonly runtime: string;
}

/**
 * XDG Base Directory 0.8 on Linux and its kin, the platform's own folders on macOS and Windows. A relative path in an
 * XDG variable is ignored, as the specification says.
 */
export function foldersOf({ platform, env, home, temporary, uid }: Surroundings): Folders {
  if (platform === 'win32') {
    const local = absolute(env['LOCALAPPDATA'], win32) ?? win32.join(home, 'AppData', 'Local');
    const roaming = absolute(env['APPDATA'], win32) ?? win32.join(home, 'AppData', 'Roaming');
    return { vaults: win32.join(local, 'Keystead', 'vaults'), config: win32.join(roaming, 'Keystead'), state: win32.join(local, 'Keystead', 'state'), runtime: '' };
  }
  const fallback = posix.join(temporary, `keystead-${String(uid)}`);
  if (platform === 'darwin') {
    const support = posix.join(home, 'Library', 'Application Support', 'Keystead');
    return { vaults: posix.join(support, 'vaults'), config: support, state: posix.join(home, 'Library', 'Logs', 'Keystead'), runtime: fallback };
  }
  const xdg = (name: string, otherwise: string): string => absolute(env[name], posix) ?? posix.join(home, otherwise);
  const runtime = absolute(env['XDG_RUNTIME_DIR'], posix);
  return {
    vaults: posix.join(xdg('XDG_DATA_HOME', '.local/share'), 'keystead', 'vaults'),
    config: posix.join(xdg('XDG_CONFIG_HOME', '.config'), 'keystead'),
    state: posix.join(xdg('XDG_STATE_HOME', '.local/state'), 'keystead'),
    runtime: runtime === undefined ? fallback : posix.join(runtime, 'keystead'),
  };
}

/** sockaddr_un has 108 bytes on Linux and 104 on macOS; Node cuts a longer path off without a word. */
const LONGEST_SOCKET = 100;

/**
 * Where the vault with this id (16 bytes) listens: `<first 16 hex of vaultId>.sock` in the runtime folder, a pipe's name
 * on Windows. StorageException when the path has more than 100 bytes.
 */
export function socketPath(folders: Pick<Folders, 'runtime'>, vaultId: Uint8Array): string {
  const name = Array.from(vaultId.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (folders.runtime === '') return `\\\\.\\pipe\\keystead-${name}`;
  const path = posix.join(folders.runtime, `${name}.sock`);
  const length = new TextEncoder().encode(path).length;
  if (length > LONGEST_SOCKET) {
    throw new VaultError('StorageException', `the socket's path \`${path}\` has ${String(length)} bytes, over the limit of ${String(LONGEST_SOCKET)}: set XDG_RUNTIME_DIR to a shorter folder`);
  }
  return path;
}

/** Characters, as code points; and bytes, since that is what file systems count. */
const LONGEST_NAME = 64;
const LONGEST_NAME_BYTES = 255;
/** What Windows keeps for devices, with or without an extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * The name of a vault in Unicode's NFC, fit to be a folder's name on every platform, so that a vault can be copied.
 * ValidationException that says what is wrong.
 */
export function parseVaultName(text: string): string {
  const refuse = (why: string): never => {
    // What is not shown cannot mislead: controls and direction marks stay out of the message too.
    const shown = Array.from(text.replace(/[\p{C}\p{Zl}\p{Zp}`]/gu, '?')).slice(0, LONGEST_NAME).join('');
    throw new VaultError('ValidationException', `\`${shown}\` cannot be the name of a vault: ${why}`);
  };
  if (/\p{Cs}/u.test(text)) return refuse('it is not valid Unicode');
  const name = text.normalize('NFC');
  if (name === '') return refuse('it is empty');
  if (Array.from(name).length > LONGEST_NAME) return refuse(`it has more than ${String(LONGEST_NAME)} characters`);
  if (new TextEncoder().encode(name).length > LONGEST_NAME_BYTES) return refuse(`it has more than ${String(LONGEST_NAME_BYTES)} bytes`);
  if (name.startsWith('.')) return refuse('it starts with a dot');
  if (/[/\\]/.test(name)) return refuse('it holds a path separator');
  if (/[<>:"|?*]/.test(name)) return refuse('it holds one of < > : " | ? *');
  // Controls, direction and joining marks, unassigned, private use; line separators.
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(name)) return refuse('it holds an invisible character');
  if (/^\s|[\s.]$/u.test(name)) return refuse('it starts or ends with a space, or ends with a dot');
  if (DEVICE.test(name)) return refuse('Windows keeps this name for itself');
  return name;
}

/** The folder of the vault called `name` (see `parseVaultName`). */
export const vaultFolder = (folders: Pick<Folders, 'vaults' | 'runtime'>, name: string): string =>
  (folders.runtime === '' ? win32 : posix).join(folders.vaults, parseVaultName(name));

function absolute(path: string | undefined, rules: typeof posix): string | undefined {
  return path !== undefined && rules.isAbsolute(path) ? path : undefined;
}
