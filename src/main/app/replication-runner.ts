/** Keeps the replicas of secrets level: which replica is behind is in the store. A secret's replicas come one after the other. */
import { disposeSecrets } from '../../shared/model/secret-bytes.ts';
import type { Result } from '../kernel/request.ts';
import { SECRETS } from '../secrets/kinds.ts';
import type { ReplicaRecord } from '../secrets/ports.ts';
import { dueOf, isInside } from '../secrets/replication.ts';
import { OURS, readable, startFlights, type Ask, type Runner, type RunnerPorts } from './flights.ts';

export function startReplicationRunner(ports: RunnerPorts): Runner {
  const { vault, clock } = ports;

  async function dueReplica(place: string): Promise<ReplicaRecord | undefined> {
    const secret = await readable(vault)?.of(SECRETS).get(place);
    return secret?.replicas.find((replica) => (dueOf(secret, replica) ?? Infinity) <= clock.now());
  }

  /** One by one: there may be very many secrets. */
  function* due(entries: Iterable<readonly [string, { readonly wake?: number | undefined }]>): Generator<readonly [string, number]> {
    for (const [place, { wake }] of entries) if (wake !== undefined) yield [place, wake - clock.now()];
  }

  return startFlights(ports, {
    job: 'secret-replication',
    waiting: async (reader) => due(await reader.of(SECRETS).entries()),
    async drive(place, flight, ask) {
      const { signal } = flight.controller;
      const replica = await dueReplica(place);
      if (!replica) return 'over';
      flight.at = replica.region;
      const of = { Region: replica.region };
      const done = isInside(replica) ? await ask('secretsmanager:ReplicateToRegion', of) : await outside(of, signal, ask);
      if (done.ok) return 'done';
      if (OURS.has(done.error.code) || signal.aborted) return 'rest';
      const { code, message } = done.error;
      return (await ask('secretsmanager:RecordReplicationFailure', { ...of, Code: code.slice(0, 64), Reason: message.slice(0, 1024) })).ok ? 'done' : 'rest';
    },
    /** Its owner has let go of the copy, or the secret is gone. */
    async isOvertaken(place, { at }) {
      const secret = await readable(vault)?.of(SECRETS).get(place);
      return secret?.replicas.every(({ region }) => region !== at) ?? true;
    },
  });
}

/** At a remote: written down before, and after. */
async function outside(of: { readonly Region: string }, signal: AbortSignal, ask: Ask): Promise<Result> {
  const begun = await ask('secretsmanager:BeginReplication', of);
  if (!begun.ok) return begun;
  const done = await ask('secretsmanager:RunReplication', of);
  if (!done.ok) return done;
  try {
    if (signal.aborted) return done;
    const { Code, Reason, ...found } = done.output;
    if (Code === undefined) return await ask('secretsmanager:RecordReplication', { ...of, ...found });
    return await ask('secretsmanager:RecordReplicationFailure', { ...of, Code, Reason, Connections: found['Connections'] });
  } finally {
    disposeSecrets(done.output);
  }
}
