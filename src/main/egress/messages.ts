/** What a failure of a rotator is in words: a table, so that none of them can come from a server. Pure. */
import { type EgressOrder, FAILURES, type Failure, type FailureCode, type Role } from './port.ts';
import type { ToParent } from './protocol.ts';

type Failed = Omit<Extract<ToParent, { kind: 'failed' }>, 'kind' | 'connections'>;

const WHOSE: Readonly<Record<Role, string>> = { signer: 'the remote\'s access key', token: 'the remote\'s session token', value: 'the secret', current: 'AWSCURRENT', previous: 'AWSPREVIOUS', pending: 'AWSPENDING', master: 'the master secret' };
const valueOf = (role: Role | undefined): string => (role === 'master' ? 'the master secret' : role ? `the value of ${WHOSE[role]}` : 'the value');

const WORDS: Readonly<Record<FailureCode, (failed: Failed) => string>> = {
  'value-malformed': ({ role }) => `${valueOf(role)} is not AWS's JSON with engine, host, username and password of the right kinds: correct it`,
  'value-mismatch': ({ role }) => `${valueOf(role)} names another engine, host, port or user than this rotation may change: correct it, or the strategy`,
  'host-refused': () => 'the host and port are not among those that this secret may be rotated at: allow them, or correct the secret',
  'address-refused': () => 'the host is at an address that is never connected to (link-local, metadata, multicast or unspecified): correct the host',
  unresolved: () => 'the host\'s name cannot be resolved: check it, and the network',
  unreachable: () => 'the server cannot be reached: check that it runs, its host and port, and firewalls between',
  'timed-out': () => 'the server took longer than the time limit: check that it answers, or raise the limit',
  'tls-missing': () => 'the server offers no TLS: switch it on there, or write `"ssl": false` into the secret to go without',
  'tls-untrusted': () => 'the server\'s certificate is not from a trusted authority, or has expired: give the authority\'s certificate where the server is named, or renew the server\'s',
  'tls-name': () => 'the server\'s certificate is for another name than the secret\'s host: use the name of the certificate',
  'tls-failed': () => 'the server and the vault agree on no TLS: it may be too old, or no such server',
  'login-refused': ({ role }) => (role === 'master' ? 'the master secret\'s user cannot log in: correct the master secret' : role === 'pending' ? 'the new password does not log in: rotate again' : 'none of the secret\'s passwords logs in: set the password at the server by hand and put it as the current value'),
  'rights-missing': ({ role }) => (role === 'master' ? 'the master secret\'s user may not create users, set their passwords or pass on their rights: grant it that' : 'the user may not set its own password at this server: grant it that, or use the alternating strategy with a master secret'),
  'read-only': () => 'the server is read-only (a replica, or set so): name the primary, or wait',
  busy: () => 'the server is busy, locked or out of connections: it is tried again',
  'disk-failed': () => 'the server cannot write to its disk: free space there, or see its log; it is tried again',
  'method-unsupported': () => 'the server has this user log in by a method whose password cannot be set here: change the user\'s authentication method',
  'password-unsuitable': () => 'the password does not fit the server\'s rules or encoding: change the rules for generated passwords',
  'connection-lost': () => 'the connection was lost: whether the password was set is found out by the next try',
  'answer-malformed': () => 'the server\'s answers are not understood: check that the host and port are those of such a server',
  'server-error': () => 'the server refused with an error of its own: look its code up in the server\'s documentation and log',
  'command-refused': () => 'the program is missing, not executable, it or a folder above it is writable by others, or it is not the one that was allowed: correct that',
  'command-failed': () => 'the program ended with an error: see its own log',
  'function-refused': () => 'the function\'s address is not https, holds credentials, or answered with a redirect: correct it',
  'function-failed': () => 'the function answered with an error: see its own log',
  'remote-address': () => 'the remote\'s address is not https, has a path, or holds credentials: correct it',
  'remote-login': () => 'the remote does not take the access key or its signature: check the access key, the region there, and that the key is in use',
  'remote-expired': () => 'the remote\'s access key is a temporary one and has expired: give the new one, with its session token',
  'remote-clock': () => 'the remote\'s clock and this machine\'s differ by more than five minutes: set them',
  'remote-denied': () => 'the remote does not let this access key do that: allow it secretsmanager DescribeSecret, CreateSecret, PutSecretValue, UpdateSecret, UpdateSecretVersionStage, TagResource, UntagResource, for what you ask besides also DeleteSecret, RestoreSecret and GetSecretValue, and the key that encrypts there',
  'remote-missing': () => 'the remote has no such secret or version',
  'remote-exists': () => 'the remote has a secret or version of this name with other contents',
  'remote-state': () => 'the remote does not do this to the secret as it is there: look whether it is to be deleted, or a replica itself',
  'remote-parameter': () => 'the remote does not take the request: somebody may have moved a label there meanwhile, or the name, a tag or the key does not suit it',
  'remote-limit': () => 'a limit of the remote is reached: it is tried again',
  'remote-key': () => 'the remote\'s key for this secret cannot be used: look at its state there',
  'remote-busy': () => 'the remote is busy, locked or has an error of its own: it is tried again',
  'remote-error': () => 'the remote refused with an error that is none of AWS Secrets Manager\'s: check its address',
  stopped: () => 'the process that connects outward has stopped: it is tried again',
  cancelled: () => 'cancelled',
};

export function failureOf(failed: Failed): Failure {
  const { code, place, detail, uncertain } = failed;
  return { code, place, uncertain, message: WORDS[code](failed) + (detail === undefined ? '' : ` (${detail})`), retry: FAILURES[code].retry, ...(detail === undefined ? {} : { detail }) };
}

/** Whether something outside may have been changed when an order was cut off. */
export const changes = (order: EgressOrder): boolean => (order.kind === 'database' ? order.action === 'set' || order.action === 'finish' : order.kind !== 'remote');
