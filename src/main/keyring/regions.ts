/**
 * Regions: name spaces inside one vault. A key is in one of them and answers in no other; a multi-Region key is there once more in each
 * region that it was replicated to, with the same id and materials and a life of its own. Pure.
 * Source: AWS KMS Developer Guide, "Multi-Region keys in AWS KMS" and "Deleting multi-Region keys".
 *
 * One record holds them all, so that what they share cannot come apart: its own fields are the primary's, `replicas` what is each
 * replica's own. A view (`inRegion`) is the record as one region sees it, with `region` filled in; `merged` brings a view back.
 */
import { VaultError } from '../../shared/model/errors.ts';
import { instant, type Instant, type Realm } from '../../shared/model/ids.ts';
import { asOf } from './import.ts';
import { assertAllows, isDue, pendingDeletion } from './key.ts';
import type { ImportedMaterial, KeyRecord, Replica } from './ports.ts';

const homeOf = (realm: Realm): string => realm.home ?? realm.region;

/** Where a record's own fields hold: the region of the key, or of the primary. */
export const primaryRegion = (key: KeyRecord, realm: Realm): string => key.region ?? homeOf(realm);

/** Whether a view is of a replica. */
export const isReplica = (view: KeyRecord, realm: Realm): boolean => primaryRegion(view, realm) !== realm.region;

const OWN = ['state', 'description', 'created', 'deletionDate', 'tags', 'imports'] as const satisfies readonly (keyof KeyRecord & keyof Replica)[];

type Own = Pick<KeyRecord, (typeof OWN)[number]>;
const ownOf = (from: Own): Own => Object.fromEntries(OWN.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]]))) as unknown as Own;

function shared(key: KeyRecord): Omit<KeyRecord, keyof Own | 'pendingDays'> {
  const { state: _s, description: _d, created: _c, deletionDate: _e, tags: _t, imports: _i, pendingDays: _p, ...rest } = key;
  return rest;
}

/** The record as the realm's region sees it; undefined: it is not there. */
export function inRegion(stored: KeyRecord, realm: Realm): KeyRecord | undefined {
  const region = primaryRegion(stored, realm);
  if (region === realm.region) return { ...stored, region };
  const replica = stored.replicas?.find((one) => one.region === realm.region);
  return replica && { ...shared(stored), region, ...ownOf(replica) };
}

/** The same at a time: without the materials that are past their date. */
export function seen(stored: KeyRecord, realm: Realm, now: Instant): KeyRecord | undefined {
  const view = inRegion(stored, realm);
  return view && asOf(view, now).key;
}

/** The record with a view's changes. */
export function merged(stored: KeyRecord, view: KeyRecord, realm: Realm): KeyRecord {
  const { region, ...rest } = view;
  // A record that says nothing of its region goes on saying nothing.
  const place = region === homeOf(realm) ? {} : region === undefined ? {} : { region };
  if (!isReplica(view, realm)) return inStep({ ...rest, ...place });
  return inStep({ ...stored, replicas: (stored.replicas ?? []).map((one) => (one.region === realm.region ? { region: one.region, ...ownOf(view) } : one)) });
}

/** Every replica knows of every material that the primary has or had: what is not there yet may be brought. */
function inStep(key: KeyRecord): KeyRecord {
  if (key.origin !== 'EXTERNAL' || !key.replicas?.length) return key;
  const { imports = [] } = key;
  return {
    ...key,
    replicas: key.replicas.map((replica) => {
      const known = new Map(replica.imports?.map((one) => [one.materialId, one]));
      return { ...replica, imports: imports.map((one) => known.get(one.materialId) ?? unheld(one)) };
    }),
  };
}

const unheld = ({ materialId, identity, description }: ImportedMaterial): ImportedMaterial => ({ materialId, identity, held: false, ...(description === undefined ? {} : { description }) });

const notPrimary = (key: KeyRecord): VaultError => new VaultError('UnsupportedOperationException', `key \`${key.keyId}\` is a replica here; do this with its primary key in \`${String(key.region)}\``);

/** For what is shared and so belongs to the primary. Throws UnsupportedOperationException. */
export function assertPrimary(view: KeyRecord, realm: Realm): void {
  if (isReplica(view, realm)) throw notPrimary(view);
}

function assertMultiRegion(view: KeyRecord, realm: Realm): readonly Replica[] {
  if (!view.replicas) throw new VaultError('UnsupportedOperationException', `key \`${view.keyId}\` is in one region for ever; make a key with \`--multi-region\` instead`);
  assertPrimary(view, realm);
  return view.replicas;
}

/** Throws UnsupportedOperationException, AlreadyExistsException, DisabledException, KMSInvalidStateException, ValidationException. */
export function replicated(view: KeyRecord, realm: Realm, replica: { readonly region: string; readonly description: string; readonly created: Instant }): KeyRecord {
  const replicas = assertMultiRegion(view, realm);
  if (replica.region === realm.region) throw new VaultError('ValidationException', `key \`${view.keyId}\` is in \`${replica.region}\` already; name another region`);
  assertAllows(view, 'use');
  if (replicas.some(({ region }) => region === replica.region)) throw new VaultError('AlreadyExistsException', `key \`${view.keyId}\` has a replica in \`${replica.region}\` already`);
  // Imported material is brought to each region by its owner.
  return { ...view, replicas: [...replicas, { ...replica, state: view.origin !== 'EXTERNAL' ? 'Enabled' : 'PendingImport' }] };
}

/** The record with another primary; what was the primary's own is a replica's. Throws as `replicated`, and NotFoundException. */
export function primaryMoved(stored: KeyRecord, view: KeyRecord, realm: Realm, region: string): KeyRecord {
  const replicas = assertMultiRegion(view, realm);
  if (region === realm.region) throw new VaultError('ValidationException', `key \`${view.keyId}\` has its primary in \`${region}\` already; name another region`);
  assertAllows(view, 'use');
  const next = replicas.find((one) => one.region === region);
  if (!next) throw new VaultError('NotFoundException', `key \`${view.keyId}\` has no replica in \`${region}\`; make one with \`keystead kms replicate-key\``);
  assertAllows({ ...shared(stored), ...ownOf(next) }, 'use');
  const former: Replica = { region: realm.region, ...ownOf(view) };
  const { region: _, ...rest } = shared(stored);
  return inStep({ ...rest, ...(region === homeOf(realm) ? {} : { region }), ...ownOf(next), replicas: [former, ...replicas.filter((one) => one !== next)] });
}

/** A primary waits for its replicas: its own days begin when the last of them is gone. */
export function deletionScheduled(view: KeyRecord, realm: Realm, days: number, now: Instant): KeyRecord {
  const planned = pendingDeletion(view, days, now);
  if (isReplica(view, realm) || !view.replicas?.length) return planned;
  const { deletionDate: _, ...rest } = planned;
  return { ...rest, state: 'PendingReplicaDeletion', pendingDays: days };
}

/** What is left of a record at `now`: undefined when all of it is due. `gone`: regions in which the key is destroyed. */
export function withoutDue(stored: KeyRecord, realm: Realm, now: Instant): { readonly key: KeyRecord | undefined; readonly gone: readonly string[] } {
  const due = (stored.replicas ?? []).filter((one) => isDue({ ...stored, ...ownOf(one) }, now));
  const left = stored.replicas?.filter((one) => !due.includes(one));
  const gone = due.map(({ region }) => region);
  if (isDue(stored, now)) return { key: undefined, gone: [...gone, primaryRegion(stored, realm)] };
  const key = left === undefined ? stored : { ...stored, replicas: left };
  if (key.state !== 'PendingReplicaDeletion' || left?.length !== 0) return { key, gone };
  const { pendingDays = 30, ...rest } = key;
  return { key: { ...rest, state: 'PendingDeletion', deletionDate: instant(now + pendingDays * DAY) }, gone };
}

const DAY = 24 * 60 * 60 * 1000;

/** Whether the material that waits for its rotation is in every region. */
export const isAwaitedEverywhere = ({ awaiting, replicas = [] }: KeyRecord): boolean =>
  replicas.every(({ imports = [] }) => imports.some(({ materialId, held }) => materialId === awaiting && held));

/** Whether a material is held in any region: its row is there. */
export const isHeldAnywhere = ({ imports = [], replicas = [] }: KeyRecord, identity: string): boolean =>
  [imports, ...replicas.map((one) => one.imports ?? [])].some((list) => list.some((one) => one.identity === identity && one.held));
