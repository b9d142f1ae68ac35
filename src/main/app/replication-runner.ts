/**
 * Keeps the replicas of secrets level, each by requests that go the one path. Keeps nothing: which replica is behind is in the store, so a
 * process that died in the middle of a try makes it again. A few at a time, one for each secret, and its replicas one after the other.
 */
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import { partsOfPlace } from '../../shared/model/ids.ts';
import { asSchedule } from '../doors/as-schedule.ts';
import { unrefTimer } from '../doors/schedule.ts';
import { settledWithin } from '../doors/settled-within.ts';
import type { Result } from '../kernel/request.ts';
import { SECRETS } from '../secrets/kinds.ts';
import type { ReplicaRecord } from '../secrets/ports.ts';
import { dueOf, isInside } from '../secrets/replication.ts';
import { OURS, type RunnerPorts } from './rotation-runner.ts';

const REPLICATION_JOB = 'secret-replication';
const AT_ONCE = 4;
/** After a try of which nothing could be said. */
const REST_MS = 60_000;
/** Events within this time are one look, which is never inside the operation that told of them. */
const GATHER_MS = 5;
/** A timer stands still while the machine sleeps. */
const LONGEST_WAIT_MS = 60_000;

export interface ReplicationRunner {
  /** Starts nothing more, aborts what runs, and resolves when it has ended, or after `graceMs` (default 10,000). */
  close(graceMs?: number): Promise<void>;
}

export function startReplicationRunner({ vault, port, clock, fault, after = unrefTimer }: RunnerPorts): ReplicationRunner {
  const flights = new Map<string, { readonly controller: AbortController; ended: Promise<void> }>();
  /** By secret: not before this boot time. */
  const restUntil = new Map<string, number>();
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;
  let closed = false;

  const ask = (place: string, operation: string, input: object, signal: AbortSignal): Promise<Result> => {
    const { name, region } = partsOfPlace(place);
    return asSchedule(port, REPLICATION_JOB, operation, { SecretId: name, ...input }, signal, region);
  };

  async function dueReplica(place: string): Promise<ReplicaRecord | undefined> {
    const open = vault.open;
    if (!open || open.problem !== undefined) return undefined;
    const secret = await open.store.reader.of(SECRETS).get(place);
    return secret?.replicas.find((replica) => (dueOf(secret, replica) ?? Infinity) <= clock.now());
  }

  /** False: nothing could be said, and it is to be tried later. */
  async function tryOne(place: string, replica: ReplicaRecord, signal: AbortSignal): Promise<boolean> {
    const of = { Region: replica.region };
    const done = isInside(replica) ? await ask(place, 'secretsmanager:ReplicateToRegion', of, signal) : await outside(place, of, signal);
    if (done.ok) return true;
    if (OURS.has(done.error.code) || signal.aborted) return false;
    const { code, message } = done.error;
    return (await ask(place, 'secretsmanager:RecordReplicationFailure', { ...of, Code: code.slice(0, 64), Reason: message.slice(0, 1024) }, signal)).ok;
  }

  /** At a remote: written down before, and after. */
  async function outside(place: string, of: { readonly Region: string }, signal: AbortSignal): Promise<Result> {
    const begun = await ask(place, 'secretsmanager:BeginReplication', of, signal);
    if (!begun.ok) return begun;
    const done = await ask(place, 'secretsmanager:RunReplication', of, signal);
    if (!done.ok || signal.aborted) return done;
    try {
      const { Code, Reason, ...found } = done.output;
      if (Code === undefined) return await ask(place, 'secretsmanager:RecordReplication', { ...of, ...found }, signal);
      return await ask(place, 'secretsmanager:RecordReplicationFailure', { ...of, Code, Reason, Connections: found['Connections'] }, signal);
    } finally {
      disposeSecrets(done.output);
    }
  }

  async function drive(place: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const replica = closed || signal.aborted ? undefined : await dueReplica(place);
      if (!replica) return;
      if (!(await tryOne(place, replica, signal))) {
        if (!signal.aborted) restUntil.set(place, clock.boottime() + REST_MS);
        return;
      }
    }
  }

  function start(place: string): void {
    const controller = new AbortController();
    const flight = { controller, ended: Promise.resolve() };
    flights.set(place, flight);
    flight.ended = drive(place, controller.signal)
      .catch(fault)
      .then(() => {
        flights.delete(place);
        lookIn(0);
      });
  }

  async function look(): Promise<void> {
    timer = undefined;
    const reader = vault.open?.store.reader;
    if (closed || !reader || vault.open?.problem !== undefined) return;
    let soonest: number | undefined;
    for (const [place, { wake }] of await reader.of(SECRETS).entries()) {
      if (wake === undefined || flights.has(place)) continue;
      const rest = Math.max(wake - clock.now(), (restUntil.get(place) ?? 0) - clock.boottime());
      if (rest > 0) soonest = Math.min(soonest ?? rest, rest);
      else if (flights.size < AT_ONCE) start(place);
    }
    if (soonest !== undefined) lookIn(Math.min(soonest, LONGEST_WAIT_MS));
  }

  function lookIn(ms: number): void {
    const at = clock.monotonic() + ms;
    if (closed || (timer && timer.at <= at)) return;
    timer?.cancel();
    timer = { at, cancel: after(ms, () => void look().catch(fault)) };
  }

  const unsubscribe = port.subscribe(({ event }) => {
    if (event === 'vault.locked') for (const { controller } of flights.values()) controller.abort();
    if (event === 'vault.unlocked') restUntil.clear();
    if (event === 'vault.unlocked' || event === 'secret.changed') lookIn(GATHER_MS);
  });

  return {
    async close(graceMs = 10_000) {
      closed = true;
      unsubscribe();
      timer?.cancel();
      for (const { controller } of flights.values()) controller.abort();
      await settledWithin(Promise.all(Array.from(flights.values(), ({ ended }) => ended)), graceMs, () => undefined);
    },
  };
}
