/** What the kinds of rotators are, and the value that each makes for a new version. Pure, but for the randomness that it is given. */
import { VaultError } from '../../shared/model/errors.ts';
import { isHost } from '../../shared/model/host.ts';
import type { Realm } from '../../shared/model/ids.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Random } from '../platform/ports.ts';
import { isPem, NO_PEM } from './authority.ts';
import { isJsonObject, textMember, withMember } from './json-members.ts';
import { randomPassword } from './password.ts';
import type { SecretValue } from './ports.ts';
import type { RotatorSettings } from './rotation-record.ts';
import type { RunStep, Traits } from './rotation.ts';
import { ROTATOR_KINDS, type RotationStrategy, type RotatorKind, type RotatorTarget } from './rotator-port.ts';

/** database: the value says where it is used, in AWS's JSON shape. contract: a program of the owner's takes AWS's four steps. */
interface Kind extends Traits {
  readonly at: 'vault' | 'database' | 'contract';
  readonly alternates: boolean;
}

export const KINDS: Readonly<Record<RotatorKind, Kind>> = {
  generic: { retires: false, at: 'vault', own: true, restores: false, alternates: false },
  postgres: { retires: false, at: 'database', own: false, restores: true, alternates: true },
  mysql: { retires: false, at: 'database', own: false, restores: true, alternates: true },
  mariadb: { retires: false, at: 'database', own: false, restores: true, alternates: true },
  redis: { retires: true, at: 'database', own: false, restores: true, alternates: true },
  command: { retires: false, at: 'contract', own: false, restores: false, alternates: false },
  lambda: { retires: false, at: 'contract', own: false, restores: false, alternates: false },
};

/** Whether a step is the world's outside, and not the vault's own work in one transaction. */
export const isOutside = (kind: RotatorKind, step: RunStep): boolean => {
  const { at } = KINDS[kind];
  return at === 'contract' || (at === 'database' && step !== 'createSecret' && step !== 'finishSecret');
};

export const DEFAULT_ROTATOR: RotatorSettings = { kind: 'generic', strategy: 'single', password: { length: 32, exclude: '', punctuation: true }, field: 'password', hosts: [], overlapHours: 0 };
/** What no server's protocol or connection string stumbles over; AWS's templates leave these out too. */
const DATABASE_EXCLUDES = '/@"\'\\ ';

export const defaultsOf = (kind: RotatorKind, strategy: RotationStrategy): RotatorSettings => ({
  ...DEFAULT_ROTATOR,
  kind,
  strategy,
  password: { ...DEFAULT_ROTATOR.password, exclude: KINDS[kind].at === 'database' ? DATABASE_EXCLUDES : '' },
});

/** `RotationLambdaARN` of Keystead's own rotators: `…:function:keystead-postgres-alternating`. */
export const ownFunction = ({ region, account }: Realm, { kind, strategy }: Pick<RotatorSettings, 'kind' | 'strategy'>): string =>
  `arn:aws:lambda:${region}:${account}:function:keystead-${kind}${strategy === 'alternating' ? '-alternating' : ''}`;

/** Undefined: not one of Keystead's own. */
export function rotatorOf(lambdaArn: string): { readonly kind: RotatorKind; readonly strategy: RotationStrategy } | undefined {
  const [, name, alternating] = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:keystead-([a-z]+)(-alternating)?$/.exec(lambdaArn) ?? [];
  const kind = ROTATOR_KINDS.find((one) => one === name);
  if (kind === undefined || (alternating !== undefined && !KINDS[kind].alternates)) return undefined;
  return { kind, strategy: alternating === undefined ? 'single' : 'alternating' };
}

/** InvalidParameterException for settings that go against each other. */
export function checkedRotator(settings: RotatorSettings): RotatorSettings {
  const refuse = (why: string): never => {
    throw new VaultError('InvalidParameterException', why);
  };
  const { kind, strategy, command, url, ca } = settings;
  if (strategy === 'alternating' && !KINDS[kind].alternates) refuse(`\`${kind}\` has no users that could alternate; use the strategy \`single\``);
  if ((kind === 'command') !== (command !== undefined)) refuse(kind === 'command' ? 'name the allowed command in `Command`' : '`Command` goes with the rotator `command` only');
  if ((kind === 'lambda') !== (url !== undefined)) refuse(kind === 'lambda' ? 'give the address that the event is posted to in `Url`' : '`Url` goes with the rotator `lambda` only');
  const strange = settings.hosts.find((entry) => !isHost(entry.replace(/(?<=^[^:]*|\]):\d{1,5}$/, '')));
  if (strange !== undefined) refuse('one of `Hosts` is neither a name nor an address; give `host`, `host:port`, `[address]:port`, or an address');
  if (url !== undefined && !URL.canParse(url)) refuse('`Url` is no address; give something like `https://localhost:9001/rotate`');
  if (url !== undefined && !['https:', 'http:'].includes(new URL(url).protocol)) refuse('`Url` must begin with `https://`, or `http://` on this machine');
  if (ca !== undefined && (kind !== 'lambda' || !isPem(ca))) refuse(kind === 'lambda' ? NO_PEM : '`CertificateAuthority` goes with the rotator `lambda` only; a database\'s is the member `ca` of the secret');
  return settings;
}

export const targetOf = ({ kind, strategy, command, url, ca, hosts }: RotatorSettings): RotatorTarget | undefined =>
  kind === 'generic' ? undefined : { kind, strategy, ...(command === undefined ? {} : { command }), ...(url === undefined ? {} : { url }), ...(ca === undefined ? {} : { ca }), hosts };

const CLONE = '_clone';
const other = (user: string): string => (user.endsWith(CLONE) ? user.slice(0, -CLONE.length) : `${user}${CLONE}`);

const refuse = (why: string): VaultError => new VaultError('InvalidRequestException', why);

/**
 * createSecret of Keystead's own rotators: AWSCURRENT's value with a new password; of alternating users with the other user's name.
 * A value that is no JSON object is all password. The caller's to dispose of. InvalidRequestException, InvalidParameterException.
 */
export function newValue(current: SecretValue, { kind, strategy, password, field }: RotatorSettings, random: Random): SecretValue {
  if (current.kind === 'binary') throw refuse('the value is bytes, of which no password can be made; keep it as text');
  using made = randomPassword(random, {
    length: password.length,
    excludeCharacters: password.exclude,
    excludeNumbers: false,
    excludePunctuation: !password.punctuation,
    excludeUppercase: false,
    excludeLowercase: false,
    includeSpace: false,
    requireEachIncludedType: password.length >= 4,
  });
  if (!isJsonObject(current.bytes)) {
    if (KINDS[kind].at === 'database') throw refuse('the value is no JSON object; give it the members that AWS has for a database: `engine`, `host`, `username`, `password`');
    return { kind: 'string', bytes: made.borrow((bytes) => SecretBytes.copy(bytes)) };
  }
  const changed = withMember(current.bytes, field, made);
  if (!changed) throw refuse(`the value has no one member \`${field}\`; name the one that holds the password with \`keystead secret set-rotator --member\``);
  if (strategy !== 'alternating') return { kind: 'string', bytes: changed };
  using first = changed;
  const user = textMember(first, 'username');
  if (user === undefined) throw refuse('the value has no `username`, which alternating users need');
  using name = SecretBytes.take(new TextEncoder().encode(other(user)));
  const alternated = withMember(first, 'username', name);
  if (!alternated) throw refuse('the value has no one `username`, which alternating users need');
  return { kind: 'string', bytes: alternated };
}
