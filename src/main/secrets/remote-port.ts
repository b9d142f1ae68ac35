/**
 * What replication needs of a remote: somebody else's AWS Secrets Manager, or whatever speaks its protocol. Who implements it opens the
 * connections in a process of its own and signs there; `remote-plan.ts` decides what is asked. Types only.
 */
import type { Instant } from '../../shared/model/ids.ts';
import type { Label, SecretValue, Tag } from './ports.ts';

/** One remote, as it is sealed (schema 2; 1 had no session tokens). */
export interface RemoteRecord {
  /** What `AddReplicaRegions` calls it: as a region is called, and none. */
  readonly name: string;
  /** `https://host[:port]`; `http:` only to this machine. */
  readonly url: string;
  /** There. */
  readonly region: string;
  readonly accessKeyId: string;
  /** The secret access key as the sealer sealed it, base64. */
  readonly sealed: string;
  /** The session token of a temporary access key, likewise. */
  readonly sealedToken?: string;
  /** PEM of the authorities to trust in place of the usual ones. */
  readonly ca?: string;
  readonly created: Instant;
  readonly changed: Instant;
}

/** What is asked of the secret `name` there: one request, `metadata` a few. Names and ids; a value goes beside it. */
export type RemoteAct =
  | { readonly kind: 'probe' }
  | { readonly kind: 'look'; readonly name: string }
  /** With a value, under AWSCURRENT. */
  | { readonly kind: 'create'; readonly name: string; readonly token: string; readonly description: string; readonly tags: readonly Tag[]; readonly kmsKeyId?: string }
  /** With a value, under `stage`. The same version again changes nothing. */
  | { readonly kind: 'put'; readonly name: string; readonly token: string; readonly stage: string }
  /** Refused there (`remote-parameter`) when the label is not on `from` any more: nothing is written over unseen. */
  | { readonly kind: 'move'; readonly name: string; readonly stage: string; readonly from?: string; readonly to?: string }
  /** Description and tags where they differ; tags `untag` go, others that are there stay. */
  | { readonly kind: 'metadata'; readonly name: string; readonly description: string; readonly tags: readonly Tag[]; readonly untag: readonly string[] }
  /** Answers with a value. */
  | { readonly kind: 'read'; readonly name: string; readonly versionId: string }
  /** With a recovery window of so many days. */
  | { readonly kind: 'delete'; readonly name: string; readonly days: number }
  | { readonly kind: 'restore'; readonly name: string };

/** What is known of the secret there. Words of a remote's that are kept: version ids and staging labels, of their narrow shape. */
export type Theirs = { readonly exists: false } | { readonly exists: true; readonly deleted: boolean; readonly labels: readonly Label[] };

/** `code`: a word of the closed table of failures. `message`: without any word of the remote's. */
export interface RemoteFailure {
  readonly code: string;
  readonly message: string;
}

export type RemoteAnswer = { readonly ok: true; readonly theirs?: Theirs; readonly value?: SecretValue } | { readonly ok: false; readonly failure: RemoteFailure };

export interface RemoteSession {
  /** `value` stays the caller's; an answer's is the caller's to dispose of. CancelledException, InternalException. */
  run(act: RemoteAct, value?: SecretValue): Promise<RemoteAnswer>;
  /** Each connection that was tried: `host:port tls 41 ms`, the last eight. */
  readonly connections: readonly string[];
  /** Ends the process. Idempotent. */
  close(): Promise<void>;
}

export interface Remotes {
  open(remote: RemoteRecord, signal: AbortSignal): RemoteSession;
}
