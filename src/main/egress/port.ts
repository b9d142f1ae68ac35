/** What the rotator asks of the process that opens outward connections: `client.ts` starts it, `entry.ts` is it. Types and closed tables. */
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { RemoteAct, Theirs } from '../secrets/remote-port.ts';
import { ROTATOR_NOTES, type Engine, type RotationStep, type RotationStrategy, type RotatorNote } from '../secrets/rotator-port.ts';

export { ENGINES, type Engine } from '../secrets/rotator-port.ts';
export const STRATEGIES = ['single', 'alternating'] as const satisfies readonly RotationStrategy[];
export type Strategy = RotationStrategy;

/** The event of AWS's rotation contract ("Lambda rotation functions"): names, never a value. */
export interface RotationEvent {
  readonly Step: RotationStep;
  /** ARN. */
  readonly SecretId: string;
  /** The version id. */
  readonly ClientRequestToken: string;
}

/**
 * `set`: makes the pending value work; idempotent, and says when it did already. `test`: logs in with the pending value. `probe`: a
 * dry run with the current (and the master's) value: logs in and checks the rights that `set` needs; changes nothing.
 * `finish`: takes the old password away where `set` left it valid (Redis with the single strategy); elsewhere it changes nothing.
 */
export const ACTIONS = ['set', 'test', 'probe', 'finish'] as const;
export type Action = (typeof ACTIONS)[number];

/**
 * The values that an action needs: `set` current, pending, previous where there is one, and the master's when alternating; `test` and
 * `finish` current and pending; `probe` current, and the master's when alternating. Each is the whole secret string, UTF-8 of JSON. To go
 * back after a failure: `set` with `pending` and `current` exchanged. `signer`: a remote's signing key of the day, 32 bytes; `token`: the session token of a
 * temporary access key; `value`: what is put there.
 */
export const ROLES = ['current', 'previous', 'pending', 'master', 'signer', 'token', 'value'] as const;
export type Role = (typeof ROLES)[number];
export type Values = Readonly<Partial<Record<Role, SecretBytes>>>;

interface Limits {
  /** For the whole action, milliseconds. */
  readonly timeMs: number;
}

interface Reach extends Limits {
  /** `host:port` as the secrets and the owner name them, an IPv6 address in brackets, lower case. Nothing else is connected to. */
  readonly allow: readonly string[];
  /** PEM of the authorities to trust in place of the usual ones. */
  readonly ca?: string;
}

export interface DatabaseOrder extends Reach {
  readonly kind: 'database';
  readonly action: Action;
  readonly engine: Engine;
  readonly strategy: Strategy;
  /** `set` of one user: the change is made though the pending value logs in already. Whatever came before it is then over at the server. */
  readonly anew?: true;
}

/** The owner's program, without a shell; AWS's event on its standard input. Exit code 0 is success, what it prints is dropped. */
export interface CommandOrder extends Limits {
  readonly kind: 'command';
  /** Absolute. A regular file that only its owner can write to, owned by this user or root. */
  readonly path: string;
  readonly args: readonly string[];
  /** SHA-256 of the file, hex; it is refused when it has another. */
  readonly sha256?: string;
  /** What the program finds in `SECRETS_MANAGER_ENDPOINT`, as AWS's rotation functions read it. */
  readonly endpoint?: string;
  readonly event: RotationEvent;
}

/** AWS Lambda's contract over HTTP: the event posted as JSON, for example to the path of Lambda's runtime interface emulator. */
export interface LambdaOrder extends Reach {
  readonly kind: 'lambda';
  /** `https:`; `http:` only to this machine. No credentials in it. */
  readonly url: string;
  readonly event: RotationEvent;
}

/** Version ids and staging labels that are taken from a remote. */
export const VERSION_ID = /^[\x21-\x7e]{32,64}$/;
export const STAGE = /^[\x21-\x7e]{1,256}$/;
export const MOST_LABELS = 64;

/** One act at a remote that speaks AWS Secrets Manager's protocol, with the values `signer`, `token` of a temporary access key, and, where the act has one, `value`. */
export interface RemoteOrder extends Reach {
  readonly kind: 'remote';
  readonly act: RemoteAct;
  /** `https:`; `http:` only to this machine. No path, no credentials in it. */
  readonly url: string;
  /** There: what is signed for. */
  readonly region: string;
  readonly accessKeyId: string;
  /** `YYYYMMDDTHHMMSSZ`, of the day that the signing key is for. */
  readonly time: string;
  readonly valueKind?: 'string' | 'binary';
}

export type EgressOrder = DatabaseOrder | CommandOrder | LambdaOrder | RemoteOrder;

/** Metadata of one connection that was tried; never content. */
export interface Connection {
  /** As it was named. */
  readonly host: string;
  readonly port: number;
  /** What the name was resolved to, once; absent when it was not. */
  readonly address?: string;
  /** Protocol version; `none` when the secret says `"ssl": false`. Absent until it was agreed on. */
  readonly tls?: 'none' | 'TLSv1.2' | 'TLSv1.3';
  /** Whose credentials it was made with. */
  readonly as?: Role;
  readonly ms: number;
}

/** Where in an action a failure came up. */
export const PLACES = ['prepare', 'resolve', 'connect', 'tls', 'login', 'check', 'change', 'prove', 'run'] as const;
export type Place = (typeof PLACES)[number];

/** The rotator's failures. `retry`: the same may go well later, without anybody changing anything. */
export const FAILURES = {
  'value-malformed': { retry: false },
  'value-mismatch': { retry: false },
  'host-refused': { retry: false },
  'address-refused': { retry: false },
  unresolved: { retry: true },
  unreachable: { retry: true },
  'timed-out': { retry: true },
  'tls-missing': { retry: false },
  'tls-untrusted': { retry: false },
  'tls-name': { retry: false },
  'tls-failed': { retry: true },
  'login-refused': { retry: false },
  'rights-missing': { retry: false },
  'read-only': { retry: true },
  busy: { retry: true },
  'disk-failed': { retry: true },
  'method-unsupported': { retry: false },
  'password-unsuitable': { retry: false },
  'connection-lost': { retry: true },
  'answer-malformed': { retry: false },
  'server-error': { retry: true },
  'command-refused': { retry: false },
  'command-failed': { retry: true },
  'function-refused': { retry: false },
  'function-failed': { retry: true },
  'remote-address': { retry: false },
  'remote-login': { retry: false },
  'remote-expired': { retry: false },
  'remote-clock': { retry: true },
  'remote-denied': { retry: false },
  'remote-missing': { retry: false },
  'remote-exists': { retry: false },
  'remote-state': { retry: true },
  'remote-parameter': { retry: true },
  'remote-limit': { retry: true },
  'remote-key': { retry: true },
  'remote-busy': { retry: true },
  'remote-error': { retry: true },
  stopped: { retry: true },
  cancelled: { retry: true },
} as const satisfies Record<string, { readonly retry: boolean }>;
export type FailureCode = keyof typeof FAILURES;

export interface Failure {
  readonly code: FailureCode;
  /** Lowercase, no full stop, what to do next; never a value, and never a word of the server's own. */
  readonly message: string;
  readonly place: Place;
  /** The server's or the system's code: SQLSTATE, MySQL's number, errno, exit code, HTTP status. */
  readonly detail?: string;
  readonly retry: boolean;
  /** The change may have been made: `set` again finds out. */
  readonly uncertain: boolean;
}

export const NOTES = ROTATOR_NOTES;
export type Note = RotatorNote;

export type EgressAnswer =
  /** `theirs`, `value`: of a remote; the value is the caller's to dispose of. */
  | { readonly ok: true; readonly notes: readonly Note[]; readonly connections: readonly Connection[]; readonly theirs?: Theirs; readonly value?: { readonly kind: 'string' | 'binary'; readonly bytes: SecretBytes } }
  | { readonly ok: false; readonly failure: Failure; readonly connections: readonly Connection[] };

export interface EgressSession {
  /**
   * One order at a time. Never rejects: a process that died, lied or took too long is a failure `stopped`, `answer-malformed` or `timed-out`,
   * and the session then starts another for the next order. An abort is `cancelled`, and `uncertain` when it came too late to know.
   * The values stay the caller's.
   */
  run(order: EgressOrder, values: Values, options: { readonly signal: AbortSignal }): Promise<EgressAnswer>;
  /** Kills the process and waits until it is gone. Idempotent. */
  close(): Promise<void>;
}

/** The way out: one session, and so one process, for each rotation. */
export interface Egress {
  /** The vault is being opened: sessions may be opened again. */
  begin(): void;
  /** A session that was opened before lock, or while the vault is locked, starts no process any more; its orders fail. */
  open(): EgressSession;
  /** Closes every session, without the grace that a program gets to end in. Lock calls it: the processes hold passwords. */
  endAll(): Promise<void>;
}
