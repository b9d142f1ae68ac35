/**
 * What the desktop is told of: what happened without the person, or against them. Pure but for a few counts. No notice names a key, a secret, a
 * file or a value: it stands on lock screens and in other programs' logs.
 */
import type { Result } from '../kernel/request.ts';
import type { Notice } from '../hosts/port.ts';

/** One request and how it ended, as far as notices look at it. */
export interface Happening {
  readonly operation: string;
  /** The vault's own clock's; undefined for a request of a person or program. */
  readonly job: string | undefined;
  readonly result: Result;
  /** Whether the vault was open when it was asked. */
  readonly wasOpen: boolean;
}

/** `kind`: two urgent ones of one kind within an hour are one, so that a job that is tried again each minute says so once. */
export interface Told extends Notice {
  readonly kind: string;
}

const SEE = 'The trail says which.';
const counted = (count: number, one: string, many: string): string => (count === 1 ? `A ${one}` : `${String(count)} ${many}`);

interface Duty {
  readonly done: (count: number) => Pick<Notice, 'title' | 'body'>;
  readonly failed?: Pick<Notice, 'title' | 'body'>;
}

/** What the vault's own clock does, by operation. */
const DUTIES: Readonly<Record<string, Duty>> = {
  'kms:DeleteDueKeys': {
    done: (count) => ({ title: `${counted(count, 'key was', 'keys were')} deleted`, body: `The waiting time is over. ${SEE}` }),
    failed: { title: 'A key could not be deleted', body: 'It is tried again. Unlock Keystead to see why.' },
  },
  'kms:RotateDueKeys': {
    done: (count) => ({ title: `${counted(count, 'key was', 'keys were')} rotated`, body: `What was encrypted before still decrypts. ${SEE}` }),
    failed: { title: 'A rotation failed', body: 'The key stays as it was and keeps working. It is tried again.' },
  },
  'kms:ExpireDueKeyMaterials': { done: (count) => ({ title: `${counted(count, 'imported key has', 'imported keys have')} expired`, body: `Import the key material again to use it. ${SEE}` }) },
  'secretsmanager:DeleteDueSecrets': { done: (count) => ({ title: `${counted(count, 'secret was', 'secrets were')} deleted`, body: `The recovery window is over. ${SEE}` }) },
};

const LOCKED: Readonly<Record<string, string>> = {
  'auto-lock': 'Nothing was asked of it for a while.',
  suspend: 'The computer went to sleep.',
  'screen-lock': 'The screen was locked.',
  'window-left': 'The window left its page, which only a page that was taken over does.',
};

/** No fault of the job: it runs again by itself. */
const NO_FAILURE: ReadonlySet<string> = new Set(['VaultLockedException', 'CancelledException', 'VaultNotFoundException', 'SealerStoppedException']);
const WRONG: ReadonlySet<string> = new Set(['IncorrectPasswordException', 'IncorrectRecoveryCodeException']);
/** Wrong passwords in a row that are told of, and every so many after that. */
const WRONG_ATTEMPTS = 5;

/** How a rotation of a secret ended. One that was asked for and went well was seen by whoever asked. */
function ofRotation({ result }: Happening): Told | undefined {
  if (!result.ok) return undefined;
  const { Result: how, Left: left, Cause: cause } = result.output;
  if (how === 'rotated') return cause === 'schedule' ? { kind: 'secret-rotated', title: 'A secret was rotated', body: SEE, isUrgent: false } : undefined;
  if (how !== 'failed') return undefined;
  const body = left === 'pending' ? 'It is not proven which value holds, so both were kept. Open Keystead to see the step.' : 'The current version stays and keeps working. Open Keystead to see the step.';
  return { kind: 'secret-rotation-failed', title: 'A rotation failed', body, isUrgent: true };
}

/** How a token's cluster was brought level when it was back. What waits for another token that is away is no failure. */
function ofLevelling({ result }: Happening): Told | undefined {
  const told: Told = { kind: 'cluster-level', title: 'A token could not be brought level', body: 'It is back, and lacks keys that its cluster has. Open Keystead to see why.', isUrgent: true };
  if (!result.ok) return NO_FAILURE.has(result.error.code) ? undefined : told;
  const left = result.output['Left'];
  return Array.isArray(left) && left.some((one: { readonly KeyId?: unknown }) => one.KeyId !== undefined) ? told : undefined;
}

/** How many things an answer names: the length of its one list. */
const sizeOf = (output: Readonly<Record<string, unknown>>): number => Object.values(output).find((value): value is readonly unknown[] => Array.isArray(value))?.length ?? 0;

const TRAIL_BROKEN: Told = { kind: 'trail', title: 'The trail is broken', body: 'Nothing can be recorded, so nothing can be done. Open Keystead to see where, and the way on.', isUrgent: true };
export const KEY_DELETION_NEARS: Told = { kind: 'deletion-nears', title: 'A key will be deleted within a day', body: 'Cancel the deletion in Keystead if it is still needed.', isUrgent: true };
export const SECRET_DELETION_NEARS: Told = { kind: 'secret-deletion-nears', title: 'A secret will be deleted within a day', body: 'Restore it in Keystead if it is still needed.', isUrgent: true };
export const EXPIRY_NEARS: Told = { kind: 'expiry-nears', title: 'A secret expires within a week', body: 'What it holds stops working then. Keystead shows which.', isUrgent: true };
export const EXPIRED: Told = { kind: 'expired', title: 'A secret has expired', body: 'What it holds no longer works, by its own tag. Keystead shows which.', isUrgent: true };

/** The notice of each happening in turn; undefined for nearly all of them. */
export function createNoticeReader(): (happening: Happening) => Told | undefined {
  let wrong = 0;

  const ofAttempt = ({ result }: Happening): Told | undefined => {
    if (result.ok) {
      wrong = 0;
      const problem = result.output['Problem'] !== undefined;
      return problem ? { kind: 'problem', title: 'The vault does not match its own records', body: 'It is open for reading only. Open Keystead to see why.', isUrgent: true } : undefined;
    }
    if (!WRONG.has(result.error.code)) return undefined;
    wrong += 1;
    return wrong % WRONG_ATTEMPTS === 0 ? { kind: `wrong-${String(wrong)}`, title: `${String(wrong)} wrong passwords`, body: 'If that was not you, somebody is trying to open your vault.', isUrgent: true } : undefined;
  };

  return (happening) => {
    const { operation, job, result, wasOpen } = happening;
    if (!result.ok && result.error.code === 'TrailBrokenException') return TRAIL_BROKEN;
    if (operation === 'vault:Unlock') return ofAttempt(happening);
    if (operation === 'trail:VerifyTrail') return result.ok && result.output['Intact'] === false ? { ...TRAIL_BROKEN, body: 'A record was changed or is missing. Open Keystead to see where.' } : undefined;
    if (job === undefined) return undefined;
    if (operation === 'vault:Lock') {
      const why = Object.hasOwn(LOCKED, job) ? LOCKED[job] : undefined;
      return result.ok && wasOpen && why !== undefined ? { kind: job === 'window-left' ? job : 'lock', title: 'Keystead is locked', body: why, isUrgent: job === 'window-left' } : undefined;
    }
    if (operation === 'secretsmanager:RecordRotationStep') return ofRotation(happening);
    if (operation === 'hardware:LevelCluster') return ofLevelling(happening);
    const duty = Object.hasOwn(DUTIES, operation) ? DUTIES[operation] : undefined;
    if (!duty) return undefined;
    if (result.ok) {
      const count = sizeOf(result.output);
      return count === 0 ? undefined : { kind: operation, ...duty.done(count), isUrgent: false };
    }
    return duty.failed && !NO_FAILURE.has(result.error.code) ? { kind: `${operation}-failed`, ...duty.failed, isUrgent: true } : undefined;
  };
}
