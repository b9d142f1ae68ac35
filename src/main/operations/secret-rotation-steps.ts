/**
 * `secretsmanager:` handlers of a rotation's steps. What is the vault's own work is done in one transaction with its record; what is done
 * outside is done with no transaction open, and recorded by a second request.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, uuidFrom } from '../../shared/model/ids.ts';
import { SecretBytes } from '../../shared/model/secret-bytes.ts';
import type { Call } from '../kernel/handler.ts';
import type { Random } from '../platform/ports.ts';
import { ROTATIONS, SECRET_VALUES, SECRETS } from '../secrets/kinds.ts';
import { textMember } from '../secrets/json-members.ts';
import { CURRENT, PENDING, PREVIOUS, placeOf, type SecretRecord } from '../secrets/ports.ts';
import { heldUntil, leftPending } from '../secrets/rotation-plan.ts';
import type { RotatorSettings } from '../secrets/rotation-record.ts';
import type { Run, RunStep } from '../secrets/rotation.ts';
import { isOutside, KINDS, newValue, targetOf } from '../secrets/rotator.ts';
import { connectionLine, type Rotator, type RotatorFailure, type RotatorOutcome } from '../secrets/rotator-port.ts';
import { assertLive } from '../secrets/secret.ts';
import { select, staged, versionOf } from '../secrets/stages.ts';
import { sameValue } from '../secrets/values.ts';
import type { Reader } from '../store/port.ts';
import { secretOf } from './resolvers.ts';
import { masterNamed, pinOf } from './secret-master.ts';
import type { HandlersOf } from './rights.ts';
import { chanceOf, decide, promoted, rotated, setUpRotation } from './secret-rotation-store.ts';
import { rotatorGiven } from './secret-rotation.ts';
import { arnOf, readValue, secretNow, secretValues, type SecretsReading, type SecretsWriting } from './secret-store.ts';

type Names = 'RotateDueSecrets' | 'RunRotationStep' | 'RecordRotationStep' | 'TestRotator';

/** In one unit of work at most: the rest is due again a second later. */
const DUE_AT_ONCE = 64;
/** A rotation that cannot begin is tried again after this. */
const LATER_MS = 3_600_000;

const shown = (outcome: RotatorOutcome) => ({
  Ok: outcome.ok,
  ...(outcome.ok ? {} : { Code: outcome.failure.code.slice(0, 64), Reason: outcome.failure.message.slice(0, 1024) }),
  Connections: outcome.connections.slice(0, 8).map(connectionLine),
  ...(outcome.ok && outcome.notes && outcome.notes.length > 0 ? { Notes: [...outcome.notes] } : {}),
});

/** What Keystead does itself, inside the unit of work. Idempotent. */
const OWN_WORK: Readonly<Record<RunStep, (secret: SecretRecord, token: string, rotator: RotatorSettings, rights: SecretsWriting) => Promise<SecretRecord>>> = {
  async createSecret(secret, token, rotator, rights) {
    assertPending(secret, token);
    if (versionOf(secret.versions, token)?.value) return secret;
    const values = secretValues(rights);
    const current = await values.read(secret, select(secret.versions, {}).versionId);
    using bytes = current.bytes;
    const made = newValue({ kind: current.kind, bytes }, rotator, rights.random);
    using fresh = made.bytes;
    return await values.put(secret, { token, value: { kind: made.kind, bytes: fresh }, stages: [PENDING], at: rights.call.at });
  },
  setSecret: (secret) => Promise.resolve(secret),
  async testSecret(secret, token, _rotator, rights) {
    assertPending(secret, token);
    const values = secretValues(rights);
    const pending = await values.read(secret, token);
    using fresh = pending.bytes;
    const current = await values.read(secret, select(secret.versions, {}).versionId);
    using old = current.bytes;
    if (sameValue({ ...pending, bytes: fresh }, { ...current, bytes: old })) throw new VaultError('InvalidRequestException', 'the new value is the current one; end this rotation with `keystead secret stop-rotation`');
    return secret;
  },
  finishSecret(secret, token, _rotator, rights) {
    if (!versionOf(secret.versions, token)?.stages.includes(CURRENT)) assertPending(secret, token);
    return Promise.resolve(promoted(secret, token, rights));
  },
  restoreSecret: (secret) => Promise.resolve(secret),
  retireSecret: (secret) => Promise.resolve(secret),
};

function assertPending({ versions }: SecretRecord, token: string): void {
  if (staged(versions, PENDING)?.versionId !== token) throw new VaultError('InvalidRequestException', `somebody has taken \`AWSPENDING\` off version \`${token}\`; end this rotation with \`keystead secret stop-rotation\``);
}

/** What AWS's contract promises after a step that somebody else's program did. */
function broken({ versions }: SecretRecord, token: string, step: RunStep): RotatorFailure | undefined {
  const version = versionOf(versions, token);
  if ((step === 'setSecret' || step === 'testSecret') && !version?.stages.includes(PENDING)) return { code: 'NotPending', message: `while ${step} was done, AWSPENDING was taken off the new version; end this rotation, or put the label back` };
  if (step === 'createSecret' && !(version?.value && version.stages.includes(PENDING))) return { code: 'NoPendingValue', message: 'after createSecret there is no value under AWSPENDING; the program must put one with this ClientRequestToken' };
  if (step === 'finishSecret' && !version?.stages.includes(CURRENT)) return { code: 'NotFinished', message: 'after finishSecret AWSCURRENT is not on the new version; the program must move it' };
  return undefined;
}

/** What the owner has allowed by setting the rotation up: to read and make values of this secret, and to read the one that its `masterarn` names. */
const ALLOWED: ReadonlySet<string> = new Set(['kms:Decrypt', 'kms:GenerateDataKey', 'secretsmanager:GetSecretValue']);
const asRotation = (call: Call): Call => ({ ...call, allows: (action, resource) => ALLOWED.has(action) || call.allows(action, resource) });

interface Outside extends Omit<SecretsReading, 'values' | 'reader' | 'call'> {
  readonly call: Call;
  readonly reader: Reader;
}

/** The value of a version that a label is on, or undefined. */
const valueAt = (secret: SecretRecord, stage: string, rights: Outside): Promise<SecretBytes | undefined> => valueOf(secret, staged(secret.versions, stage), rights);

async function valueOf(secret: SecretRecord, version: ReturnType<typeof versionOf>, { reader, ...rights }: Outside): Promise<SecretBytes | undefined> {
  if (!version?.value) return undefined;
  return (await readValue(secret, { versionId: version.versionId, value: version.value }, { ...rights, reader, values: reader.of(SECRET_VALUES) })).bytes;
}

/**
 * The current value of the secret that `masterarn` names. A rotation reads the one that it named when it was set up (`pinned`), whatever has
 * been written into the value since; a dry run what its caller may read. ResourceNotFoundException, AccessDeniedException, InvalidRequestException.
 */
async function masterOf(secret: SecretRecord, current: SecretBytes, pinned: { readonly master?: string } | undefined, rights: Outside): Promise<SecretBytes | undefined> {
  const master = await masterNamed(secret, current, rights);
  if (!master) return undefined;
  if (pinned && pinned.master !== pinOf(master)) throw new VaultError('AccessDeniedException', '`masterarn` does not name the secret that it named when the rotation was set up; if that is meant, set it up again with `keystead secret set-rotator`');
  assertLive(master);
  rights.call.touched(arnOf(rights.realm, master));
  const value = await valueAt(master, CURRENT, rights);
  if (!value || textMember(value, 'masterarn') === undefined) return value;
  value[Symbol.dispose]();
  throw new VaultError('InvalidRequestException', '`masterarn` names a secret that has a `masterarn` of its own; name one that has none');
}

const none = (why: string): VaultError => new VaultError('ResourceNotFoundException', why);

async function outside(rotator: Rotator, settings: RotatorSettings, secret: SecretRecord, { step, token, uncertain }: Pick<Run, 'step' | 'token' | 'uncertain'>, rights: Outside): Promise<RotatorOutcome> {
  const target = targetOf(settings);
  const secretArn = arnOf(rights.realm, secret);
  const { signal } = rights.call;
  if (!target) throw new VaultError('InvalidRequestException', 'this rotator does nothing outside of the vault');
  // Whoever moves AWSPENDING meanwhile says nothing about this run: what it sets and proves is its own version.
  if (step === 'setSecret' || step === 'testSecret') assertPending(secret, token);
  if (KINDS[settings.kind].at === 'contract') {
    if (step === 'restoreSecret' || step === 'retireSecret') throw new VaultError('InvalidRequestException', 'a program of the owner’s knows four steps');
    return rotator.invoke(step, { target, secretArn, token, signal });
  }
  using current = await valueAt(secret, CURRENT, rights);
  using made = await valueOf(secret, versionOf(secret.versions, token), rights);
  using previous = await valueAt(secret, PREVIOUS, rights);
  if (!current || !made) throw none('there is no value under `AWSCURRENT` and for the new version; end this rotation with `keystead secret stop-rotation`');
  using master = await masterOf(secret, current, settings, rights);
  const request = { target, secretArn, token, signal, ...(previous ? { previous } : {}), ...(master ? { master } : {}) };
  // The stages have moved: what is AWSPREVIOUS now is to go.
  if (step === 'retireSecret') return await rotator.finish({ ...request, current: previous ?? current, pending: current });
  // Back to AWSCURRENT: the same act with the two values the other way round.
  if (step === 'restoreSecret') {
    const back = await rotator.set({ ...request, current: made, pending: current, ...(uncertain ? { anew: true } : {}) });
    // What stood beside the current value goes: a value that is let go must not log in.
    if (!back.ok || !KINDS[settings.kind].retires) return back;
    const alone = await rotator.finish({ ...request, current: made, pending: current });
    return { ...alone, connections: [...back.connections, ...alone.connections] };
  }
  return await (step === 'setSecret' ? rotator.set({ ...request, current, pending: made }) : rotator.test({ ...request, current, pending: made }));
}

export const secretRotationStepHandlers = (random: Random, rotator: Rotator): Pick<HandlersOf<'secretsmanager'>, `secretsmanager:${Names}`> => ({
  'secretsmanager:RotateDueSecrets': async (_input, call, { writer, keys, realm }) => {
    const rights = { call, writer, keys, realm, random };
    const due: string[] = [];
    for (const [name, { wake }] of await writer.of(ROTATIONS).entries()) if (typeof wake === 'number' && wake <= call.at && due.length < DUE_AT_ONCE) due.push(name);
    const begun: string[] = [];
    for (const name of due) {
      const [secret, rotation] = [await writer.of(SECRETS).get(name), await writer.of(ROTATIONS).get(name)];
      if (!secret || !rotation) continue;
      const held = heldUntil(secret, rotation.rotator.overlapHours);
      try {
        const { effect } = decide({ secret, rotation }, { kind: 'due', token: leftPending(secret) ?? uuidFrom(random.bytes(16)), ...(held === undefined ? {} : { heldUntil: held }) }, rights);
        if (effect.kind === 'none') continue;
        begun.push(arnOf(realm, secret));
        call.touched(arnOf(realm, secret));
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        // Of this one only, and nothing of it is staged: the others go on.
        decide({ secret, rotation }, { kind: 'planned', due: instant(call.at + LATER_MS) }, rights);
      }
    }
    return { ARNs: begun };
  },

  'secretsmanager:RunRotationStep': async (input, call, { reader, keys, realm }) => {
    const secret = secretOf(call.resource);
    assertLive(secret);
    const rotation = await reader.of(ROTATIONS).get(placeOf(secret));
    const run = rotation?.suffix === secret.suffix ? rotation.state.run : undefined;
    if (!rotation || run?.token !== input.ClientRequestToken || run.step !== input.Step || run.attempt !== input.Attempt) return call.fail('InvalidRequestException', 'this rotation is over');
    const done = await outside(rotator, rotation.rotator, secret, run, { call: asRotation(call), reader, keys, realm });
    return { ...shown(done), ...(!done.ok && done.failure.uncertain ? { Uncertain: true } : {}) };
  },

  'secretsmanager:RecordRotationStep': async (input, call, { writer, keys, realm }) => {
    const rights = { call: asRotation(call), writer, keys, realm, random };
    const { ClientRequestToken: token, Step: step, Attempt: attempt, Connections: connections, Notes: notes } = input;
    let secret = await secretNow(call, writer);
    const rotation = await setUpRotation(secret, rights);
    const { run } = rotation.state;
    // Said twice, or of a run that was ended meanwhile.
    if (run?.token !== token || run.step !== step || run.attempt !== attempt || run.until !== undefined) return {};
    let failure: RotatorFailure | undefined = input.Code === undefined ? undefined : { code: input.Code, message: input.Reason ?? '' };
    if (!failure) {
      if (isOutside(rotation.rotator.kind, step)) failure = broken(secret, token, step);
      else secret = await OWN_WORK[step](secret, token, rotation.rotator, rights);
    }
    if (!failure && step === 'finishSecret') secret = rotated(secret, rights);
    const held = heldUntil(secret, rotation.rotator.overlapHours);
    const { rotation: after } = decide(
      { secret, rotation },
      { kind: 'ended', token, step, attempt, started: instant(Math.round(input.Started * 1000)), chance: chanceOf(random), due: undefined, ...(held === undefined ? {} : { heldUntil: held }), ...(failure ? { failure } : {}), ...(input.Uncertain ? { uncertain: true } : {}), ...(connections ? { connections } : {}), ...(notes ? { notes } : {}) },
      rights,
    );
    const over = after.state.run ? undefined : after.state.ended.at(-1);
    return { ...(over ? { Result: over.result, Left: over.left, Cause: over.cause } : {}), ...(after.state.run ? { Next: after.state.run.step } : {}) };
  },

  'secretsmanager:TestRotator': async ({ Rotator: named, ...input }, call, { reader, keys, realm }) => {
    const rights = { call, reader, keys, realm };
    const secret = secretOf(call.resource);
    assertLive(secret);
    const set = await reader.of(ROTATIONS).get(placeOf(secret));
    const settings = named === undefined ? set?.rotator : rotatorGiven({ ...input, Rotator: named });
    if (!settings || (named === undefined && set?.suffix !== secret.suffix)) return call.fail('InvalidRequestException', 'nothing rotates this secret yet; name a rotator to try');
    using current = await valueAt(secret, CURRENT, rights);
    if (!current) return call.fail('ResourceNotFoundException', 'the secret has no value yet; give it one with `keystead secret put-value`');
    const target = targetOf(settings);
    try {
      const kind = staged(secret.versions, CURRENT)?.value?.kind ?? 'string';
      if (KINDS[settings.kind].at !== 'contract') newValue({ kind, bytes: current }, settings, random).bytes[Symbol.dispose]();
    } catch (error) {
      if (error instanceof VaultError) return shown({ ok: false, failure: { code: error.code, message: error.message }, connections: [] });
      throw error;
    }
    if (!target) return shown({ ok: true, connections: [] });
    const { signal } = call;
    const secretArn = arnOf(realm, secret);
    // A program of the owner's is given no value.
    if (KINDS[settings.kind].at === 'contract') return shown(await rotator.check({ target, secretArn, current: SecretBytes.allocate(0), signal }));
    using previous = await valueAt(secret, PREVIOUS, rights);
    using master = await masterOf(secret, current, undefined, rights);
    return shown(await rotator.check({ target, secretArn, current, signal, ...(previous ? { previous } : {}), ...(master ? { master } : {}) }));
  },
});

