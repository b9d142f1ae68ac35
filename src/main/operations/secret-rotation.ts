/** `secretsmanager:` handlers of rotation. Thin: the machine and the schedule decide. */
import type { describeRotation, listRotations, previewRotation, setRotator } from '../../shared/api/secret-rotation.ts';
import { seconds, type InputOf, type OutputOf } from '../../shared/api/operation.ts';
import { VaultError } from '../../shared/model/errors.ts';
import { uuidFrom, type Instant } from '../../shared/model/ids.ts';
import type { Random } from '../platform/ports.ts';
import { authorityDigest } from '../secrets/authority.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import { CURRENT, placeOf, type RotationSettings, type SecretRecord } from '../secrets/ports.ts';
import { heldUntil, leftPending, markOf, scheduleOf, type Rules } from '../secrets/rotation-plan.ts';
import type { RotationRecord, RotatorSettings } from '../secrets/rotation-record.ts';
import { nextWindows, type Schedule, type Window } from '../secrets/rotation-schedule.ts';
import { IDLE, type StepRecord } from '../secrets/rotation.ts';
import { checkedRotator, defaultsOf, ownFunction, rotatorOf } from '../secrets/rotator.ts';
import { staged, versionOf } from '../secrets/stages.ts';
import { secretOf } from './resolvers.ts';
import type { HandlersOf } from './rights.ts';
import { withMaster } from './secret-master.ts';
import { decide, planFor, rotationOf, setUpRotation, withPlan } from './secret-rotation-store.ts';
import { liveSecret, type SecretsWriting } from './secret-store.ts';
import { namedAs, rulesShown } from './secrets.ts';

type Names = 'RotateSecret' | 'CancelRotateSecret' | 'SetRotator' | 'DescribeRotation' | 'ListRotations' | 'PreviewRotation' | 'PauseRotation' | 'ResumeRotation' | 'StopRotation';

const SHOWN_WINDOWS = 5;
const MOST_LISTED = 1000;

type GivenRules = InputOf<typeof previewRotation>['RotationRules'];

const rulesOf = ({ AutomaticallyAfterDays, Duration, ScheduleExpression }: GivenRules): Rules => ({
  ...(AutomaticallyAfterDays === undefined ? {} : { afterDays: AutomaticallyAfterDays }),
  ...(Duration === undefined ? {} : { duration: Duration }),
  ...(ScheduleExpression === undefined ? {} : { schedule: ScheduleExpression }),
});

const ofSecret = ({ name, suffix, region }: SecretRecord): Pick<RotationRecord, 'name' | 'suffix' | 'region'> => ({ name, suffix, ...(region === undefined ? {} : { region }) });

const shownWindows = (windows: readonly Window[]) => windows.map(({ opens, closes }) => ({ Opens: seconds(opens), Closes: seconds(closes) }));

/** The rotator of a request, over the one that is set. InvalidParameterException. */
export function rotatorGiven(input: Omit<InputOf<typeof setRotator>, 'SecretId'>): RotatorSettings {
  const base = defaultsOf(input.Rotator, input.Strategy);
  return checkedRotator({
    ...base,
    password: { length: input.PasswordLength, exclude: input.ExcludeCharacters ?? base.password.exclude, punctuation: !input.ExcludePunctuation },
    field: input.Member,
    ...(input.Command === undefined ? {} : { command: input.Command }),
    ...(input.Url === undefined ? {} : { url: input.Url }),
    ...(input.CertificateAuthority === undefined ? {} : { ca: input.CertificateAuthority }),
    hosts: input.Hosts ?? [],
    overlapHours: input.OverlapHours,
  });
}

/**
 * Which rotator `RotationLambdaARN` means: the one that is set, or one of Keystead's own by its name. InvalidRequestException. A client of AWS
 * may set none that connects to something, and replaces none: that is the owner's.
 */
async function rotationFor(secret: SecretRecord, lambdaArn: string | undefined, rights: SecretsWriting): Promise<RotationRecord> {
  const { writer, realm, call } = rights;
  const set = await rotationOf(secret, { writer });
  if (lambdaArn === undefined || lambdaArn === secret.rotation?.rotator || (set && lambdaArn === ownFunction(realm, set.rotator))) return setUpRotation(secret, { writer });
  const own = rotatorOf(lambdaArn);
  if (!own) {
    // A function of the owner's: SetRotator says where it is called.
    if (set?.rotator.kind === 'lambda') return set;
    throw new VaultError('InvalidRequestException', `nothing here is called \`${lambdaArn}\`; say where it is with \`keystead secret set-rotator --rotator lambda --url …\``);
  }
  if (call.door === 'aws' && (set || own.kind !== 'generic')) throw new VaultError('InvalidRequestException', 'only the owner says what rotates a secret: `keystead secret set-rotator`; then leave `RotationLambdaARN` out');
  if (set?.state.run) throw new VaultError('InvalidRequestException', 'a rotation is not complete yet; wait for it before another rotator is set');
  const rotation = { ...ofSecret(secret), rotator: await withMaster(secret, checkedRotator(defaultsOf(own.kind, own.strategy)), rights), state: set?.state ?? IDLE };
  const rotations = writer.of(ROTATIONS);
  call.changed('CertificateAuthority', authorityDigest(set?.rotator.ca), undefined);
  if (set) rotations.update(rotation);
  else rotations.insert(rotation);
  return rotation;
}

export const secretRotationHandlers = (random: Random): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:RotateSecret': async (input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    let secret = await liveSecret(call, writer);
    const rules = input.RotationRules && rulesOf(input.RotationRules);
    if (rules) scheduleOf(rules);
    let rotation = await rotationFor(secret, input.RotationLambdaARN, rights);
    if (!staged(secret.versions, CURRENT)) return call.fail('InvalidRequestException', `secret \`${secret.name}\` has no value yet; give it one with \`keystead secret put-value\``);
    const left = rotation.state.run?.token ?? leftPending(secret);
    if (left !== undefined && input.ClientRequestToken !== undefined && input.ClientRequestToken !== left) {
      return call.fail('InvalidRequestException', `a previous rotation isn't complete, that of version \`${left}\`; take it up again with that \`ClientRequestToken\`, or end it with \`keystead secret stop-rotation\``);
    }
    const before = secret.rotation;
    const settings: RotationSettings = { ...before, enabled: true, rotator: input.RotationLambdaARN ?? before?.rotator ?? ownFunction(realm, rotation.rotator), rules: rules ?? before?.rules ?? {} };
    secret = { ...secret, rotation: settings, changed: call.at };
    const plan = planFor(secret, call.at, random);
    secret = { ...secret, rotation: withPlan(settings, plan) };
    writer.of(SECRETS).update(secret);
    ({ secret, rotation } = decide({ secret, rotation }, { kind: 'planned', due: plan?.due }, rights));
    if (!input.RotateImmediately) return namedAs(realm, secret);
    const token = input.ClientRequestToken ?? left ?? uuidFrom(random.bytes(16));
    // The same request again, after its rotation: nothing more.
    if (!rotation.state.run && left === undefined && versionOf(secret.versions, token)?.value) return { ...namedAs(realm, secret), VersionId: token };
    decide({ secret, rotation }, { kind: 'asked', token }, rights);
    return { ...namedAs(realm, secret), VersionId: token };
  },

  'secretsmanager:CancelRotateSecret': async (_input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    const secret = await liveSecret(call, writer);
    const rotation = await setUpRotation(secret, rights);
    const left = leftPending(secret);
    const { next: _next, ...settings } = secret.rotation ?? { rules: {} };
    const off = { ...secret, rotation: { ...settings, enabled: false }, changed: call.at };
    writer.of(SECRETS).update(off);
    decide({ secret: off, rotation }, { kind: 'cancelled' }, rights);
    return { ...namedAs(realm, secret), ...(left === undefined ? {} : { VersionId: left }) };
  },

  'secretsmanager:SetRotator': async (input, call, { writer, keys, realm }) => {
    const secret = await liveSecret(call, writer);
    const { commands = [] } = await writer.settings();
    if (input.Command !== undefined && !commands.some(({ name }) => name === input.Command)) return call.fail('InvalidRequestException', `no command \`${input.Command}\` is allowed; allow it first with \`keystead secret allow-command\`, or see \`keystead secret list-commands\``);
    const set = await rotationOf(secret, { writer });
    if (set?.state.run) return call.fail('InvalidRequestException', 'a rotation is not complete yet; wait for it, or end it with `keystead secret stop-rotation`');
    const rotation = { ...ofSecret(secret), rotator: await withMaster(secret, rotatorGiven(input), { call, writer, keys, realm, random }), state: set?.state ?? IDLE };
    const rotations = writer.of(ROTATIONS);
    call.changed('CertificateAuthority', authorityDigest(set?.rotator.ca), authorityDigest(rotation.rotator.ca));
    if (set) rotations.update(rotation);
    else rotations.insert(rotation);
    const arn = ownFunction(realm, rotation.rotator);
    if (secret.rotation) writer.of(SECRETS).update({ ...secret, rotation: { ...secret.rotation, rotator: arn }, changed: call.at });
    return { ...namedAs(realm, secret), RotationLambdaARN: arn };
  },

  'secretsmanager:DescribeRotation': async (_input, call, { reader, realm }) => {
    const secret = secretOf(call.resource);
    const found = await reader.of(ROTATIONS).get(placeOf(secret));
    const rotation = found?.suffix === secret.suffix ? found : undefined;
    const schedule = secret.rotation?.enabled === true ? scheduleOf(secret.rotation.rules) : undefined;
    const left = leftPending(secret);
    const engine = staged(secret.versions, CURRENT)?.value?.engine;
    const held = heldNow(secret, rotation, call.at);
    return {
      ...namedAs(realm, secret),
      ...(engine === undefined ? {} : { Engine: engine }),
      RotationEnabled: secret.rotation?.enabled ?? false,
      ...(rotation ? rotatorShown(rotation.rotator) : {}),
      ...(secret.rotation ? { RotationRules: rulesShown(secret.rotation.rules) } : {}),
      ...(secret.rotation?.lastRotated === undefined ? {} : { LastRotatedDate: seconds(secret.rotation.lastRotated) }),
      ...(held === undefined ? {} : { HeldUntil: seconds(held) }),
      Windows: schedule ? shownWindows(nextWindows(schedule, { anchor: secret.rotation?.lastRotated ?? secret.created, after: call.at }, SHOWN_WINDOWS)) : [],
      ...(rotation ? stateShown(rotation) : { Ended: [] }),
      ...(left === undefined || rotation?.state.run ? {} : { Pending: left }),
      Consumers: [...secret.consumers].reverse().map(({ principal, door, versionId, at }) => {
        const [stage] = versionOf(secret.versions, versionId)?.stages ?? [];
        return { Principal: principal, Door: door, VersionId: versionId, ...(stage === undefined ? {} : { Stage: stage }), At: seconds(at) };
      }),
    };
  },

  'secretsmanager:ListRotations': async (_input, call, { reader, realm }) => {
    const [secrets, rotations] = [reader.of(SECRETS), reader.of(ROTATIONS)];
    const names = new Set<string>();
    for (const [name, { standing }] of await rotations.entries()) if (standing) names.add(name);
    for (const [name, { rotates }] of await secrets.entries()) if (rotates !== undefined && rotates < call.at) names.add(name);
    const shown: OutputOf<typeof listRotations>['Rotations'] = [];
    for (const name of [...names].sort()) {
      if (shown.length === MOST_LISTED) break;
      const secret = await secrets.get(name);
      const rotation = await rotations.get(name);
      if (!secret || secret.deletion) continue;
      const own = rotation?.suffix === secret.suffix ? rotation : undefined;
      const mark = markOf(secret, own?.state, call.at);
      // What waits for those who use the previous version is not late.
      if (mark && !(mark.state === 'overdue' && heldNow(secret, own, call.at) !== undefined)) shown.push({ ...namedAs(realm, secret), State: mark.state, Since: seconds(mark.since) });
    }
    return { Rotations: shown };
  },

  'secretsmanager:PreviewRotation': (input, call) => {
    const schedule: Schedule | undefined = scheduleOf(rulesOf(input.RotationRules));
    if (!schedule) return call.fail('InvalidParameterException', 'give `ScheduleExpression` or `AutomaticallyAfterDays`');
    return { Windows: shownWindows(nextWindows(schedule, { anchor: call.at, after: call.at }, SHOWN_WINDOWS)) };
  },

  'secretsmanager:PauseRotation': async (_input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    const secret = await liveSecret(call, writer);
    decide({ secret, rotation: await setUpRotation(secret, rights) }, { kind: 'paused' }, rights);
    return namedAs(realm, secret);
  },

  'secretsmanager:ResumeRotation': async (_input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    const secret = await liveSecret(call, writer);
    decide({ secret, rotation: await setUpRotation(secret, rights) }, { kind: 'resumed' }, rights);
    return namedAs(realm, secret);
  },

  'secretsmanager:StopRotation': async (_input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    const secret = await liveSecret(call, writer);
    const rotation = await setUpRotation(secret, rights);
    const left = rotation.state.run ? undefined : leftPending(secret);
    decide({ secret, rotation }, left === undefined ? { kind: 'stopped', due: undefined } : { kind: 'discarded', token: left }, rights);
    return namedAs(realm, secret);
  },
});

const heldNow = (secret: SecretRecord, rotation: RotationRecord | undefined, now: Instant): Instant | undefined => {
  const held = rotation && heldUntil(secret, rotation.rotator.overlapHours);
  return held !== undefined && held > now ? held : undefined;
};

type Shown = OutputOf<typeof describeRotation>;

const rotatorShown = ({ kind, strategy, password, field, command, url, ca, hosts, overlapHours }: RotatorSettings) => ({
  Rotator: kind,
  Strategy: strategy,
  PasswordLength: password.length,
  ExcludeCharacters: password.exclude,
  ExcludePunctuation: !password.punctuation,
  Member: field,
  ...(command === undefined ? {} : { Command: command }),
  ...(url === undefined ? {} : { Url: url }),
  ...(ca === undefined ? {} : { CertificateAuthority: ca }),
  Hosts: [...hosts],
  OverlapHours: overlapHours,
});

const stepShown = ({ step, attempt, started, ended, failure, connections, notes }: StepRecord): Shown['Ended'][number]['Steps'][number] => ({
  Step: step,
  Attempt: attempt,
  Started: seconds(started),
  Ended: seconds(ended),
  ...(failure ? { Code: failure.code, Reason: failure.message } : {}),
  ...(connections ? { Connections: [...connections] } : {}),
  ...(notes ? { Notes: [...notes] } : {}),
});

const stateShown = ({ state: { due, paused, run, ended } }: RotationRecord): Pick<Shown, 'Due' | 'Paused' | 'Run' | 'Ended'> => ({
  ...(due === undefined ? {} : { Due: seconds(due) }),
  ...(paused === undefined ? {} : { Paused: seconds(paused) }),
  ...(run
    ? {
        Run: {
          VersionId: run.token,
          Cause: run.cause,
          Started: seconds(run.started),
          Attempt: run.attempt,
          Step: run.step,
          ...(run.until === undefined ? {} : { Until: seconds(run.until) }),
          ...(run.ending === undefined ? {} : { Ending: run.ending }),
          Steps: run.steps.map(stepShown),
        },
      }
    : {}),
  Ended: [...ended].reverse().map((one) => ({
    VersionId: one.token,
    Cause: one.cause,
    Started: seconds(one.started),
    Ended: seconds(one.ended),
    Attempts: one.attempts,
    Result: one.result,
    Left: one.left,
    Restored: one.restored,
    Steps: one.steps.map(stepShown),
  })),
});
