/**
 * What a rotation needs of the world outside: a `Rotator` sets a new value where it is used and proves that it works there.
 * Who implements it opens connections in a process of its own; the machine (`rotation.ts`) decides when it is asked.
 * Every call is idempotent: after a crash the same step is asked again, and finding its work done already is `ok`.
 */
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Arn } from '../../shared/model/ids.ts';

/** `engine` of a secret whose password can be set. */
export const ENGINES = ['postgres', 'mysql', 'mariadb', 'redis'] as const;
export type Engine = (typeof ENGINES)[number];
export const ROTATOR_KINDS = ['generic', ...ENGINES, 'command', 'lambda'] as const;
export type RotatorKind = (typeof ROTATOR_KINDS)[number];
/** single: the one user's password is changed. alternating: `user` and `user_clone` take turns, made and changed by the user of `masterarn`. */
export type RotationStrategy = 'single' | 'alternating';

/** AWS's contract with a rotation function: four steps, in this order. */
export const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type RotationStep = (typeof STEPS)[number];

/** Which rotator, and what it needs beside the secret itself. Nothing secret. */
export interface RotatorTarget {
  readonly kind: Exclude<RotatorKind, 'generic'>;
  readonly strategy: RotationStrategy;
  /** command: the name of an entry of the vault's list of allowed commands. */
  readonly command?: string;
  /** lambda: where the event is posted. */
  readonly url?: string;
  /** lambda: PEM of the authorities that are trusted there in place of the usual ones. */
  readonly ca?: string;
  /** Whole values of the secret name their host; these are allowed besides, as `host` or `host:port`. */
  readonly hosts?: readonly string[];
}

/** Values are whole secret values in AWS's JSON shape (`engine`, `host`, `port`, `username`, `password` …), the caller's to dispose of. */
export interface RotatorRequest {
  readonly target: RotatorTarget;
  readonly secretArn: Arn;
  /** ClientRequestToken of the event: the version under AWSPENDING. */
  readonly token: string;
  /** AWSCURRENT. */
  readonly current: SecretBytes;
  /** AWSPENDING: what is to hold afterwards. */
  readonly pending: SecretBytes;
  /** AWSPREVIOUS, to log in with where a step before stopped halfway. */
  readonly previous?: SecretBytes;
  /** The value of the secret that `masterarn` names. */
  readonly master?: SecretBytes;
  /** `set`: makes the change though `pending` logs in already: one that was cut off may still be under way at the server, and would come after. */
  readonly anew?: true;
  readonly signal: AbortSignal;
}

/** One connection that was tried: metadata for the trail, never content. */
export interface RotatorConnection {
  readonly host: string;
  readonly port: number;
  /** The address that was connected to. */
  readonly address?: string;
  /** Absent: it was not agreed on, or nobody saw it. */
  readonly tls?: boolean;
  readonly ms: number;
}

/** As it is shown and recorded. */
export const connectionLine = ({ host, port, tls, ms }: RotatorConnection): string => `${host}:${String(port)} ${tls === undefined ? '' : tls ? 'tls ' : 'plain '}${String(Math.round(ms))} ms`;

/** `code` as the other side has it (`28P01`, `ECONNREFUSED`, `exit 1`), at most 64 characters; `message` for people, at most 1,024: without any value. */
export interface RotatorFailure {
  readonly code: string;
  readonly message: string;
  /** `set`: the change may have been made, or may still be. */
  readonly uncertain?: true;
}

/** What is worth telling the owner of what went well. `old-still-valid`: the old password logs in beside the new one, until the last step. */
export const ROTATOR_NOTES = ['already-set', 'no-tls', 'acl-not-saved', 'log-may-show-password', 'old-still-valid', 'logged-in-with-previous', 'clone-created', 'nothing-to-finish'] as const;
export type RotatorNote = (typeof ROTATOR_NOTES)[number];

export type RotatorOutcome = { readonly ok: true; readonly notes?: readonly RotatorNote[]; readonly connections: readonly RotatorConnection[] } | { readonly ok: false; readonly failure: RotatorFailure; readonly connections: readonly RotatorConnection[] };

/** Failures of the other side are outcomes; a promise rejects only for the rotator's own process (gone, aborted). */
export interface Rotator {
  /** setSecret: afterwards `pending` logs in. Logging in with `pending` already is `ok`; else by `current`, `previous` or `master`. */
  set(request: RotatorRequest): Promise<RotatorOutcome>;
  /** testSecret: logs in with `pending` and reads something harmless. */
  test(request: RotatorRequest): Promise<RotatorOutcome>;
  /**
   * finishSecret, after the stages moved: takes the old password away where `set` left it valid beside the new one (Redis with one user).
   * Elsewhere it connects to nothing. With an overlap it is asked when that is over.
   */
  finish(request: RotatorRequest): Promise<RotatorOutcome>;
  /** Dry run: logs in with `current` (and `master`) and looks whether a rotation would be allowed. Changes nothing. `current` is empty for command and lambda. */
  check(request: Omit<RotatorRequest, 'token' | 'pending'>): Promise<RotatorOutcome>;
  /** command and lambda: the event `{SecretId, ClientRequestToken, Step}` for one step. Values are theirs to get and put through a door. */
  invoke(step: RotationStep, request: Pick<RotatorRequest, 'target' | 'secretArn' | 'token' | 'signal'>): Promise<RotatorOutcome>;
}
