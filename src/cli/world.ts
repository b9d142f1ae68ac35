/**
 * The command line: a client of a running vault. What it asks is declared in shared/api, what crosses the socket in shared/wire.
 *
 * Defends against: secrets in arguments, in the shell's history and on the screen; a stranger's socket in place of the vault's;
 * half-written or overwritten output files; a terminal left without echo.
 * Does not: hold a key, decide anything, or read the vault's files beyond looking whether they are there.
 */
import type { Surroundings } from '../shared/model/paths.ts';
import type { ErrorBody } from '../shared/model/errors.ts';
import { exitCodeOf, EXIT } from '../shared/model/errors.ts';

export interface Output {
  readonly isTTY: boolean;
  readonly columns: number;
  /** Resolves when the bytes are handed to the system, so that the caller may wipe them. */
  readonly write: (chunk: string | Uint8Array) => Promise<void>;
}

export interface Input {
  readonly isTTY: boolean;
  /** Chunks until the end; each is the receiver's to wipe. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Terminal only: keys one by one and without echo until the returned function is called. Idempotent. */
  raw(): () => void;
  /** Stops listening, so that the process can end. */
  release(): void;
}

/** Everything outside of the program, so that tests can stand in for it. */
export interface World {
  readonly surroundings: Surroundings;
  readonly cwd: string;
  readonly version: string;
  /** Milliseconds that only go forward. */
  monotonic(): number;
  /** Uniform in [0, limit). */
  randomBelow(limit: number): number;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Calls `interrupted` on Ctrl+C until the returned function is called; a second Ctrl+C ends the process. */
  onInterrupt(interrupted: () => void): () => void;
  /** Arguments to run the vault's own process with, after the program's name; undefined when it is not built. */
  readonly server: { readonly program: string; readonly args: readonly string[] } | undefined;
}

/** A failure with its exit code. `next` is the one line to type. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: string;
  readonly exit: number;
  readonly next: string | undefined;
  readonly requestId: string | undefined;
  constructor(code: string, exit: number, message: string, options: { next?: string | undefined; requestId?: string } = {}) {
    super(message);
    this.code = code;
    this.exit = exit;
    this.next = options.next;
    this.requestId = options.requestId;
  }
}

export const usage = (message: string, next?: string): CliError => new CliError('UsageError', EXIT.usage, message, { next });
export const cancelled = (): CliError => new CliError('CancelledException', EXIT.cancelled, 'cancelled; nothing was changed');

export const NOT_BUILT = 'the program of the vault itself is not beside this command line';
export const notBuilt = (): CliError => new CliError('NotBuilt', EXIT.notRunning, NOT_BUILT, { next: 'npm run build' });

/** The line to type after an error of the vault, where one line helps. */
const NEXT: Partial<Record<ErrorBody['code'], string>> = {
  VaultLockedException: 'keystead unlock',
  VaultNotFoundException: 'keystead init',
  VaultExistsException: 'keystead unlock',
  VaultInUseException: 'keystead status',
  IncorrectPasswordException: 'keystead unlock --recovery-code   (if the password is forgotten)',
  KeychainUnavailableException: 'keystead doctor',
  SlotNotFoundException: 'keystead slot list',
  VaultTamperedException: 'keystead doctor',
  VaultReadOnlyException: 'keystead doctor',
  HeaderRefusedException: 'keystead doctor',
  TrailUnavailableException: 'keystead doctor',
  TrailBrokenException: 'keystead trail start-new-chain --dry-run   (in the running vault; `keystead trail verify` says more while it is unlocked)',
  StorageFullException: 'keystead doctor',
  StorageException: 'keystead doctor',
};

export const ofVault = (error: ErrorBody, requestId: string): CliError =>
  new CliError(error.code, exitCodeOf(error.code), error.message, { next: NEXT[error.code], requestId });
