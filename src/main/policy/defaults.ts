/**
 * The policies that hold until the policy engine is there: the owner may do everything, the vault's own clock what its
 * jobs need, a client over AWS's protocol what its role says, everybody else nothing.
 */
import type { ClientRole } from '../../shared/api/access.ts';
import { declarationOf, NAMES } from '../../shared/api/index.ts';
import { actionsOf, type Effect } from '../../shared/api/operation.ts';
import type { PolicyDocument } from './decide.ts';

export const OWNER = 'owner';
export const SCHEDULE = 'schedule';

export const CLIENT = { user: 'client-user', administrator: 'client-administrator' } as const satisfies Record<ClientRole, string>;

/** What AWS clients can ask for, by what it does: of every key and every secret, until a client can have a policy of its own. */
const offeredToClients = (...effects: readonly Effect[]): readonly string[] =>
  NAMES.flatMap((name) => {
    const operation = declarationOf(name);
    return operation.doors.includes('aws') && effects.includes(operation.effect) ? actionsOf(operation) : [];
  });

const DEFAULTS: Readonly<Record<string, PolicyDocument>> = {
  [OWNER]: { id: 'owner', statements: [{ sid: 'OwnerMayDoAll', effect: 'Allow', actions: ['*'] }] },
  [SCHEDULE]: {
    id: 'schedule',
    statements: [{ sid: 'ClockRunsItsJobs', effect: 'Allow', actions: ['vault:Lock', 'kms:DeleteDueKeys', 'kms:RotateDueKeys', 'kms:ExpireDueKeyMaterials', 'kms:RecordKeyUsage', 'secretsmanager:DeleteDueSecrets', 'secretsmanager:RecordSecretAccess', 'secretsmanager:RotateDueSecrets', 'secretsmanager:RunRotationStep', 'secretsmanager:RecordRotationStep', 'secretsmanager:ReplicateToRegion', 'secretsmanager:RecordReplicationFailure', 'secretsmanager:BeginReplication', 'secretsmanager:RunReplication', 'secretsmanager:RecordReplication', 'kms:ConnectCustomKeyStore', 'hardware:BeginSealedPin', 'hardware:UseSealedPin', 'hardware:BeginJoin', 'hardware:TakeBackJoins', 'hardware:LevelCluster'] }],
  },
  [CLIENT.user]: { id: CLIENT.user, statements: [{ sid: 'UsersUseAndLook', effect: 'Allow', actions: offeredToClients('read', 'use') }] },
  [CLIENT.administrator]: { id: CLIENT.administrator, statements: [{ sid: 'AdministratorsChangeToo', effect: 'Allow', actions: offeredToClients('read', 'use', 'write') }] },
};

const NOTHING: PolicyDocument = { id: 'none', statements: [] };

/** The policy of a principal by its kind; an unknown one has an empty policy, which denies. */
export const principalPolicy = (kind: string): PolicyDocument => (Object.hasOwn(DEFAULTS, kind) ? (DEFAULTS[kind] ?? NOTHING) : NOTHING);
