/**
 * The policies that hold until the policy engine is there: the owner may do everything, the vault's own clock what its
 * jobs need, everybody else nothing.
 */
import type { PolicyDocument } from './decide.ts';

export const OWNER = 'owner';
export const SCHEDULE = 'schedule';

const DEFAULTS: Readonly<Record<string, PolicyDocument>> = {
  [OWNER]: { id: 'owner', statements: [{ sid: 'OwnerMayDoAll', effect: 'Allow', actions: ['*'] }] },
  [SCHEDULE]: {
    id: 'schedule',
    statements: [{ sid: 'ClockRunsItsJobs', effect: 'Allow', actions: ['vault:Lock', 'kms:DeleteDueKeys', 'kms:RotateDueKeys', 'kms:ExpireDueKeyMaterials', 'secretsmanager:DeleteDueSecrets'] }],
  },
};

const NOTHING: PolicyDocument = { id: 'none', statements: [] };

/** The policy of a principal by its kind; an unknown one has an empty policy, which denies. */
export const principalPolicy = (kind: string): PolicyDocument => (Object.hasOwn(DEFAULTS, kind) ? (DEFAULTS[kind] ?? NOTHING) : NOTHING);
