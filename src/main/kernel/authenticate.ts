/** Step 1: the evidence that a door collected becomes a principal, or nothing. Pure. */
import { OWNER, SCHEDULE } from '../policy/defaults.ts';
import type { Evidence, FrameEvidence } from './request.ts';

export interface Principal {
  /** Which default policy holds. */
  readonly kind: string;
  /** For the trail and for policies: `owner`, `schedule/auto-lock`. */
  readonly id: string;
}

/** Exact origins of the two window hosts; a frame without one is nobody. */
export const WINDOW_ORIGINS: ReadonlySet<string> = new Set(['https://vault.invalid', 'keystead://app']);

export const isTrustedFrame = (frame: FrameEvidence): boolean => frame.isMainFrame && WINDOW_ORIGINS.has(frame.origin);

/** `ownUid`: of this process. A peer of another user is nobody, root included: root has other ways and needs no door. */
export function authenticate(evidence: Evidence, ownUid: number): Principal | undefined {
  switch (evidence.door) {
    case 'cli':
      return evidence.peer.uid === ownUid ? { kind: OWNER, id: OWNER } : undefined;
    case 'ipc':
      return isTrustedFrame(evidence.frame) ? { kind: OWNER, id: OWNER } : undefined;
    case 'schedule':
      return { kind: SCHEDULE, id: `${SCHEDULE}/${evidence.job}` };
  }
}
