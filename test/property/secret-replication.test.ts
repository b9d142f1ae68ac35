/**
 * Replication to a remote against a world: our secret, a remote that follows AWS's rules for labels, somebody else who changes things there
 * at any moment, also between a look and the act after it, and a process that dies between any two requests. Whatever happens in whatever
 * order, a version that somebody else has made current there stays so until our owner says otherwise, and without that somebody the remote
 * comes to be what ours is.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SECRETS } from '../../src/main/secrets/kinds.ts';
import { CURRENT, PENDING, PREVIOUS, type ReplicaRecord, type SecretRecord, type StoredValue } from '../../src/main/secrets/ports.ts';
import type { RemoteAct, RemoteAnswer, RemoteSession } from '../../src/main/secrets/remote-port.ts';
import { isThere } from '../../src/main/secrets/remote-plan.ts';
import { tryRemote } from '../../src/main/secrets/remote-try.ts';
import { adopted, adoptedFrom, begun, conflicted, dueOf, failed, lagOf, leaving, levelled, replicaOf, replicated, shapeOf, statusOf, wakeOf, withoutReplica, withReplica } from '../../src/main/secrets/replication.ts';
import { summary } from '../../src/main/secrets/summary.ts';
import { added, moved, staged, versionOf, type Versions } from '../../src/main/secrets/stages.ts';
import { VaultError } from '../../src/shared/model/errors.ts';
import { instant, type KeyId, type SecretName } from '../../src/shared/model/ids.ts';
import { SecretBytes } from '../../src/shared/model/secret-bytes.ts';

const RUNS = Number(process.env['KEYSTEAD_PROPERTY_RUNS'] ?? 100);
const REGION = 'team';
const FAR = instant(Number.MAX_SAFE_INTEGER);

type Their = 'put' | 'pending' | 'move' | 'untag' | 'delete' | 'purge' | 'restore';
type Act =
  | { readonly act: 'try'; readonly dies: number; readonly races: number; readonly their: Their }
  | { readonly act: 'theirs'; readonly their: Their }
  | { readonly act: 'put' | 'pending' | 'promote' | 'drop' | 'label' | 'describe' | 'adopt' | 'overwrite' | 'again' | 'remove' };

const their = fc.constantFrom<Their>('put', 'put', 'pending', 'move', 'untag', 'delete', 'purge', 'restore');
/** `races`: 0 to 14, the request before which somebody comes; beyond: nobody. */
const tries = fc.record({ act: fc.constant('try' as const), dies: fc.integer({ min: 1, max: 20 }), races: fc.integer({ min: 1, max: 40 }), their });
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: tries },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('theirs' as const), their }) },
    { weight: 6, arbitrary: fc.constantFrom<Act>({ act: 'put' }, { act: 'pending' }, { act: 'promote' }, { act: 'drop' }, { act: 'label' }, { act: 'describe' }) },
    { weight: 2, arbitrary: fc.constantFrom<Act>({ act: 'adopt' }, { act: 'overwrite' }, { act: 'again' }, { act: 'remove' }) },
  ),
  { minLength: 10, maxLength: 60 },
);

class Died extends Error {}

const stored = (n: number): StoredValue => ({ valueId: n.toString(16).padStart(32, '0'), kind: 'string', keyId: '00000000-0000-4000-8000-000000000000' as KeyId });

class World {
  now = instant(1_700_000_000_000);
  /** As of Keystead; the remote's versions follow the same machine, which is AWS's. */
  secret: SecretRecord = { name: 'a' as SecretName, suffix: 'AbCdEf', description: '', tags: [], created: this.now, changed: this.now, versions: [], replicas: [], consumers: [] };
  remote: { deleted: boolean; versions: Versions } | undefined;
  /** Versions that somebody else has made, and whether our owner has said that they may give way. */
  readonly foreign = new Set<string>();
  /** Of those, what our owner has seen there when he said so; all of them where nothing could be seen. */
  agreed: ReadonlySet<string> | 'all' = new Set();
  #made = 0;

  constructor() {
    this.put();
    this.secret = replicated(this.secret, [{ region: REGION }], false, 'us-east-1', this.now);
  }

  get replica(): ReplicaRecord | undefined {
    return replicaOf(this.secret, REGION);
  }
  set(replica: ReplicaRecord): void {
    this.secret = withReplica(this.secret, replica);
  }

  id(): string {
    return String(++this.#made).padStart(32, '-');
  }
  version = (versionId: string, stages?: readonly string[]) => ({ versionId, value: stored(this.#made), at: this.now, ...(stages ? { stages } : {}) });

  put(stages?: readonly string[]): void {
    this.now = instant(this.now + 1000);
    this.secret = { ...this.secret, versions: added(this.secret.versions, this.version(this.id(), stages)), changed: this.now };
  }
  /** One of the labels of ours that can be moved; what the machine refuses is no change. */
  label(change: (versions: Versions) => Versions): void {
    try {
      this.secret = { ...this.secret, versions: change(this.secret.versions), changed: this.now };
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
    }
  }

  theirs(what: Their): void {
    const { remote } = this;
    if (what === 'put') {
      const id = this.id();
      this.foreign.add(id);
      if (!remote) this.remote = { deleted: false, versions: added([], this.version(id)) };
      else if (!remote.deleted) remote.versions = added(remote.versions, this.version(id));
    }
    if (!remote) return;
    if (what === 'pending' && !remote.deleted) {
      const id = this.id();
      this.foreign.add(id);
      remote.versions = added(remote.versions, this.version(id, [PENDING]));
    }
    const [current, previous] = [staged(remote.versions, CURRENT), staged(remote.versions, PREVIOUS)];
    if (what === 'move' && current && previous && !remote.deleted) remote.versions = moved(remote.versions, { stage: CURRENT, from: current.versionId, to: previous.versionId });
    if (what === 'untag' && previous && !remote.deleted) remote.versions = moved(remote.versions, { stage: PREVIOUS, from: previous.versionId });
    if (what === 'delete') remote.deleted = true;
    if (what === 'restore') remote.deleted = false;
    if (what === 'purge') this.remote = undefined;
  }

  /** AWS's answers to one act. */
  answer(act: RemoteAct): RemoteAnswer {
    const no = (code: string): RemoteAnswer => ({ ok: false, failure: { code, message: code } });
    const { remote } = this;
    if (act.kind === 'look') {
      const labels = (remote?.versions ?? []).flatMap(({ versionId, stages }) => stages.map((stage) => ({ stage, versionId })));
      return { ok: true, theirs: remote ? { exists: true, deleted: remote.deleted, labels } : { exists: false } };
    }
    if (act.kind === 'create') {
      if (remote) return no(remote.deleted ? 'remote-state' : 'remote-exists');
      this.remote = { deleted: false, versions: added([], { versionId: act.token, value: stored(0), at: this.now }) };
      return { ok: true };
    }
    if (!remote) return no('remote-missing');
    if (act.kind === 'restore') {
      remote.deleted = false;
      return { ok: true };
    }
    if (act.kind === 'delete') {
      remote.deleted = true;
      return { ok: true };
    }
    if (remote.deleted) return no('remote-state');
    if (act.kind === 'read') return versionOf(remote.versions, act.versionId) ? { ok: true, value: { kind: 'string', bytes: SecretBytes.allocate(1) } } : no('remote-missing');
    try {
      if (act.kind === 'put' && !versionOf(remote.versions, act.token)) remote.versions = added(remote.versions, { versionId: act.token, value: stored(0), at: this.now, stages: [act.stage] });
      if (act.kind === 'move') remote.versions = moved(remote.versions, { stage: act.stage, ...(act.from === undefined ? {} : { from: act.from }), ...(act.to === undefined ? {} : { to: act.to }) });
    } catch (error) {
      if (error instanceof VaultError) return no(error.code === 'ResourceNotFoundException' ? 'remote-missing' : 'remote-parameter');
      throw error;
    }
    return { ok: true };
  }

  /** As the runner and its requests do it. `dies` and `races`: at which request, from 1. */
  async try({ dies, races, their: what }: Extract<Act, { act: 'try' }>): Promise<void> {
    const { secret } = this;
    const due = this.replica && dueOf(secret, this.replica);
    if (!this.replica || due === undefined || due > this.now) return;
    this.set(begun(secret, this.replica));
    const { replica } = this;
    let requests = 0;
    const session: RemoteSession = {
      connections: [],
      close: () => Promise.resolve(),
      run: (act) => {
        requests++;
        if (requests === races) this.theirs(what);
        const answer = this.answer(act);
        // Done, and nobody knows.
        return requests === dies ? Promise.reject(new Died()) : Promise.resolve(answer);
      },
    };
    const outcome = await tryRemote({ secret: this.secret, replica, session, read: () => Promise.resolve({ kind: 'string', bytes: SecretBytes.allocate(1) }) }).catch((error: unknown) => {
      if (error instanceof Died) return undefined;
      throw error;
    });
    if (!outcome) return;
    const at = this.now;
    if (outcome.result === 'failed') this.set(failed(this.secret, replica, outcome.failure, at, 0.5));
    if (outcome.result === 'conflict') this.set(conflicted(replica, outcome.conflict.kind, outcome.conflict.versionId, at));
    if (outcome.result === 'gone') this.secret = withoutReplica(this.secret, REGION);
    if (outcome.result === 'level') this.set(levelled(replica, { shape: outcome.shape, at, labels: outcome.labels, versions: [...new Set(outcome.labels.map(({ versionId }) => versionId))], tags: [] }));
    if (outcome.result === 'adopt') {
      outcome.value.bytes[Symbol.dispose]();
      this.now = instant(this.now + 1000);
      const holder = staged(this.secret.versions, CURRENT)?.versionId;
      const known = versionOf(this.secret.versions, outcome.versionId);
      const versions = known ? moved(this.secret.versions, { stage: CURRENT, to: outcome.versionId, ...(holder === undefined ? {} : { from: holder }) }) : added(this.secret.versions, this.version(outcome.versionId));
      this.secret = { ...this.secret, versions, changed: this.now };
      this.foreign.delete(outcome.versionId);
      this.set(adoptedFrom(replica, { labels: outcome.labels, at }));
    }
  }

  current = (): string | undefined => (this.remote && !this.remote.deleted ? staged(this.remote.versions, CURRENT)?.versionId : undefined);
}

const quiet = { act: 'try', dies: 0, races: 0, their: 'put' } as const;

async function perform(world: World, act: Act): Promise<void> {
  const { replica } = world;
  switch (act.act) {
    case 'try': {
      const before = world.current();
      const mayOverwrite = (id: string): boolean => replica?.leaving === true || (replica?.overwrite === true && (world.agreed === 'all' || world.agreed.has(id)));
      // As it was when it was seen: what is adopted is nobody else's any more.
      let foreign = before !== undefined && world.foreign.has(before) ? before : undefined;
      const { theirs } = world;
      const pendingOf = () => (world.remote ? staged(world.remote.versions, PENDING)?.versionId : undefined);
      const pending = pendingOf();
      world.theirs = (what) => {
        theirs.call(world, what);
        const now = world.current();
        if (now !== undefined && world.foreign.has(now)) foreign = now;
        // They have taken away the secret itself: nothing of theirs is there to keep.
        if (!world.remote) foreign = undefined;
      };
      await world.try(act);
      world.theirs = theirs;
      // INVARIANT: what somebody else has made current is current still, but where they themselves have moved on, or our owner has spoken.
      const after = world.current();
      if (foreign !== undefined && !mayOverwrite(foreign) && world.remote && !world.remote.deleted && act.their !== 'move') expect(after).toBe(foreign);
      // INVARIANT: a label on a version of theirs, which none of ours claims, stays on one of theirs.
      if (pending !== undefined && world.foreign.has(pending) && world.remote && act.their !== 'purge' && !staged(world.secret.versions, PENDING)) expect(world.foreign.has(pendingOf() ?? '')).toBe(true);
      return;
    }
    case 'theirs':
      return void world.theirs(act.their);
    case 'put':
      return void world.put();
    case 'pending':
      return void world.put([PENDING]);
    case 'promote':
      return void world.label((versions) => moved(versions, { stage: CURRENT, from: staged(versions, CURRENT)?.versionId ?? '', to: staged(versions, PENDING)?.versionId ?? '' }));
    case 'drop':
      return void world.label((versions) => moved(versions, { stage: PREVIOUS, from: staged(versions, PREVIOUS)?.versionId ?? '' }));
    case 'label':
      return void world.label((versions) => moved(versions, { stage: 'own', to: staged(versions, CURRENT)?.versionId ?? '', ...(staged(versions, 'own') ? { from: staged(versions, 'own')?.versionId ?? '' } : {}) }));
    case 'describe':
      world.secret = { ...world.secret, description: `${world.secret.description}.` };
      return;
    case 'adopt':
      try {
        if (replica) world.set(adopted(replica));
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
      }
      return;
    case 'overwrite':
    case 'again':
      if (act.act === 'overwrite' && replica?.overwrite !== true) world.agreed = replica?.conflict && (replica.conflict.versionId !== undefined || replica.conflict.kind === 'gone') ? new Set(world.foreign) : 'all';
      else if (act.act === 'overwrite' && replica?.conflict) world.agreed = new Set(world.foreign);
      try {
        world.secret = replicated(world.secret, [{ region: REGION }], act.act === 'overwrite', 'us-east-1', world.now);
      } catch (error) {
        // It is being removed.
        if (!(error instanceof VaultError)) throw error;
      }
      return;
    case 'remove':
      world.secret = leaving(world.secret, [REGION]);
  }
}

describe('a replica at a remote', { timeout: 300_000 }, () => {
  it('never overwrites what somebody else has made current, and becomes level where nobody has', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const world = new World();
        for (const act of list) {
          world.now = instant(world.now + 30_000_000);
          await perform(world, act);
          const { secret, replica } = world;
          if (!replica) continue;
          const { status } = statusOf(secret, replica);
          if (status === 'InSync') expect([lagOf(secret, replica), replica.conflict, replica.failure?.shape === shapeOf(secret)]).toEqual([undefined, undefined, false]);
          if (replica.conflict && !replica.adopting) expect([status, dueOf(secret, replica)]).toEqual(['Failed', undefined]);
        }
        // From here on nobody comes and nothing dies.
        for (let at = 0; at < 6; at++) {
          world.now = instant(world.now + 30_000_000);
          await world.try(quiet);
        }
        const { secret, replica } = world;
        // What the record says survives the store.
        expect(SECRETS.decode(1, SECRETS.encode(secret))).toEqual(secret);
        expect(summary(secret).wake).toBe(wakeOf(secret));
        if (!replica || (replica.conflict && !replica.adopting)) return;
        expect(world.remote && isThere(secret, { exists: true, deleted: world.remote.deleted, labels: world.remote.versions.flatMap(({ versionId, stages }) => stages.map((stage) => ({ stage, versionId }))) })).toBe(true);
        expect([statusOf(secret, replica).status, (wakeOf(secret) ?? FAR) > world.now]).toEqual(['InSync', true]);
      }),
      { numRuns: RUNS },
    );
  });

  it('is level after any conflict once its owner has said which side holds', async () => {
    await fc.assert(
      fc.asyncProperty(acts, fc.boolean(), async (list, keepTheirs) => {
        const world = new World();
        for (const act of list.filter(({ act: kind }) => kind !== 'remove')) {
          world.now = instant(world.now + 30_000_000);
          await perform(world, act);
        }
        for (let at = 0; at < 12; at++) {
          world.now = instant(world.now + 30_000_000);
          const { replica } = world;
          if (replica?.conflict && !replica.adopting) {
            if (keepTheirs && ['foreign', 'moved', 'exists'].includes(replica.conflict.kind) && world.current() !== undefined) world.set(adopted(replica));
            else world.secret = replicated(world.secret, [{ region: REGION }], true, 'us-east-1', world.now);
          }
          await world.try(quiet);
        }
        const { secret, replica } = world;
        expect(replica && statusOf(secret, replica)).toMatchObject({ status: 'InSync' });
        expect(world.current()).toBe(staged(secret.versions, CURRENT)?.versionId);
      }),
      { numRuns: RUNS },
    );
  });

  it('is level after one try once its owner has said that theirs gives way, also where versions of ours have lost their labels there', async () => {
    const world = new World();
    world.put();
    await world.try(quiet);
    world.theirs('put');
    world.now = instant(world.now + 30_000_000);
    await world.try(quiet);
    expect(world.replica?.conflict).toMatchObject({ kind: 'foreign', versionId: world.current() });
    world.secret = replicated(world.secret, [{ region: REGION }], true, 'us-east-1', world.now);
    await world.try(quiet);
    expect(world.replica && statusOf(world.secret, world.replica)).toMatchObject({ status: 'InSync' });
    expect(world.remote?.versions.flatMap(({ stages }) => stages).sort()).toEqual([CURRENT, PREVIOUS]);
  });

  it('does not take the word that was said of one version for another that came after it', async () => {
    const world = new World();
    await world.try(quiet);
    world.theirs('put');
    world.now = instant(world.now + 30_000_000);
    await world.try(quiet);
    world.secret = replicated(world.secret, [{ region: REGION }], true, 'us-east-1', world.now);
    world.theirs('put');
    await world.try(quiet);
    expect(world.replica?.conflict).toMatchObject({ kind: 'foreign', versionId: world.current() });
    expect(world.foreign.has(world.current() ?? '')).toBe(true);
  });

  it('is tried later and later, and at once after a change', () => {
    const world = new World();
    const waits: number[] = [];
    for (let at = 0; at < 12; at++) {
      const { replica } = world;
      if (!replica) throw new Error('gone');
      world.set(failed(world.secret, replica, { code: 'x', message: 'x' }, world.now, 0.5));
      waits.push((wakeOf(world.secret) ?? FAR) - world.now);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600].map((seconds) => seconds * 1000));
    world.put();
    expect(wakeOf(world.secret)).toBe(0);
  });
});
