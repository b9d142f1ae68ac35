/** The database that a value says it is for: its `engine`, which AWS's shape has beside the credentials and which is nothing secret. Pure. */
import type { SecretBytes } from '../../shared/model/secret-bytes.ts';
import { textMember } from './json-members.ts';
import type { Engine } from './rotator-port.ts';

/** What AWS and others write. */
const NAMES: Readonly<Record<string, Engine>> = { postgres: 'postgres', postgresql: 'postgres', mysql: 'mysql', mariadb: 'mariadb', redis: 'redis' };

/** Undefined: it names none that has a rotator, or is no JSON object. */
export function engineOf(value: SecretBytes): Engine | undefined {
  const name = textMember(value, 'engine');
  return name !== undefined && Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}
