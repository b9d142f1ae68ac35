/** Whether a token of a cluster answers: what a failure and a success make of it, when it is tried again, and who is asked next. Pure. */
import type { ConnectionError } from '../../shared/api/kms-key-stores.ts';
import { VaultError, type ErrorCode } from '../../shared/model/errors.ts';
import type { Instant } from '../../shared/model/ids.ts';

export type Health =
  | { readonly state: 'connected'; readonly since: Instant }
  /** `nextTry` absent: it waits for its PIN. */
  | { readonly state: 'failing'; readonly since: Instant; readonly error: ConnectionError; readonly message: string; readonly tries: number; readonly nextTry?: Instant };

/** Milliseconds: 1, 2, 4 … 60 s. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;
export const waitAfter = (tries: number): number => Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, Math.min(tries, 16) - 1));

export const connected = (before: Health | undefined, at: Instant): Health => (before?.state === 'connected' ? before : { state: 'connected', since: at });

/** `waits`: it is not tried again by itself. */
export function failed(before: Health | undefined, at: Instant, { error, message, waits }: { readonly error: ConnectionError; readonly message: string; readonly waits: boolean }): Health {
  const since = before?.state === 'failing' ? before.since : at;
  const tries = (before?.state === 'failing' ? before.tries : 0) + 1;
  return { state: 'failing', since, error, message, tries, ...(waits ? {} : { nextTry: (at + waitAfter(tries)) as Instant }) };
}

export const isDue = (health: Health, at: Instant): boolean => health.state === 'failing' && health.nextTry !== undefined && health.nextTry <= at;

/**
 * What a token's error says. answer: it is the caller's own, and every token would say it. failed: the token does not work. lacks: it has
 * not the key, or is gone. busy: it has enough to do. doubt: the ciphertext is wrong, or the token; another token's word decides.
 */
export type Verdict = 'answer' | 'failed' | 'lacks' | 'busy' | 'doubt';
const VERDICTS: Partial<Readonly<Record<ErrorCode, Verdict>>> = {
  KMSInternalException: 'failed',
  KMSInvalidStateException: 'failed',
  IncorrectPinException: 'failed',
  PinLockedException: 'failed',
  ModuleRefusedException: 'failed',
  FileNotReadableException: 'failed',
  KeyUnavailableException: 'lacks',
  ThrottlingException: 'busy',
  InvalidCiphertextException: 'doubt',
};
export const judge = (error: unknown): Verdict => (error instanceof VaultError ? (VERDICTS[error.code] ?? 'answer') : 'answer');

/** The one that has least to do among those that answer; between equals it goes round. `turn`: a number that counts up. */
export function nextOf<M extends { readonly health: Health; readonly inFlight: number }>(members: readonly M[], tried: ReadonlySet<M>, turn: number): M | undefined {
  const able = members.filter((member) => member.health.state === 'connected' && !tried.has(member));
  const least = Math.min(...able.map(({ inFlight }) => inFlight));
  const equal = able.filter(({ inFlight }) => inFlight === least);
  return equal[turn % Math.max(1, equal.length)];
}
