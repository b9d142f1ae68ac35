/** A secret and its rotation in a handler's hands: what the machine decides is carried out on both records in one unit of work. */
import type { Instant } from '../../shared/model/ids.ts';
import { VaultError } from '../../shared/model/errors.ts';
import type { Random } from '../platform/ports.ts';
import { ROTATIONS, SECRETS } from '../secrets/kinds.ts';
import { CURRENT, PENDING, placeOf, type RotationSettings, type SecretRecord } from '../secrets/ports.ts';
import { planned, type Plan } from '../secrets/rotation-plan.ts';
import type { RotationRecord } from '../secrets/rotation-record.ts';
import { next, type Effect, type RotationEvent } from '../secrets/rotation.ts';
import { KINDS } from '../secrets/rotator.ts';
import { staged, versionOf } from '../secrets/stages.ts';
import { secretValues, type SecretsWriting } from './secret-store.ts';

/** Both records as staged. */
export interface Rotating {
  readonly secret: SecretRecord;
  readonly rotation: RotationRecord;
}

/** 0 to 1. */
export function chanceOf(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return (high * 256 + low) / 65_536;
}

export const planFor = (secret: SecretRecord, at: Instant, random: Random): Plan | undefined => planned(secret.rotation, secret, at, chanceOf(random));

/** Undefined: none was ever set up. */
export async function rotationOf(secret: SecretRecord, { writer }: Pick<SecretsWriting, 'writer'>): Promise<RotationRecord | undefined> {
  const rotation = await writer.of(ROTATIONS).get(placeOf(secret));
  return rotation?.suffix === secret.suffix ? rotation : undefined;
}

/** InvalidRequestException. */
export async function setUpRotation(secret: SecretRecord, rights: Pick<SecretsWriting, 'writer'>): Promise<RotationRecord> {
  const rotation = await rotationOf(secret, rights);
  if (!rotation) throw new VaultError('InvalidRequestException', `nothing rotates secret \`${secret.name}\` yet; say what with \`keystead secret set-rotator\``);
  return rotation;
}

/** Takes AWSPENDING off a version, if it is there. */
function withoutPending(secret: SecretRecord, versionId: string, rights: SecretsWriting): SecretRecord {
  if (staged(secret.versions, PENDING)?.versionId !== versionId) return secret;
  return secretValues(rights).move(secret, { stage: PENDING, from: versionId, at: rights.call.at });
}

function settled(secret: SecretRecord, settings: RotationSettings, rights: SecretsWriting): SecretRecord {
  const changed = { ...secret, rotation: settings };
  rights.writer.of(SECRETS).update(changed);
  return changed;
}

/** The settings with the next window of `plan`. */
export function withPlan(settings: RotationSettings, plan: Plan | undefined): RotationSettings {
  const { next: _before, ...rest } = settings;
  return plan ? { ...rest, next: plan.window.closes } : rest;
}

/** What the effect of a decision does to the secret. */
function carriedOut(secret: SecretRecord, effect: Effect, rights: SecretsWriting): SecretRecord {
  const { at } = rights.call;
  if (effect.kind === 'begin') return secretValues(rights).announce(secret, effect.token, at);
  if (effect.kind !== 'end') return secret;
  return effect.result === 'rotated' || effect.discard ? withoutPending(secret, effect.token, rights) : secret;
}

/** AWSCURRENT has moved. */
export const rotated = (secret: SecretRecord, rights: SecretsWriting): SecretRecord =>
  settled(secret, { ...(secret.rotation ?? { enabled: false, rules: {} }), lastRotated: rights.call.at }, rights);

/** One event for the machine, and everything that it means. Rejects as the machine and the stages do. */
export function decide({ secret, rotation }: Rotating, event: RotationEvent, rights: SecretsWriting): Rotating & { readonly effect: Effect } {
  const { state, effect } = next(rotation.state, event, rights.call.at, KINDS[rotation.rotator.kind]);
  let changed = carriedOut(secret, effect, rights);
  let after = state;
  // The end of a run plans the next one, a success from its own date.
  if (effect.kind === 'end' && changed.rotation?.enabled === true) {
    const plan = planFor(changed, rights.call.at, rights.random);
    const { due: _due, ...rest } = state;
    after = plan ? { ...rest, due: plan.due } : rest;
    // A rotation that could not be done stays due in the eyes of whoever asks when it is.
    if (effect.result === 'rotated') changed = settled(changed, withPlan(changed.rotation, plan), rights);
  }
  const kept = { ...rotation, state: after };
  if (after !== rotation.state) rights.writer.of(ROTATIONS).update(kept);
  return { secret: changed, rotation: kept, effect };
}

/** finishSecret of Keystead's own: AWSCURRENT comes to `token`. InvalidRequestException when it has no value. */
export function promoted(secret: SecretRecord, token: string, rights: SecretsWriting): SecretRecord {
  if (!versionOf(secret.versions, token)?.value) throw new VaultError('InvalidRequestException', `version \`${token}\` has no value`);
  const holder = staged(secret.versions, CURRENT);
  if (holder?.versionId === token) return secret;
  return secretValues(rights).move(secret, { stage: CURRENT, to: token, at: rights.call.at, ...(holder ? { from: holder.versionId } : {}) });
}

