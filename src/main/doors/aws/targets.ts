/** `X-Amz-Target` to operation: the AWS table, from the declarations. */
import { declarationOf, NAMES, type Name } from '../../../shared/api/index.ts';

/** AWS's name of a service's JSON protocol → our service, and the service in a signature's scope. */
const PROTOCOLS = {
  kms: { target: 'TrentService', signedFor: 'kms' },
  secretsmanager: { target: 'secretsmanager', signedFor: 'secretsmanager' },
} as const;

export interface Target {
  readonly operation: Name;
  readonly signedFor: string;
}

const TARGETS: ReadonlyMap<string, Target> = new Map(
  Object.entries(PROTOCOLS).flatMap(([service, { target, signedFor }]) =>
    NAMES.flatMap((operation) => {
      const [of = '', name = ''] = operation.split(':');
      return of === service && declarationOf(operation).doors.includes('aws') ? [[`${target}.${name}`, { operation, signedFor }] as const] : [];
    }),
  ),
);

export const targetOf = (header: string): Target | undefined => TARGETS.get(header);
