/** The rules that every vault starts with, in order. */
import { NEW_CODE, RECOVERY_USED } from '../../shared/model/recovery-used.ts';
import type { Rule } from './rules.ts';

export const DEFAULT_RULES: readonly Rule[] = [
  {
    id: 'door-offers-operation',
    when: { offeredHere: false },
    verdict: { then: 'refuse', code: 'AccessDeniedException', message: 'this operation is not offered at this door' },
  },
  {
    id: 'vault-is-absent',
    when: { all: [{ lockState: ['absent'] }, { needs: ['unlocked'] }] },
    verdict: { then: 'refuse', code: 'VaultNotFoundException', message: 'there is no vault here yet; make one with `keystead init`' },
  },
  {
    id: 'vault-exists',
    when: { all: [{ not: { lockState: ['absent'] } }, { needs: ['absent'] }] },
    verdict: { then: 'refuse', code: 'VaultExistsException', message: 'a vault exists here already; choose another folder with `--vault`' },
  },
  {
    id: 'trail-is-broken',
    when: { all: [{ lockState: ['trailBroken'] }, { needs: ['unlocked'] }] },
    verdict: { then: 'refuse', code: 'TrailBrokenException', message: 'the trail is broken and cannot be gone on with; see `keystead trail start-new-chain --dry-run`' },
  },
  {
    id: 'vault-is-locked',
    when: { all: [{ lockState: ['locked'] }, { needs: ['unlocked'] }] },
    verdict: { then: 'refuse', code: 'VaultLockedException', message: 'the vault is locked; unlock it with `keystead unlock`' },
  },
  {
    id: 'vault-is-read-only',
    when: { all: [{ lockState: ['readOnly'] }, { effect: ['write', 'use'] }] },
    verdict: {
      then: 'refuse',
      code: 'VaultReadOnlyException',
      message: 'the vault does not match its own records and is open for reading only; see `keystead doctor`',
    },
  },
  {
    id: 'recovery-code-was-used',
    when: { all: [{ recoveryCodeUsed: true }, { effect: ['write', 'use'] }, { not: { service: ['vault'] } }] },
    verdict: {
      then: 'refuse',
      code: 'AccessDeniedException',
      message: `${RECOVERY_USED}; type \`${NEW_CODE.forgotten}\`, or \`${NEW_CODE.known}\` if the password is known`,
    },
  },
  { id: 'rate', when: { all: [{ over: 'principal' }, { not: { service: ['vault'] } }] }, verdict: { then: 'refuse', code: 'ThrottlingException', message: 'too many requests; try again in a moment' } },
];
