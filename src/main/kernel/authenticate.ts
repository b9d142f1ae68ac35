/** Step 1: the evidence that a door collected becomes a principal, or nothing. Pure. */
import { OWNER, SCHEDULE } from '../policy/defaults.ts';
import { WINDOW_ORIGINS, type Evidence, type FrameEvidence } from './request.ts';

export interface Principal {
  /** Which default policy holds. */
  readonly kind: string;
  /** For the trail and for policies: `owner`, `schedule/auto-lock`. */
  readonly id: string;
}

const isTrustedFrame = (frame: FrameEvidence): boolean => frame.isMainFrame && WINDOW_ORIGINS.some((origin) => origin === frame.origin);

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
