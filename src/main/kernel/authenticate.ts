/** Step 1: the evidence that a door collected becomes a principal, or nothing. */
import { VaultError } from '../../shared/model/errors.ts';
import type { Signatures } from '../access/signatures.ts';
import { CLIENT, OWNER, SCHEDULE } from '../policy/defaults.ts';
import { WINDOW_ORIGINS, type Evidence, type FrameEvidence } from './request.ts';

export interface Principal {
  /** Which default policy holds. */
  readonly kind: string;
  /** For the trail and for policies: `owner`, `schedule/auto-lock`, a client's ARN. */
  readonly id: string;
}

/** Nobody: without a reason, or with the one that the caller may hear. */
export type Nobody = VaultError | undefined;

export interface AuthenticatePorts {
  /** Of this process. */
  readonly ownUid: number;
  readonly signatures: Pick<Signatures, 'check'>;
}

const isTrustedFrame = (frame: FrameEvidence): boolean => frame.isMainFrame && WINDOW_ORIGINS.some((origin) => origin === frame.origin);

/** A peer of another user is nobody, root included: root has other ways and needs no door. */
export function authenticate(evidence: Evidence, { ownUid, signatures }: AuthenticatePorts): Principal | Nobody | Promise<Principal | Nobody> {
  switch (evidence.door) {
    case 'cli':
      return evidence.peer.uid === ownUid ? { kind: OWNER, id: OWNER } : undefined;
    case 'ipc':
      return isTrustedFrame(evidence.frame) ? { kind: OWNER, id: OWNER } : undefined;
    case 'aws':
      return signatures.check(evidence.signed).then((signer) => (signer instanceof VaultError ? signer : { kind: CLIENT[signer.role], id: signer.arn }));
    case 'schedule':
      return { kind: SCHEDULE, id: `${SCHEDULE}/${evidence.job}` };
  }
}
